"""Every key of the real-time types: what is accepted, what is refused, where, and what the template gets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.core.config import (
    CheckContext,
    Checked,
    InstallationNames,
    PinnedAsset,
    ResolvedAssets,
    check_file,
    parameters_for,
)
from orchestrator.core.problems import BadConfiguration
from tests.fakes.memory_world import catalogue, configuration

MULTI = CheckContext("multi")
SINGLE = CheckContext("single")
REGISTRY = CheckContext("multi", model_registry=True)
NAMES = InstallationNames(
    assets_bucket="mlops-assets",
    packages_bucket="mlops-packages",
    packages_key_arn="arn:aws:kms:us-east-1:111111111111:key/k",
    region="us-east-1",
    partition="aws",
    permissions_boundary="mlops/boundary",
)
PACKAGE = "arn:aws:sagemaker:us-east-1:111122223333:model-package/fraud/3"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SUBNET, GROUP = "subnet-0123456789abcdef0", "sg-0123456789abcdef0"
VPC = {"subnets": [SUBNET], "security_groups": [GROUP]}
SCALING = {"min": 2, "max": 4, "target_invocations": 100}
SERVERLESS = {"memory_mb": 2048, "max_concurrency": 5}
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fraud/scorer:1.0"


def custom(**changes: Any) -> dict[str, Any]:
    """The same for a container of one's own."""
    own = {"pipeline_type": "byom_realtime_custom", "custom_image_uri": IMAGE}
    return configuration(**{"model_framework": None, "model_framework_version": None, **own, **changes})


def checked(values: Any, context: CheckContext = MULTI) -> Checked:
    (one,) = check_file(json.dumps(values).encode(), catalogue(), context)
    return one


def refused(values: Any, context: CheckContext = MULTI) -> list[tuple[str, str]]:
    """Path and sentence of every error."""
    with pytest.raises(BadConfiguration) as error:
        checked(values, context)
    return [(one.path, one.sentence) for one in error.value.problems if one.severity == "error"]


def parameters(values: Any, stage: str = "dev", context: CheckContext = MULTI) -> dict[str, str]:
    one = checked(values, context)
    pinned = {
        asset.key: PinnedAsset(
            asset.key, "mlops-assets", "v1", "mlops-packages", f"assets/abc/{asset.key}", "abc", 7, "c1"
        )
        for asset in one.assets
    }
    return parameters_for(one, stage, ResolvedAssets(pinned), NAMES)


