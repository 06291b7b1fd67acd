"""``mlops validate``: offline, every problem at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlops.main import app
from tests.fakes.memory_world import configuration

EXAMPLES = sorted(Path(__file__).parents[2].glob("templates/*/example.mlops-config.json"))


def validate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["validate", *map(str, arguments)])


def written(folder: Path, value: Any, name: str = "mlops-config.json") -> Path:
    file = folder / name
    file.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    return file


def test_a_good_file_is_told_with_its_stack_and_assets(tmp_path: Path) -> None:
    result = validate(written(tmp_path, configuration()))
    assert result.exit_code == 0, result.output
    assert ": valid\n" in result.stdout
    assert "mlops-pipeline-fraud-detector-byompipelinerealtimebuiltin" in result.stdout
    assert "needs fraud/model.tar.gz" in result.stdout


def test_every_problem_of_every_file_is_told(tmp_path: Path) -> None:
    bad = written(tmp_path, configuration(inference_instance="large", model_framework_version="9"), "bad.json")
    worse = written(tmp_path, b'{"a": 1,}', "worse.json")
    result = validate(bad, written(tmp_path, configuration()), worse)
    assert result.exit_code == 1
    for path in ("$.inference_instance:", "worse.json: refused", "line 1, column"):
        assert path in result.stdout
    assert result.stdout.count(": refused") == 2
    assert result.stdout.count(": valid") == 1


def test_json_holds_paths_and_remedies(tmp_path: Path) -> None:
    result = validate(written(tmp_path, configuration(data_capture_location="x")), "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["valid"] is False
    (problem,) = found["files"][0]["problems"]
    assert problem["path"] == "$.data_capture_location"
    assert problem["severity"] == "error"
    assert problem["fix"]


def test_a_warning_refuses_nothing(tmp_path: Path) -> None:
    result = validate(written(tmp_path, configuration(favourite_colour="blue")))
    assert result.exit_code == 0
    assert "warning: $.favourite_colour" in result.stdout


@pytest.mark.parametrize(
    ("options", "changes", "status"),
    [
        (("--accounts", "multi"), {}, 0),
        (("--accounts", "single"), {}, 1),
        (("--accounts", "single"), {"inference_instance": "ml.m5.large"}, 0),
        (("--region", "eu-north-1"), {}, 0),
        (("--region", "nowhere-1"), {}, 2),
        ((), {"kms_key_arn": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"}, 0),
        (("--region", "eu-west-1"), {"kms_key_arn": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"}, 1),
        (("--region", "cn-north-1"), {"kms_key_arn": "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd"}, 0),
        (("--region", "us-gov-west-1"), {"kms_key_arn": "arn:aws:kms:us-gov-west-1:111122223333:key/1234abcd"}, 1),
        (("--model-registry",), {}, 1),
        (
            ("--model-registry",),
            {"model_package_name": "arn:aws:sagemaker:eu-central-1:111122223333:model-package/fraud/3"},
            0,
        ),
    ],
)
def test_options(tmp_path: Path, options: tuple[str, ...], changes: dict[str, Any], status: int) -> None:
    result = validate(written(tmp_path, configuration(**changes)), *options)
    assert result.exit_code == status, result.output


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.parent.name)
def test_the_example_of_each_type_is_valid(file: Path) -> None:
    accounts = ("--accounts", "multi")
    result = validate(file, *accounts, "--region", "us-east-1", "--json")
    found = json.loads(result.stdout)["files"][0]["problems"]
    # An example names a key or model package of one region; everything else must be right anywhere.
    assert [problem for problem in found if "the installation in" not in problem["what"]] == []


def test_roles_are_left_to_the_installation_and_that_is_said(tmp_path: Path) -> None:
    approval = {"prod": {"any_of": [{"no-such-role": 1}]}}
    result = validate(written(tmp_path, configuration(approval=approval)))
    assert result.exit_code == 0, result.output
    assert "checked by the installation" in result.stderr


@pytest.mark.parametrize("arguments", [(), ("/no/such/file.json",), ("--accounts", "three", __file__)])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert validate(*arguments).exit_code == 2


def test_it_needs_no_aws_sdk() -> None:
    script = "import sys, mlops.main; print(sorted({'boto3', 'botocore', 'local'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert done.stdout == "[]\n"
