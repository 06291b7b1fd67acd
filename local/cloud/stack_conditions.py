"""``Fn::Join`` in a template's conditions, which the emulator compares unevaluated.

``!Not [!Equals [!Join ["", !Ref SubnetIds], ""]]`` is how a template asks whether a list is empty.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from local.cloud import contract
from local.cloud.contract import Seam

_CLOUDFORMATION = "ministack.services.cloudformation"
_HOLDERS = tuple(f"{_CLOUDFORMATION}.{module}" for module in ("engine", "changesets", "handlers", "stacks"))

SEAMS = tuple(Seam(module, "_evaluate_conditions", ("template", "params")) for module in _HOLDERS)


def install() -> None:
    """Put the text in the place of each join before conditions are decided."""
    from ministack.services.cloudformation import engine

    original = engine._evaluate_conditions

    @functools.wraps(original)
    def evaluated(template: dict[str, Any], params: dict[str, dict[str, Any]]) -> dict[str, bool]:
        values = {name: str(given.get("Value", "")) for name, given in params.items()}
        conditions = joined(template.get("Conditions") or {}, values)
        found: dict[str, bool] = original({**template, "Conditions": conditions}, params)
        return found

    contract.replace(original, evaluated, *_HOLDERS)


def joined(condition: Any, values: Mapping[str, str]) -> Any:
    """The condition with every join of parameters and constants as its text; ``values`` are the parameters'."""
    if isinstance(condition, list):
        return [joined(member, values) for member in condition]
    if not isinstance(condition, Mapping):
        return condition
    if set(condition) == {"Fn::Join"}:
        separator, members = condition["Fn::Join"]
        texts = _texts(members, values)
        return dict(condition) if texts is None else str(separator).join(texts)
    return {name: joined(member, values) for name, member in condition.items()}


def _texts(members: Any, values: Mapping[str, str]) -> list[str] | None:
    """What is joined; None where a member is not known before the stack is made."""
    if isinstance(members, Mapping):
        name = str(members.get("Ref", ""))
        return [text.strip() for text in values[name].split(",")] if name in values else None
    found = []
    for member in members:
        known = joined(member, values)
        if isinstance(known, Mapping) and known.get("Ref") in values:
            known = values[str(known["Ref"])]
        if not isinstance(known, str | int | float):
            return None
        found.append(str(known))
    return found
