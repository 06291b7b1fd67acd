"""``app.py`` as the CDK CLI runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.deploy import environment
from local.settings import settings
from tests.stacks.templates import ROOT


def run(context: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the app; its output goes to ``folder``."""
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    given = json.dumps({**flags, **context, "aws:cdk:bundling-stacks": []})
    extra = {"CDK_CONTEXT_JSON": given, "CDK_OUTDIR": str(folder)}
    return subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment(extra), capture_output=True, text=True, check=False
    )


def test_settings_of_a_file_become_one_stack_an_account(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(settings("single", "https://slack.com/api/", "ml-releases")))

    done = run({"settings": str(file)}, tmp_path / "out")

    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "out").glob("*.template.json")} == {
        "MlopsOrchestrator.template.json",
        "MlopsStage-prod.template.json",
    }


@pytest.mark.parametrize(
    ("context", "told"),
    [
        pytest.param({}, ["settings: no settings are given", "-c settings=FILE"], id="none"),
        pytest.param({"settings": {"mode": "mutli"}}, ['Did you mean "multi"?', "$.region: is missing"], id="mistakes"),
    ],
)
def test_mistakes_end_the_app_in_sentences(tmp_path: Path, context: dict[str, Any], told: list[str]) -> None:
    done = run(context, tmp_path / "out")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert all(sentence in done.stderr for sentence in told)


@pytest.mark.parametrize(
    ("action", "count", "told"),
    [
        pytest.param("sns:*", 1, "permissions.json: $.workload_roles[0].Action", id="a mistake"),
        pytest.param("sns:Publish", 200, "IAM holds 6,144", id="too much"),
    ],
)
def test_what_an_own_type_must_not_have_ends_the_app_in_sentences(
    tmp_path: Path, action: str, count: int, told: str
) -> None:
    folder = tmp_path / "types"
    shutil.copytree(ROOT / "examples" / "own-types", folder)
    statement = {"Action": action, "Resource": [f"arn:${{Partition}}:sns:*:*:topic-{n}" for n in range(count)]}
    (folder / "llm_prompt" / "permissions.json").write_text(json.dumps({"workload_roles": [statement]}))
    chosen = settings("single", "https://slack.com/api/", "ml-releases")

    done = run({"settings": {**chosen, "template_folders": [str(folder)]}}, tmp_path / "out")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert told in done.stderr
