"""Workload types: folders of ``templates/``, and no list of them anywhere in the code.

A folder holds ``template.yaml`` (plain CloudFormation), ``workload.json`` (what the orchestrator must know, in
the vocabulary of ``templates/workload.schema.json``), ``config.schema.json`` (its configuration keys), an example and
a README. ``load_types`` takes several parent folders, so that an organisation can bring types of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import fastjsonschema

from orchestrator.core.jobs import JobKind
from orchestrator.core.problems import BadConfiguration, Problem
from orchestrator.core.sources import OUTPUT, Source, document_sources, parse_sources
from orchestrator.core.stack_names import fitting_stack_name, stack_name

RunsIn = Literal["stages", "orchestrator"]

WORKLOAD_SCHEMA = "workload.schema.json"
OWN_TEMPLATES = "own_templates"
"""Folder of a function's bundle, beside ``templates/``, with a folder of types for each of the settings."""
COMMON_SCHEMA = "configuration.schema.json"
_COMMON_REFERENCE = f"../{COMMON_SCHEMA}#/"

ALWAYS_SUPPORTED = frozenset({"pipeline_name", "description", "tags", "channel", "approval", "metrics", "gates"})
"""Common keys that the orchestrator itself acts on. ``verify`` needs a type that can be verified; any other common key
counts as supported when a parameter of the type's template draws from it."""


JOB_INPUT = "$.job.input"
"""Place of a job's input in ``workload.json``: only here a source may be something that RunJob alone knows."""


@dataclass(frozen=True)
class Naming:
    """How a type's stacks and workloads are named; see ``stack_names``."""

    key: str
    suffix: str
    workload_suffix: str
    any_name: bool = False
    """Whether a value that makes no stack name is made to fit; else it is refused."""

    def stack(self, name: str) -> str:
        """Name of the stack of this workload; may still break a rule, see ``stack_names.stack_name_fault``."""
        return fitting_stack_name(name, self.suffix) if self.any_name else stack_name(name, self.suffix)


@dataclass(frozen=True)
class Job:
    """What a release runs after each deployment."""

    kind: JobKind
    output: str
    """Stack output that names the pipeline or project; empty for ``automl_job``."""
    request: str
    """Document that is the request (``automl_job``); else empty."""
    inputs: Mapping[str, tuple[Source, ...]]


@dataclass(frozen=True)
class Registry:
    """The key that takes the place of others in an installation with the Model Registry."""

    key: str
    instead_of: tuple[str, ...]


@dataclass(frozen=True)
class WorkloadType:
    """One folder, read and checked."""

    name: str
    folder: Path
    title: str
    description: str
    naming: Naming
    runs_in: RunsIn
    capabilities: tuple[str, ...]
    parameters: Mapping[str, tuple[Source, ...]]
    document_sources: Mapping[str, Any] = field(repr=False)
    """The files of ``documents``, parsed, by name."""
    job: Job | None
    endpoint_output: str
    """Stack output that names the endpoint to verify; empty when there is nothing to verify."""
    registry: Registry | None
    aliases: Mapping[str, str]
    schema: Mapping[str, Any] = field(repr=False)
    """JSON Schema (draft-07) of the configuration, self-contained: the type's keys and the common ones it supports."""
    own_keys: frozenset[str]
    """Keys of the type's own schema, without the common ones."""
    unsupported_keys: frozenset[str]
    """Common keys that this type does not implement."""
    source: bytes = field(repr=False)
    """``workload.json`` as it was read."""

    @cached_property
    def template(self) -> bytes:
        """``template.yaml``, read on first use."""
        return (self.folder / "template.yaml").read_bytes()

    @property
    def properties(self) -> Mapping[str, Any]:
        """Schema of each configuration key that this type knows."""
        properties: Mapping[str, Any] = self.schema["properties"]
        return properties

    def sources(self) -> Iterator[Source]:
        """Every source of the parameters, of the documents and of the job's input."""
        for _, source in self.placed_sources():
            yield source

    def placed_sources(self) -> Iterator[tuple[str, Source]]:
        """The same, each with its place in ``workload.json`` or the file it stands in."""
        for name, alternatives in self.parameters.items():
            yield from ((f"$.parameters.{name}", source) for source in alternatives)
        for file, document in self.document_sources.items():
            yield from ((f"files/{file}", source) for source in document_sources(document))
        if self.job is not None:
            for name, alternatives in self.job.inputs.items():
                yield from ((f"{JOB_INPUT}.{name}", source) for source in alternatives)


@dataclass(frozen=True)
class Catalogue:
    """The workload types of an installation."""

    types: Mapping[str, WorkloadType]

    @property
    def names(self) -> tuple[str, ...]:
        """All ``pipeline_type`` values, sorted."""
        return tuple(sorted(self.types))

    def get(self, name: str) -> WorkloadType | None:
        """The type of this exact name."""
        return self.types.get(name)

    def types_with_key(self, key: str) -> tuple[str, ...]:
        """Names of the types whose own schema knows the key."""
        return tuple(name for name in self.names if key in self.types[name].own_keys)


