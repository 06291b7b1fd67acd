"""Real-time and batch inference: what the generic tests cannot know of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import botocore.session
import botocore.validate
import pytest

from orchestrator.core.problems import BadConfiguration
from tests.templates.expansion import Expansion
from tests.templates.folders import (
    BODIES,
    Body,
    bodies,
    checked,
    examples,
    package,
    stages_of,
    template,
    workload_type,
)

BATCHES = [body for body in (*bodies(), *examples()) if body.type.startswith("byom_batch_")]
REQUEST: Any = botocore.session.get_session().get_service_model("sagemaker").shape_for("CreateTransformJobRequest")


def body(name: str, **changes: Any) -> tuple[dict[str, Any], Body]:
    """A body with changed keys; None drops one."""
    found = next(body for body in bodies() if body.id == f"{name}.json")
    return {key: value for key, value in {**found.values, **changes}.items() if value is not None}, found


def expanded(name: str, stage: str = "prod", **changes: Any) -> Expansion:
    """The stack of a changed body in a stage."""
    values, one = body(name, **changes)
    ready = checked(values, one.context)
    return Expansion(template(one.type), package(ready, one.context).parameters(stage), ready.stack_name)


def request(name: str, stage: str = "prod", **changes: Any) -> dict[str, Any]:
    """The transform job's request of a changed body in a stage."""
    values, one = body(name, **changes)
    ready = checked(values, one.context)
    (data,) = package(ready, one.context).documents(stage).values()
    found: dict[str, Any] = json.loads(data)["Steps"][0]["Arguments"]
    return found


@pytest.mark.parametrize("one", BATCHES, ids=[body.id for body in BATCHES])
def test_sagemaker_takes_the_request_of_every_transform_job(one: Body) -> None:
    ready = checked(one.values, one.context)
    made = package(ready, one.context)
    for stage in stages_of(ready, one.context):
        ((key, data),) = made.documents(stage).items()
        definition = json.loads(data)
        (step,) = definition["Steps"]
        arguments = step["Arguments"]
        assert arguments.pop("ModelName") == {"Get": "Parameters.ModelName"}
        assert {parameter["Name"] for parameter in definition["Parameters"]} == set(
            made.manifest["job"]["input"][stage]
        )
        botocore.validate.validate_parameters({**arguments, "ModelName": "model"}, REQUEST)
        assert made.parameters(stage)["PipelineDefinitionKey"] == key


