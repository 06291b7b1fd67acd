"""What the role of a stack operation must be allowed for a resource: the calls that CloudFormation's handlers make.

A table of the types that workloads are made of; a type that is not in it needs no permission here. The price of a
table: for the types that are in this module it names the calls that change something, not every Describe and List with
which AWS's handlers wait; SageMaker's have all that their schemas say.
"""

from __future__ import annotations

from collections.abc import Iterator

from local.cloud import service_permissions
from local.cloud.needs import Need, Needs, Resource, Step, passing
from local.cloud.sagemaker import permissions


def needs(resource: Resource, step: Step) -> list[Need]:
    """The permissions of one step on one resource."""
    found = _TABLE.get(resource.type)
    return list(found(resource, step)) if found else []


def known(resource_type: str) -> bool:
    """Whether the table has the type."""
    return resource_type in _TABLE


def _role(resource: Resource, step: Step) -> Iterator[Need]:
    path = resource.properties.get("Path", "/")
    arn = f"arn:aws:iam::{resource.account}:role{path}{resource.name('RoleName')}"
    boundary = resource.properties.get("PermissionsBoundary")
    context = (("iam:permissionsboundary", str(boundary)),) if boundary else ()
    actions = {"create": "iam:CreateRole", "update": "iam:UpdateAssumeRolePolicy", "delete": "iam:DeleteRole"}
    yield Need(actions[step], arn, context)
    if resource.properties.get("Policies"):
        yield Need("iam:DeleteRolePolicy" if step == "delete" else "iam:PutRolePolicy", arn, context)
    for policy in resource.properties.get("ManagedPolicyArns") or []:
        attach = "iam:DetachRolePolicy" if step == "delete" else "iam:AttachRolePolicy"
        yield Need(attach, arn, (*context, ("iam:policyarn", str(policy))))
    if resource.tagged and step != "delete":
        yield Need("iam:TagRole", arn, context)


def _function(resource: Resource, step: Step) -> Iterator[Need]:
    arn = f"arn:aws:lambda:{resource.region}:{resource.account}:function:{resource.name('FunctionName')}"
    actions = {
        "create": ("lambda:CreateFunction", "lambda:GetFunction"),
        "update": ("lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:GetFunction"),
        "delete": ("lambda:DeleteFunction",),
    }
    for action in actions[step]:
        yield Need(action, arn)
    if step != "delete":
        yield from passing(resource.properties.get("Role"), "lambda.amazonaws.com")
        if resource.tagged:
            yield Need("lambda:TagResource", arn)


def _permission(resource: Resource, step: Step) -> Iterator[Need]:
    function = str(resource.properties.get("FunctionName", ""))
    arn = (
        function
        if function.startswith("arn:")
        else f"arn:aws:lambda:{resource.region}:{resource.account}:function:{function}"
    )
    yield Need("lambda:RemovePermission" if step == "delete" else "lambda:AddPermission", arn)


def _log_group(resource: Resource, step: Step) -> Iterator[Need]:
    arn = f"arn:aws:logs:{resource.region}:{resource.account}:log-group:{resource.name('LogGroupName')}"
    if step == "create":
        yield Need("logs:CreateLogGroup", arn)
    if step == "delete":
        yield Need("logs:DeleteLogGroup", arn)
    elif resource.properties.get("RetentionInDays"):
        yield Need("logs:PutRetentionPolicy", arn)


def _rest_api(collection: str) -> Needs:
    """A part of a REST API; ``collection`` is its path below ``/restapis/{id}``, or empty for the API itself."""

    def found(resource: Resource, step: Step) -> Iterator[Need]:
        base = f"arn:aws:apigateway:{resource.region}::/restapis"
        api = resource.properties.get("RestApiId") or resource.physical_id
        verb = {"create": "POST", "update": "PATCH", "delete": "DELETE"}[step]
        if not collection:
            yield Need(f"apigateway:{verb}", base if step == "create" else f"{base}/{api}")
            return
        if collection == "methods":
            parent = resource.properties.get("ResourceId")
            method = resource.properties.get("HttpMethod")
            yield Need(
                "apigateway:DELETE" if step == "delete" else "apigateway:PUT",
                f"{base}/{api}/resources/{parent}/methods/{method}",
            )
            return
        # A resource is made below its parent: POST /restapis/{id}/resources/{parent}.
        parent = f"/{resource.properties.get('ParentId')}" if collection == "resources" and step == "create" else ""
        suffix = "" if step == "create" else f"/{resource.physical_id}"
        yield Need(f"apigateway:{verb}", f"{base}/{api}/{collection}{parent}{suffix}")

    return found


def _simple(create: str, update: str, delete: str, name: str, arn: str) -> Needs:
    """A type with one call a step; ``arn`` has places for region, account and name."""

    def found(resource: Resource, step: Step) -> Iterator[Need]:
        own = resource.physical_id if resource.physical_id.startswith("arn:") else ""
        action = {"create": create, "update": update, "delete": delete}[step]
        yield Need(
            action,
            own or arn.format(region=resource.region, account=resource.account, name=resource.name(name)),
        )

    return found


_TABLE: dict[str, Needs] = {
    "AWS::IAM::Role": _role,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Permission": _permission,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::ApiGateway::RestApi": _rest_api(""),
    "AWS::ApiGateway::Resource": _rest_api("resources"),
    "AWS::ApiGateway::Method": _rest_api("methods"),
    "AWS::ApiGateway::Deployment": _rest_api("deployments"),
    "AWS::ApiGateway::Stage": _rest_api("stages"),
    "AWS::ApiGateway::RequestValidator": _rest_api("requestvalidators"),
    "AWS::S3::Bucket": _simple(
        "s3:CreateBucket", "s3:PutBucketPolicy", "s3:DeleteBucket", "BucketName", "arn:aws:s3:::{name}"
    ),
    "AWS::SNS::Topic": _simple(
        "sns:CreateTopic",
        "sns:SetTopicAttributes",
        "sns:DeleteTopic",
        "TopicName",
        "arn:aws:sns:{region}:{account}:{name}",
    ),
    "AWS::SQS::Queue": _simple(
        "sqs:CreateQueue",
        "sqs:SetQueueAttributes",
        "sqs:DeleteQueue",
        "QueueName",
        "arn:aws:sqs:{region}:{account}:{name}",
    ),
    "AWS::SSM::Parameter": _simple(
        "ssm:PutParameter",
        "ssm:PutParameter",
        "ssm:DeleteParameter",
        "Name",
        "arn:aws:ssm:{region}:{account}:parameter/{name}",
    ),
    "AWS::DynamoDB::Table": _simple(
        "dynamodb:CreateTable",
        "dynamodb:UpdateTable",
        "dynamodb:DeleteTable",
        "TableName",
        "arn:aws:dynamodb:{region}:{account}:table/{name}",
    ),
    "AWS::Events::Rule": _simple(
        "events:PutRule", "events:PutRule", "events:DeleteRule", "Name", "arn:aws:events:{region}:{account}:rule/{name}"
    ),
    **permissions.TABLE,
    **service_permissions.TABLE,
}
