"""The synthesised templates, as reviewed: ``make golden`` rewrites them after a change that was meant.

Hashes and people are normalised, so that an edit of a handler or of the local installation changes no golden file.
"""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.installation import Installation
from tests.stacks.templates import Synthesised, of_type, settings_of, synthesise

GOLDEN = Path(__file__).parent / "golden"

ASSET = re.compile(r"\b[0-9a-f]{64}\b")
DEPLOYMENT = re.compile(r"(Deployment[0-9A-F]{8})[0-9a-f]{32}")
"""CDK's logical id of an API's deployment ends in a hash of the API."""


def normalised(template: dict[str, Any]) -> str:
    """As text, without what a change of people or handlers changes."""
    template = json.loads(json.dumps(template))
    for parameter in of_type(template, "AWS::SSM::Parameter").values():
        parameter["Value"] = "<installation>"
    found = json.dumps(template, indent=1, ensure_ascii=False)
    return DEPLOYMENT.sub(r"\1<hash>", ASSET.sub("<asset>", found)) + "\n"


REVIEWED = ("MlopsOrchestrator", "MlopsStage-prod")


@pytest.mark.parametrize("name", REVIEWED)
def test_the_template_is_the_reviewed_one(synthesised: Synthesised, name: str, request: pytest.FixtureRequest) -> None:
    made = normalised(synthesised.templates[name])
    path = GOLDEN / f"{name}.{synthesised.settings.installation.mode}.json"
    if request.config.getoption("--refresh-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(made)

    reviewed = path.read_text().splitlines()

    difference = list(difflib.unified_diff(reviewed, made.splitlines(), "reviewed", "synthesised", lineterm="", n=2))
    assert not difference, "`make golden` takes over what was meant:\n" + "\n".join(difference[:80])


def test_functions_read_the_settings_that_were_given(synthesised: Synthesised) -> None:
    (parameter,) = of_type(synthesised.orchestrator, "AWS::SSM::Parameter").values()

    assert Installation.from_json(parameter["Value"]) == synthesised.settings.installation


def test_stages_differ_in_nothing_but_name_and_account(multi: Synthesised) -> None:
    def neutral(stage: str) -> str:
        return (
            json.dumps(multi.stage(stage))
            .replace(multi.places[stage], "<account>")
            .replace(f"do in {stage}", "do in <stage>")
        )

    assert neutral("dev") == neutral("staging") == neutral("prod")


def test_what_runs_in_the_orchestrators_account_has_there_what_a_single_account_has(
    multi: Synthesised, single: Synthesised
) -> None:
    there = json.dumps(multi.stage("orchestrator")).replace("do in orchestrator", "do in prod")

    assert there == json.dumps(single.stage("prod"))
    assert "MlopsStage-orchestrator" not in single.templates


def test_the_same_settings_give_the_same_bytes(multi: Synthesised, tmp_path: Path) -> None:
    again = synthesise(settings_of("multi"), tmp_path)

    assert _files(again) == _files(multi)


def _files(found: Synthesised) -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in sorted(found.folder.glob("*.template.json"))]


def test_a_stage_needs_no_bootstrap_of_its_account(synthesised: Synthesised) -> None:
    for place in synthesised.places:
        template = synthesised.stage(place)
        body = (synthesised.folder / f"MlopsStage-{place}.template.json").read_bytes()

        assert "bootstrap" not in json.dumps(template).lower()
        assert "Parameters" not in template
        assert len(body) < 51_200, "CloudFormation takes no more in a call; larger templates need a bucket"
