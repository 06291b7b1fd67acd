"""A plan shows exactly what would change, and that is what happens."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.follow import waiting_approval
from local.settings import DEV, PROD, STAGING
from tests.releases.team import Team, eventually, stage

NAME = "changed"
WORKLOAD = f"{NAME}-realtime"
BEFORE, AFTER = "ml.m5.large", "ml.m5.xlarge"


def elsewhere(team: Team) -> dict[str, Any]:
    """Keys of the second release: the place has a name too long for a message."""
    places = team.configuration(NAME)["data_capture_location"]
    return {
        "inference_instance": AFTER,
        "data_capture_location": {name: f"{place}-{'elsewhere-' * 12}" for name, place in places.items()},
    }


@pytest.fixture(scope="module")
def bigger(multi: Team, live: str) -> str:
    """A release to every stage, and one with another instance type after it, which captures its data in another place
    and waits for people; its id."""
    first = multi.release(NAME, multi.configuration(NAME, inference_instance=BEFORE, tags={"team": "blue"}))
    assert first["status"] == "succeeded", first["reason"]
    multi.upload(NAME, multi.configuration(NAME, **elsewhere(multi), tags={"team": "blue"}))
    release_id = multi.started(WORKLOAD, frozenset({first["release_id"]}))
    multi.until_asked(release_id, "staging")
    return release_id


def test_a_changed_instance_type_is_shown_and_deployed_in_every_stage(multi: Team, bigger: str) -> None:
    asked = multi.show(bigger)
    plan = stage(asked, "staging")["plan"]
    places = [multi.configuration(NAME), elsewhere(multi)]
    before, after = (one["data_capture_location"]["staging"] for one in places)
    assert plan["parameters"] == [
        {"name": "DataCaptureLocation", "before": before, "after": after},
        {"name": "InferenceInstance", "before": BEFORE, "after": AFTER},
    ]
    (opened,) = plan["access"]
    assert (opened["area"], opened["reach"], opened["logical_id"]) == ("iam", "widens", "ExecutionRole")
    assert opened["told"] == f"may s3:PutObject on arn:aws:s3:::{after}/*"
    assert not plan["creates_stack"]
    multi.message(bigger, "*Widens IAM access* (1)", "In *dev* since", "the file in the thread", BEFORE, AFTER)
    (file,) = eventually("the plan's file in the thread", lambda: multi.files(bigger))
    assert file["name"].startswith("plan-staging-")
    assert f"- DataCaptureLocation: {before} → {after}" in multi.file_text(file)
    evaluation = json.loads((multi.example.folder / "evaluation.json").read_bytes())
    accuracy = evaluation["binary_classification_metrics"]["accuracy"]["value"]
    assert asked["metrics"][0] == {"name": "accuracy", "value": accuracy, "live": accuracy}
    multi.message(bigger, f"accuracy {accuracy:.4g} (live {accuracy:.4g})")
    ended = multi.follower.until_end(bigger, decide=multi.approve)
    assert ended.status == "succeeded", ended.reason
    for name, account in {"dev": DEV, "staging": STAGING, "prod": PROD}.items():
        sagemaker = multi.client("sagemaker", account)
        endpoint = ended.stage(name).outputs["EndpointName"]
        config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        assert variant["InstanceType"] == AFTER, name


def test_an_unchanged_model_with_a_changed_tag_plans_no_replacement(multi: Team, bigger: str) -> None:
    multi.follower.until_end(bigger, decide=multi.approve)
    known = frozenset(one["release_id"] for one in multi.releases(WORKLOAD))
    multi.upload(NAME, multi.configuration(NAME, **elsewhere(multi), tags={"team": "green"}))
    release_id = multi.started(WORKLOAD, known)
    asked = multi.until_asked(release_id, "staging")
    plan = stage(asked, "staging")["plan"]
    assert plan["parameters"] == []
    assert plan["access"] == []
    assert not [change for change in plan["resources"] if change["action"] in {"replace", "maybe_replace", "remove"}]
    multi.approve(waiting_approval(asked))
    multi.until_asked(release_id, "prod")
    stack = multi.stack(STAGING, asked["stack_name"])
    assert stack is not None
    assert {"Key": "team", "Value": "green"} in stack["Tags"]
    multi.put_aside(release_id)
