"""What has changed in a document that a template parameter names, for people who decide: leaf by leaf.

A document lies under a key that its content names (``documents/<sha256>/<file>``), so that a changed document is a
changed parameter; but two keys tell an approver nothing. Their row is replaced by the values that differ, each with its
path: ``pipeline.json: Steps.Train.Arguments.HyperParameters.eta``. What a plan's digest binds are the keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from orchestrator.core.facts import as_text
from orchestrator.core.plans import ParameterChange

MAX_LEAVES = 200
"""Rows of one plan: a row of the table holds 400 KB."""

MAX_VALUE = 200
"""Characters of a value. Of two long ones those are shown where they begin to differ."""

BEFORE_IT = 40
"""Characters in front of that place."""

MAX_PATH = 300
"""Characters of a path; the end tells more than the beginning."""

NAMES = ("Name", "ChannelName", "InputName", "OutputName", "MetricName", "Key", "name")
"""Members by which AWS's lists of objects are told apart; a list without one is told by numbers."""

Read = Callable[[str], bytes | None]
"""The document under a key of the packages bucket; None where it cannot be had."""

_PLAIN = re.compile(r"[^.\[\]\"\\\s]+")
"""Names that stand in a path as they are; any other is quoted, so that no two values share a path."""

_DOCUMENT = re.compile(r"(?:s3://(?P<bucket>[a-z0-9.-]+)/)?(?P<key>documents/[0-9a-f]{64}/(?P<file>[A-Za-z0-9._-]+))")


def told_by_leaves(changes: Sequence[ParameterChange], bucket: str, read: Read) -> tuple[ParameterChange, ...]:
    """The changes of a plan, those of documents replaced by what differs in them.

    A document that cannot be read, is no JSON, or differs in nothing but order keeps its row. Two parameters with one
    document (its URI, its key) are told of once.
    """
    told: list[ParameterChange] = []
    seen: set[tuple[str, str]] = set()
    left = MAX_LEAVES
    for change in changes:
        pair = _pair(change, bucket)
        if pair is None:
            told.append(change)
            continue
        if pair in seen:
            continue
        rows = _rows(*pair, read)
        if not rows:
            told.append(change)
            continue
        seen.add(pair)
        told += rows[:left]
        if len(rows) > left:
            more = f"{len(rows) - left} more values differ"
            told.append(ParameterChange(_file(pair[1]), "…", f"… and {more}"))
        left = max(0, left - len(rows))
    return tuple(told)


def leaves(document: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of everything in a JSON document that holds nothing else; an empty object or list is one too."""
    if isinstance(document, Mapping) and document:
        for name, member in document.items():
            yield from leaves(member, f"{path}{_step(str(name))}")
    elif isinstance(document, list) and document:
        for name, member in zip(_member_names(document), document, strict=True):
            yield from leaves(member, f"{path}{name}")
    else:
        yield path.removeprefix(".") or "(all)", document


def _step(name: str) -> str:
    return f".{name}" if _PLAIN.fullmatch(name) else f"[{json.dumps(name, ensure_ascii=False)}]"


def _member_names(members: Sequence[Any]) -> list[str]:
    """``.Train`` where every member has a name of its own, else ``[0]``."""
    for word in NAMES:
        names = [member.get(word) if isinstance(member, Mapping) else None for member in members]
        if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return [_step(str(name)) for name in names]
    return [f"[{index}]" for index in range(len(members))]


def _pair(change: ParameterChange, bucket: str) -> tuple[str, str] | None:
    """The keys of the document before and after; None where the change is not one of a document."""
    keys = []
    for value in (change.before, change.after):
        match = _DOCUMENT.fullmatch(value or "")
        if match is None or match["bucket"] not in {None, bucket}:
            return None
        keys.append(match["key"])
    return keys[0], keys[1]


def _rows(before: str, after: str, read: Read) -> list[ParameterChange]:
    old, new = (_parsed(read(key)) for key in (before, after))
    if old is None or new is None:
        return []
    file = _file(after)
    return [
        ParameterChange(f"{file}: {_end(path)}", *_shown(old.get(path, _NONE), new.get(path, _NONE)))
        for path in (*new, *(path for path in old if path not in new))
        if _exact(old.get(path, _NONE)) != _exact(new.get(path, _NONE))
    ]


_NONE = object()
"""Stands for no value: null is one."""


def _exact(value: Any) -> str:
    """JSON, in which 1, true and "1" differ."""
    return "" if value is _NONE else json.dumps(value)


def _shown(old: Any, new: Any) -> tuple[str | None, str | None]:
    """Both values for people; texts are quoted only where nothing else tells them from another value."""
    before, after = (None if value is _NONE else as_text(value) for value in (old, new))
    if before is None or after is None:
        return _cut(before, 0), _cut(after, 0)
    if before == after:
        before, after = (json.dumps(value, ensure_ascii=False) for value in (old, new))
    pairs = enumerate(zip(before, after, strict=False))
    same = next((place for place, (one, other) in pairs if one != other), min(len(before), len(after)))
    start = same - BEFORE_IT if same >= MAX_VALUE - BEFORE_IT else 0
    return _cut(before, start), _cut(after, start)


def _parsed(data: bytes | None) -> dict[str, Any] | None:
    if data is None:
        return None
    try:
        return dict(leaves(json.loads(data)))
    except (ValueError, RecursionError):
        return None


def _file(key: str) -> str:
    return key.rpartition("/")[2]


def _end(path: str) -> str:
    return path if len(path) <= MAX_PATH else f"…{path[-MAX_PATH + 1 :]}"


def _cut(value: str | None, start: int) -> str | None:
    if value is None or (start == 0 and len(value) <= MAX_VALUE):
        return value
    text = f"…{value[start:]}" if start else value
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"
