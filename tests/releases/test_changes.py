"""A plan shows exactly what would change, and that is what happens."""

from __future__ import annotations

import json

from local.settings import DEV, PROD, STAGING
from tests.releases.team import Team, stage


def test_a_changed_instance_type_is_shown_and_deployed_in_every_stage(multi: Team, live: str) -> None:
    name = "bigger"
    first = multi.release(name, multi.configuration(name, inference_instance="ml.m5.large"))
    assert first["status"] == "succeeded", first["reason"]
    multi.upload(name, multi.configuration(name, inference_instance="ml.m5.xlarge"))
    release_id = multi.started(f"{name}-realtime", frozenset({first["release_id"]}))
    asked = multi.until_asked(release_id, "staging")
    plan = stage(asked, "staging")["plan"]
    assert plan["parameters"] == [{"name": "InferenceInstance", "before": "ml.m5.large", "after": "ml.m5.xlarge"}]
    assert not plan["creates_stack"]
    message = multi.message(release_id)
    assert "ml.m5.large" in message
    assert "ml.m5.xlarge" in message
    evaluation = json.loads((multi.example.folder / "evaluation.json").read_bytes())
    accuracy = evaluation["binary_classification_metrics"]["accuracy"]["value"]
    assert asked["metrics"][0] == {"name": "accuracy", "value": accuracy, "live": accuracy}
    assert f"accuracy {accuracy:.4g} (live {accuracy:.4g})" in message
    ended = multi.follower.until_end(release_id, decide=multi.approve)
    assert ended.status == "succeeded", ended.reason
    for name_, account in {"dev": DEV, "staging": STAGING, "prod": PROD}.items():
        found = multi.show(release_id)
        endpoint = stage(found, name_)["outputs"]["EndpointName"]
        sagemaker = multi.client("sagemaker", account)
        config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        assert variant["InstanceType"] == "ml.m5.xlarge", name_


def test_an_unchanged_model_with_a_changed_tag_plans_no_replacement(multi: Team, live: str) -> None:
    name = "tagged"
    first = multi.release(name, multi.configuration(name, tags={"team": "blue"}))
    assert first["status"] == "succeeded", first["reason"]
    multi.upload(name, multi.configuration(name, tags={"team": "green"}))
    release_id = multi.started(f"{name}-realtime", frozenset({first["release_id"]}))
    asked = multi.until_asked(release_id, "staging")
    plan = stage(asked, "staging")["plan"]
    assert plan["parameters"] == []
    assert not [change for change in plan["resources"] if change["action"] in {"replace", "maybe_replace", "remove"}]
    ended = multi.follower.until_end(release_id, decide=multi.approve)
    assert ended.status == "succeeded", ended.reason
    stack = multi.stack(PROD, asked["stack_name"])
    assert stack is not None
    assert {"Key": "team", "Value": "green"} in stack["Tags"]
