"""A change set as CloudFormation describes it, as a ``Plan`` that a human can judge. Nothing here calls AWS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from orchestrator.core.access.compare import access_changes, kept
from orchestrator.core.access.contexts import ResourceContext
from orchestrator.core.plans import AccessChange, ParameterChange, Plan, ResourceChange
from orchestrator.core.ports import PlanRequest

_EMPTY = ("didn't contain changes", "No updates are to be performed")
"""The two wordings of CloudFormation for a change set without changes."""

_ACTIONS = {"Add": "add", "Remove": "remove", "Import": "add", "Dynamic": "modify"}
_REPLACEMENTS = {"True": "replace", "Conditional": "maybe_replace"}

_HIDDEN = "****"
"""What CloudFormation shows of a NoEcho value."""


def is_empty(description: Mapping[str, Any]) -> bool:
    """Whether CloudFormation gave up on the change set because it would change nothing."""
    reason = description.get("StatusReason", "")
    return description["Status"] == "FAILED" and any(words in reason for words in _EMPTY)


def is_of(request: PlanRequest, description: Mapping[str, Any]) -> bool:
    """Whether a change set that was found by its name was made with the parameters of this request."""
    shown = {one["ParameterKey"]: one.get("ParameterValue", "") for one in description.get("Parameters", [])}
    return all(shown.get(name) in {value, _HIDDEN} for name, value in request.parameters.items())


def described(
    request: PlanRequest, description: Mapping[str, Any], stack: Mapping[str, Any], template: str | Mapping[str, Any]
) -> Plan:
    """The plan; ``stack`` and ``template`` are what CloudFormation itself holds of both."""
    creates = stack.get("StackStatus") == "REVIEW_IN_PROGRESS"
    return Plan(
        change_set_arn=description["ChangeSetId"],
        stack_id=description["StackId"],
        stack_name=request.stack_name,
        digest=digest_of(description, template, request.content_digest),
        creates_stack=creates,
        empty=False,
        resources=tuple(_resource(change["ResourceChange"]) for change in description.get("Changes", [])),
        parameters=_changes({} if creates else _parameters(stack), _parameters(description)),
        base=last_change(stack),
        access=kept(_access(description, creates_stack=creates)),
    )


def empty_plan(request: PlanRequest, description: Mapping[str, Any], stack: Mapping[str, Any]) -> Plan:
    """The plan that changes nothing."""
    return Plan(
        change_set_arn=description["ChangeSetId"],
        stack_id=description["StackId"],
        stack_name=request.stack_name,
        digest=hashlib.sha256(f"{description['ChangeSetId']}|empty|{request.content_digest}".encode()).hexdigest(),
        creates_stack=False,
        empty=True,
        resources=(),
        parameters=(),
        base=last_change(stack),
    )


def digest_of(description: Mapping[str, Any], template: str | Mapping[str, Any], content_digest: str) -> str:
    """What an approval is bound to, from CloudFormation's own answers.

    GetTemplate answers text for a YAML template and a parsed object for a JSON one. What the plan opens is bound by
    itself, since it says more than the template does: of functions and conditions what they come to.
    """
    text = template if isinstance(template, str) else json.dumps(template, sort_keys=True)
    bound: dict[str, object] = {
        "change_set": description["ChangeSetId"],
        "template": hashlib.sha256(text.encode()).hexdigest(),
        "parameters": _parameters(description),
        "content": content_digest,
    }
    opened = _access(description, creates_stack=False)
    if opened:
        bound["access"] = [asdict(change) for change in opened]
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()


def last_change(stack: Mapping[str, Any]) -> str:
    """When the stack last changed (ISO 8601): a change set made before a later change is stale."""
    moment = stack.get("LastUpdatedTime") or stack.get("CreationTime")
    return moment.isoformat() if moment else ""


def _parameters(of: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as CloudFormation shows them: NoEcho values are asterisks there already."""
    return {
        parameter["ParameterKey"]: parameter.get("ResolvedValue") or parameter.get("ParameterValue", "")
        for parameter in of.get("Parameters", [])
    }


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[ParameterChange, ...]:
    return tuple(
        ParameterChange(name, before.get(name), after.get(name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )


def _resource(change: Mapping[str, Any]) -> ResourceChange:
    action = _ACTIONS.get(change["Action"], "modify")
    if change["Action"] == "Modify":
        action = _REPLACEMENTS.get(change.get("Replacement", ""), "modify")
    targets = [detail.get("Target", {}) for detail in change.get("Details", [])]
    names = {target.get("Name") or target.get("Attribute", "") for target in targets}
    return ResourceChange(
        action, change["LogicalResourceId"], change["ResourceType"], tuple(sorted(name for name in names if name))
    )


def _access(description: Mapping[str, Any], *, creates_stack: bool) -> tuple[AccessChange, ...]:
    """What the change set opens, by the resources' properties before and after as CloudFormation resolves them."""
    changes = (change["ResourceChange"] for change in description.get("Changes", []))
    return access_changes(map(_context, changes), creates_stack=creates_stack)


def _context(change: Mapping[str, Any]) -> ResourceContext:
    """``BeforeContext`` and ``AfterContext`` are there where ``IncludePropertyValues`` was asked for (API reference,
    "ResourceChange")."""
    before, after = _properties(change, "BeforeContext"), _properties(change, "AfterContext")
    new, gone = change["Action"] in {"Add", "Import"}, change["Action"] == "Remove"
    return ResourceContext(
        change["LogicalResourceId"],
        change["ResourceType"],
        None if new else before,
        None if gone else after,
        _resource(change).properties,
        readable=(new or before is not None) and (gone or after is not None),
    )


def _properties(change: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(change.get(name) or "null")
    except (ValueError, RecursionError):
        return None
    properties = found.get("Properties", {}) if isinstance(found, dict) else None
    return properties if isinstance(properties, dict) else None
