"""A type of one's own is a folder: nothing but its files makes it work, from the check to the stacks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlops.main import app
from orchestrator.core.config import CheckContext, Checked, check_file
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.workloads import Catalogue, load_types, shipped_templates

EXAMPLE = Path(__file__).parents[2] / "examples" / "own-types"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a type that exists nowhere else."""
    folder = tmp_path / "types"
    shutil.copytree(EXAMPLE / "llm_prompt", folder / "house_rule")
    for file in ("config.schema.json", "example.mlops-config.json", "example.single.mlops-config.json"):
        path = folder / "house_rule" / file
        path.write_text(path.read_text().replace("llm_prompt", "house_rule"))
    workload = folder / "house_rule" / "workload.json"
    workload.write_text(workload.read_text().replace('"llmprompt"', '"houserule"').replace('"prompt"}', '"rule"}'))
    return folder


def checked(folder: Path, **changes: Any) -> Checked:
    catalogue: Catalogue = load_types([shipped_templates(), folder])
    values = json.loads((folder / "house_rule" / "example.mlops-config.json").read_text())
    values = {key: value for key, value in (values | changes).items() if value is not None}
    (one,) = check_file(json.dumps(values).encode(), catalogue, CheckContext("multi"))
    return one


def test_it_is_checked_by_its_own_schema(own: Path) -> None:
    assert checked(own).stack_name == "mlops-pipeline-claims-summary-houserule"
    with pytest.raises(BadConfiguration) as refused:
        checked(own, provider="self_hosted", temprature=1, temperature=None, max_tokens=0)
    assert {problem.path for problem in refused.value.problems} == {"$.endpoint_url", "$.temprature", "$.max_tokens"}


def test_the_command_knows_it_where_the_folder_is_named(own: Path, tmp_path: Path) -> None:
    file = tmp_path / "mlops-config.json"
    named = ("--templates", own)
    assert run("init", "house_rule", "--output", file, *named).exit_code == 0
    assert run("validate", file, *named).exit_code == 0
    assert run("schema", "house_rule", *named).exit_code == 0
    without = run("validate", file)
    assert without.exit_code == 1
    assert "there is no workload type 'house_rule'" in without.stdout


def test_it_is_packaged_with_its_asset(own: Path, tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_text("Summarise the claim in three sentences.")
    example = own / "house_rule" / "example.mlops-config.json"
    result = run("package", example, "--templates", own, "--assets", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    (package,) = json.loads(result.stdout)["packages"]
    assert package["content_digest"]
    assert package["stack_name"] == "mlops-pipeline-claims-summary-houserule"
    assert package["parameters"]["dev"]["ModelId"] == "amazon.nova-lite-v1:0"
    assert package["parameters"]["prod"]["ModelId"] == "amazon.nova-pro-v1:0"
    assert package["parameters"]["prod"]["PromptKey"].endswith("/prompt.txt")
    assert package["manifest"]["type"] == "house_rule"


@pytest.mark.parametrize(
    ("file", "before", "after", "told"),
    [
        ("workload.json", '"from": "model_id"', '"from": "model_idd"', 'there is no configuration key "model_idd"'),
        ("workload.json", '"houserule"', '"byompipelinerealtimebuiltin"', "cannot be told from"),
        ("workload.json", '"as": "lower"', '"as": "upper"', "$.parameters.PromptName"),
        (
            "config.schema.json",
            '"required": ["pipeline_type", "prompt_name"',
            '"required": ["prompt_nam"',
            "prompt_nam",
        ),
        ("workload.json", "{", "[", "not valid JSON at line 2"),
    ],
)
def test_a_mistake_in_the_folder_is_told_with_file_and_place(
    own: Path, file: str, before: str, after: str, told: str
) -> None:
    path = own / "house_rule" / file
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after, 1))
    refused = run("validate", own / "house_rule" / "example.mlops-config.json", "--templates", own)
    assert refused.exit_code == 1
    assert file in refused.stderr
    assert told in refused.stderr
