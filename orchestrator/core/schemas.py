"""JSON Schema with sentences: which values of a configuration break the schema, all of them, and what to do.

fastjsonschema decides what is valid and stops at the first fault. So a value that it refuses is walked: each member is
asked about separately, down to the smallest one at fault. Schemas are draft-07 with a few words of our own:
``x-per-stage`` (the value may be an object of stages), ``x-form`` (brought into this form before anything is checked),
``x-asset`` (a key in the assets bucket), ``x-arn`` (an ARN of this service), ``x-expects`` (the remedy, in a sentence).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import fastjsonschema

from orchestrator.core import strict_json
from orchestrator.core.problems import BadConfiguration, Problem, closest, did_you_mean

Schema = Mapping[str, Any]
Validator = Callable[[Any], Any]

SCHEMA_KEY = "$schema"
COMMENT = "//"
"""A key that starts so is a comment at the top of a workload's part: JSON has no other."""

_TRUE = frozenset({"true", "yes"})
_FALSE = frozenset({"false", "no"})

_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    (str, "string"),
    ((int, float), "number"),
    (Mapping, "object"),
    (list, "array"),
    (type(None), "null"),
)

_WORDS = {"string": "text", "array": "a list", "object": "an object", "number": "a number", "null": "null"}
_WORDS |= {"integer": "a whole number", "boolean": "true or false"}


def is_remark(key: str) -> bool:
    """Whether a key is for editors and readers only: ``$schema``, or a comment (``"// …"``)."""
    return key == SCHEMA_KEY or key.startswith(COMMENT)


def resolve(schema: Schema, root: Schema) -> Schema:
    """The schema with a local ``$ref`` followed; words beside the reference are kept."""
    merged = dict(schema)
    while "$ref" in merged:
        target: Any = root
        for step in merged.pop("$ref").removeprefix("#/").split("/"):
            target = target[step]
        merged = {**target, **merged}
    return merged


def per_value(schema: Schema, root: Schema) -> Schema:
    """Schema of one stage's value of a key that may be given per stage; of the value itself for any other key."""
    if schema.get("x-per-stage"):
        return resolve(schema["anyOf"][0], root)
    return resolve(schema, root)


def normalise(value: Any, schema: Schema, root: Schema) -> Any:
    """The value in its schema's form; one that does not fit the form comes back as it is, for the check to refuse."""
    schema = resolve(schema, root)
    form = schema.get("x-form")
    if isinstance(value, str) and form:
        return _FORMS[form](value)
    if isinstance(value, float) and value.is_integer() and "integer" in schema.get("type", ()):
        return int(value)  # to JSON Schema 2.0 is a whole number, to the table and to CloudFormation it is none
    if isinstance(value, Mapping):
        properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
        return {
            name: normalise(member, properties.get(name) or (rest if isinstance(rest, Mapping) else {}), root)
            for name, member in value.items()
        }
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [normalise(member, schema["items"], root) for member in value]
    return value


def faults(value: Any, schema: Schema, root: Schema, path: str) -> Iterator[Problem]:
    """Every problem of the value, each with its path."""
    schema = resolve(schema, root)
    error = _error(value, schema, root)
    if error is None:
        return
    branch = _branch(value, schema, root)
    if branch is not None:
        yield from faults(value, branch, root, path)
        return
    found = False
    for problem in _member_faults(value, schema, root, path):
        found = True
        yield problem
    own = {name: rule for name, rule in schema.items() if name not in _MEMBER_RULES}
    error = _error(value, own, root) if found else error
    if error is not None:
        yield _told(error, schema, root, path)


def holds(value: Any, schema: Schema, root: Schema) -> bool:
    """Whether the value is valid."""
    return _error(value, schema, root) is None


_MEMBER_RULES = frozenset({"properties", "required", "additionalProperties", "items", "if", "then", "else"})


def _member_faults(value: Any, schema: Schema, root: Schema, path: str) -> Iterator[Problem]:
    if isinstance(value, Mapping):
        properties: Mapping[str, Any] = schema.get("properties", {})
        rest = schema.get("additionalProperties", True)
        for name in schema.get("required", []):
            if name not in value:
                yield missing(f"{path}.{name}", properties.get(name, {}))
        for name, member in value.items():
            if properties.get(name) is False:
                yield Problem(f"{path}.{name}", "has no place here", schema.get("x-expects", ""))
            elif name in properties:
                yield from faults(member, properties[name], root, f"{path}.{name}")
            elif isinstance(rest, Mapping):
                yield from faults(member, rest, root, f"{path}.{name}")
            elif rest is False:
                yield Problem(f"{path}.{name}", "there is no such key", did_you_mean(name, properties))
    elif isinstance(value, list):
        rules = schema.get("items", [])
        each = [rules] * len(value) if isinstance(rules, Mapping) else rules
        for index, (member, rule) in enumerate(zip(value, each, strict=False)):
            yield from faults(member, rule, root, f"{path}[{index}]")
    if "if" in schema:
        branch = schema.get("then" if holds(value, schema["if"], root) else "else")
        if branch is not None:
            yield from faults(value, branch, root, path)


