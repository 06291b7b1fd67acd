"""Where a template parameter's value comes from: the vocabulary of ``workload.json``, and its evaluation.

A source names a configuration key (``"from": "inference_instance"``), a path into an object (``"vpc.subnets"``) or a
fact about the release (``"$stage"``), or is a constant (``"value"``); ``as`` says in which form it is needed (all forms
are listed in ``forms``), ``default`` what stands for a missing value, ``when`` (a condition or a list of them, all of
which must hold) whether the source counts. Of several sources the first with a value counts. The vocabulary is small
and fixed on purpose: what it cannot say belongs into the template.

In a document, ``{"$source": <source>}`` stands for a value, and an object with a member ``"$when": <condition>`` stands
only while the condition holds. A member without a value vanishes, and so does an object or list of which nothing but
vanished members is left: ``{"VpcConfig": {"Subnets": {"$source": …}}}`` is gone where there are no subnets. Members
beside ``$source`` are added to the object that is its value, and count where both have one.

In the input of a job, and only there, a source may be ``$release`` or ``$output:<OutputName>``: RunJob alone knows them
(``late``, ``finish``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.core.facts import (
    CONTEXT_NAMES,
    OUTPUT,
    Condition,
    Facts,
    ModelContainer,
    ModelPackage,
    NotPinned,
    PinnedAsset,
    Scope,
    Source,
    as_text,
    lookup,
    split_location,
)
from orchestrator.core.forms import AWS_IMAGE_FORMS, IMAGE_FORMS
from orchestrator.core.forms import FORMS as _FORMS

FORMS = frozenset(_FORMS)
"""The words that ``as`` knows."""

SOURCE, WHEN = "$source", "$when"
"""The two words of documents."""

_GONE = object()
"""What a vanished member of a document leaves behind."""


def parse_sources(raw: Any) -> tuple[Source, ...]:
    """A source of ``workload.json`` or a list of them; the shape has been checked by its schema."""
    return tuple(_source(member) for member in (raw if isinstance(raw, list) else [raw]))


def parse_conditions(raw: Any) -> tuple[Condition, ...]:
    """A condition or a list of them."""
    members = raw if isinstance(raw, list) else [raw] if raw else []
    return tuple(
        Condition(one["key"], tuple(one.get("is", ())), one.get("present", True), one.get("matches", ""))
        for one in members
    )


def _source(raw: Mapping[str, Any]) -> Source:
    return Source(
        key=raw.get("from", ""),
        value=raw.get("value"),
        form=raw.get("as", "raw" if "value" in raw and not isinstance(raw["value"], str) else "text"),
        default=raw.get("default"),
        when=parse_conditions(raw.get("when")),
        version_key=raw.get("version", ""),
        instance_key=raw.get("instance", ""),
        scope=raw.get("scope", "inference"),
        without_key=raw.get("without", ""),
        most=raw.get("most", 0),
    )


def evaluate(sources: Sequence[Source], values: Mapping[str, Any], facts: Facts) -> object:
    """The value of the first source that has one, in its form; None when none has.

    ``values`` is one stage's configuration. Raises ``NotPinned`` and ``images.UnknownImage``.
    """
    found = chosen(sources, values, facts)
    if found is None:
        return None
    return _formed(*found, values, facts)


def _formed(source: Source, value: object, values: Mapping[str, Any], facts: Facts) -> object:
    formed = _FORMS[source.form](value, source, values, facts)
    return formed[: source.most].rstrip("-") if source.most and isinstance(formed, str) else formed


def chosen(sources: Sequence[Source], values: Mapping[str, Any], facts: Facts) -> tuple[Source, object] | None:
    """The first source that counts and has a value, and that value before it gets its form.

    A source that only RunJob can say always has one, which is None here.
    """
    for source in sources:
        if not source.counts(values):
            continue
        value = _raw(source, values, facts)
        if value is not None or (source.known_late and source.key not in facts.names):
            return source, value
    return None


def late(sources: Sequence[Source], values: Mapping[str, Any], facts: Facts) -> dict[str, Any] | None:
    """An input of a job for the manifest: ``{"value": …}``, ``{"from": "$output:…", "as": …}``, or None for none."""
    found = chosen(sources, values, facts)
    if found is None:
        return None
    source, value = found
    if value is None:
        return {"from": source.key, "as": source.form, **({"most": source.most} if source.most else {})}
    return {"value": _formed(source, value, values, facts)}


def finish(entry: Mapping[str, Any], names: Mapping[str, str]) -> object:
    """The value of an input that ``late`` has written; KeyError names a fact that RunJob does not know either.

    ``names`` are ``$release`` and the stack's outputs as ``$output:<OutputName>``.
    """
    if "from" not in entry:
        return entry["value"]
    source = Source(entry["from"], form=entry["as"], most=entry.get("most", 0))
    return _formed(source, names[source.key], {}, Facts(names, "", ""))


def render(document: Any, values: Mapping[str, Any], facts: Facts) -> Any:
    """A JSON document for one stage; see the module. A document of which nothing is left is an empty object."""
    rendered = _rendered(document, values, facts)
    return {} if rendered is _GONE else rendered


def _rendered(document: Any, values: Mapping[str, Any], facts: Facts) -> Any:
    if isinstance(document, Mapping):
        if not all(condition.holds(values) for condition in parse_conditions(document.get(WHEN))):
            return _GONE
        named = {
            name: _rendered(member, values, facts) for name, member in document.items() if name not in (SOURCE, WHEN)
        }
        kept = {name: member for name, member in named.items() if member is not _GONE}
        if SOURCE in document:
            value = evaluate(parse_sources(document[SOURCE]), values, facts)
            if kept:
                return {**value, **kept} if isinstance(value, Mapping) else kept
            return _GONE if value is None else value
        return _GONE if named and not kept else kept
    if isinstance(document, list):
        members = [_rendered(member, values, facts) for member in document]
        left = [member for member in members if member is not _GONE]
        return _GONE if members and not left else left
    return document


def document_sources(document: Any) -> Iterator[Source]:
    """Every source in a document, and each ``$when`` as a source of nothing under that condition."""
    if isinstance(document, Mapping):
        if SOURCE in document:
            yield from parse_sources(document[SOURCE])
        if WHEN in document:
            yield Source(value=True, form="raw", when=parse_conditions(document[WHEN]))
        for name, member in document.items():
            if name != SOURCE:
                yield from document_sources(member)
    elif isinstance(document, list):
        for member in document:
            yield from document_sources(member)


def _raw(source: Source, values: Mapping[str, Any], facts: Facts) -> Any:
    if source.value is not None:
        return source.value
    if source.key.startswith("$"):
        return facts.names.get(source.key)
    value = lookup(values, source.key)
    return source.default if value is None else value


__all__ = [
    "AWS_IMAGE_FORMS",
    "CONTEXT_NAMES",
    "FORMS",
    "IMAGE_FORMS",
    "OUTPUT",
    "Condition",
    "Facts",
    "ModelContainer",
    "ModelPackage",
    "NotPinned",
    "PinnedAsset",
    "Scope",
    "Source",
    "as_text",
    "chosen",
    "document_sources",
    "evaluate",
    "finish",
    "late",
    "lookup",
    "parse_conditions",
    "parse_sources",
    "render",
    "split_location",
]
