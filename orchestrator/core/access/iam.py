"""Who may do what: roles, policies, permissions boundaries, and the policies of resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.core.access.contexts import LATER, ResourceContext, document, is_unknown, listed, some
from orchestrator.core.access.statements import Statement, moved, statements, together, uncovered, without_condition
from orchestrator.core.plans import AccessChange, Area, Reach

RESOURCE_POLICIES: Mapping[str, str] = {
    "AWS::ApiGateway::RestApi": "Policy",
    "AWS::Backup::BackupVault": "AccessPolicy",
    "AWS::EC2::VPCEndpoint": "PolicyDocument",
    "AWS::ECR::RegistryPolicy": "PolicyText",
    "AWS::ECR::Repository": "RepositoryPolicyText",
    "AWS::EFS::FileSystem": "FileSystemPolicy",
    "AWS::Events::EventBusPolicy": "Statement",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::KMS::ReplicaKey": "KeyPolicy",
    "AWS::Logs::ResourcePolicy": "PolicyDocument",
    "AWS::OpenSearchService::Domain": "AccessPolicies",
    "AWS::S3::AccessPoint": "Policy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SageMaker::ModelPackageGroup": "ModelPackageGroupPolicy",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
    "AWS::SNS::TopicInlinePolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueueInlinePolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
}
"""Type → the property that holds its policy (CloudFormation's resource reference)."""

IDENTITIES = frozenset({"AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"})
POLICIES = frozenset(
    f"AWS::IAM::{name}" for name in ("Policy", "ManagedPolicy", "RolePolicy", "UserPolicy", "GroupPolicy")
)
PERMISSION = "AWS::Lambda::Permission"
PROFILE = "AWS::IAM::InstanceProfile"

TYPES = frozenset({*RESOURCE_POLICIES, *IDENTITIES, *POLICIES, PERMISSION, PROFILE})
"""Types that decide who may do what."""

ROLE_PROPERTIES = ("ExecutionRoleArn", "RoleArn", "Role", "ServiceRole", "TaskRoleArn", "IamInstanceProfile")
"""Properties that name the role by which a resource acts."""

_Document = Mapping[str, Any]


def findings(context: ResourceContext) -> Iterator[AccessChange]:
    """What a resource opens to whom."""
    before, after = context.before or {}, context.after or {}
    kind = context.resource_type
    if kind in IDENTITIES:
        yield from _identity(context, before, after)
    elif kind in POLICIES:
        yield from _documents(context, [before.get("PolicyDocument")], [after.get("PolicyDocument")])
        for word in ("Roles", "Users", "Groups", "RoleName", "UserName", "GroupName"):
            yield from _added(context, before.get(word), after.get(word), f"is attached to {_kind(word)}", new=False)
    elif kind in RESOURCE_POLICIES:
        yield from _resource_policy(context, RESOURCE_POLICIES[kind], before, after)
    elif kind == PERMISSION:
        yield from _compared(context, _permission(before), _permission(after))
    elif kind == PROFILE:
        yield from _added(context, before.get("Roles"), after.get("Roles"), "gives machines the role")
    yield from _acting(context, before, after)


def _identity(context: ResourceContext, before: _Document, after: _Document) -> Iterator[AccessChange]:
    if context.after is None:
        return
    inline = [
        [one.get("PolicyDocument") if isinstance(one, Mapping) else one for one in some(side.get("Policies"))]
        for side in (before, after)
    ]
    yield from _documents(context, *inline)
    if context.resource_type == "AWS::IAM::Role":
        yield from _documents(
            context,
            [before.get("AssumeRolePolicyDocument")],
            [after["AssumeRolePolicyDocument"]] if "AssumeRolePolicyDocument" in after else [],
        )
    yield from _added(
        context, before.get("ManagedPolicyArns"), after.get("ManagedPolicyArns"), "has the managed policy"
    )
    yield from _added(context, before.get("Groups"), after.get("Groups"), "joins the group")
    old, new = before.get("PermissionsBoundary"), after.get("PermissionsBoundary")
    if old and not new:
        yield context.opens(Area.IAM, f"has no permissions boundary any more (was {old})")
    elif old and old != new:
        yield context.opens(Area.IAM, f"has another permissions boundary: {new} (was {old})", certain=False)


def _resource_policy(
    context: ResourceContext, name: str, before: _Document, after: _Document
) -> Iterator[AccessChange]:
    endpoint = context.resource_type == "AWS::EC2::VPCEndpoint"
    if endpoint and context.after is not None and not after.get(name) and (context.before is None or before.get(name)):
        yield context.opens(Area.NETWORK, "has no policy, which lets every caller through to everything")
        return
    if context.resource_type == "AWS::Events::EventBusPolicy":
        yield from _documents(context, [{"Statement": before.get(name)}], [{"Statement": after.get(name)}])
    else:
        yield from _documents(context, [before.get(name)], [after.get(name)])


def _documents(context: ResourceContext, old: Sequence[Any], new: Sequence[Any]) -> Iterator[AccessChange]:
    """The statements of some policies before and after."""
    known, now = ([document(one) for one in side if one] for side in (old, new))
    if not all(map(_readable, now)) or (old != new and not all(map(_readable, known))):
        yield context.opens(Area.IAM, "has a policy that cannot be read before it is deployed", certain=False)
        return
    yield from _compared(
        context, statements(one for one in known if one is not None), statements(one for one in now if one is not None)
    )


def _readable(policy: _Document | None) -> bool:
    """Whether each statement of a policy is known before the deployment."""
    return policy is not None and all(isinstance(one, Mapping) for one in some(policy.get("Statement")))


def _compared(context: ResourceContext, old: Sequence[Statement], new: Sequence[Statement]) -> Iterator[AccessChange]:
    granted, allowed = ([one for one in side if one.allows] for side in (old, new))
    found = uncovered(allowed, granted)
    for one, gone in moved(found, uncovered(granted, allowed)):
        found.remove(one)
        yield replace(context.opens(Area.IAM, f"{_allowed(one, False)} instead of {gone.resources}"), reach=Reach.MOVES)
    for one in together(found):
        dropped = context.before is not None and without_condition(one, granted)
        yield context.opens(Area.IAM, _allowed(one, dropped), certain=context.before is None or not one.unknown)
    if context.before is not None:
        denied = [one for one in new if not one.allows]
        for one in together(uncovered([one for one in old if not one.allows], denied)):
            yield context.opens(
                Area.IAM,
                f"no longer denies {one.actions} on {one.resources}",
                certain=not any(other.unknown for other in denied),
            )


def _allowed(one: Statement, dropped: bool) -> str:
    told = f"{_who(one)}{one.actions} on {one.resources}"
    if one.actions.patterns and all(name.lower().startswith("sts:assumerole") for name in one.actions.patterns):
        told = f"may be assumed by {_principals(one)}"
    if one.condition:
        told += ", under another condition than before" if dropped else ", under a condition"
    elif dropped:
        told += ", without the condition that it had"
    return told


def _who(one: Statement) -> str:
    return "may " if one.principals.patterns == ("itself",) else f"lets {_principals(one)} do "


def _principals(one: Statement) -> str:
    names = ["anybody" if name == "*" else name.partition(":")[2] or name for name in one.principals.patterns]
    return f"everybody but {listed(names)}" if one.principals.but else listed(names)


def _permission(properties: _Document) -> list[Statement]:
    """A permission of a Lambda function is a statement of the function's policy."""
    if not properties:
        return []
    principal = str(properties.get("Principal", ""))
    service = principal.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    named = {"SourceArn": "ArnLike", "SourceAccount": "StringEquals", "PrincipalOrgID": "StringEquals"}
    condition: dict[str, dict[str, Any]] = {}
    for name, operator in named.items():
        if properties.get(name):
            condition.setdefault(operator, {})[name] = properties[name]
    if properties.get("FunctionUrlAuthType"):
        condition.setdefault("StringEquals", {})["FunctionUrlAuthType"] = properties["FunctionUrlAuthType"]
    statement = {
        "Effect": "Allow",
        "Principal": principal if principal == "*" else {"Service" if service else "AWS": principal},
        "Action": properties.get("Action", "lambda:InvokeFunction"),
        "Resource": properties.get("FunctionName", "*"),
        "Condition": condition,
    }
    return statements([{"Statement": [statement]}])


def _added(context: ResourceContext, before: Any, after: Any, told: str, *, new: bool = True) -> Iterator[AccessChange]:
    """Members that a list did not have; ``new`` where those of a new resource are told too."""
    if context.before is None and not new:
        return
    known = {str(one) for one in some(before)}
    for one in map(str, some(after)):
        if one not in known:
            yield context.opens(Area.IAM, f"{told} {one}", certain=context.before is None or not is_unknown(one))


def _acting(context: ResourceContext, before: _Document, after: _Document) -> Iterator[AccessChange]:
    """Another role than before: what it may do is not looked into."""
    if context.before is None or context.after is None or context.resource_type in TYPES:
        return
    for name in ROLE_PROPERTIES:
        old, new = before.get(name), after.get(name)
        if new and old != new and isinstance(new, str):
            told = f"acts as another role: {new}" if old else f"acts as the role {new}"
            yield context.opens(Area.IAM, told.replace(LATER, ""), certain=False)


def _kind(word: str) -> str:
    return {"Role": "the role", "User": "the user"}.get(word[:4], "the group")
