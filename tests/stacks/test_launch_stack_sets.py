"""Stage stacks rolled out by stack sets; no embedded cloud has an organisation, so the templates are what is tested."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

import pytest
from aws_cdk import App

from stacks.assembly import STACK_SETS
from stacks.cautions import roll_out_cautions
from stacks.stage_stack import StageStack
from tests.stacks.launched import bodies
from tests.stacks.templates import ROOT, Synthesised, of_type
from tests.stacks.test_golden import GOLDEN


def test_stages_with_units_have_no_stack_of_their_own(organization: Synthesised, made: Synthesised) -> None:
    assert set(organization.templates) == {"MlopsOrchestrator", STACK_SETS, "MlopsStage-orchestrator"}
    assert set(made.templates) == {
        "MlopsOrchestrator",
        STACK_SETS,
        "MlopsStage-dev",
        "MlopsStage-orchestrator",
        "MlopsStage-staging",
    }


def test_a_stack_set_holds_what_would_be_deployed_by_hand(organization: Synthesised, tmp_path: Path) -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(context=context, analytics_reporting=False, outdir=str(tmp_path))
    settings = organization.settings
    for stage in settings.installation.stages:
        StageStack(app, f"MlopsStage-{stage.name}", settings=settings, stage=stage)
    by_hand = {stack.stack_name: stack.template for stack in app.synth().stacks}

    assert {name: json.loads(body) for name, body in bodies(organization).items()} == by_hand
    assert all(len(body.encode()) <= 51_200 for body in bodies(organization).values())
    assert not any("bootstrap" in body.lower() for body in bodies(organization).values())


def test_its_stack_goes_to_the_account_that_administers(organization: Synthesised, made: Synthesised) -> None:
    def account(found: Synthesised) -> str:
        manifest = json.loads((found.folder / "manifest.json").read_text())
        return str(manifest["artifacts"][STACK_SETS]["environment"])

    assert account(organization) == "aws://666677778888/eu-central-1"
    assert account(made) == "aws://555555555555/us-east-1"


@pytest.mark.parametrize("name", ["organization", "made"])
def test_the_stack_sets_are_the_reviewed_ones(name: str, request: pytest.FixtureRequest) -> None:
    found: Synthesised = request.getfixturevalue(name)
    template = json.loads(json.dumps(found.templates[STACK_SETS]))
    for properties in of_type(template, "AWS::CloudFormation::StackSet").values():
        properties["TemplateBody"] = f"<template of {properties['StackSetName']}>"
    built = json.dumps(template, indent=1) + "\n"
    path = GOLDEN / f"MlopsStackSets.{name}.json"
    if request.config.getoption("--refresh-golden"):
        path.write_text(built)

    difference = difflib.unified_diff(path.read_text().splitlines(), built.splitlines(), "reviewed", "built", n=2)
    assert not list(difference), "`make golden` takes over what was meant"


def test_automatic_deployment_is_warned_of(made: Synthesised, organization: Synthesised) -> None:
    (caution,) = roll_out_cautions(made.settings.options)

    assert "every account that joins ou-a1b2-prod0001, r-a1b2" in caution.what
    assert roll_out_cautions(organization.settings.options) == []
    assert any("stack_sets.auto_deployment" in path.read_text() for path in made.folder.glob("*.json"))