def shipped_templates() -> Path:
    """The workload types that came with this code.

    In the package where it was installed (the wheel maps them there), beside it in a checkout and a function's bundle.
    """
    package = Path(__file__).resolve().parents[1]
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def own_templates() -> list[Path]:
    """Folders of an organisation's own types that a function's bundle carries, in the order of its settings.

    Empty outside of a bundle: on the command line the folders are named.
    """
    carried = Path(__file__).resolve().parents[2] / OWN_TEMPLATES
    return sorted(carried.iterdir(), key=lambda folder: int(folder.name)) if carried.is_dir() else []


def load_types(folders: Sequence[Path]) -> Catalogue:
    """Every type in these folders; of two types with one name, the later folder's counts.

    Raises ``BadConfiguration`` that names file and place of whatever is wrong, for all types at once.
    """
    vocabulary = fastjsonschema.compile(_read_object(_find(folders, WORKLOAD_SCHEMA)))
    common = _read_object(_find(folders, COMMON_SCHEMA))
    found: dict[str, Path] = {}
    for folder in folders:
        found |= {path.parent.name: path.parent for path in sorted(folder.glob("*/workload.json"))}
    problems: list[Problem] = []
    types: dict[str, WorkloadType] = {}
    for name, folder in found.items():
        try:
            types[name] = _load(folder, vocabulary, common)
        except BadConfiguration as refused:
            problems += refused.problems
    problems += _clashes(types)
    if not types and not problems:
        problems.append(Problem(", ".join(map(str, folders)), "there is no workload type here", "Add a folder."))
    if problems:
        raise BadConfiguration(problems)
    return Catalogue(types)


def _load(folder: Path, vocabulary: Any, common: Mapping[str, Any]) -> WorkloadType:
    file = folder / "workload.json"
    raw = _read_object(file)
    try:
        vocabulary(raw)
    except fastjsonschema.JsonSchemaValueException as error:
        where = "$" + str(error.name).removeprefix("data")
        message = str(error.message).removeprefix(str(error.name)).strip()
        raise _wrong(file, where, message, f"See templates/{WORKLOAD_SCHEMA}.") from None
    for needed in ("template.yaml", "config.schema.json", *(f"files/{name}" for name in raw.get("documents", []))):
        if not (folder / needed).is_file():
            raise _wrong(folder / needed, "$", "the file is missing", "Add it to the folder of the workload type.")
    parameters = {name: parse_sources(sources) for name, sources in raw["parameters"].items()}
    job = _job(raw.get("job"))
    documents = {name: _read_object(folder / "files" / name) for name in raw.get("documents", ())}
    drawn = _drawn(parameters, documents, job)
    supported = ALWAYS_SUPPORTED | drawn | ({"verify"} if "verify" in raw else set())
    schema, own_keys, unsupported = _schema(folder / "config.schema.json", common, supported)
    registry = raw.get("registry")
    workload_type = WorkloadType(
        name=folder.name,
        folder=folder,
        title=raw["title"],
        description=raw["description"],
        naming=_naming(raw["stack_name"]),
        runs_in=raw["runs_in"],
        capabilities=tuple(raw.get("capabilities", ())),
        parameters=parameters,
        document_sources=documents,
        job=job,
        endpoint_output=raw.get("verify", {}).get("endpoint", ""),
        registry=Registry(registry["key"], tuple(registry["instead_of"])) if registry else None,
        aliases=raw.get("aliases", {}),
        schema=schema,
        own_keys=own_keys,
        unsupported_keys=unsupported,
        source=file.read_bytes(),
    )
    _check_references(workload_type, file)
    return workload_type


def _naming(raw: Mapping[str, Any]) -> Naming:
    return Naming(raw["from"], raw["suffix"], raw["workload_suffix"], raw.get("any_name", False))


def _job(raw: Mapping[str, Any] | None) -> Job | None:
    if raw is None:
        return None
    inputs = {name: parse_sources(sources) for name, sources in raw.get("input", {}).items()}
    return Job(JobKind(raw["kind"]), raw.get("output", ""), raw.get("request", ""), inputs)


