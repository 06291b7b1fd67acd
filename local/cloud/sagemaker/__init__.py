"""SageMaker: its API by ``moto`` in this process, its CloudFormation resources, and endpoints that really predict.

``api`` forwards calls that IAM has let through, ``resources`` makes stacks of Model, EndpointConfig and Endpoint,
``hosting`` deploys an endpoint, ``container`` is the process that serves one model.
"""