@pytest.mark.parametrize(
    ("changes", "name", "value"),
    [
        ({}, "InferenceInstance", "ml.t2.medium"),
        ({"inference_instance": "ml.c5.large"}, "InferenceInstance", "ml.c5.large"),
        ({}, "DataCaptureLocation", "capture-bucket/fraud"),
        ({"data_capture_location": "b-1/x/"}, "DataCaptureLocation", "b-1/x"),
        ({"data_capture_location": " s3://b-1/x// "}, "DataCaptureLocation", "b-1/x"),
        ({"data_capture_location": "bucket"}, "DataCaptureLocation", "bucket"),
        (
            {"data_capture_location": {"dev": "b-1/dev/", "staging": "b-1/s", "prod": "b-1/p"}},
            "DataCaptureLocation",
            "b-1/dev",
        ),
        ({}, "ModelBucket", "mlops-packages"),
        ({}, "ModelKey", "assets/abc/fraud/model.tar.gz"),
        ({}, "ImageUri", "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"),
        ({}, "ImageRepositoryArn", "arn:aws:ecr:us-east-1:683313688378:repository/sagemaker-scikit-learn"),
        ({}, "PackagesKeyArn", "arn:aws:kms:us-east-1:111111111111:key/k"),
        ({}, "PermissionsBoundaryName", "mlops/boundary"),
        ({}, "EndpointName", None),
        ({"endpoint_name": ""}, "EndpointName", None),
        ({"endpoint_name": " Fraud-Detector "}, "EndpointName", "fraud-detector"),
        ({"endpoint_name": {"dev": "Dev", "staging": "s", "prod": "p"}}, "EndpointName", "dev"),
        ({}, "KmsKeyArn", None),
        ({"kms_key_arn": ""}, "KmsKeyArn", None),
        ({"kms_key_arn": KEY}, "KmsKeyArn", KEY),
        ({"kms_key_arn": {"dev": "", "staging": KEY, "prod": KEY}}, "KmsKeyArn", None),
        ({}, "InstanceCount", None),
        ({"instance_count": 2}, "InstanceCount", "2"),
        ({"instance_count": "3"}, "InstanceCount", "3"),
        ({"instance_count": 2.0}, "InstanceCount", "2"),
        ({"instance_count": {"dev": 1, "staging": "2", "prod": 3}}, "InstanceCount", "1"),
        ({}, "DefaultEndpointName", "fraud-detector-realtime"),
        ({"model_name": "x" * 70}, "DefaultEndpointName", "x" * 52),
        ({"kms_key_arn": KEY}, "StorageKeyArn", KEY),
        ({"kms_key_arn": KEY, "inference_instance": "ml.m5d.large"}, "StorageKeyArn", None),
        ({"kms_key_arn": KEY, "inference_instance": "ml.m5d.large"}, "KmsKeyArn", KEY),
        ({"vpc": VPC}, "SubnetIds", SUBNET),
        ({"vpc": VPC}, "SecurityGroupIds", GROUP),
        ({"vpc": VPC}, "NetworkIsolation", None),
        ({"vpc": {**VPC, "network_isolation": "Yes"}}, "NetworkIsolation", "true"),
        ({"scaling": SCALING}, "ScalingMax", "4"),
        ({"scaling": dict.fromkeys(("dev", "staging", "prod"), SCALING)}, "ScalingMin", "2"),
        ({"deployment": {"strategy": "canary"}, "instance_count": 2}, "DeploymentWaitSeconds", None),
        (
            {"deployment": {"strategy": "canary", "wait_minutes": 7}, "instance_count": 2},
            "DeploymentWaitSeconds",
            "420",
        ),
        ({"deployment": {"strategy": "canary", "max_error_rate": 0.05}, "instance_count": 2}, "MaxErrorRate", "0.05"),
        ({"deployment": {"strategy": "canary", "alarms": ["a", "b"]}, "instance_count": 2}, "RollbackAlarm2", "b"),
        ({"deployment": {"strategy": "canary", "alarms": ["a", "b"]}, "instance_count": 2}, "RollbackAlarm3", None),
        ({}, "ModelPackageName", None),
        ({"model_package_name": PACKAGE}, "ModelPackageName", None),
    ],
)
def test_what_the_template_gets(changes: dict[str, Any], name: str, value: str | None) -> None:
    assert parameters(configuration(**changes)).get(name) == value


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_each_stage_gets_its_own_value(stage: str) -> None:
    values = configuration(instance_count={"dev": 1, "staging": 2, "prod": 3})
    assert parameters(values, stage)["InstanceCount"] == {"dev": "1", "staging": "2", "prod": "3"}[stage]
    assert parameters(values, stage)["InferenceInstance"] == values["inference_instance"][stage]


def test_a_container_of_ones_own() -> None:
    given = parameters(custom())
    assert given["ImageUri"] == IMAGE
    assert given["ImageRepositoryArn"] == "arn:aws:ecr:us-east-1:111122223333:repository/fraud/scorer"


def test_a_tag_a_description_or_a_channel_changes_no_parameter() -> None:
    """Else every plan of an unchanged model would show a change."""
    plain = parameters(configuration())
    own = {"tags": {"team": "a"}, "description": "x", "channel": "#ml", "verify": None, "metrics": "fraud/e.json"}
    approval = {"approval": {"prod": {"any_of": [{"risk": 1}]}}}
    assert parameters(configuration(**own, **approval)) == plain


