"""The rules of a configuration, one function each; every function yields all the problems of its kind.

They run on the normalised values (aliases replaced, booleans and locations in one form), and name places as the author
wrote them. ``config.check`` is their only caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.core import schemas
from orchestrator.core.config_approval import approval_problems
from orchestrator.core.config_conditions import conditions
from orchestrator.core.config_gates import gate_problems
from orchestrator.core.config_images import image_problems
from orchestrator.core.config_part import Context, Part, is_stage_object
from orchestrator.core.config_relations import relations
from orchestrator.core.model_cards import OPERATIONS
from orchestrator.core.problems import Problem, closest, did_you_mean, listing
from orchestrator.core.stack_names import stack_name_fault
from orchestrator.core.workloads import Catalogue, WorkloadType

OUTPUT = "output"
"""``x-asset`` of a folder that the workload itself writes to."""


@dataclass(frozen=True)
class Findings:
    """Everything found out about one configuration."""

    type: WorkloadType | None
    values: Mapping[str, Any]
    problems: tuple[Problem, ...]
    assets: tuple[tuple[str, str, bool], ...] = ()
    """Path, key, and whether the key may be a prefix."""
    outputs: tuple[str, ...] = ()
    """Folders in the assets bucket that the workload itself writes to."""
    model_packages: tuple[str, ...] = ()


def find(values: Mapping[str, Any], path: str, catalogue: Catalogue, context: Context) -> Findings:
    """Check everything about one configuration."""
    workload_type, problems = _type(values, path, catalogue)
    if workload_type is None:
        return Findings(None, values, tuple(problems))
    renamed, spelled, problems = _rename(values, path, workload_type)
    part = Part(workload_type, renamed, path, context, spelled)
    problems += _unknown_keys(part, catalogue)
    kept, registry_problems = _registry(part)
    problems += registry_problems
    normal = _normalise(kept, workload_type)
    part = Part(workload_type, normal, path, context, spelled)
    problems += _required(part, catalogue)
    faulty = [*_stage_objects(part), *_values(part), *conditions(part)]
    problems += faulty
    sound = frozenset(workload_type.properties) - {_key(problem, part) for problem in faulty}
    problems += _names(part, sound)
    problems += relations(part, sound)
    problems += _arns(part, sound)
    problems += _asset_keys(part, sound)
    problems += approval_problems(part, sound)
    problems += gate_problems(part, sound)
    problems += _dynamic_references(part)
    problems += image_problems(part, sound)
    named = list(_named(part))
    return Findings(
        workload_type,
        normal,
        tuple(dict.fromkeys(problems)),
        tuple((where, key, kind == "object_or_prefix") for where, key, kind in named if kind != OUTPUT),
        tuple(dict.fromkeys(f"{key.rstrip('/')}/" for _, key, kind in named if kind == OUTPUT)),
        tuple(_model_packages(part)),
    )


def _type(values: Mapping[str, Any], path: str, catalogue: Catalogue) -> tuple[WorkloadType | None, list[Problem]]:
    name = values.get("pipeline_type")
    if name is None:
        near = closest("pipeline_type", [key for key in values if key != "pipeline_type"])
        fix = f'Did you mean "pipeline_type" where you wrote "{near}"?' if near else _known_types(catalogue)
        return None, [Problem(f"{path}.pipeline_type", "is required but missing", fix)]
    found = catalogue.get(name) if isinstance(name, str) else None
    if found is not None:
        return found, []
    if isinstance(name, str) and name in OPERATIONS:
        what = f"{name} is a model-card operation, which is no workload"
        return None, [Problem(f"{path}.pipeline_type", what, "Give it a file or a request of its own.")]
    fix = did_you_mean(name, catalogue.names) if isinstance(name, str) else _known_types(catalogue)
    return None, [Problem(f"{path}.pipeline_type", f"there is no workload type {name!r}", fix)]


def _known_types(catalogue: Catalogue) -> str:
    return f"Known: {listing(catalogue.names, most=20)}."


def _rename(
    values: Mapping[str, Any], path: str, workload_type: WorkloadType
) -> tuple[dict[str, Any], dict[str, str], list[Problem]]:
    """Other spellings of keys replaced; ``$schema``, an editor's help, and comments (``"// …"``) dropped."""
    renamed: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    problems = []
    for key, value in values.items():
        if schemas.is_remark(key):
            continue
        canonical = workload_type.aliases.get(key, key)
        if canonical in renamed:
            what = f'says the same as "{spelled[canonical]}"'
            problems.append(Problem(f"{path}.{key}", what, "Keep one of them."))
        else:
            renamed[canonical] = value
            spelled[canonical] = key
    return renamed, spelled, problems


