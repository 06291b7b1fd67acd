"""Rights that an organisation's own workload types bring along: ``permissions.json`` in a type's folder.

``service_role`` is added to what CloudFormation may do in every stage, ``workload_roles`` to the boundary of the roles
that workloads make. ``templates/permissions.schema.json`` says what a file looks like; beyond that a statement must
name its resources or say why it cannot, and nothing may reach for what keeps workloads in their bounds: the role that
CloudFormation uses could else make itself any other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from orchestrator.core import strict_json
from orchestrator.core.problems import BadConfiguration, Problem, did_you_mean
from orchestrator.core.schemas import faults
from orchestrator.core.workloads import shipped_templates

PERMISSIONS = "permissions.json"
SCHEMA = "permissions.schema.json"

PLACES = ("Partition", "Region", "Account")
"""What ``${…}`` may stand for; a name with a colon is a policy variable of IAM's, and stays."""

IAM_KEYS = ("Action", "Resource", "Condition")
"""Keys of a statement that go into a policy."""

LISTS = ("service_role", "workload_roles")

BOUNDS = ("account", "iam", "organizations", "sts")
"""Services that decide what others may do, or make others of those who call them."""
BOUNDED = {"iam:CreateServiceLinkedRole": "iam:AWSServiceName", "iam:PassRole": "iam:PassedToService"}
"""What may be allowed of them all the same, and the condition key that must say for which service."""

NARROWS = frozenset({"StringEquals", "StringEqualsIgnoreCase", "StringLike"})
"""Operators that hold of nothing but the values they name."""

HANDED_ON = re.compile(r"arn:[^:]+:iam::[^:]*:role/mlops/workload/.+")
"""Roles that may be handed on: those that workloads make, with their boundary. Any other role could do more."""

WORKLOAD_ROLES = "arn:${Partition}:iam::${Account}:role/mlops/workload/"

Statement = Mapping[str, Any]

_PLACE = re.compile(r"\$\{([^}:]*)\}")
_POLICY_VARIABLES = frozenset({"*", "?", "$"})
"""IAM's way to write these characters themselves."""


@dataclass(frozen=True)
class TypePermissions:
    """Statements of all types together, places not yet filled."""

    service_role: tuple[Statement, ...] = ()
    workload_roles: tuple[Statement, ...] = ()


def read_permissions(folders: Sequence[Path]) -> TypePermissions:
    """The rights of the types in these folders; of two types with one name, the later folder's counts.

    Raises ``BadConfiguration`` with every problem, each with file and place.
    """
    files: dict[str, Path] = {}
    for folder in folders:
        for workload in sorted(folder.glob("*/workload.json")):
            files[workload.parent.name] = workload.parent / PERMISSIONS
    problems: list[Problem] = []
    found: dict[str, list[Statement]] = {name: [] for name in LISTS}
    for file in files.values():
        if not file.is_file():
            continue
        try:
            raw = _read(file)
        except BadConfiguration as refused:
            problems += refused.problems
            continue
        for name in LISTS:
            found[name] += raw.get(name, [])
    if problems:
        raise BadConfiguration(problems)
    return TypePermissions(tuple(found["service_role"]), tuple(found["workload_roles"]))


def filled(statements: Sequence[Statement], partition: str, region: str, account: str) -> list[dict[str, Any]]:
    """The statements as IAM takes them, for one stage's account."""
    places = {"Partition": partition, "Region": region, "Account": account}
    return [
        {"Effect": "Allow", **{key: _filled(statement[key], places) for key in IAM_KEYS if key in statement}}
        for statement in statements
    ]


def _read(file: Path) -> Mapping[str, Any]:
    try:
        raw: Any = strict_json.parse(file.read_bytes())
    except BadConfiguration as refused:
        raise BadConfiguration([_in(file, problem) for problem in refused.problems]) from None
    schema = _schema()
    problems = list(faults(raw, schema, schema, "$"))
    if not problems:
        for name in LISTS:
            for index, statement in enumerate(raw.get(name, [])):
                problems += _statement_faults(statement, f"$.{name}[{index}]")
    if problems:
        raise BadConfiguration([_in(file, problem) for problem in problems])
    read: Mapping[str, Any] = raw
    return read


@lru_cache(maxsize=1)
def _schema() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((shipped_templates() / SCHEMA).read_bytes())
    return found


def _statement_faults(statement: Statement, path: str) -> Iterator[Problem]:
    conditions = {key for tests in statement.get("Condition", {}).values() for key in tests}
    for action in _texts(statement["Action"]):
        if action.partition(":")[0] not in BOUNDS:
            continue
        needed = BOUNDED.get(action)
        if needed is None:
            what = f"{action} would let a workload out of its bounds"
            yield Problem(f"{path}.Action", what, f"Of IAM these may be allowed: {', '.join(BOUNDED)}.")
        elif action == "iam:PassRole" and not all(map(HANDED_ON.fullmatch, _texts(statement["Resource"]))):
            what = "iam:PassRole would hand on roles without the boundary of workloads"
            yield Problem(f"{path}.Resource", what, f"Name roles below {WORKLOAD_ROLES}.")
        elif not _names_its_service(statement, needed):
            fix = f'Add "Condition": {{"StringEquals": {{"{needed}": "<service>.amazonaws.com"}}}}.'
            yield Problem(f"{path}.Condition", f"{action} must say for which service", fix)
    every = [resource for resource in _texts(statement["Resource"]) if set(resource.split(":", 5)[-1]) <= {"*", "?"}]
    if every and not conditions and "x-reason" not in statement:
        what = f'"{every[0]}" is everything of its kind'
        yield Problem(
            f"{path}.Resource", what, 'Name the resources, narrow them by a Condition, or say why not in "x-reason".'
        )
    for text in _all_texts({key: statement.get(key) for key in ("Resource", "Condition")}):
        for place in _PLACE.findall(text):
            if place not in PLACES and place not in _POLICY_VARIABLES:
                yield Problem(path, f'"${{{place}}}" stands for nothing', did_you_mean(place, PLACES))


def _names_its_service(statement: Statement, key: str) -> bool:
    """Whether a condition admits only the services that it names by their whole names."""
    found = [
        value
        for operator, tests in statement.get("Condition", {}).items()
        if operator in NARROWS
        for name, values in tests.items()
        if name == key
        for value in _texts(values)
    ]
    return bool(found) and not any(set(value) & {"*", "?", "$"} for value in found)


def _filled(value: Any, places: Mapping[str, str]) -> Any:
    match value:
        case str():
            return _PLACE.sub(lambda found: places.get(found[1], found[0]), value)
        case Mapping():
            return {key: _filled(member, places) for key, member in value.items()}
        case list():
            return [_filled(member, places) for member in value]
        case _:
            return value


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _all_texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for member in value.values():
                yield from _all_texts(member)
        case list():
            for member in value:
                yield from _all_texts(member)


def _in(file: Path, problem: Problem) -> Problem:
    return Problem(f"{file}: {problem.path}", problem.what, problem.fix, problem.severity)
