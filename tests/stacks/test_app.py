"""``app.py`` as the CDK CLI runs it."""

from __future__ import annotations

import json
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
