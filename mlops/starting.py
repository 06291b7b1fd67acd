"""``mlops init`` and ``mlops schema``: how a configuration begins, and what an editor needs to complete it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from mlops.refusals import Refused
from mlops.screen import Screen
from mlops.validation import Accounts, CheckRegion, ModelRegistry, Templates, context_of, known_types
from orchestrator.core import images, schemas
from orchestrator.core.config import CheckContext
from orchestrator.core.problems import did_you_mean
from orchestrator.core.schemas import COMMENT, SCHEMA_KEY
from orchestrator.core.workloads import WorkloadType

DRAFT = "http://json-schema.org/draft-07/schema#"

EXAMPLES = {"multi": "example.mlops-config.json", "single": "example.single.mlops-config.json"}
"""File of a type's folder by kind of installation."""

TypeName = Annotated[
    str, typer.Argument(metavar="TYPE", help="Name of the workload type, such as byom_realtime_builtin.")
]


def init(
    name: TypeName,
    output: Annotated[
        Path, typer.Option("--output", help="The file to write; its schema is written beside it.", dir_okay=False)
    ] = Path("mlops-config.json"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    accounts: Accounts = "multi",
    model_registry: ModelRegistry = False,
    region: CheckRegion = "",
    templates: Templates = [],  # noqa: B006 - typer copies it
) -> None:
    """Write a commented configuration to start from, valid as it stands, with the values of the type's example."""
    workload_type = find_type(name, templates)
    context = context_of(accounts, model_registry, region)
    schema_file = output.with_name(f"{output.stem}.schema.json")
    for file in (output, schema_file):
        if file.exists() and not overwrite:
            raise Refused(f"{file} is there already. Name another file with --output, or replace it with --overwrite.")
    starting = {SCHEMA_KEY: f"./{schema_file.name}", **starting_configuration(workload_type, context)}
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(_text(starting))
    schema_file.write_text(_text(editor_schema(workload_type)))
    screen = Screen()
    screen.line(f"{output} and {schema_file.name} are written.", "green")
    screen.note(
        f'Keys that start with "{COMMENT}" are comments. Change the values, then: '
        f"mlops validate {output} --accounts {accounts}{' --model-registry' if model_registry else ''}"
    )


def schema(
    name: TypeName,
    output: Annotated[Path | None, typer.Option("--output", help="Write it here, not to standard output.")] = None,
    templates: Templates = [],  # noqa: B006 - typer copies it
) -> None:
    """Print the JSON Schema (draft-07) of a workload type's configuration, for an editor or a check of your own."""
    text = _text(editor_schema(find_type(name, templates)))
    if output is None:
        typer.echo(text, nl=False)
        return
    output.write_text(text)
    Screen().line(f"{output} is written.", "green")


def find_type(name: str, templates: list[Path]) -> WorkloadType:
    """The workload type of this name; raises ``Refused``."""
    catalogue = known_types(templates)
    found = catalogue.get(name)
    if found is None:
        raise Refused(f'There is no workload type "{name}". {did_you_mean(name, catalogue.names)}')
    return found


def starting_configuration(workload_type: WorkloadType, context: CheckContext) -> dict[str, Any]:
    """The type's example, each key behind a comment that explains it, and the keys that it does not use as comments."""
    example: dict[str, Any] = json.loads((workload_type.folder / EXAMPLES[context.accounts]).read_bytes())
    registry = workload_type.registry
    if registry is not None and context.model_registry:
        example = {key: value for key, value in example.items() if key not in registry.instead_of}
        example[registry.key] = None
    pointless = (
        set() if registry is None else {registry.key} if not context.model_registry else set(registry.instead_of)
    )
    required = _required(workload_type, context)
    found: dict[str, Any] = {"pipeline_type": workload_type.name}
    for key, value in example.items():
        if key in {"pipeline_type", SCHEMA_KEY}:
            continue
        described = workload_type.properties[workload_type.aliases.get(key, key)]
        found[f"{COMMENT} {key}"] = _explained(described, required=key in required)
        value = _first_example(described) if value is None else value
        found[key] = _in_region(value, context)
    for key, described in workload_type.properties.items():
        if key not in found and key not in pointless:
            shown = _first_example(described)
            told = "" if shown is None else f" Example: {json.dumps(shown, ensure_ascii=False)}"
            found[f"{COMMENT} {key}"] = f"{_explained(described, required=False)}{told}"
    return found


def editor_schema(workload_type: WorkloadType) -> dict[str, Any]:
    """The schema of one workload with every reference replaced by what it names: editors show no words beside one."""
    root = workload_type.schema
    inlined = _inlined({key: value for key, value in root.items() if key != "definitions"}, root)
    properties = {
        **{alias: inlined["properties"][key] for alias, key in workload_type.aliases.items()},
        **inlined["properties"],
        SCHEMA_KEY: {"title": "Schema", "description": "Where an editor finds this schema.", "type": "string"},
    }
    required = [key for key in inlined.get("required", ()) if key not in workload_type.aliases.values()]
    told = {"title": workload_type.title, "description": workload_type.description}
    return {SCHEMA_KEY: DRAFT, **told, **inlined, "required": required, "properties": properties}


def _inlined(value: Any, root: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        resolved = schemas.resolve(value, root) if "$ref" in value else value
        return {name: _inlined(member, root) for name, member in resolved.items()}
    if isinstance(value, list):
        return [_inlined(member, root) for member in value]
    return value


def _required(workload_type: WorkloadType, context: CheckContext) -> frozenset[str]:
    registry = workload_type.registry
    instead = () if registry is None else (registry.key,) if context.model_registry else registry.instead_of
    keys = {*workload_type.schema.get("required", ()), *instead}
    return frozenset(keys | {alias for alias, key in workload_type.aliases.items() if key in keys})


def _explained(described: Mapping[str, Any], *, required: bool) -> str:
    return " ".join(_sentences(described, required=required))


def _sentences(described: Mapping[str, Any], *, required: bool) -> Iterator[str]:
    yield str(described.get("description", ""))
    yield "Required." if required else "Optional."
    if described.get("x-per-stage"):
        yield "May be an object with a value for each stage."


def _first_example(described: Mapping[str, Any]) -> Any:
    examples = described.get("examples") or described.get("enum") or []
    return examples[0] if examples else None


def _in_region(value: Any, context: CheckContext) -> Any:
    """ARNs and images of the example, as they would read in the installation's region."""
    if isinstance(value, Mapping):
        return {name: _in_region(member, context) for name, member in value.items()}
    if isinstance(value, list):
        return [_in_region(member, context) for member in value]
    if isinstance(value, str) and value.startswith("arn:"):
        _, _, service, there, rest = value.split(":", 4)
        return f"arn:{context.partition}:{service}:{context.region if there else ''}:{rest}"
    if isinstance(value, str) and (there := images.uri_region(value)):
        return value.replace(f".{there}.", f".{context.region}.", 1)
    return value


def _text(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
