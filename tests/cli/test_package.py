"""``mlops package``: what a release would be, from local files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlops.main import app
from orchestrator.core.packaging import read_package
from tests.fakes.memory_world import MemoryWorld, configuration, evaluation

MODEL, SAMPLE = b"a model", b"1,2,3"
"""As the world in memory has them."""


def package(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["package", *map(str, arguments), "--region", "us-east-1"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration with its assets beside it, under their keys."""
    found = tmp_path / "mlops-config.json"
    found.write_text(json.dumps(configuration()))
    (tmp_path / "fraud").mkdir()
    (tmp_path / "fraud" / "model.tar.gz").write_bytes(MODEL)
    (tmp_path / "fraud" / "sample.csv").write_bytes(SAMPLE)
    return found


def answer(*arguments: str | Path) -> dict[str, Any]:
    result = package(*arguments, "--json")
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)["packages"]
    return dict(found)


def test_the_digest_is_the_one_the_installation_comes_to(file: Path) -> None:
    world = MemoryWorld()
    release = world.release(configuration())
    world.package(release.release_id)
    assert answer(file)["content_digest"] == world.of(release.release_id).digest


def test_the_figures_of_a_local_evaluation_file_are_in_the_manifest(file: Path) -> None:
    file.write_text(json.dumps(configuration(metrics="fraud/evaluation.json")))
    assert answer(file)["manifest"]["metrics"]["figures"] == []
    (file.parent / "fraud" / "evaluation.json").write_bytes(evaluation(accuracy=0.97))
    assert answer(file)["manifest"]["metrics"]["figures"] == [{"name": "accuracy", "value": "0.97"}]


def test_a_local_evaluation_file_without_figures_is_a_problem(file: Path) -> None:
    file.write_text(json.dumps(configuration(metrics="fraud/evaluation.json")))
    (file.parent / "fraud" / "evaluation.json").write_bytes(b"{}")
    result = package(file)
    assert result.exit_code == 1
    assert "$.metrics" in result.stderr


def test_another_model_is_another_digest(file: Path) -> None:
    before = answer(file)["content_digest"]
    (file.parent / "fraud" / "model.tar.gz").write_bytes(b"another model")
    assert answer(file)["content_digest"] != before


def test_the_written_package_is_a_sound_one(file: Path, tmp_path: Path) -> None:
    output = tmp_path / "out" / "release.zip"
    found = answer(file, "--output", output)
    assert found["file"] == str(output)
    read = read_package(output.read_bytes())
    assert read.digest == found["content_digest"]
    assert sorted(read.members) == sorted([*found["manifest"]["members"], "manifest.json"])
    assert read.parameters("prod")["InferenceInstance"] == "ml.m5.xlarge"


def test_the_members_and_assets_are_shown(file: Path) -> None:
    shown = package(file).stdout
    assert "parameters/staging.json" in shown
    assert hashlib.sha256(MODEL).hexdigest() in shown
    assert "content digest " in shown


def test_what_installations_alone_know_is_said(file: Path) -> None:
    result = package(file)
    assert "placeholders" in result.stderr
    assert answer(file)["placeholders"]


def test_assets_are_found_by_their_names_alone(file: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    (flat / "model.tar.gz").write_bytes(MODEL)
    (flat / "sample.csv").write_bytes(SAMPLE)
    assert answer(file, "--assets", flat)["content_digest"] == answer(file)["content_digest"]


def test_a_missing_asset_leaves_the_digest_open(file: Path) -> None:
    (file.parent / "fraud" / "sample.csv").unlink()
    found = answer(file)
    assert found["content_digest"] is None
    assert found["not_pinned"] == ["fraud/sample.csv"]
    assert "fraud/sample.csv: no local file: not pinned" in package(file).stdout


def test_a_model_package_is_resolved_by_the_installation(tmp_path: Path) -> None:
    arn = "arn:aws:sagemaker:us-east-1:111122223333:model-package/fraud/3"
    file = tmp_path / "mlops-config.json"
    keys = {"model_framework": None, "model_framework_version": None, "model_artifact_location": None, "verify": None}
    file.write_text(json.dumps(configuration(model_package_name=arn, **keys)))
    found = answer(file, "--model-registry")
    assert found["not_pinned"] == [arn]


def test_several_workloads_go_into_a_folder(file: Path, tmp_path: Path) -> None:
    file.write_text(json.dumps({"pipelines": [configuration(), configuration(pipeline_name="fraud-eu")]}))
    output = tmp_path / "out"
    assert package(file, "--output", output).exit_code == 0
    assert sorted(path.name for path in output.iterdir()) == [
        "fraud-detector-realtime.zip",
        "fraud-eu-realtime.zip",
    ]
    assert package(file, "--output", tmp_path / "one.zip").exit_code == 2


def test_a_single_account_package_has_one_stage(file: Path) -> None:
    file.write_text(json.dumps(configuration(inference_instance="ml.m5.large")))
    assert answer(file, "--accounts", "single")["manifest"]["stages"] == ["prod"]


def test_a_bad_configuration_is_refused_with_its_problems(file: Path) -> None:
    file.write_text(json.dumps(configuration(inference_instance="large")))
    result = package(file)
    assert result.exit_code == 1
    assert "$.inference_instance" in result.stderr
