"""``mlops init`` writes what ``mlops validate`` takes; ``mlops schema`` prints what an editor can use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from mlops.main import app
from orchestrator.core.workloads import load_types, shipped_templates

CATALOGUE = load_types([shipped_templates()])
WITH_REGISTRY = [name for name in CATALOGUE.names if CATALOGUE.types[name].registry]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


def started(folder: Path, name: str, *options: str) -> dict[str, Any]:
    """The configuration that ``init`` wrote, after ``validate`` took it with the same options."""
    file = folder / "mlops-config.json"
    result = run("init", name, "--output", file, *options)
    assert result.exit_code == 0, result.output
    checked = run("validate", file, *options, "--json")
    assert checked.exit_code == 0, checked.output
    assert json.loads(checked.stdout)["files"][0]["problems"] == []
    found: dict[str, Any] = json.loads(file.read_text())
    return found


@pytest.mark.parametrize("accounts", ["single", "multi"])
@pytest.mark.parametrize("name", CATALOGUE.names)
def test_what_init_writes_is_valid_and_explains_every_key(name: str, accounts: str, tmp_path: Path) -> None:
    found = started(tmp_path, name, "--accounts", accounts)
    assert found["pipeline_type"] == name
    own = CATALOGUE.types[name]
    spelt = dict(own.aliases)
    explained = {key.removeprefix("// ") for key in found if key.startswith("//")}
    left_out = {own.registry.key} if own.registry else set()
    assert {spelt.get(key, key) for key in explained} == set(own.properties) - {"pipeline_type"} - left_out
    schema = json.loads((tmp_path / "mlops-config.schema.json").read_text())
    jsonschema.Draft7Validator(schema).validate(found)


@pytest.mark.parametrize("region", ["eu-central-1", "us-gov-west-1", "cn-north-1"])
@pytest.mark.parametrize("name", WITH_REGISTRY)
def test_with_the_model_registry_it_names_a_model_package_of_the_region(name: str, region: str, tmp_path: Path) -> None:
    found = started(tmp_path, name, "--model-registry", "--region", region)
    assert f":sagemaker:{region}:" in found["model_package_name"]
    assert "model_artifact_location" not in found


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    file = tmp_path / "mlops-config.json"
    file.write_text("mine")
    refused = run("init", "byom_realtime_builtin", "--output", file)
    assert refused.exit_code == 1
    assert "--overwrite" in refused.stderr
    assert file.read_text() == "mine"
    assert run("init", "byom_realtime_builtin", "--output", file, "--overwrite").exit_code == 0
    assert file.read_text() != "mine"


@pytest.mark.parametrize("verb", ["init", "schema"])
def test_a_misspelt_type_is_told_with_the_right_one(verb: str) -> None:
    refused = run(verb, "byom_realtime_bultin")
    assert refused.exit_code == 1
    assert 'Did you mean "byom_realtime_builtin"?' in refused.stderr


@pytest.mark.parametrize("name", CATALOGUE.names)
def test_a_schema_stands_alone_and_describes_every_key(name: str) -> None:
    schema = json.loads(run("schema", name).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    assert "$ref" not in json.dumps(schema)
    for key, described in schema["properties"].items():
        assert described.get("title"), key
        assert described.get("description"), key
    assert schema["properties"]["pipeline_type"]["const"] == name


def test_a_schema_can_be_written_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    assert run("schema", "byom_realtime_custom", "--output", file).exit_code == 0
    assert json.loads(file.read_text())["properties"]["custom_image_uri"]


def test_a_region_that_is_none_is_refused_with_the_right_one(tmp_path: Path) -> None:
    refused = run("init", "byom_realtime_builtin", "--output", tmp_path / "c.json", "--region", "eu-centrl-1")
    assert refused.exit_code == 2
    assert 'Did you mean "eu-central-1"?' in refused.stderr
    assert list(tmp_path.iterdir()) == []
