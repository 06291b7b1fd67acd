"""Policy documents compared: which statements of the new one are not covered by the old one's.

A statement is split into its single permissions (principal × action × resource); each must be covered by one statement
of the other document. ``NotAction``, ``NotResource`` and ``NotPrincipal`` stay whole. A condition may have become
stricter; one that is gone, or another one, is no cover.

Every release of a new model lets its role read another object in the old one's place, so that would be told of all, and
overlooked: the pinned copies of the packages bucket, whose keys their content names, count as one place (the plan's
parameters tell which); of other buckets, one object for another is told as moved.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from orchestrator.core.access.contexts import is_unknown, listed, some
from orchestrator.core.access.patterns import covers, meet

MOST_PERMISSIONS = 5_000
"""Single permissions that one statement is split into; one with more is compared as a whole."""

_ALL = ("*",)

_PINNED = re.compile(r"^(arn:[a-z-]+:s3:::[a-z0-9.-]+/(?:assets|documents)/)[0-9a-f]{64}/[^*?]+$")
"""ARN of an asset's copy, or of a document, in a packages bucket."""

_OBJECT = re.compile(r"arn:[a-z-]+:s3:::([a-z0-9.-]+)/[^*?{}]+")
"""ARN of one object."""


@dataclass(frozen=True)
class Names:
    """Patterns, or with ``but`` everything else."""

    patterns: tuple[str, ...]
    but: bool = False
    folds: bool = False
    """Whether case does not matter, as of actions."""

    def within(self, other: Names) -> bool:
        """Whether ``other`` has everything that this has; False where that is not certain."""
        mine, theirs = self._compared, other._compared
        if "*" in theirs and not other.but:
            return True
        if self.but:
            return other.but and all(any(covers(own, its) for own in mine) for its in theirs)
        if other.but:
            return not any(meet(own, its) for own in mine for its in theirs)
        return all(any(covers(its, own) for its in theirs) for own in mine)

    @property
    def _compared(self) -> tuple[str, ...]:
        if not self.folds:
            return tuple(_PINNED.sub(r"\1{content}", one) for one in self.patterns)
        return tuple(one if is_unknown(one) else one.lower() for one in self.patterns)

    def each(self) -> list[Names]:
        """One for each pattern."""
        return (
            [self]
            if self.but or not self.patterns
            else [replace(self, patterns=(pattern,)) for pattern in self.patterns]
        )

    def __str__(self) -> str:
        shown = listed(["anything" if name == "*" else name for name in self.patterns], 3)
        return f"everything but {shown}" if self.but else shown


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    allows: bool
    principals: Names
    actions: Names
    resources: Names
    condition: str = ""
    """As JSON with sorted keys; empty for none."""

    def within(self, other: Statement) -> bool:
        """Whether ``other`` permits (or denies) all that this does."""
        return (
            self.principals.within(other.principals)
            and self.actions.within(other.actions)
            and self.resources.within(other.resources)
            and _stricter(self.condition, other.condition)
        )

    def split(self) -> list[Statement]:
        """Its single permissions."""
        parts = (self.principals.each(), self.actions.each(), self.resources.each())
        if len(parts[0]) * len(parts[1]) * len(parts[2]) > MOST_PERMISSIONS:
            return [self]
        return [replace(self, principals=who, actions=what, resources=where) for who, what, where in product(*parts)]

    @property
    def unknown(self) -> bool:
        """Whether the deployment decides what it permits."""
        return is_unknown([*self.principals.patterns, *self.actions.patterns, *self.resources.patterns, self.condition])


def statements(policies: Iterable[Mapping[str, Any]]) -> list[Statement]:
    """Every statement of some documents."""
    return [_statement(one) for policy in policies for one in some(policy.get("Statement")) if isinstance(one, Mapping)]


def uncovered(new: Sequence[Statement], old: Sequence[Statement]) -> list[Statement]:
    """The single permissions of ``new`` that no statement of ``old`` covers."""
    return [one for statement in new for one in statement.split() if not any(one.within(other) for other in old)]


def moved(found: Sequence[Statement], lost: Sequence[Statement]) -> list[tuple[Statement, Statement]]:
    """Of single permissions that are new and that are gone, the pairs that differ in one object of one bucket."""
    left, pairs = list(lost), []
    for one in found:
        other = next((other for other in left if _same_but_for_the_object(one, other)), None)
        if other is not None:
            left.remove(other)
            pairs.append((one, other))
    return pairs