def test_csv_is_read_and_written_line_by_line_unless_something_else_is_said() -> None:
    found = request("byom_batch_builtin/minimal.multi")
    place = {"S3DataType": "S3Prefix", "S3Uri": "s3://batch-bucket/fraud/in/july.csv"}
    assert found == {
        "TransformJobName": "fraud-detector-batch",
        "ModelName": {"Get": "Parameters.ModelName"},
        "BatchStrategy": "MultiRecord",
        "TransformInput": {
            "ContentType": "text/csv",
            "SplitType": "Line",
            "CompressionType": "None",
            "DataSource": {"S3DataSource": place},
        },
        "TransformOutput": {
            "S3OutputPath": "s3://batch-bucket/fraud/out",
            "Accept": "text/csv",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }


@pytest.mark.parametrize(
    ("transform", "output"),
    [
        ({"content_type": "application/json"}, {"AssembleWith": "Line"}),
        ({"accept": "application/json"}, {"Accept": "application/json", "AssembleWith": "Line"}),
        ({"split_type": "None"}, {"Accept": "text/csv", "AssembleWith": "None"}),
        ({"split_type": "None", "assemble_with": "Line"}, {"Accept": "text/csv", "AssembleWith": "Line"}),
        ({"split_type": "RecordIO"}, {"Accept": "text/csv", "AssembleWith": "Line"}),
    ],
    ids=str,
)
def test_what_follows_from_a_word_about_the_data(transform: dict[str, str], output: dict[str, str]) -> None:
    found = request("byom_batch_custom/minimal.single", transform=transform)["TransformOutput"]
    assert {key: value for key, value in found.items() if key != "S3OutputPath"} == output


@pytest.mark.parametrize(
    ("written", "uri", "prefix"),
    [
        ("bucket/in/july.csv", "s3://bucket/in/july.csv", "in/july.csv"),
        ("bucket/in/", "s3://bucket/in/", "in/"),
        (" s3://bucket/in ", "s3://bucket/in", "in"),
        ("bucket", "s3://bucket", None),
    ],
)
def test_a_slash_at_the_end_of_the_input_stays(written: str, uri: str, prefix: str | None) -> None:
    source = request("byom_batch_builtin/minimal.single", batch_inference_data=written)["TransformInput"]["DataSource"]
    assert source["S3DataSource"]["S3Uri"] == uri
    values, one = body("byom_batch_builtin/minimal.single", batch_inference_data=written)
    given = package(checked(values, one.context), one.context).parameters("prod")
    assert (given["BatchInputBucket"], given.get("BatchInputPrefix") or None) == ("bucket", prefix)


@pytest.mark.parametrize(
    ("transform", "path", "words"),
    [
        ({"splittype": "Line", "accept": "text/csv"}, "$.transform.splittype", '"split_type"'),
        ({"split_type": "Lines"}, "$.transform.split_type", 'Did you mean "Line"?'),
        ({"content_type": "csv"}, "$.transform.content_type", "media type"),
        ({"max_payload_mb": 101}, "$.transform.max_payload_mb", "at most 100"),
        ({"input_filter": "features"}, "$.transform.input_filter", "begins with $"),
        ({"join_source": "Input", "split_type": "None"}, "$.transform.split_type", "joined one by one"),
    ],
    ids=str,
)
def test_what_no_transform_job_can_do(transform: dict[str, Any], path: str, words: str) -> None:
    values, one = body("byom_batch_builtin/minimal.multi", transform=transform)
    with pytest.raises(BadConfiguration) as refused:
        checked(values, one.context)
    ((where, sentence),) = [(problem.path, problem.sentence) for problem in refused.value.problems]
    assert where == path
    assert words in sentence


@pytest.mark.parametrize(
    "instance", ["ml.g5.xlarge", "ml.g4dn.xlarge", "ml.m5d.large", "ml.r7gd.large", "ml.p4de.24xlarge"]
)
def test_no_key_is_named_for_disks_that_encrypt_themselves(instance: str) -> None:
    for name in ("byom_realtime_custom/full.single", "byom_batch_custom/full.single"):
        changed = expanded(name, inference_instance=instance).resources
        assert "kms_key_arn" in body(name)[0]
        if "EndpointConfig" in changed:
            assert "KmsKeyId" not in changed["EndpointConfig"]["Properties"]
            assert "KmsKeyId" in changed["EndpointConfig"]["Properties"]["DataCaptureConfig"]
    resources = request("byom_batch_custom/full.single", inference_instance=instance)
    assert "VolumeKmsKeyId" not in resources["TransformResources"]
    assert "KmsKeyId" in resources["TransformOutput"]


@pytest.mark.parametrize("instance", ["ml.m5.large", "ml.c6i.large", "ml.inf2.xlarge", "ml.r6g.large", "ml.p3.2xlarge"])
def test_a_key_is_named_for_all_others(instance: str) -> None:
    config = expanded("byom_realtime_custom/full.single", inference_instance=instance).resources["EndpointConfig"]
    assert config["Properties"]["KmsKeyId"].startswith("arn:aws:kms:")
    resources = request("byom_batch_custom/full.single", inference_instance=instance)["TransformResources"]
    assert resources["VolumeKmsKeyId"].startswith("arn:aws:kms:")


def test_a_new_fewest_number_of_instances_touches_the_scaling_target_alone() -> None:
    scaling = {"min": 1, "max": 2, "target_invocations": 50}
    before = expanded("byom_realtime_builtin/minimal.multi", scaling=scaling).resources
    after = expanded("byom_realtime_builtin/minimal.multi", scaling={**scaling, "min": 2}).resources
    assert {name for name in after if after[name] != before.get(name)} == {"ScalingTarget"}


def test_an_update_keeps_the_number_that_scaling_has_arrived_at() -> None:
    fixed = expanded("byom_realtime_builtin/minimal.multi").resources["Endpoint"]["Properties"]
    scaling = {"min": 1, "max": 2, "target_invocations": 50}
    scaled = expanded("byom_realtime_builtin/minimal.multi", scaling=scaling).resources["Endpoint"]["Properties"]
    assert "RetainAllVariantProperties" not in fixed
    assert scaled["RetainAllVariantProperties"] is True


def test_another_way_to_take_over_replaces_nothing() -> None:
    """Names of alarms and endpoint stay; only what SageMaker cannot change has none."""
    plain = expanded("byom_realtime_builtin/minimal.multi", instance_count=2).resources
    canary = {"strategy": "canary", "alarms": ["mine"]}
    watched = expanded("byom_realtime_builtin/minimal.multi", deployment=canary, instance_count=2).resources
    assert set(watched) - set(plain) == {"ErrorsAlarm"}
    assert {name for name in plain if plain[name] != watched[name]} == {"Endpoint", "ExecutionRole"}
    assert plain["Endpoint"]["Properties"]["EndpointName"] == watched["Endpoint"]["Properties"]["EndpointName"]


def test_alarms_watch_the_endpoint_that_they_roll_back() -> None:
    for name in ("byom_realtime_builtin/full.multi", "byom_realtime_builtin/minimal.multi"):
        strategy = {"strategy": "canary", "max_latency_ms": 250, "alarms": ["a", "b"]}
        found = expanded(name, deployment=strategy, instance_count=2).resources
        endpoint = found["Endpoint"]["Properties"]
        dimensions = [
            found["ErrorsAlarm"]["Properties"]["Dimensions"],
            found["LatencyAlarm"]["Properties"]["Metrics"][1]["MetricStat"]["Metric"]["Dimensions"],
        ]
        (variant,) = found["EndpointConfig"]["Properties"]["ProductionVariants"]
        wanted = {"EndpointName": endpoint["EndpointName"], "VariantName": variant["VariantName"]}
        assert [_named(one) for one in dimensions] == [wanted, wanted]
        assert endpoint["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"] == [
            {"AlarmName": {"Ref": "ErrorsAlarm"}},
            {"AlarmName": {"Ref": "LatencyAlarm"}},
            {"AlarmName": "a"},
            {"AlarmName": "b"},
        ]


def _named(dimensions: list[Mapping[str, str]]) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in dimensions}