def _unknown_keys(part: Part, catalogue: Catalogue) -> Iterator[Problem]:
    known = part.type.properties
    for key in part.values:
        if key in known:
            continue
        if key in part.type.unsupported_keys:
            what = f"is not supported by {part.type.name} in this version"
            yield Problem(part.at(key), what, "Remove the key: ignoring it silently would be worse.")
            continue
        others = catalogue.types_with_key(key)
        if others:
            what = f"is ignored by {part.type.name}: it is a key of {listing(others, most=3)}"
            yield Problem(part.at(key), what, "", "warning")
            continue
        near = _meant(key, part, catalogue)
        if near is not None:
            there = near in part.spelled.values()
            fix = f'"{near}" is there already: remove one of them.' if there else f'Did you mean "{near}"?'
            yield Problem(part.at(key), "there is no such key", fix)
        else:
            yield Problem(part.at(key), "is not a known key and is ignored", "", "warning")


def _meant(key: str, part: Part, catalogue: Catalogue) -> str | None:
    """The known key that an unknown one is a misspelling of; None for a known key, another type's, or a far one."""
    known = [*part.type.properties, *part.type.aliases]
    if key in known or key in part.type.unsupported_keys or catalogue.types_with_key(key):
        return None
    return closest(key, known)


def _registry(part: Part) -> tuple[dict[str, Any], list[Problem]]:
    """The values without the keys that the use (or not) of the Model Registry makes pointless."""
    registry = part.type.registry
    values = {key: value for key, value in part.values.items() if key in part.type.properties}
    if registry is None:
        return values, []
    pointless = registry.instead_of if part.context.model_registry else (registry.key,)
    word = "uses" if part.context.model_registry else "does not use"
    problems = [
        Problem(part.at(key), f"is ignored: this installation {word} the Model Registry", "", "warning")
        for key in pointless
        if key in values
    ]
    return {key: value for key, value in values.items() if key not in pointless}, problems


def _normalise(values: Mapping[str, Any], workload_type: WorkloadType) -> dict[str, Any]:
    root = workload_type.schema
    required = set(root.get("required", ())) | set(workload_type.registry.instead_of if workload_type.registry else ())
    normal = {}
    for key, value in values.items():
        schema = workload_type.properties[key]
        single = schemas.per_value(schema, root)
        if is_stage_object(value, schema, workload_type):
            normal[key] = {stage: schemas.normalise(member, single, root) for stage, member in value.items()}
        elif value != "" or key in required:
            # An empty string where a key is optional meant "not given" to the old product.
            normal[key] = schemas.normalise(value, single, root)
    return normal


def _required(part: Part, catalogue: Catalogue) -> Iterator[Problem]:
    """A required key that is misspelt is told where it is misspelt, and not as missing."""
    registry = part.type.registry
    wanted = list(part.type.schema.get("required", ()))
    if registry is not None:
        wanted += [registry.key] if part.context.model_registry else registry.instead_of
    misspelt = {_meant(written, part, catalogue) for written in part.spelled}
    names = dict(part.type.aliases.items())
    meant = {names.get(key, key) for key in misspelt if key}
    for key in wanted:
        if key not in part.values and key not in meant:
            yield schemas.missing(part.at(key), part.type.properties.get(key, {}))


def _stage_objects(part: Part) -> Iterator[Problem]:
    stages = part.context.stages
    for key in part.values:
        if not part.per_stage(key):
            continue
        given = part.values[key]
        if part.context.accounts == "single":
            what = "is an object of stages, but this installation has one account"
            yield Problem(part.at(key), what, "Write the value itself.")
            continue
        if part.type.runs_in == "orchestrator":
            what = f"is an object of stages, but {part.type.name} is deployed once, into the orchestrator account"
            yield Problem(part.at(key), what, "Write the value itself.")
            continue
        unknown = [stage for stage in given if stage not in stages]
        for stage in unknown:
            yield Problem(f"{part.at(key)}.{stage}", f'there is no stage "{stage}"', did_you_mean(stage, stages))
        for stage in stages:
            if stage not in given and closest(stage, unknown) is None:
                yield Problem(
                    part.at(key), f'has no value for the stage "{stage}"', "Add it, or write one value for all."
                )


def _values(part: Part) -> Iterator[Problem]:
    root = part.type.schema
    for key in part.values:
        schema = part.type.properties[key]
        if key == "pipeline_type":
            continue
        single = schemas.per_value(schema, root)
        single = {**single, "examples": single.get("examples") or _plain_examples(schema)}
        for path, value in part.each_value(key):
            if isinstance(value, Mapping) and _kind_of(single) != "object" and set(value) & set(part.context.stages):
                yield Problem(path, "cannot differ by stage", "Write one value for all stages.")
            else:
                yield from schemas.faults(value, single, root, path)