@pytest.mark.parametrize("key", ["model_name", "inference_instance", "data_capture_location", "pipeline_type"])
def test_what_every_real_time_workload_needs(key: str) -> None:
    for values in (configuration(**{key: None}), custom(**{key: None})):
        assert f"$.{key}" in {path for path, _ in refused(values)}


@pytest.mark.parametrize("key", ["model_framework", "model_framework_version", "model_artifact_location"])
def test_what_an_aws_container_needs(key: str) -> None:
    assert [path for path, _ in refused(configuration(**{key: None}))] == [f"$.{key}"]


@pytest.mark.parametrize("key", ["custom_image_uri", "model_artifact_location"])
def test_what_an_own_container_needs(key: str) -> None:
    assert [path for path, _ in refused(custom(**{key: None}))] == [f"$.{key}"]


def test_with_the_registry_a_model_package_takes_their_place() -> None:
    values = configuration(
        model_framework=None, model_framework_version=None, model_artifact_location=None, model_package_name=PACKAGE
    )
    one = checked(values, REGISTRY)
    assert one.model_packages == (PACKAGE,)
    assert [asset.key for asset in one.assets] == ["fraud/sample.csv"]
    assert [path for path, _ in refused(configuration(), REGISTRY)] == ["$.model_package_name"]
    assert [path for path, _ in refused(custom(), REGISTRY)] == ["$.model_package_name"]