def test_serverless_is_another_endpoint_under_another_name() -> None:
    """SageMaker makes no serverless endpoint of one on instances; both stand for a while."""
    (serverless,) = _endpoints(expanded("byom_realtime_builtin/serverless.multi", endpoint_name=None))
    (instances,) = _endpoints(expanded("byom_realtime_builtin/minimal.multi"))
    assert serverless[0] != instances[0]
    assert serverless[1] != instances[1]


def _endpoints(expansion: Expansion) -> list[tuple[str, str]]:
    return [
        (name, resource["Properties"]["EndpointName"])
        for name, resource in expansion.resources.items()
        if resource["Type"] == "AWS::SageMaker::Endpoint"
    ]


def test_the_role_reads_and_pulls_every_container_of_a_model_package_and_nothing_else() -> None:
    for name in ("byom_realtime_custom/minimal.multi.registry", "byom_batch_builtin/full.multi.registry"):
        policy = expanded(name).resources["ExecutionRole"]["Properties"]["Policies"][0]["PolicyDocument"]
        by_sid = {statement["Sid"]: statement["Resource"] for statement in policy["Statement"]}
        assert "ReadModel" not in by_sid
        assert by_sid["ReadModels"] == [
            "arn:aws:s3:::mlops-models/features/model.tar.gz",
            "arn:aws:s3:::mlops-models/scorer/*",
        ]
        assert by_sid["ListModels"] == ["arn:aws:s3:::mlops-models"]
        assert by_sid["PullImage"] == [
            "arn:aws:ecr:us-east-1:111111111111:repository/features",
            "arn:aws:ecr:us-east-1:111111111111:repository/scorer",
        ]


@pytest.mark.parametrize("kind", ["realtime", "batch"])
def test_the_two_types_of_a_kind_differ_in_the_container_alone(kind: str) -> None:
    builtin, custom = template(f"byom_{kind}_builtin"), template(f"byom_{kind}_custom")
    assert set(builtin["Parameters"]) - set(custom["Parameters"]) == {"ServingProgram"}
    assert set(custom["Parameters"]) <= set(builtin["Parameters"])
    for part in ("Parameters", "Conditions", "Resources", "Outputs"):
        differing = {name for name in custom[part] if custom[part][name] != builtin[part][name]}
        assert differing == ({"Model"} if part == "Resources" else set()), part
    mine, theirs = workload_type(f"byom_{kind}_builtin"), workload_type(f"byom_{kind}_custom")
    assert mine.document_sources == theirs.document_sources
    assert {path.name for path in (BODIES / mine.name).iterdir()} == {
        path.name for path in (BODIES / theirs.name).iterdir()
    }
