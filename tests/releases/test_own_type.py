"""An organisation's own type: a folder in a temporary place, and nothing else, from the check to the deployment."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from local.follow import waiting_approval
from local.settings import ORCHESTRATOR
from mlops.main import app
from tests.releases.conftest import OWN_TYPE
from tests.releases.team import Team, eventually, stage

PROMPT = b"Summarise the claim below in three sentences, and say what is missing.\n"
SHORTER = b"Summarise the claim below in one sentence.\n"
WORKLOAD = "claims-house-prompt"
STACK = "mlops-pipeline-claims-houseprompt"
READER = f"arn:aws:iam::{ORCHESTRATOR}:role/claims-app"


def configuration(**changes: Any) -> dict[str, Any]:
    """A prompt of the organisation's own type."""
    return {
        "pipeline_type": OWN_TYPE,
        "prompt_name": "Claims",
        "description": "Summarises insurance claims.",
        "prompt_location": "claims/prompt.txt",
        "provider": "anthropic",
        "model_id": "a-model-of-today",
        "temperature": 0.3,
        "max_tokens": 700,
        "reader_role_arn": READER,
        "tags": {"team": "claims"},
        **changes,
    }


def mlops(*arguments: object) -> str:
    """What the command prints; it must not refuse."""
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def released(single: Team) -> dict[str, Any]:
    """The first release: uploaded, asked for in Slack, approved there."""
    single.upload_asset("claims/prompt.txt", PROMPT)
    single.upload("claims", configuration())
    release_id = single.started(WORKLOAD, by="s3")
    asked = single.until_asked(release_id, "prod")
    message = eventually("the question in Slack", lambda: single.message_with(release_id, '"action_id": "approve"'))
    single.approve(waiting_approval(asked))
    ended = single.ended(release_id)
    assert ended.status == "succeeded", ended.reason
    return {"release": single.show(release_id), "asked": asked, "message": message}


def test_the_command_checks_and_packages_it_before_anything_is_uploaded(single_types: Path, tmp_path: Path) -> None:
    file = tmp_path / "mlops-config.json"
    file.write_text(json.dumps(configuration()))
    options = ("--accounts", "single", "--templates", single_types)
    assert "valid" in mlops("validate", file, *options)
    packaged = json.loads(mlops("package", file, *options, "--json"))
    assert STACK in json.dumps(packaged)
    file.write_text(json.dumps(configuration(provider="a friend")))
    refused = CliRunner().invoke(app, ["validate", str(file), *map(str, options)])
    assert refused.exit_code == 1
    assert "$.provider" in refused.output


def test_slack_asks_with_what_would_be_made(released: dict[str, Any]) -> None:
    assert f"{WORKLOAD}: approve prod?" in released["message"]
    for words in ("Summarises insurance claims.", "AWS::SSM::Parameter", "AWS::SNS::Topic", "Reader"):
        assert words in released["message"]
    plan = stage(released["asked"], "prod")["plan"]
    assert {change["type"] for change in plan["resources"]} == {
        "AWS::SSM::Parameter",
        "AWS::SNS::Topic",
        "AWS::IAM::Role",
    }


def test_its_resources_are_what_the_configuration_asked_for(single: Team, released: dict[str, Any]) -> None:
    release = released["release"]
    assert (release["workload_type"], release["stack_name"]) == (OWN_TYPE, STACK)
    outputs = stage(release, "prod")["outputs"]
    assert outputs["PromptParameter"] == "mlops-prompt-claims"
    found = parameter(single)
    packages = single.running.outputs["PackagesBucketName"]
    assert {**found, "key": ""} == {
        "bucket": packages,
        "key": "",
        "sha256": hashlib.sha256(PROMPT).hexdigest(),
        "provider": "anthropic",
        "model": "a-model-of-today",
        "endpoint": "",
        "temperature": 0.3,
        "max_tokens": 700,
    }
    text = single.client("s3", ORCHESTRATOR).get_object(Bucket=packages, Key=found["key"])["Body"].read()
    assert text == PROMPT
    topic = single.client("sns", ORCHESTRATOR).get_topic_attributes(TopicArn=outputs["ChangedTopic"])["Attributes"]
    assert topic["Owner"] == ORCHESTRATOR
    assert outputs["ChangedTopic"].endswith(f":{STACK}-changed")
    role = single.client("iam", ORCHESTRATOR).get_role(RoleName=outputs["ReaderRoleArn"].rpartition("/")[2])["Role"]
    assert role["Path"] == "/mlops/workload/"
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] == {"ArnEquals": {"aws:PrincipalArn": READER}}


def test_a_changed_text_is_asked_about_and_changes_the_parameter_only(single: Team, released: dict[str, Any]) -> None:
    """The upload of the text alone is what starts the release."""
    known = frozenset({released["release"]["release_id"]})
    version = single.upload_asset("claims/prompt.txt", SHORTER)
    release_id = single.started(WORKLOAD, known)
    asked = single.until_asked(release_id, "prod")
    assert (asked["source_kind"], asked["pins"]) == ("asset", {"claims/prompt.txt": version})
    plan = stage(asked, "prod")["plan"]
    assert {(change["action"], change["logical_id"]) for change in plan["resources"]} == {
        ("modify", "Prompt"),
        ("modify", "Reader"),
    }
    before, after = (hashlib.sha256(text).hexdigest() for text in (PROMPT, SHORTER))
    assert {"name": "PromptSha256", "before": before, "after": after} in plan["parameters"]
    ended = single.follower.until_end(release_id, decide=single.approve)
    assert ended.status == "succeeded", ended.reason
    assert parameter(single)["sha256"] == after


def parameter(team: Team) -> dict[str, Any]:
    """What applications read."""
    client = team.client("ssm", ORCHESTRATOR)
    found: dict[str, Any] = json.loads(client.get_parameter(Name="mlops-prompt-claims")["Parameter"]["Value"])
    return found