@pytest.mark.parametrize(
    ("context", "ignored"),
    [
        (MULTI, {"$.model_package_name"}),
        (REGISTRY, {"$.model_framework", "$.model_framework_version", "$.model_artifact_location"}),
    ],
    ids=["without registry", "with registry"],
)
def test_keys_of_the_other_mode_are_ignored_with_a_warning(context: CheckContext, ignored: set[str]) -> None:
    one = checked(configuration(model_package_name=PACKAGE), context)
    assert {warning.path for warning in one.warnings} == ignored
    assert all("Model Registry" in warning.what for warning in one.warnings)


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"pipeline_type": "byom_realtime_bultin"}, "$.pipeline_type", 'Did you mean "byom_realtime_builtin"?'),
        ({"pipeline_type": "BYOM_REALTIME_BUILTIN"}, "$.pipeline_type", "there is no workload type"),
        ({"pipeline_type": 7}, "$.pipeline_type", "Known: byom_"),
        ({"model_name": ""}, "$.model_name", "is empty"),
        ({"model_name": "   "}, "$.model_name", "is empty"),
        ({"model_name": 7}, "$.model_name", "must be text, not 7"),
        ({"model_name": ["a"]}, "$.model_name", "must be text"),
        ({"model_name": {"dev": "a", "staging": "b", "prod": "c"}}, "$.model_name", "cannot differ by stage"),
        ({"model_name": "a_b"}, "$.model_name", "letters, digits and hyphens only, not '_'"),
        ({"model_name": "fraud.v2"}, "$.model_name", "not '.'"),
        ({"model_name": "../etc"}, "$.model_name", "not '.' '/'"),
        ({"model_name": "x" * 90}, "$.model_name", "characters long, 128 are allowed"),
        ({"inference_instance": "large"}, "$.inference_instance", "shorter than 7"),
        ({"inference_instance": "mlm5large"}, "$.inference_instance", "does not have the right form"),
        ({"inference_instance": 5}, "$.inference_instance", "must be"),
        (
            {"inference_instance": None, "inference_instances": "x"},
            "$.inference_instances",
            'mean "inference_instance"',
        ),
        ({"data_capture_location": "b"}, "$.data_capture_location", "shorter than 3"),
        ({"data_capture_location": "/only/a/key"}, "$.data_capture_location", "right form"),
        ({"model_framework": "skleran"}, "$.model_framework", 'Did you mean "sklearn"?'),
        ({"model_framework": ""}, "$.model_framework", "is empty"),
        ({"model_framework_version": "9.9"}, "$.model_framework_version", "Known: 1.2-1, 1.0-1"),
        ({"model_framework_version": 1.2}, "$.model_framework_version", "must be text"),
        ({"model_artifact_location": "s3://b/model.tar.gz"}, "$.model_artifact_location", "is a URI"),
        ({"model_artifact_location": "/model.tar.gz"}, "$.model_artifact_location", "not a plain key"),
        ({"model_artifact_location": "a/../../b"}, "$.model_artifact_location", "not a plain key"),
        ({"model_artifact_location": "a\\b"}, "$.model_artifact_location", "not a plain key"),
        ({"model_artifact_location": "a\nb"}, "$.model_artifact_location", "control character"),
        ({"model_artifact_location": "ü" * 600}, "$.model_artifact_location", "longer than S3's 1,024 bytes"),
        ({"endpoint_name": "fraud_detector"}, "$.endpoint_name", "right form"),
        ({"endpoint_name": "-fraud"}, "$.endpoint_name", "right form"),
        ({"endpoint_name": "f" * 64}, "$.endpoint_name", "64 characters, 63 are allowed"),
        ({"kms_key_arn": "alias/x"}, "$.kms_key_arn", "Write the key's ARN"),
        ({"kms_key_arn": KEY.replace("us-east-1", "eu-west-1")}, "$.kms_key_arn", "is in eu-west-1"),
        ({"kms_key_arn": KEY.replace("arn:aws:", "arn:aws-cn:")}, "$.kms_key_arn", 'in the partition "aws-cn"'),
        ({"instance_count": 0}, "$.instance_count", "too small"),
        ({"instance_count": 1001}, "$.instance_count", "too large"),
        ({"instance_count": "many"}, "$.instance_count", "right form"),
        ({"instance_count": True}, "$.instance_count", "must be"),
        ({"instance_count": 1.5}, "$.instance_count", "must be"),
        ({"pipeline_name": "a b"}, "$.pipeline_name", "Use letters, digits and hyphens"),
        ({"description": "x" * 1001}, "$.description", "1001 characters, 1000 are allowed"),
        ({"description": "{{resolve:ssm-secure:secret}}"}, "$.description", "dynamic reference"),
        ({"tags": {"aws:x": "y"}}, "$.tags", "do not start with aws:"),
        ({"tags": {"mlops:stage": "prod"}}, "$.tags", "mlops:"),
        ({"tags": {"team": "a\n"}}, "$.tags.team", "right form"),
        ({"tags": {"team": 4711}}, "$.tags.team", "must be text"),
        ({"tags": ["a"]}, "$.tags", "must be an object"),
        ({"channel": "Not A Channel"}, "$.channel", "#ml-releases"),
        ({"verify": {}}, "$.verify.sample", "is required"),
        ({"verify": {"sample": "a", "expect_status": 99}}, "$.verify.expect_status", "too small"),
        ({"verify": {"sample": "a", "timeout_seconds": 61}}, "$.verify.timeout_seconds", "too large"),
        ({"verify": {"sample": "a", "content_type": "csv"}}, "$.verify.content_type", "media type"),
        ({"verify": {"sample": "a", "contenttype": "text/csv"}}, "$.verify.contenttype", 'mean "content_type"'),
        ({"verify": {"sample": "../a"}}, "$.verify.sample", "not a plain key"),
        ({"metrics": "s3://b/k"}, "$.metrics", "is a URI"),
        ({"approval": {}}, "$.approval", "at least 1"),
        ({"approval": {"prod": {"any_of": []}}}, "$.approval.prod.any_of", "at least 1"),
        ({"approval": {"prod": {"any_of": [{}]}}}, "$.approval.prod.any_of[0]", "at least 1"),
        (
            {"approval": {"prod": {"any_of": [{"risk": 1}] * 21}}},
            "$.approval.prod.any_of",
            "21 entries, 20 are allowed",
        ),
        ({"approval": {"prod": {"any_of": [{"risk": 0}]}}}, "$.approval.prod.any_of[0].risk", "too small"),
        ({"approval": {"prod": {}}}, "$.approval.prod.any_of", "is required"),
        (
            {"approval": {"prod": {"any_of": [{"risk": 1}], "expires_after_hours": 721}}},
            "$.approval.prod.expires_after_hours",
            "too large",
        ),
        ({"approval": {"dev": {"any_of": [{"risk": 1}]}}}, "$.approval.dev", "deployed without approval"),
        ({"approval": {"production": {"any_of": [{"risk": 1}]}}}, "$.approval.production", "Known: prod, staging"),
        (
            {"vpc": {"subnets": ["subnet-1"], "security_groups": [GROUP]}},
            "$.vpc.subnets[0]",
            "the subnet's id, such as",
        ),
        (
            {"vpc": {"subnets": [SUBNET], "security_groups": ["g"]}},
            "$.vpc.security_groups[0]",
            "the group's id, such as",
        ),
        ({"vpc": {"subnets": [SUBNET]}}, "$.vpc.security_groups", "is required"),
        ({"scaling": {"min": 3, "max": 2, "target_invocations": 3}}, "$.scaling.min", "3 is more than scaling.max (2)"),
        ({"scaling": {"min": 1, "max": 2}}, "$.scaling.target_invocations", "is required"),
        ({"deployment": {"strategy": "rolling"}}, "$.deployment.strategy", '"rolling" is not allowed here'),
        ({"deployment": {"strategy": "all_at_once", "step_percent": 5}}, "$.deployment.step_percent", "moves at once"),
        (
            {"deployment": {"strategy": "linear", "step_percent": 5}, "instance_count": 2},
            "$.deployment.step_percent",
            "at least 10 is needed",
        ),
        (
            {"deployment": {"strategy": "linear", "wait_minutes": 41}, "instance_count": 2},
            "$.deployment.wait_minutes",
            "after eight hours",
        ),
        (
            {"deployment": {"strategy": "canary", "step_percent": 51}, "instance_count": 2},
            "$.deployment.step_percent",
            "at most 50",
        ),
        (
            {"deployment": {"strategy": "canary", "alarms": list("abcdef")}, "instance_count": 2},
            "$.deployment.alarms",
            "5 are allowed",
        ),
        ({"gates": [{"metric": "auc", "at_least": 1}]}, "$.gates", "Name the model's evaluation file in metrics"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], path: str, words: str) -> None:
    problems = refused(configuration(**changes))
    assert [where for where, _ in problems] == [path]
    assert words in problems[0][1]


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("nginx:latest", "Write <account>.dkr.ecr"),
        ("public.ecr.aws/x/y:1", "Write <account>.dkr.ecr"),
        (IMAGE.replace("us-east-1", "eu-west-1"), "is an image in eu-west-1"),
    ],
)
def test_own_images_that_sagemaker_could_not_pull(image: str, words: str) -> None:
    ((path, sentence),) = refused(custom(custom_image_uri=image))
    assert path == "$.custom_image_uri"
    assert words in sentence


