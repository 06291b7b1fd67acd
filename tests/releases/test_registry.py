"""Models of the Model Registry that a configuration names: the version that is named, and no other."""

from __future__ import annotations

import pytest

from tests.releases.registry import Registry, bucket_of
from tests.releases.team import eventually, stage


@pytest.fixture(scope="module")
def registry(with_registry: Registry) -> Registry:
    """Versions 1 and 2 are approved, 3 is rejected, and the product has heard of it: an approval that it hears of later
    is a release of whatever names the group by then."""
    team = with_registry.team
    before = team.invocations("receive-request")
    versions = (6, "Approved"), (3, "Approved"), (6, "Rejected")
    for digits, approval in versions:
        with_registry.register(digits, approval)
    # Each is an upload and a registration.
    eventually("heard of", lambda: team.invocations("receive-request") >= before + 2 * len(versions))
    return with_registry


def test_a_version_that_is_named_transforms_the_batch(registry: Registry) -> None:
    team = registry.team
    for name, account in team.running.stages.items():
        for file, body in registry.data.batches().items():
            team.client("s3", account).put_object(Bucket=bucket_of(name), Key=f"incoming/{file}", Body=body)
    configuration = {
        "pipeline_type": "byom_batch_builtin",
        "model_name": "cells",
        "model_package_name": registry.versions[1],
        "inference_instance": "ml.m5.large",
        "batch_inference_data": registry.per_stage("{bucket}/incoming/"),
        "batch_job_output_location": registry.per_stage("{bucket}/scores"),
    }
    team.upload("cells-batch", configuration)
    release_id = team.started("cells-batch")
    ended = team.follower.until_end(release_id, decide=team.approve)
    assert ended.status == "succeeded", ended.reason
    release = team.show(release_id)
    for name, account in team.running.stages.items():
        outputs = stage(release, name)["outputs"]
        model = team.client("sagemaker", account).describe_model(ModelName=outputs["ModelName"])
        assert model["PrimaryContainer"]["ModelPackageName"] == registry.versions[1], name
        for file, scores in registry.data.scores().items():
            where = {"Bucket": bucket_of(name), "Key": f"scores/{file}"}
            body = team.client("s3", account).get_object(**where)["Body"].read().decode()
            assert [float(line) for line in body.split()] == scores, (name, file)


def test_a_version_that_is_not_approved_is_refused_with_its_place(registry: Registry) -> None:
    team = registry.team
    team.upload("unapproved", registry.endpoint(registry.versions[3], "unapproved"))
    release_id = team.started("unapproved-realtime")
    ended = team.ended(release_id)
    assert ended.status == "failed"
    assert "$.model_package_name" in ended.reason
    assert "is Rejected, not Approved" in ended.reason
    assert f"latest approved version, {registry.versions[2]}" in ended.reason
    message = eventually("said in Slack", lambda: team.message_with(release_id, "$.model_package_name"))
    assert "is Rejected, not Approved" in message
    for account in team.running.stages.values():
        assert team.stack(account, "mlops-pipeline-unapproved-byompipelinerealtimebuiltin") is None