def missing(path: str, schema: Schema) -> Problem:
    """A required key is not there."""
    return Problem(
        path, "is required but missing", " ".join(filter(None, [schema.get("description"), example(schema)]))
    )


def example(schema: Schema) -> str:
    """``For example …`` from the schema's first example; empty when it has none."""
    examples = schema.get("examples")
    return f"For example {json.dumps(examples[0], ensure_ascii=False)}." if examples else ""


def _branch(value: Any, schema: Schema, root: Schema) -> Schema | None:
    """The only alternative of an ``anyOf`` that is for values of this kind."""
    fitting = []
    for alternative in schema.get("anyOf", []):
        resolved = resolve(alternative, root)
        kinds = resolved.get("type", [])
        if _kind(value) in ([kinds] if isinstance(kinds, str) else kinds):
            fitting.append({**resolved, "examples": resolved.get("examples") or schema.get("examples", [])})
    return fitting[0] if len(fitting) == 1 else None


def _kind(value: Any) -> str:
    return next(name for kind, name in _KINDS if isinstance(value, kind))


def _error(value: Any, schema: Schema, root: Schema) -> fastjsonschema.JsonSchemaValueException | None:
    definitions = root.get("definitions", {})
    validate = _compiled(json.dumps({**schema, "definitions": definitions}, sort_keys=True))
    try:
        validate(value)
    except fastjsonschema.JsonSchemaValueException as error:
        return error
    return None


@lru_cache(maxsize=512)
def _compiled(schema: str) -> Validator:
    # The text is the cache key: schemas are dictionaries, which have no hash. Compiling takes about a millisecond.
    validator: Validator = fastjsonschema.compile(json.loads(schema), use_default=False)
    return validator


def _told(error: fastjsonschema.JsonSchemaValueException, schema: Schema, root: Schema, path: str) -> Problem:
    rule, wanted, value = error.rule, error.rule_definition, error.value
    shown = json.dumps(value, ensure_ascii=False)
    shown = shown if len(shown) <= 80 else shown[:77] + "…"
    fix = schema.get("x-expects") or example(schema)
    match rule:
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            # Numbers written as text are taken for the old product's sake; nobody should be told to write them so.
            kinds = ["integer"] if schema.get("x-form") == "integer" else kinds
            what = f"must be {' or '.join(_WORDS[kind] for kind in kinds)}, not {shown}"
        case "anyOf":
            kinds = [resolve(alternative, root).get("type", "object") for alternative in wanted]
            words = " or ".join(dict.fromkeys(_WORDS.get(str(kind), str(kind)) for kind in kinds))
            what = f"must be {words}, not {shown}"
        case "enum":
            what = f"{shown} is not allowed here"
            choices = [member for member in wanted if isinstance(member, str) and member]
            texts = isinstance(value, str) and bool(choices)
            meant = did_you_mean(value, choices) if texts else f"Allowed: {_listed(wanted)}."
            fix = meant if texts and closest(value, choices) else schema.get("x-expects") or meant
        case "const":
            what, fix = f"must be {json.dumps(wanted)}, not {shown}", ""
        case "pattern":
            what = f"{shown} does not have the right form"
            fix = fix or f"It must match {wanted}."
        case "minLength":
            what = "is empty" if value == "" else f"{shown} is shorter than {wanted} characters"
        case "maxLength":
            what = f"has {len(value)} characters, {wanted} are allowed"
        case "minimum" | "exclusiveMinimum":
            what = f"{shown} is too small, at least {wanted} is needed"
        case "maximum" | "exclusiveMaximum":
            what = f"{shown} is too large, at most {wanted} is allowed"
        case "minItems" | "minProperties":
            what = f"needs at least {wanted} {'entry' if wanted == 1 else 'entries'}"
        case "maxItems" | "maxProperties":
            what = f"has {len(value)} entries, {wanted} are allowed"
        case "uniqueItems":
            what = "names something twice"
        case "not":
            what = f"{shown} is not allowed here"
        case "propertyNames":
            what = "has a key that is not allowed"
        case _:
            what = f"{shown} is not valid ({rule})"
    return Problem(path, what, fix)


def _listed(values: Any) -> str:
    return ", ".join(json.dumps(value) for value in values)


def _boolean(text: str) -> bool | str:
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else text


def _integer(text: str) -> int | str:
    return int(text) if re.fullmatch(r"\s*[0-9]{1,12}\s*", text) else text


def _location(text: str) -> str:
    return text.strip().removeprefix("s3://").rstrip("/")


def _folder(text: str) -> str:
    return text.strip().rstrip("/")


def _place(text: str) -> str:
    """A location whose last slash means something: a prefix that ends at a folder's name."""
    return text.strip().removeprefix("s3://")


def _json(text: str) -> Any:
    try:
        return strict_json.parse(text.encode()) if text.strip() else text
    except BadConfiguration:
        return text


_FORMS: Mapping[str, Callable[[str], Any]] = {
    "lower": lambda text: text.strip().lower(),
    "trimmed": lambda text: text.strip(),
    "location": _location,
    "folder": _folder,
    "place": _place,
    "boolean": _boolean,
    "integer": _integer,
    "json": _json,
}