def test_a_digest_names_an_image_too() -> None:
    image = IMAGE.replace(":1.0", "@sha256:" + "0" * 64)
    assert parameters(custom(custom_image_uri=image))["ImageUri"] == image


@pytest.mark.parametrize(
    "key", ["inference_instance", "data_capture_location", "endpoint_name", "kms_key_arn", "instance_count"]
)
def test_every_stage_must_have_its_value(key: str) -> None:
    one = {"inference_instance": "ml.m5.large", "kms_key_arn": KEY, "instance_count": 1}.get(key, "bucket")
    problems = refused(configuration(**{key: {"dev": one, "staging": one}}))
    assert problems == [
        (f"$.{key}", f'$.{key}: has no value for the stage "prod". Add it, or write one value for all.')
    ]


def test_a_misspelt_stage_is_told_once() -> None:
    instance = {"dev": "ml.t2.medium", "stagging": "ml.m5.large", "prod": "ml.m5.large"}
    ((path, sentence),) = refused(configuration(inference_instance=instance))
    assert path == "$.inference_instance.stagging"
    assert 'Did you mean "staging"?' in sentence


def test_values_of_stages_are_checked_each() -> None:
    instance = {"dev": "x", "staging": "ml.m5.large", "prod": 7}
    assert {path for path, _ in refused(configuration(inference_instance=instance))} == {
        "$.inference_instance.dev",
        "$.inference_instance.prod",
    }


