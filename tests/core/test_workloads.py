"""Workload types are folders; what is wrong with one is told by file and place."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from orchestrator.core.config import CheckContext, check_file
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.workloads import load_types
from tests.fakes.memory_world import TEMPLATES, catalogue, configuration

TYPES = sorted(path.parent for path in TEMPLATES.glob("*/workload.json"))
BUILTIN = TEMPLATES / "byom_realtime_builtin"


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def in_folder(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("folder", TYPES, ids=in_folder)
def test_every_workload_json_passes_its_schema(folder: Path) -> None:
    schema = read(TEMPLATES / "workload.schema.json")
    Draft7Validator.check_schema(schema)
    assert [error.message for error in Draft7Validator(schema).iter_errors(read(folder / "workload.json"))] == []


@pytest.mark.parametrize("folder", TYPES, ids=in_folder)
def test_every_configuration_schema_is_one(folder: Path) -> None:
    Draft7Validator.check_schema(read(folder / "config.schema.json"))
    Draft7Validator.check_schema(dict(catalogue().types[folder.name].schema))


@pytest.mark.parametrize("folder", TYPES, ids=in_folder)
def test_every_parameter_is_one_of_the_template(folder: Path) -> None:
    """And each of the template's without a default is filled."""
    template = (folder / "template.yaml").read_text()
    block = re.search(r"^Parameters:\n(.*?)^\w", template, re.DOTALL | re.MULTILINE)
    assert block is not None
    found = re.split(r"^  (\w+):\n", block[1], flags=re.MULTILINE)[1:]
    of_template = dict(zip(found[::2], found[1::2], strict=True))
    named = set(read(folder / "workload.json")["parameters"])
    assert named <= set(of_template)
    assert {name for name, text in of_template.items() if "Default:" not in text} <= named


@pytest.mark.parametrize("folder", TYPES, ids=in_folder)
def test_every_key_is_described_for_people(folder: Path) -> None:
    readme = (folder / "README.md").read_text()
    kind = catalogue().types[folder.name]
    for key, schema in kind.properties.items():
        assert schema.get("description"), key
        assert f"`{key}`" in readme or key not in kind.own_keys, f"README.md does not name {key}"


def test_the_catalogue() -> None:
    known = catalogue()
    assert known.get("byom_realtime_builtin") is known.types["byom_realtime_builtin"]
    assert known.get("nope") is None
    assert known.names == tuple(sorted(known.names))
    assert known.types_with_key("custom_image_uri") == ("byom_batch_custom", "byom_realtime_custom")
    assert "vpc" not in known.types["byom_realtime_builtin"].unsupported_keys
    assert "scaling" in known.types["byom_batch_builtin"].unsupported_keys


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with one type of an organisation's own."""
    shutil.copytree(BUILTIN, tmp_path / "own_type")
    change(tmp_path / "own_type", stack_name={"from": "model_name", "suffix": "own", "workload_suffix": "own"})
    return tmp_path / "own_type"


def change(folder: Path, file: str = "workload.json", **changes: Any) -> None:
    values = {**read(folder / file), **changes}
    kept = {name: value for name, value in values.items() if value is not None}
    (folder / file).write_text(json.dumps(kept))


def test_an_organisation_brings_types_of_its_own(own: Path) -> None:
    found = load_types([TEMPLATES, own.parent])
    assert set(found.names) == {*catalogue().names, "own_type"}


def test_of_two_types_with_one_name_the_later_counts(own: Path) -> None:
    own.rename(own.parent / "byom_realtime_builtin")
    found = load_types([TEMPLATES, own.parent])
    assert found.types["byom_realtime_builtin"].naming.suffix == "own"


def problems_with(own: Path) -> list[str]:
    with pytest.raises(BadConfiguration) as refused:
        load_types([TEMPLATES, own.parent])
    return [problem.sentence for problem in refused.value.problems]


