"""DescribeChangeSet with ``IncludePropertyValues``: each resource's properties before and after, resolved.

The emulator answers neither ``BeforeContext`` nor ``AfterContext``. Here they are computed when a change set is made,
from the stack's template and the new one: parameters, conditions and functions put in, NoEcho values as asterisks, and
in the place of what only the deployment makes CloudFormation's own word for it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from xml.sax.saxutils import escape

from local.cloud.contract import Seam

_CLOUDFORMATION = "ministack.services.cloudformation"

SEAMS = (
    Seam(f"{_CLOUDFORMATION}.changesets", "_find_change_set", ("cs_name", "stack_name")),
    Seam(
        f"{_CLOUDFORMATION}.changesets",
        "_resolve_props_for_diff",
        ("template", "params", "stack_name", "stack_id"),
    ),
    Seam(
        f"{_CLOUDFORMATION}.changesets",
        "_diff_resources",
        ("old_template", "new_template", "resources", "template", "changed_params", "retag"),
    ),
    Seam(f"{_CLOUDFORMATION}.engine", "_NO_VALUE"),
    Seam(f"{_CLOUDFORMATION}.engine", "_evaluate_conditions", ("template", "params")),
    Seam(
        f"{_CLOUDFORMATION}.engine",
        "_resolve_refs",
        ("value", "resources", "params", "conditions", "mappings", "stack_name", "stack_id"),
    ),
    Seam(f"{_CLOUDFORMATION}.handlers", "_ACTION_HANDLERS"),
    Seam(f"{_CLOUDFORMATION}.handlers", "_resolve_stack", ("stack_name",)),
)

UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"
HIDDEN = "****"

_OWN = "_mlops_properties"
"""Where the resolved properties stay between the template's resolution and the comparison."""

_LOGICAL_ID = re.compile(r"<LogicalResourceId>([^<]+)</LogicalResourceId>")
_VARIABLE = re.compile(r"\$\{([^!{}]+)\}")

Handler = Callable[[dict[str, Any]], Any]


def install() -> None:
    """Keep what each resource has, and answer it where it is asked for."""
    from ministack.services.cloudformation import changesets, handlers

    resolve, diff = changesets._resolve_props_for_diff, changesets._diff_resources

    @functools.wraps(resolve)
    def resolved(template: dict[str, Any], params: dict[str, Any], stack_name: str, stack_id: str) -> Any:
        found = resolve(template, params, stack_name, stack_id)
        stack = handlers._resolve_stack(stack_name) or {}
        return {**found, _OWN: properties(template, params, stack.get("_resources") or {}, stack_name, stack_id)}

    @functools.wraps(diff)
    def compared(old_template: dict[str, Any], new_template: dict[str, Any], *more: Any, **named: Any) -> Any:
        before, after = old_template.get(_OWN, {}), new_template.get(_OWN, {})
        changes = diff(old_template, new_template, *more, **named)
        changes += turned({change["ResourceChange"]["LogicalResourceId"] for change in changes}, before, after)
        for change in changes:
            one = change["ResourceChange"]
            declared = (new_template.get("Resources") or {}) | (old_template.get("Resources") or {})
            one.setdefault("ResourceType", declared.get(one["LogicalResourceId"], {}).get("Type", ""))
        found = [with_contexts(change, before, after) for change in changes]
        return [change for change in found if change is not None]

    changesets._resolve_props_for_diff, changesets._diff_resources = resolved, compared
    actions = handlers._ACTION_HANDLERS
    actions["DescribeChangeSet"] = _describing(actions["DescribeChangeSet"])