def test_an_image_that_one_stage_cannot_have_names_that_stage() -> None:
    instance = {"dev": "ml.m5.large", "staging": "ml.m5.large", "prod": "ml.p3.2xlarge"}
    ((path, sentence),) = refused(configuration(inference_instance=instance))
    assert path == "$.inference_instance.prod"
    assert "no image for ml.p3.2xlarge" in sentence


def test_in_a_single_account_an_object_of_stages_is_an_error_that_names_its_path() -> None:
    problems = refused(configuration(), SINGLE)
    assert [path for path, _ in problems] == ["$.inference_instance"]
    assert "one account" in problems[0][1]
    assert checked(configuration(inference_instance="ml.m5.large"), SINGLE).type.name == "byom_realtime_builtin"


def test_all_problems_are_reported_together() -> None:
    broken = configuration(
        model_name=None,
        inference_instance={"dev": "x"},
        data_capture_location=7,
        model_framework="skleran",
        tags={"a": 1},
        approval={"qa": {"any_of": [{"risk": 1}]}},
        verify={"sample": "/x"},
    )
    assert sorted({path for path, _ in refused(broken)}) == [
        "$.approval.qa",
        "$.data_capture_location",
        "$.inference_instance",
        "$.inference_instance.dev",
        "$.model_name",
        "$.tags.a",
        "$.verify.sample",
    ]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("colour", "is not a known key and is ignored"),
        (
            "custom_image_uri",
            "is ignored by byom_realtime_builtin: it is a key of byom_batch_custom, byom_realtime_custom",
        ),
    ],
)
def test_what_only_warns(key: str, words: str) -> None:
    (warning,) = checked(configuration(**{key: "x"})).warnings
    assert (warning.path, warning.what) == (f"$.{key}", words)


def test_the_policies_of_a_file() -> None:
    asked = {"prod": {"any_of": [{"risk": 1, "ml-owner": 2}, {"cto": 1}], "requester_may_approve": "Yes"}}
    (demand,) = checked(configuration(approval=asked)).policies
    assert demand.stage == "prod"
    assert demand.policy.any_of == ((("ml-owner", 2), ("risk", 1)), (("cto", 1),))
    assert demand.policy.requester_may_approve is True
    assert demand.policy.expires_after_hours == 72


@pytest.mark.parametrize(
    ("verify", "content_type", "status"),
    [
        ({"sample": "a.csv"}, "text/csv", 200),
        ({"sample": "a.JSON"}, "application/json", 200),
        ({"sample": "a.jsonl", "expect_status": 204}, "application/jsonlines", 204),
        ({"sample": "noextension"}, "application/octet-stream", 200),
        ({"sample": "a.csv", "content_type": "text/csv; charset=utf-8"}, "text/csv; charset=utf-8", 200),
    ],
)
def test_the_smoke_test(verify: dict[str, Any], content_type: str, status: int) -> None:
    found = checked(configuration(verify=verify)).verify
    assert found is not None
    assert (found.content_type, found.expect_status, found.timeout_seconds) == (content_type, status, 60)


def test_two_ways_to_write_the_same_thing_are_the_same_configuration() -> None:
    one = configuration(data_capture_location="b-1/x", instance_count=2, endpoint_name="fraud", kms_key_arn="")
    other = configuration(data_capture_location="s3://b-1/x/", instance_count="2", endpoint_name=" FRAUD ")
    assert checked(one).configuration == checked({"$schema": "x", **other}).configuration


def test_what_was_checked_once_passes_again() -> None:
    """Package checks the canonical form of what was accepted at the door."""
    first = checked(configuration(instance_count="2", endpoint_name="A", tags={"a": "b"}, colour="red"))
    again = checked(first.configuration)
    assert again.configuration == first.configuration
    assert again.warnings == ()


