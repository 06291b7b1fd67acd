"""What every folder of ``templates/`` holds, and what its schema and README say of each key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from orchestrator.core.schemas import faults, per_value, resolve
from tests.fakes.memory_world import TEMPLATES
from tests.templates.folders import BODIES, TYPES, rows, template, wanted_bodies, workload_type

COMMON = json.loads((TEMPLATES / "configuration.schema.json").read_bytes())


@pytest.mark.parametrize("name", TYPES)
def test_the_folder_is_complete(name: str) -> None:
    needed = {
        *("template.yaml", "workload.json", "config.schema.json", "README.md"),
        *("example.mlops-config.json", "example.single.mlops-config.json"),
    }
    assert needed - {path.name for path in (TEMPLATES / name).iterdir()} == set()


@pytest.mark.parametrize("name", TYPES)
def test_bodies_of_each_kind_are_tried(name: str) -> None:
    assert wanted_bodies(name) - {path.name for path in (BODIES / name).glob("*.json")} == set()


def test_no_bodies_lie_beside_a_type_that_is_none() -> None:
    assert {path.name for path in BODIES.iterdir() if not (TEMPLATES / path.name).is_dir()} == set()


@pytest.mark.parametrize("name", TYPES)
def test_the_readme_has_a_row_for_every_key_and_no_other(name: str) -> None:
    named = {key for key, cells in rows((TEMPLATES / name / "README.md").read_text()) if len(cells) == 4}
    assert named == set(workload_type(name).properties)


@pytest.mark.parametrize("name", TYPES)
def test_the_readme_says_which_keys_are_per_stage(name: str) -> None:
    told = {key: cells[1] for key, cells in rows((TEMPLATES / name / "README.md").read_text()) if len(cells) == 4}
    known = {
        key: "yes" if schema.get("x-per-stage") else "no" for key, schema in workload_type(name).properties.items()
    }
    assert told == known


@pytest.mark.parametrize("name", TYPES)
def test_the_readme_names_every_member_of_the_grouped_keys(name: str) -> None:
    text = (TEMPLATES / name / "README.md").read_text()
    one = workload_type(name)
    missing = [
        f"{key}.{member}"
        for key, schema in one.properties.items()
        for member in per_value(schema, one.schema).get("properties", {})
        if f"`{member}`" not in text
    ]
    assert missing == []


@pytest.mark.parametrize("name", [*TYPES, "configuration.schema.json"])
def test_editors_find_title_description_and_example_of_every_key(name: str) -> None:
    schema: Mapping[str, Any] = COMMON if name.endswith(".json") else workload_type(name).schema
    assert [gap for key, one in schema["properties"].items() for gap in gaps(key, one, schema)] == []


def gaps(path: str, schema: Mapping[str, Any], root: Mapping[str, Any], *, top: bool = True) -> Iterator[str]:
    """What the schema of a key, or of a member of it, does not say."""
    known = {**per_value(schema, root), **schema}
    if top and not known.get("title"):
        yield f"{path} has no title"
    if not known.get("description"):
        yield f"{path} has no description"
    elif not known["description"].endswith("."):
        yield f"the description of {path} is no sentence"
    if top and not ({"examples", "enum", "const"} & set(known)):
        yield f"{path} has no example"
    for name, member in per_value(schema, root).get("properties", {}).items():
        yield from gaps(f"{path}.{name}", member, root, top=False)


@pytest.mark.parametrize("name", TYPES)
def test_the_examples_in_the_schema_are_valid(name: str) -> None:
    one = workload_type(name)
    wrong = [
        problem.sentence
        for key, schema in one.properties.items()
        for example in schema.get("examples", [])
        for problem in faults(example, schema, one.schema, f"$.{key}")
    ]
    assert wrong == []


@pytest.mark.parametrize("name", TYPES)
def test_keys_per_stage_have_a_schema_for_one_stage_and_for_all(name: str) -> None:
    one = workload_type(name)
    for key, schema in one.properties.items():
        if schema.get("x-per-stage"):
            single, staged = schema["anyOf"]
            assert resolve(staged["additionalProperties"], one.schema) == resolve(single, one.schema), key


@pytest.mark.parametrize("name", TYPES)
def test_every_parameter_is_described_and_grouped(name: str) -> None:
    found = template(name)
    groups = found["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [parameter for group in groups for parameter in group["Parameters"]]
    assert sorted(grouped) == sorted(found["Parameters"])
    assert [key for key, spec in found["Parameters"].items() if not spec.get("Description")] == []


@pytest.mark.parametrize("name", TYPES)
def test_what_workload_json_feeds_is_a_parameter(name: str) -> None:
    assert set(workload_type(name).parameters) - set(template(name)["Parameters"]) == set()


@pytest.mark.parametrize("name", TYPES)
def test_outputs_that_are_asked_for_exist(name: str) -> None:
    one = workload_type(name)
    asked = {one.endpoint_output, one.job.output if one.job else ""} - {""}
    asked |= {source.key.removeprefix("$output:") for source in one.sources() if source.key.startswith("$output:")}
    assert asked - set(template(name)["Outputs"]) == set()