def _kind_of(schema: Mapping[str, Any]) -> str:
    return "object" if "properties" in schema or schema.get("type") == "object" else str(schema.get("type", ""))


def _plain_examples(schema: Mapping[str, Any]) -> list[Any]:
    return [example for example in schema.get("examples", []) if not isinstance(example, Mapping)]


def _key(problem: Problem, part: Part) -> str:
    """The canonical key that a problem is about."""
    written = re.split(r"[.\[]", problem.path.removeprefix(part.path).removeprefix("."))[0]
    return next((key for key, spelt in part.spelled.items() if spelt == written), written)


def _names(part: Part, sound: frozenset[str]) -> Iterator[Problem]:
    naming = part.type.naming
    key = "pipeline_name" if part.values.get("pipeline_name") else naming.key
    name = part.values.get(key)
    if key not in sound or not isinstance(name, str):
        return
    if not name.strip():
        yield Problem(part.at(key), "is empty", "Give the workload a name.")
        return
    stack = naming.stack(name)
    fault = stack_name_fault(stack)
    if fault:
        fix = "Choose another name." if key == "pipeline_name" else "Choose another, or set pipeline_name."
        yield Problem(part.at(key), f'makes the stack name "{stack}", which {fault}', fix)


def _arns(part: Part, sound: frozenset[str]) -> Iterator[Problem]:
    """An ARN of another region or partition would be refused at deployment."""
    for key in part.values:
        single = schemas.per_value(part.type.properties[key], part.type.schema)
        if not single.get("x-arn") or key not in sound:
            continue
        for path, arn in part.each_value(key):
            if not isinstance(arn, str) or not arn:
                continue
            _, partition, _, region, *_ = arn.split(":")
            if partition != part.context.partition:
                what = f'is in the partition "{partition}", the installation in "{part.context.partition}"'
                yield Problem(path, what, "Name something of the installation's own partition.")
            elif region != part.context.region:
                what = f"is in {region}, the installation in {part.context.region}"
                yield Problem(path, what, "Name something of the installation's own region.")


def _named(part: Part) -> Iterator[tuple[str, str, str]]:
    """Path, key in the assets bucket, and what the schema says of it."""
    root = part.type.schema
    for key in part.values:
        for path, value in part.each_value(key):
            yield from _named_in(value, part.type.properties[key], root, path)


def _named_in(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: str
) -> Iterator[tuple[str, str, str]]:
    schema = schemas.per_value(schema, root)
    kind = schema.get("x-asset")
    if kind and isinstance(value, str) and value:
        yield path, value, kind
    for alternative in schema.get("anyOf", ()):
        yield from _named_in(value, alternative, root, path)
    if isinstance(value, Mapping):
        for name, member in value.items():
            if name in schema.get("properties", {}):
                yield from _named_in(member, schema["properties"][name], root, f"{path}.{name}")


def _asset_keys(part: Part, sound: frozenset[str]) -> Iterator[Problem]:
    for path, key, kind in _named(part):
        if kind == OUTPUT:
            continue
        if path.startswith(tuple(part.at(name) for name in sound)):
            if key.startswith("s3://"):
                yield Problem(path, "is a URI", "Write the key in the assets bucket, without s3:// and bucket.")
            elif key.startswith("/") or ".." in key.split("/") or "\\" in key:
                yield Problem(path, f'"{key}" is not a plain key', "Write it without leading /, .. and backslashes.")
            elif any(ord(character) < 32 or ord(character) == 127 for character in key):
                yield Problem(path, "has a control character in it", "Rename the object.")
            elif kind == "object_or_prefix" and (set(key) & {"*", "?"} or "${" in key):
                # It goes into the policy of the workload's role, where these stand for anybody's objects.
                yield Problem(path, f'"{key}" has *, ? or ${{ in it', "Rename the objects, or name another prefix.")
            elif len(key.encode()) > 1024:
                yield Problem(path, "is longer than S3's 1,024 bytes", "Use a shorter key.")


def _model_packages(part: Part) -> Iterator[str]:
    registry = part.type.registry
    if registry is not None and isinstance(part.values.get(registry.key), str):
        yield part.values[registry.key]


def _dynamic_references(part: Part) -> Iterator[Problem]:
    """CloudFormation would replace ``{{resolve:…}}`` in a parameter by a secret of the stage account."""
    for key, value in part.values.items():
        if any("{{resolve:" in text.replace(" ", "") for text in _texts(value)):
            yield Problem(part.at(key), "holds a dynamic reference ({{resolve:…}})", "Write the value itself.")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield name
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)
