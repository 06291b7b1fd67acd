"""What a resource of a template may look like: CloudFormation's own resource schemas, as cfn-lint ships them.

CloudFormation checks a resource's properties before its handler is called: an unknown property, a missing one, a wrong
type, enumeration, pattern or range fails the resource. Text for a number or a boolean is taken as one, and the other
way round, as CloudFormation does with the values of parameters. Which properties replace a resource, and what
``Fn::GetAtt`` gives, is in the schemas too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from local.cloud.patterns import within

CHECKED = (
    "AWS::SageMaker::",
    "AWS::ECR::",
    "AWS::CodeBuild::",
    "AWS::CodePipeline::",
    "AWS::ApplicationAutoScaling::",
    "AWS::CloudWatch::",
    "AWS::Scheduler::",
)
"""Types whose properties are checked: those that workloads are made of."""

REGION = "us-east-1"

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}
_NAMES = {dict: "JSONObject", list: "JSONArray", str: "String", bool: "Boolean", int: "Integer", float: "Number"}


class InvalidProperties(Exception):
    """The template's properties are refused; the message is CloudFormation's."""


@lru_cache(maxsize=128)
def _found(resource_type: str) -> Any:
    # Imported late: a third of a second, which only a stack of such resources pays.
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

    return PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, resource_type)


def schema(resource_type: str) -> dict[str, Any]:
    """A type's schema."""
    found: dict[str, Any] = _found(resource_type).schema
    return found


