"""CloudFormation requests: the service role kept and used, IAM told what it asks about, bad requests refused.

- ``RoleARN`` must be a role that the caller may pass and that CloudFormation may assume; the stack keeps it for later
  operations, DescribeStacks shows it, and every resource is made with it (``stack_resources``). Without one,
  resources are made with the caller's own permissions.
- The condition keys ``cloudformation:RoleArn``, ``cloudformation:ChangeSetName``, ``cloudformation:TemplateUrl``; a
  change set that is named by its ARN alone is evaluated as its stack.
- A parameter that the template does not declare is refused.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from local.cloud import contract
from local.cloud.contract import Seam
from local.cloud.principals import caller_arn, caller_may, find_role, role_arn_of_session, trusts

SEAMS = (
    Seam("ministack.core.iam_actions", "extract_resource_arn", ("service", "method", "path", "headers", "body")),
    Seam("ministack.core.iam_actions", "request_tag_context", ("service", "iam_action", "body", "params")),
    Seam("ministack.services.cloudformation", "_change_sets"),
    Seam("ministack.services.cloudformation", "_stacks"),
    Seam("ministack.services.cloudformation.changesets", "_find_change_set", ("cs_name", "stack_name")),
    Seam("ministack.services.cloudformation.changesets", "_resolve_parameters"),
    Seam("ministack.services.cloudformation.engine", "_resolve_parameters", ("template", "provided_params")),
    Seam("ministack.services.cloudformation.handlers", "_ACTION_HANDLERS"),
    Seam("ministack.services.cloudformation.handlers", "_resolve_parameters"),
    Seam("ministack.services.cloudformation.handlers", "_resolve_stack", ("stack_name",)),
    Seam("ministack.services.cloudformation.helpers", "_error", ("code", "message", "status")),
    Seam("ministack.services.cloudformation.helpers", "_p", ("params", "key", "default")),
)

SERVICE = "cloudformation.amazonaws.com"

acting_role: ContextVar[str] = ContextVar("cloudformation_role", default="")
"""ARN of the role that makes the resources of the operation that runs; empty for an account's root."""

Handler = Callable[[dict[str, Any]], Any]

_STACK_ID = re.compile(r"<StackId>([^<]+)</StackId>")