def serverless(**changes: Any) -> dict[str, Any]:
    """A serverless workload."""
    return configuration(
        **{"inference_instance": None, "data_capture_location": None, "serverless": SERVERLESS, **changes}
    )


def test_a_serverless_endpoint_needs_no_instances_and_records_nothing() -> None:
    given = parameters(serverless(kms_key_arn=KEY))
    assert given["ServerlessMemoryMb"] == "2048"
    assert given["ServerlessMaxConcurrency"] == "5"
    assert given["StorageKeyArn"] == KEY
    assert not {"InferenceInstance", "DataCaptureLocation"} & set(given)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inference_instance": "ml.m5.large"}, "Remove inference_instance, or remove serverless"),
        ({"data_capture_location": "bucket/x"}, "records nothing of a serverless endpoint"),
        ({"vpc": VPC}, "outside of your networks"),
        ({"scaling": SCALING}, "has no instances"),
        ({"instance_count": 2}, "has no instances"),
        ({"deployment": {"strategy": "canary"}}, "moves traffic between instances"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_does_not_go_with_serverless(changes: dict[str, Any], words: str) -> None:
    ((path, sentence),) = refused(serverless(**changes))
    assert path == f"$.{next(iter(changes))}"
    assert "does not go with serverless" in sentence
    assert words in sentence


def test_fewest_and_most_instances_are_compared_in_each_stage() -> None:
    bad = {**SCALING, "min": 5}
    assert [path for path, _ in refused(configuration(scaling={"dev": SCALING, "staging": bad, "prod": SCALING}))] == [
        "$.scaling.staging.min"
    ]


def test_an_instance_type_of_any_length_is_refused_by_its_length() -> None:
    """Its pattern takes cubic time: at the length that a file can have, a function would die of it after minutes."""
    assert refused(configuration(inference_instance="1." * 100_000 + "/")) == [
        (
            "$.inference_instance",
            "$.inference_instance: has 200001 characters, 64 are allowed. "
            'Write an instance type such as "ml.m5.large".',
        )
    ]


# Gates.


def gated(**gate: Any) -> dict[str, Any]:
    return configuration(metrics="fraud/evaluation.json", gates=[{"metric": "auc", **gate}])


@pytest.mark.parametrize(
    "gate",
    [
        {"at_least": 0.8},
        {"at_least": 0, "at_most": 0},
        {"at_most": -3, "metric": "log.likelihood"},
        {"not_worse_than_live_by": 0},
        {"not_worse_than_live_by": 1, "metric": "gini", "higher_is_better": "Yes"},
        {"at_least": 1e300, "stages": ["prod", "dev"], "on_failure": {"dev": "warn", "prod": "stop"}},
    ],
)
def test_gates_that_are_taken(gate: dict[str, Any]) -> None:
    assert checked(gated(**gate)).warnings == ()


def test_a_direction_without_a_comparison_has_no_effect() -> None:
    (warning,) = checked(gated(at_least=0.8, higher_is_better=True)).warnings
    assert warning.path == "$.gates[0].higher_is_better"
    assert warning.what == "has no effect without not_worse_than_live_by"


def test_in_one_account_gates_name_no_stages() -> None:
    one = configuration(inference_instance="ml.m5.large", metrics="e.json", gates=[{"metric": "auc", "at_least": 1}])
    assert checked(one, SINGLE).warnings == ()


def test_with_the_registry_the_package_may_have_figures() -> None:
    drop = dict.fromkeys(("model_framework", "model_framework_version", "model_artifact_location"))
    values = configuration(**drop, model_package_name=PACKAGE, gates=[{"metric": "auc", "at_least": 1}])
    assert checked(values, REGISTRY).warnings == ()
    assert ("$.gates", "$.gates: has nothing to look at.") in [
        (path, sentence.split(" Name ")[0]) for path, sentence in refused(values)
    ]