def checked(resource_type: str, logical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
    """The properties with the types that the schema says; raises InvalidProperties with everything that is wrong.

    Properties of a type that is not in ``CHECKED`` come back as they are.
    """
    if not resource_type.startswith(CHECKED):
        return properties
    whole = schema(resource_type)
    # CloudFormation's own tags and read-only attributes are no concern of the template's author.
    typed, problems = _Check(whole).value(whole, properties, "#")
    for pointer in whole.get("readOnlyProperties", []):
        name = pointer.removeprefix("/properties/")
        if name in properties:
            problems.append(f"#: extraneous key [{name}] is not permitted")
    if problems:
        raise InvalidProperties(
            f"Properties validation failed for resource {logical_id} with message:\n" + "\n".join(problems)
        )
    return dict(typed)


def problems_of(whole: dict[str, Any], rule: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a JSON document by a rule of a schema; texts are taken for no numbers here."""
    return _Check(whole, reads_text=False).value(rule, value, "#")[1]


def create_only(resource_type: str) -> tuple[str, ...]:
    """Properties at the top whose change replaces the resource."""
    pointers = schema(resource_type).get("createOnlyProperties", [])
    return tuple(dict.fromkeys(pointer.removeprefix("/properties/").partition("/")[0] for pointer in pointers))


def permissions(resource_type: str, step: str) -> list[str]:
    """Actions that the type's handler of a step (``create``, ``update``, ``delete``) calls."""
    return list(schema(resource_type).get("handlers", {}).get(step, {}).get("permissions", []))


class Replacing(Sequence[str]):
    """``create_only`` of a type, read when it is first asked for, so that no start of the cloud waits for schemas."""

    def __init__(self, resource_type: str) -> None:
        self._type = resource_type

    def __getitem__(self, index: Any) -> Any:
        return create_only(self._type)[index]

    def __len__(self) -> int:
        return len(create_only(self._type))


def attributes(resource_type: str, described: dict[str, Any]) -> dict[str, Any]:
    """What ``Fn::GetAtt`` gives, from a resource's properties and read-only attributes."""
    found = {}
    for name in _found(resource_type).get_atts:
        value: Any = described
        for part in str(name).split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            found[str(name)] = value
    return found


class _Check:
    """One walk through a document with its schema."""

    def __init__(self, whole: dict[str, Any], reads_text: bool = True) -> None:
        self._definitions = whole
        self._reads_text = reads_text

    def value(self, rule: dict[str, Any], value: Any, path: str) -> tuple[Any, list[str]]:
        """The value with its types put right, and what is wrong with it."""
        rule = self._resolved(rule)
        kinds = rule.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else list(kinds)
        if not kinds and "properties" in rule:
            kinds = ["object"]
        typed, fits = _as_one_of(kinds, value, self._reads_text)
        if not fits:
            names = " or ".join(kind.capitalize() for kind in kinds)
            return value, [f"{path}: expected type: {names}, found: {_NAMES.get(type(value), type(value).__name__)}"]
        problems = list(_bounds(rule, typed, path))
        if isinstance(typed, dict):
            typed, below = self._object(rule, typed, path)
            problems += below
        elif isinstance(typed, list):
            typed, below = self._array(rule, typed, path)
            problems += below
        return self._combined(rule, typed, path, problems)

    def _resolved(self, rule: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in rule:
            found: Any = self._definitions
            for part in rule["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            rule = {**found, **{key: value for key, value in rule.items() if key != "$ref"}}
        return rule

    def _object(self, rule: dict[str, Any], value: dict[str, Any], path: str) -> tuple[dict[str, Any], list[str]]:
        properties, patterns = rule.get("properties", {}), rule.get("patternProperties", {})
        problems = [
            f"{path}: required key [{name}] not found" for name in rule.get("required", []) if name not in value
        ]
        typed: dict[str, Any] = {}
        for name, given in value.items():
            inner = properties.get(name)
            if inner is None:
                inner = next((found for pattern, found in patterns.items() if within(pattern, name)), None)
            if inner is None and rule.get("additionalProperties") is False:
                problems.append(f"{path}: extraneous key [{name}] is not permitted")
                continue
            if inner is None and isinstance(rule.get("additionalProperties"), dict):
                inner = rule["additionalProperties"]
            typed[name], below = self.value(inner, given, f"{path}/{name}") if inner else (given, [])
            problems += below
        return typed, problems

    def _array(self, rule: dict[str, Any], value: list[Any], path: str) -> tuple[list[Any], list[str]]:
        problems: list[str] = []
        if rule.get("uniqueItems") and len({json.dumps(item, sort_keys=True) for item in value}) < len(value):
            problems.append(f"{path}: array items are not unique")
        inner = rule.get("items")
        if not isinstance(inner, dict):
            return value, problems
        typed = []
        for number, item in enumerate(value):
            found, below = self.value(inner, item, f"{path}/{number}")
            typed.append(found)
            problems += below
        return typed, problems

    def _combined(self, rule: dict[str, Any], typed: Any, path: str, problems: list[str]) -> tuple[Any, list[str]]:
        for part in rule.get("allOf", []):
            typed, below = self.value(part, typed, path)
            problems += below
        for keyword, several in (("oneOf", False), ("anyOf", True)):
            parts = rule.get(keyword)
            if not parts:
                continue
            outcomes = [self.value(part, typed, path) for part in parts]
            matched = [found for found, below in outcomes if not below]
            if len(matched) == 1 or (several and matched):
                typed = matched[0]
            elif several:
                problems.append(f"{path}: no subschema matched out of the total {len(parts)} subschemas")
            else:
                problems.append(f"{path}: {len(matched)} subschemas matched instead of one")
        return typed, problems


def _as_one_of(kinds: list[str], value: Any, reads_text: bool) -> tuple[Any, bool]:
    """The value as the first of the types that it is, or that it can be read as."""
    if not kinds:
        return value, True
    for kind in kinds:
        wanted = _TYPES.get(kind, object)
        if isinstance(value, wanted) and (kind == "boolean" or not isinstance(value, bool)):
            return value, True
    for kind in kinds if reads_text else ():
        read = _read_as(kind, value)
        if read is not None:
            return read, True
    return value, False


def _read_as(kind: str, value: Any) -> Any:
    if kind == "string" and isinstance(value, bool):
        return "true" if value else "false"
    if kind == "string" and isinstance(value, int | float):
        return str(value)
    if kind == "boolean" and isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if kind in {"integer", "number"} and isinstance(value, str):
        for read in (int, float) if kind == "number" else (int,):
            try:
                return read(value)
            except ValueError:
                continue
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "object" and isinstance(value, str):
        try:
            parsed = json.loads(value)
        except ValueError:
            return None
        return parsed if isinstance(parsed, dict) else None
    return None


def _bounds(rule: dict[str, Any], value: Any, path: str) -> Iterator[str]:
    if "enum" in rule and value not in rule["enum"]:
        yield f"{path}: {value} is not a valid enum value"
    if "const" in rule and value != rule["const"]:
        yield f"{path}: {value} is not the constant {rule['const']}"
    if isinstance(value, str):
        yield from _lengths(rule, len(value), path, ("minLength", "maxLength"))
        if "pattern" in rule and not within(rule["pattern"], value):
            yield f"{path}: string [{value}] does not match pattern {rule['pattern']}"
    elif isinstance(value, list):
        yield from _lengths(rule, len(value), path, ("minItems", "maxItems"))
    elif isinstance(value, dict):
        yield from _lengths(rule, len(value), path, ("minProperties", "maxProperties"))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if "minimum" in rule and value < rule["minimum"]:
            yield f"{path}: {value} is not greater or equal to {rule['minimum']}"
        if "maximum" in rule and value > rule["maximum"]:
            yield f"{path}: {value} is not less or equal to {rule['maximum']}"


def _lengths(rule: dict[str, Any], length: int, path: str, keywords: tuple[str, str]) -> Iterator[str]:
    least, most = keywords
    if least in rule and length < rule[least]:
        yield f"{path}: expected {least}: {rule[least]}, actual: {length}"
    if most in rule and length > rule[most]:
        yield f"{path}: expected {most}: {rule[most]}, actual: {length}"
