"""The ``mlops`` command: a view of the product's API, and the checks that need no AWS account.

``main`` maps errors to exit statuses and puts the verbs together; each verb's module asks ``target`` where the API is,
``api`` for the answer and ``screen`` to show it. The command never touches the installation's table or buckets.
"""