def turned(
    told: Collection[str], before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[dict[str, dict[str, Any]]]:
    """Changes of resources that are declared as before, so that the emulator tells of none, and whose condition turns;
    their types are still to be put in."""
    names = sorted((before.keys() ^ after.keys()) - set(told))
    return [
        {"ResourceChange": {"Action": "Add" if name in after else "Remove", "LogicalResourceId": name}}
        for name in names
    ]


def with_contexts(change: dict[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any] | None:
    """The change with both sides; None for a resource that the conditions keep away before and after.

    The emulator compares what templates declare; CloudFormation what their conditions let be, so one whose condition
    turns is added or removed.
    """
    one = dict(change["ResourceChange"])
    name = one["LogicalResourceId"]
    was, will = name in before, name in after
    if not (was or will):
        return None
    if one["Action"] in {"Add", "Modify", "Remove"} and was != will:
        one["Action"] = "Add" if will else "Remove"
        for gone in ("Replacement", "Scope", "Details"):
            one.pop(gone, None)
    for key, side in (("BeforeContext", before), ("AfterContext", after)):
        if side.get(name) is not None:
            one[key] = json.dumps({"Properties": side[name]})
    return {**change, "ResourceChange": one}


def _describing(handler: Handler) -> Handler:
    @functools.wraps(handler)
    def describe(params: dict[str, Any]) -> Any:
        from ministack.services.cloudformation.changesets import _find_change_set
        from ministack.services.cloudformation.helpers import _p

        status, headers, body = handler(params)
        if status >= 400 or _p(params, "IncludePropertyValues") != "true":
            return status, headers, body
        _, change_set = _find_change_set(_p(params, "ChangeSetName"), _p(params, "StackName"))
        changes = [change["ResourceChange"] for change in change_set.get("Changes", [])]
        contexts = {
            change["LogicalResourceId"]: "".join(
                f"<{key}>{escape(change[key])}</{key}>" for key in ("BeforeContext", "AfterContext") if key in change
            )
            for change in changes
        }
        shown = _LOGICAL_ID.sub(lambda found: found[0] + contexts.get(found[1], ""), body.decode())
        return status, headers, shown.encode()

    return describe


def properties(
    template: Mapping[str, Any],
    params: Mapping[str, Any],
    resources: Mapping[str, Any],
    stack_name: str,
    stack_id: str,
) -> dict[str, Any]:
    """Logical id → resolved properties of each resource that the template's conditions let be, None where they cannot
    be resolved yet; ``resources`` are those that the stack has."""
    from ministack.services.cloudformation import engine

    declared = template.get("Resources") or {}
    conditions = engine._evaluate_conditions(dict(template), dict(params))
    secret = {
        name for name, one in (template.get("Parameters") or {}).items() if str(one.get("NoEcho")).lower() == "true"
    }
    shown = {name: {**one, "Value": HIDDEN} if name in secret else one for name, one in params.items()}
    found: dict[str, Any] = {}
    for name, one in declared.items():
        if one.get("Condition") and not conditions.get(one["Condition"], True):
            continue
        raw = known(one.get("Properties") or {}, set(declared), resources)
        rest = (conditions, template.get("Mappings") or {}, stack_name, stack_id)
        try:
            found[name] = _present(engine._resolve_refs(raw, dict(resources), shown, *rest), engine._NO_VALUE)
        except (ValueError, LookupError, TypeError):
            found[name] = None
    return found


def _present(value: Any, nothing: object) -> Any:
    """Without members whose value is ``AWS::NoValue``."""
    if isinstance(value, dict):
        return {name: _present(member, nothing) for name, member in value.items() if member is not nothing}
    if isinstance(value, list):
        return [_present(member, nothing) for member in value if member is not nothing]
    return value


def known(value: Any, declared: set[str], resources: Mapping[str, Any]) -> Any:
    """The value with CloudFormation's word wherever it refers to what is not there yet."""
    if isinstance(value, list):
        return [known(member, declared, resources) for member in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"} and value["Ref"] in declared:
        return value if _there(value["Ref"], "", resources) else UNKNOWN
    if set(value) == {"Fn::GetAtt"}:
        named = value["Fn::GetAtt"]
        name, _, attribute = named.partition(".") if isinstance(named, str) else (named[0], ".", named[1])
        return value if _there(name, attribute, resources) else UNKNOWN
    if set(value) == {"Fn::Sub"}:
        return {"Fn::Sub": _known_in_text(value["Fn::Sub"], declared, resources)}
    return {name: known(member, declared, resources) for name, member in value.items()}


def _known_in_text(value: Any, declared: set[str], resources: Mapping[str, Any]) -> Any:
    text, own = value if isinstance(value, list) else (value, {})

    def shown(variable: re.Match[str]) -> str:
        name, _, attribute = variable[1].strip().partition(".")
        stays = variable[1] in own or name not in declared or _there(name, attribute, resources)
        return variable[0] if stays else UNKNOWN

    return [_VARIABLE.sub(shown, str(text)), known(own, declared, resources)]


def _there(name: str, attribute: str, resources: Mapping[str, Any]) -> bool:
    found = resources.get(name) or {}
    return "PhysicalResourceId" in found and (not attribute or attribute in (found.get("Attributes") or {}))
