"""SageMaker: its API under IAM, its CloudFormation resources, endpoints that really predict, jobs that really run.

``api`` answers calls that IAM has let through: with ``models``, ``endpoints``, ``pipelines``, ``definitions``,
``monitoring``, ``registry`` and ``cards``, whose resources are ``records``, with ``jobs``, and with ``moto`` for what
is left. ``resources`` makes those of stacks, of ``requests_of`` their properties, with the ``permissions`` that their
handlers need. ``hosting`` deploys an endpoint, ``deployment`` says in which steps, ``container`` is the process that
serves one model.
"""
