"""IAM: principals as policies see them on AWS.

- ``aws:PrincipalArn`` of a role's session is the ARN of the role with its path; the emulator gives the session's ARN,
  so that a trust or bucket policy with ``ArnLike aws:PrincipalArn: …:role/mlops/*`` would never match.
- ``aws:ResourceAccount`` of a bucket is its owner's account, whoever asks.
- AssumeRole of a role's name under another path is refused: the emulator looks at the last part of the ARN only.
- :func:`decide` answers whether a role may do something, for calls that a service makes with a role's credentials:
  CloudFormation with its service role, SageMaker with a model's execution role, EventBridge with a target's role.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.core.iam_evaluator", "EvalContext"),
    Seam("ministack.core.iam_evaluator", "_resolve_condition_key", ("key", "ctx")),
    Seam("ministack.core.iam_evaluator", "_gather_role_policies", ("role_name", "account_id")),
    Seam("ministack.core.iam_evaluator", "_permissions_boundary", ("store", "name", "account_id")),
    Seam("ministack.core.iam_evaluator", "_resource_policy", ("service", "resource_arn")),
    Seam("ministack.core.iam_evaluator", "_request_caller_arn"),
    Seam("ministack.core.iam_evaluator", "combine_resource_policy", ("identity", "ctx", "policy", "owner_account")),
    Seam("ministack.core.iam_evaluator", "evaluate", ("ctx", "policies", "limits")),
    Seam("ministack.core.iam_evaluator", "resolve_principal", ("access_key_id", "account_id")),
    Seam("ministack.core.iam_evaluator", "pin_request_caller", ("headers", "query_params")),
    Seam("ministack.core.router", "extract_access_key_id", ("headers", "query_params")),
    Seam("ministack.core.responses", "get_account_id", ()),
    Seam("ministack.core.responses", "get_region", ()),
    Seam("ministack.services.iam", "_roles.get_scoped"),
    Seam("ministack.services.s3", "_bucket_owner_account", ("name",)),
    Seam("ministack.services.sts", "handle_request", ("method", "path", "headers", "body", "query_params")),
    Seam("ministack.services.sts", "_error"),
)

_access_key: ContextVar[str] = ContextVar("access_key", default="")
"""Access key of the current request; empty outside one."""


_POLICIES_OF = {"execute-api": "apigateway"}
"""Prefix of an action → the service that keeps the policies of its resources, where that is another one."""


@dataclass(frozen=True)
class Verdict:
    """Whether something is allowed; ``message`` says what IAM says when it is not."""

    allowed: bool
    message: str = ""


def role_arn_of_session(session_arn: str) -> str | None:
    """``arn:…:assumed-role/NAME/SESSION`` → the ARN of the role, with its path; None for another principal."""
    from ministack.services import iam

    parts = session_arn.split(":", 5)
    if len(parts) < 6 or not parts[5].startswith("assumed-role/"):
        return None
    role = iam._roles.get_scoped(parts[4], None, parts[5].split("/")[1])
    return str(role["Arn"]) if role else None


def caller_arn() -> str:
    """ARN of the principal that made the current request; empty outside a request."""
    from ministack.core import iam_evaluator

    return str(iam_evaluator._request_caller_arn.get())


def find_role(role_arn: str) -> dict[str, Any] | None:
    """The role with exactly this ARN, path included."""
    from ministack.services import iam

    parts = role_arn.split(":", 5)
    if len(parts) < 6 or not parts[5].startswith("role/"):
        return None
    role: dict[str, Any] | None = iam._roles.get_scoped(parts[4], None, parts[5].rsplit("/", 1)[-1])
    return role if role and role["Arn"] == role_arn else None


def trusts(role_arn: str, service: str) -> bool:
    """Whether a role may be assumed by a service principal such as ``sagemaker.amazonaws.com``."""
    import json

    role = find_role(role_arn)
    if role is None:
        return False
    document = role["AssumeRolePolicyDocument"]
    document = json.loads(document) if isinstance(document, str) else document
    statements = document.get("Statement", [])
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal", {})
        named = principal.get("Service", []) if isinstance(principal, dict) else []
        if statement.get("Effect") == "Allow" and service in ([named] if isinstance(named, str) else named):
            return True
    return False


def decide(
    role_arn: str,
    action: str,
    resource: str,
    context: Mapping[str, Any] | None = None,
    session: str = "service",
    *,
    owner_permits: bool = False,
) -> Verdict:
    """Whether a role may do ``action`` on ``resource``: its policies, its boundary and the resource's own policy.

    ``context`` holds condition keys of the request in lower case. ``owner_permits``: the resource is AWS's own, which
    every account may use, such as an image of SageMaker's; the role's policies and boundary decide alone.
    """
    from ministack.core import iam_evaluator, responses

    if find_role(role_arn) is None:
        return Verdict(False, f"The role {role_arn} does not exist")
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    principal = f"arn:aws:sts::{account}:assumed-role/{name}/{session}"
    policies = iam_evaluator._gather_role_policies(name, account)
    from ministack.services import iam

    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    return _verdict(
        principal, account, policies, limits, action, resource, context or {}, responses.get_region(), owner_permits
    )


@contextmanager
def decided_elsewhere() -> Iterator[None]:
    """What is called inside acts for a service that has asked IAM already, not for the request's caller."""
    token = _access_key.set("")
    try:
        yield
    finally:
        _access_key.reset(token)


