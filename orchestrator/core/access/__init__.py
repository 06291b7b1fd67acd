"""What a plan opens: IAM, network and encryption of the resources before it compared with those after it.

What is compared are the properties of each changed resource as CloudFormation itself has resolved them
(``DescribeChangeSet`` with ``IncludePropertyValues``: parameters, conditions and functions put in), so nothing here
reads a template. Whatever is not known before the deployment, or cannot be compared, is told as *may widen*, never as
nothing. What narrows is not told.

Containment is judged soundly rather than completely: a statement that is said to be covered is covered, one that is
said to be new may be covered by several others together, or by one with a wildcard in another place. Not looked at:
what the accounts have beside the stack (their own policies, service control policies, what a managed policy says),
and code that a custom resource runs.
"""