def _same_but_for_the_object(one: Statement, other: Statement) -> bool:
    buckets = [_bucket(each.resources) for each in (one, other)]
    return bool(buckets[0]) and buckets[0] == buckets[1] and replace(one, resources=other.resources) == other


def _bucket(resources: Names) -> str:
    """The bucket of one object; empty for anything else."""
    found = _OBJECT.fullmatch(resources.patterns[0]) if len(resources.patterns) == 1 and not resources.but else None
    return found[1] if found else ""


def together(found: list[Statement]) -> list[Statement]:
    """Single permissions put together again where they differ in one part only."""
    for part in ("resources", "actions", "principals"):
        groups: dict[tuple[Statement, Names | None], list[Statement]] = {}
        for one in found:
            names: Names = getattr(one, part)
            groups.setdefault((_put(one, part, Names(())), names if names.but else None), []).append(one)
        found = [_put(group[0], part, _joined(group, part)) for group in groups.values()]
    return found


def _joined(group: Sequence[Statement], part: str) -> Names:
    names: list[Names] = [getattr(one, part) for one in group]
    return replace(names[0], patterns=tuple(dict.fromkeys(pattern for one in names for pattern in one.patterns)))


def _put(statement: Statement, part: str, names: Names) -> Statement:
    if part == "resources":
        return replace(statement, resources=names)
    return replace(statement, actions=names) if part == "actions" else replace(statement, principals=names)


def without_condition(statement: Statement, old: Sequence[Statement]) -> bool:
    """Whether only the condition keeps some old statement from covering this one."""
    bare = replace(statement, condition="")
    return any(bare.within(replace(other, condition="")) for other in old if other.condition)


def _statement(raw: Mapping[str, Any]) -> Statement:
    condition = raw.get("Condition") or {}
    return Statement(
        allows=str(raw.get("Effect", "Allow")) != "Deny",
        principals=_principals(raw),
        actions=_names(raw, "Action", folds=True),
        resources=_names(raw, "Resource"),
        condition=json.dumps(condition, sort_keys=True) if condition else "",
    )


def _names(raw: Mapping[str, Any], word: str, *, folds: bool = False) -> Names:
    but = f"Not{word}" in raw
    found = tuple(dict.fromkeys(str(one) for one in some(raw.get(f"Not{word}" if but else word))))
    # A policy of a resource may leave out the resource: it is the one that it belongs to.
    return Names(found or _ALL, but and bool(found), folds)


def _principals(raw: Mapping[str, Any]) -> Names:
    """``AWS:<arn>``, ``Service:<name>``, or everybody; a policy of an identity names none, and is its own."""
    but = "NotPrincipal" in raw
    given = raw.get("NotPrincipal") if but else raw.get("Principal")
    if given is None:
        return Names(("itself",))
    if not isinstance(given, Mapping):
        return Names(tuple(str(one) for one in some(given)), but)
    found = [f"{kind}:{_account(str(one))}" for kind, named in given.items() for one in some(named)]
    return Names(tuple("*" if one == "AWS:*" else one for one in found), but)


def _account(principal: str) -> str:
    """An account's number is short for its root."""
    return f"arn:aws:iam::{principal}:root" if principal.isdigit() and len(principal) == 12 else principal


_POSITIVE = frozenset(
    {
        *("StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress"),
        *("NumericEquals", "DateEquals", "Bool", "Null", "BinaryEquals"),
    }
)
"""Operators that hold for any of their values (IAM User Guide, "Conditions with multiple context keys or values"):
fewer values are stricter."""


def _stricter(mine: str, other: str) -> bool:
    """Whether a condition holds only where the other one does: each of its tests is there, as strict or stricter."""
    if not other or (mine == other and not is_unknown(mine)):
        return True
    ours, theirs = _tests(mine), _tests(other)
    return all(_as_strict(test, values, ours) for test, values in theirs.items())


def _as_strict(test: tuple[str, str], values: frozenset[str], ours: Mapping[tuple[str, str], frozenset[str]]) -> bool:
    known = ours.get(test)
    if known is None or any(is_unknown(value) for value in known | values):
        return False
    return known == values or (test[0] in _POSITIVE and bool(known) and known <= values)


def _tests(condition: str) -> dict[tuple[str, str], frozenset[str]]:
    raw = json.loads(condition) if condition else {}
    return {
        (operator, str(key).lower()): frozenset(str(value) for value in some(values))
        for operator, tests in raw.items()
        if isinstance(tests, Mapping)
        for key, values in tests.items()
    }