def install() -> None:
    """Wrap the actions and what IAM is asked about them."""
    from ministack.core import iam_actions
    from ministack.services.cloudformation import engine, handlers

    actions = handlers._ACTION_HANDLERS
    actions["CreateChangeSet"] = _creating_change_set(actions["CreateChangeSet"])
    actions["ExecuteChangeSet"] = _executing(actions["ExecuteChangeSet"])
    for name in ("CreateStack", "UpdateStack", "DeleteStack"):
        actions[name] = _operating(actions[name])
    actions["DescribeStacks"] = _describing(actions["DescribeStacks"])

    resolve = engine._resolve_parameters

    @functools.wraps(resolve)
    def declared(template: dict[str, Any], provided_params: list[dict[str, Any]], *more: Any, **named: Any) -> Any:
        unknown = sorted({given["Key"] for given in provided_params} - template.get("Parameters", {}).keys())
        if unknown:
            raise ValueError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
        return resolve(template, provided_params, *more, **named)

    contract.replace(
        resolve,
        declared,
        "ministack.services.cloudformation.engine",
        "ministack.services.cloudformation.changesets",
        "ministack.services.cloudformation.handlers",
    )

    extract, context = iam_actions.extract_resource_arn, iam_actions.request_tag_context

    @functools.wraps(extract)
    def extracted(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        *more: Any,
        **named: Any,
    ) -> str:
        found = str(extract(service, method, path, headers, body, query_params, *more, **named))
        if service == "cloudformation" and found == "*":
            return _stack_of_change_set(query_params) or found
        return found

    @functools.wraps(context)
    def with_keys(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = context(service, iam_action, body, params)
        return {**found, **_condition_keys(params)} if service == "cloudformation" else found

    iam_actions.extract_resource_arn = extracted
    iam_actions.request_tag_context = with_keys


def _stack_of_change_set(params: dict[str, Any]) -> str:
    from ministack.services.cloudformation import _change_sets
    from ministack.services.cloudformation.helpers import _p

    found = _change_sets.get(_p(params, "ChangeSetName"))
    return str(found["StackId"]) if found else ""


def _condition_keys(params: dict[str, Any]) -> dict[str, str]:
    from ministack.services.cloudformation.helpers import _p

    named = {"RoleARN": "RoleArn", "ChangeSetName": "ChangeSetName", "TemplateURL": "TemplateUrl"}
    return {f"cloudformation:{key}": _p(params, name) for name, key in named.items() if _p(params, name)}


def _refused_role(role: str) -> Any:
    """An error answer when the caller may not use the role; None when it may."""
    from ministack.services.cloudformation.helpers import _error

    passed = caller_may("iam:PassRole", role, {"iam:passedtoservice": SERVICE})
    if not passed.allowed:
        return _error("AccessDenied", passed.message, 403)
    if find_role(role) is None or not trusts(role, SERVICE):
        return _error("ValidationError", f"Role {role} is invalid or cannot be assumed")
    return None


def _default_role() -> str:
    """Without a service role CloudFormation works with the caller's permissions."""
    return role_arn_of_session(caller_arn()) or ""


def _creating_change_set(handler: Handler) -> Handler:
    @functools.wraps(handler)
    def create(params: dict[str, Any]) -> Any:
        from ministack.services.cloudformation.changesets import _find_change_set
        from ministack.services.cloudformation.handlers import _resolve_stack
        from ministack.services.cloudformation.helpers import _p

        role = _p(params, "RoleARN")
        refused = _refused_role(role) if role else None
        if refused is not None:
            return refused
        answer = handler(params)
        if answer[0] < 400:
            stack = _resolve_stack(_p(params, "StackName"))
            _, change_set = _find_change_set(_p(params, "ChangeSetName"), stack["StackName"])
            change_set["_role_arn"] = role or stack.get("_role_arn", "")
        return answer

    return create


def _executing(handler: Handler) -> Handler:
    @functools.wraps(handler)
    def execute(params: dict[str, Any]) -> Any:
        from ministack.services.cloudformation.changesets import _find_change_set
        from ministack.services.cloudformation.handlers import _resolve_stack
        from ministack.services.cloudformation.helpers import _p

        _, change_set = _find_change_set(_p(params, "ChangeSetName"), _p(params, "StackName"))
        role = change_set.get("_role_arn", "") if change_set else ""
        stack = _resolve_stack(change_set["StackName"]) if change_set else None
        if stack is not None and role:
            stack["_role_arn"] = role
        return _as_role(role or _default_role(), handler, params)

    return execute


def _operating(handler: Handler) -> Handler:
    @functools.wraps(handler)
    def operate(params: dict[str, Any]) -> Any:
        from ministack.services.cloudformation.handlers import _resolve_stack
        from ministack.services.cloudformation.helpers import _p

        role = _p(params, "RoleARN")
        refused = _refused_role(role) if role else None
        if refused is not None:
            return refused
        stack = _resolve_stack(_p(params, "StackName"))
        kept = stack.get("_role_arn", "") if stack and stack.get("StackStatus") != "DELETE_COMPLETE" else ""
        answer = _as_role(role or kept or _default_role(), handler, params)
        stack = _resolve_stack(_p(params, "StackName"))
        if stack is not None and (role or kept):
            stack["_role_arn"] = role or kept
        return answer

    return operate


def _as_role(role: str, handler: Handler, params: dict[str, Any]) -> Any:
    """Run an action; the task that it starts keeps the role, because a task copies the context it is made in."""
    token = acting_role.set(role)
    try:
        return handler(params)
    finally:
        acting_role.reset(token)


def _describing(handler: Handler) -> Handler:
    @functools.wraps(handler)
    def describe(params: dict[str, Any]) -> Any:
        from ministack.services.cloudformation import _stacks

        status, headers, body = handler(params)
        if status >= 400:
            return status, headers, body
        roles = {stack["StackId"]: stack.get("_role_arn", "") for stack in _stacks.values()}

        def with_role(found: re.Match[str]) -> str:
            role = roles.get(found[1])
            return f"{found[0]}<RoleARN>{role}</RoleARN>" if role else found[0]

        return status, headers, _STACK_ID.sub(with_role, body.decode()).encode()

    return describe