def caller_may(action: str, resource: str, context: Mapping[str, Any] | None = None) -> Verdict:
    """Whether the caller of the current request may do something beside the request's own action."""
    from ministack.core import iam_evaluator, responses

    access_key = _access_key.get()
    if not access_key:
        return Verdict(True)  # a call of another service in this process, decided where it came from
    principal = iam_evaluator.resolve_principal(access_key, responses.get_account_id())
    if isinstance(principal, iam_evaluator.AuthError):
        return Verdict(False, principal.message)
    if principal.policies is None:
        return Verdict(True)  # an account's root
    return _verdict(
        principal.arn,
        principal.account,
        principal.policies,
        principal.limits,
        action,
        resource,
        {**principal.keys, **(context or {})},
        responses.get_region(),
    )


def _verdict(
    principal: str,
    account: str,
    policies: Any,
    limits: Any,
    action: str,
    resource: str,
    context: Mapping[str, Any],
    region: str,
    owner_permits: bool = False,
) -> Verdict:
    from ministack.core import iam_evaluator, responses

    service = action.partition(":")[0]
    request = iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=region,
        secure_transport=True,
        service_context=dict(context),
    )
    result = iam_evaluator.evaluate(request, policies, *limits)
    owner = resource_owner(resource) or account
    with responses.request_scope(owner, region):
        found = iam_evaluator._resource_policy(_POLICIES_OF.get(service, service), resource)
    if found is not None and not owner_permits:
        policy, policy_owner = found
        result = iam_evaluator.combine_resource_policy(
            result, request, policy, policy_owner, required=service == "kms", limits=limits
        )
    elif owner != account and not owner_permits:
        return Verdict(False, f"{principal} is not authorized to perform: {action} on resource: {resource}")
    if result.decision == "Allow":
        return Verdict(True)
    reason = (
        "with an explicit deny in a policy"
        if result.decision == "Deny"
        else f"because no identity-based policy allows the {action} action"
    )
    return Verdict(False, f"User: {principal} is not authorized to perform: {action} on resource: {resource} {reason}")


def resource_owner(resource: str) -> str:
    """The account that owns a resource: a bucket's owner, else the ARN's account; empty when the ARN names none."""
    from ministack.services import s3

    if resource.startswith("arn:aws:s3:::"):
        return str(s3._bucket_owner_account(resource.removeprefix("arn:aws:s3:::").split("/", 1)[0]) or "")
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[4].isdigit() else ""


def install() -> None:
    """Replace the condition keys and the check of a role's path."""
    from ministack.core import iam_evaluator, router
    from ministack.services import sts

    pin = iam_evaluator.pin_request_caller
    resolve = iam_evaluator._resolve_condition_key
    handle = sts.handle_request

    @functools.wraps(pin)
    def pinned(headers: dict[str, str], query_params: dict[str, Any] | None = None) -> None:
        _access_key.set(router.extract_access_key_id(headers, query_params or {}))
        pin(headers, query_params)

    @functools.wraps(resolve)
    def condition_key(key: str, ctx: Any) -> Any:
        name = key.lower()
        if name == "aws:principalarn":
            return role_arn_of_session(ctx.principal_arn) or resolve(key, ctx)
        if name in {"aws:resourceaccount", "s3:resourceaccount"}:
            return resource_owner(ctx.resource_arn) or resolve(key, ctx)
        return resolve(key, ctx)

    @functools.wraps(handle)
    async def with_path(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Any:
        form = {**query_params, **parse_qs(body.decode("utf-8", "replace"))}
        if form.get("Action") == ["AssumeRole"]:
            wanted = form.get("RoleArn", [""])[0]
            if wanted.count(":") >= 5 and find_role(wanted) is None:
                message = f"User: {caller_arn()} is not authorized to perform: sts:AssumeRole on resource: {wanted}"
                return sts._error(403, "AccessDenied", message, ns="sts")
        return await handle(method, path, headers, body, query_params)

    iam_evaluator.pin_request_caller = pinned
    iam_evaluator._resolve_condition_key = condition_key
    sts.handle_request = with_path