SOURCE = {"from": "model_name"}
SOURCE_KEY = {"key": "model_name"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"runs_in": "space"}, "$.runs_in"),
        ({"unheard_of": 1}, "$"),
        ({"title": None}, "title"),
        ({"parameters": {"A": {"from": "model_nam"}}}, 'there is no configuration key "model_nam"'),
        ({"parameters": {"A": {"from": "$release"}}}, "may not depend on the release"),
        ({"parameters": {"A": {"from": "$nope"}}}, "$.parameters"),
        ({"parameters": {"A": {"from": "model_name", "as": "shout"}}}, "$.parameters"),
        ({"parameters": {"A": {**SOURCE, "version": "nope"}}}, 'there is no configuration key "nope"'),
        ({"parameters": {"A": {**SOURCE, "when": {"key": "nope"}}}}, 'there is no configuration key "nope"'),
        ({"parameters": {"A": {"from": "$document:x.json"}}}, '"x.json" is not in documents'),
        ({"parameters": {"A": {"from": "$output:Role"}}}, "known only when the stage is deployed"),
        ({"parameters": {"A": {**SOURCE, "without": "nope"}}}, 'there is no configuration key "nope"'),
        ({"parameters": {"A": {**SOURCE, "when": [SOURCE_KEY, {"key": "nope"}]}}}, 'no configuration key "nope"'),
        ({"documents": ["x.json"]}, "the file is missing"),
        ({"registry": {"key": "nope", "instead_of": ["model_name"]}}, 'there is no configuration key "nope"'),
        ({"aliases": {"other": "nope"}}, 'there is no configuration key "nope"'),
        ({"stack_name": {"from": "nope", "suffix": "own", "workload_suffix": "own"}}, 'no configuration key "nope"'),
        (
            {"stack_name": {"from": "model_name", "suffix": "byompipelinerealtimebuiltin", "workload_suffix": "own"}},
            "cannot be told from",
        ),
        (
            {"stack_name": {"from": "model_name", "suffix": "x-byompipelinerealtimebuiltin", "workload_suffix": "o"}},
            "cannot be told from",
        ),
        ({"job": {"kind": "codebuild"}}, "$.job"),
        ({"job": {"kind": "automl_job", "request": "x.json"}}, '$.job.request: "x.json" is not in documents'),
        ({"job": {"kind": "codebuild", "output": "P", "input": {"A": {"from": "nope"}}}}, "$.job.input.A"),
    ],
)
def test_what_is_wrong_with_a_type(own: Path, changes: dict[str, Any], words: str) -> None:
    change(own, **changes)
    told = problems_with(own)
    assert any(words in sentence for sentence in told), told
    assert all("own_type" in sentence or "cannot be told" in sentence for sentence in told)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"from": "nope"}, 'files/x.json: there is no configuration key "nope"'),
        ({"from": "model_name", "when": {"key": "nope"}}, 'there is no configuration key "nope"'),
        ({"from": "$release"}, "a document may not depend on the release"),
        ({"from": "$output:Role"}, "known only when the stage is deployed"),
        ({"from": "$document:x.json"}, "a document may not name a document"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_document(own: Path, source: dict[str, Any], words: str) -> None:
    change(own, documents=["x.json"])
    (own / "files").mkdir()
    (own / "files" / "x.json").write_text(json.dumps({"list": [{"$source": source}]}))
    assert words in problems_with(own)[0]


def test_a_document_is_checked_where_it_stands_under_a_condition(own: Path) -> None:
    change(own, documents=["x.json"])
    (own / "files").mkdir()
    (own / "files" / "x.json").write_text('{"a": {"$when": {"key": "nope"}, "b": 1}}')
    assert 'there is no configuration key "nope"' in problems_with(own)[0]


def test_a_job_may_ask_for_what_is_known_late(own: Path) -> None:
    inputs = {"Release": {"from": "$release"}, "RoleArn": {"from": "$output:ExecutionRoleArn"}, "Name": SOURCE}
    change(own, job={"kind": "sagemaker_pipeline", "output": "PipelineName", "input": inputs})
    found = load_types([TEMPLATES, own.parent]).types["own_type"]
    assert found.job is not None
    assert [source.known_late for sources in found.job.inputs.values() for source in sources] == [True, True, False]


def test_a_common_key_that_only_a_document_or_a_job_draws_from_is_supported(own: Path) -> None:
    change(
        own,
        documents=["x.json"],
        job={"kind": "codebuild", "output": "P", "input": {"Subnets": {"from": "vpc.subnets", "as": "list"}}},
    )
    (own / "files").mkdir()
    (own / "files" / "x.json").write_text(json.dumps({"max": {"$source": {"from": "scaling.max", "as": "raw"}}}))
    found = load_types([TEMPLATES, own.parent]).types["own_type"]
    assert {"vpc", "scaling"} <= set(found.properties)


def test_files_that_are_not_there_or_no_json(own: Path) -> None:
    (own / "template.yaml").unlink()
    assert "the file is missing" in problems_with(own)[0]
    (own / "workload.json").write_text("{")
    assert "not valid JSON at line 1" in problems_with(own)[0]
    (own / "workload.json").write_text("[]")
    assert "must be a JSON object" in problems_with(own)[0]


def test_a_schema_without_keys(own: Path) -> None:
    change(own, "config.schema.json", properties=None)
    assert "names no keys" in problems_with(own)[0]


def test_a_required_key_must_be_described(own: Path) -> None:
    change(own, "config.schema.json", required=["nope"])
    assert 'required key "nope" is not described' in problems_with(own)[0]


def test_all_types_are_told_of_at_once(own: Path) -> None:
    shutil.copytree(own, own.parent / "another")
    change(own, title=None)
    change(own.parent / "another", runs_in=None)
    assert len(problems_with(own)) == 2


def test_a_folder_without_types(tmp_path: Path) -> None:
    for name in ("workload.schema.json", "configuration.schema.json"):
        shutil.copy(TEMPLATES / name, tmp_path)
    with pytest.raises(BadConfiguration, match="no workload type here"):
        load_types([tmp_path])
    with pytest.raises(BadConfiguration, match="has it"):
        load_types([tmp_path / "empty"])


def test_an_image_of_awss_own_that_the_region_does_not_have_is_told(own: Path) -> None:
    change(own, parameters={"MonitorImage": {"value": "clarify", "as": "aws_image"}})
    types = load_types([TEMPLATES, own.parent])
    asked = json.dumps(configuration(pipeline_type="own_type")).encode()
    assert check_file(asked, types, CheckContext("multi"))
    with pytest.raises(BadConfiguration) as refused:
        check_file(asked, types, CheckContext("multi", region="me-central-1"))
    told = {problem.path: problem.what for problem in refused.value.problems}
    assert told["$.pipeline_type"] == "AWS has no clarify image in me-central-1"