def _schema(
    file: Path, common: Mapping[str, Any], supported: frozenset[str] | set[str]
) -> tuple[Mapping[str, Any], frozenset[str], frozenset[str]]:
    """The type's schema with the common keys and definitions in it, the type's own keys, and the common keys it lacks.

    A type refers to common definitions by file (``../configuration.schema.json#/definitions/…``), as an editor can
    follow; in the merged schema they are local.
    """
    raw = _read_object(file)
    own = json.loads(json.dumps(raw).replace(_COMMON_REFERENCE, "#/"))
    properties = own.get("properties")
    if not isinstance(properties, dict):
        raise _wrong(file, "$.properties", "the schema names no keys", "Describe each configuration key here.")
    lacking = frozenset(name for name in common["properties"] if name not in supported and name not in properties)
    shared = {name: schema for name, schema in common["properties"].items() if name not in lacking}
    merged = {
        **{key: value for key, value in own.items() if key != "allOf"},
        "properties": {**properties, **{name: schema for name, schema in shared.items() if name not in properties}},
        "definitions": {**common["definitions"], **own.get("definitions", {})},
    }
    conditions = [rule for rule in [*common.get("allOf", []), *own.get("allOf", [])] if "if" in rule]
    if conditions:
        merged["allOf"] = conditions
    for name in own.get("required", []):
        if name not in properties and name != "pipeline_type":
            raise _wrong(file, "$.required", f'the required key "{name}" is not described', "Add it to properties.")
    return merged, frozenset(properties), lacking


def _drawn(
    parameters: Mapping[str, tuple[Source, ...]], documents: Mapping[str, Any], job: Job | None
) -> frozenset[str]:
    """Every configuration key that a value is drawn from."""
    sources = [source for alternatives in parameters.values() for source in alternatives]
    sources += [source for document in documents.values() for source in document_sources(document)]
    sources += [source for alternatives in (job.inputs.values() if job else ()) for source in alternatives]
    return frozenset(source.key.split(".")[0] for source in sources)


def _check_references(workload_type: WorkloadType, file: Path) -> None:
    """Sources must name keys that the schema knows, so that a typing error is found when the type is loaded."""
    known = set(workload_type.properties)
    for place, source in workload_type.placed_sources():
        keys = [source.key.split(".")[0], source.version_key, source.instance_key, source.without_key]
        keys += [condition.key.split(".")[0] for condition in source.when]
        for key in keys:
            if key and not key.startswith("$") and key not in known:
                raise _wrong(file, place, f'there is no configuration key "{key}"', "Mend the name.")
        if source.known_late and not place.startswith(JOB_INPUT):
            _refuse_late(source, place, file)
        document = source.key.removeprefix("$document:")
        if document != source.key and document not in workload_type.document_sources:
            raise _wrong(file, place, f'"{document}" is not in documents', "Add it to documents.")
        if document != source.key and place.startswith("files/"):
            raise _wrong(file, place, "a document may not name a document", "Pass its URI to the template.")
    job = workload_type.job
    if job is not None and job.request and job.request not in workload_type.document_sources:
        raise _wrong(file, "$.job.request", f'"{job.request}" is not in documents', "Add it to documents.")
    named = {workload_type.naming.key, *workload_type.aliases.values()}
    if workload_type.registry is not None:
        named |= {workload_type.registry.key, *workload_type.registry.instead_of}
    for key in sorted(named - known):
        raise _wrong(file, "$", f'there is no configuration key "{key}"', "Describe it in config.schema.json.")


def _refuse_late(source: Source, place: str, file: Path) -> None:
    if source.key.startswith(OUTPUT):
        what = f'"{source.key}" is known only when the stage is deployed'
        raise _wrong(file, place, what, "Use an output in the input of a job only.")
    raise _wrong(
        file,
        place,
        f"a {'document' if place.startswith('files/') else 'template parameter'} may not depend on the release",
        "Use $release in the input of a job only; else every plan would show a change.",
    )


def _clashes(types: Mapping[str, WorkloadType]) -> list[Problem]:
    """Two types whose workloads could get one name."""
    problems = []
    for name, one in sorted(types.items()):
        for other_name, other in sorted(types.items()):
            for attribute in ("suffix", "workload_suffix"):
                mine, theirs = getattr(one.naming, attribute), getattr(other.naming, attribute)
                if (name < other_name and mine == theirs) or (name != other_name and mine.endswith(f"-{theirs}")):
                    problems.append(
                        Problem(
                            f"{one.folder / 'workload.json'}: $.stack_name.{attribute}",
                            f'"{mine}" cannot be told from "{theirs}" of {other_name}',
                            "Choose another suffix.",
                        )
                    )
    return problems


def _find(folders: Sequence[Path], name: str) -> Path:
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise _wrong(
        Path(name), "$", f"none of the folders {', '.join(map(str, folders))} has it", "Name templates/ first."
    )


def _read_object(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_bytes())
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _wrong(file, "$", f"not valid JSON at {where}: {error.msg}", "Mend the syntax.") from None
    if not isinstance(value, dict):
        raise _wrong(file, "$", "must be a JSON object", "Wrap it in braces.")
    return value


def _wrong(file: Path, path: str, what: str, fix: str) -> BadConfiguration:
    return BadConfiguration([Problem(f"{file}: {path}", what, fix)])
