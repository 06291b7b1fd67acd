"""Every property that a template of ``templates/`` sets is kept by the embedded cloud and comes back from its API.

The samples below are deployed and read back member by member. A template that begins to use a property which no sample
has fails here until it is added: what would be ignored cannot stay unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.cloud import resource_schemas
from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import DEV, make_bucket, make_role, model_archive, service_trust, statement, unique
from tests.cloud.bridges.samples import BUCKET, BUILDER, PACKAGE, ROLE, samples
from tests.cloud.bridges.stacks_of import make, outputs_of, reasons
from tests.cloud.bridges.test_pipelines import DEFINITION
from tests.templates.folders import TYPES, template

SCRIPT = "def model_fn(d): return None\ndef predict_fn(x, m): return x\n"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of everything that is neither object nor list; ``*`` stands for an element."""
    if isinstance(value, Mapping) and value and not any(name.startswith("Fn::") or name == "Ref" for name in value):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}/{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, f"{path}/*")
    else:
        yield path, value


def used(value: Any, path: str = "") -> Iterator[str]:
    """Paths of a template's properties, in both branches of every condition."""
    if isinstance(value, Mapping) and "Fn::If" in value:
        for branch in value["Fn::If"][1:]:
            yield from used(branch, path)
    elif isinstance(value, Mapping) and (any(name.startswith("Fn::") for name in value) or "Ref" in value):
        if value != {"Ref": "AWS::NoValue"}:
            yield path
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from used(inner, f"{path}/{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from used(inner, f"{path}/*")
    else:
        yield path


@pytest.mark.parametrize("name", TYPES)
def test_every_property_that_a_template_sets_has_a_sample(name: str) -> None:
    known: dict[str, set[str]] = {}
    for sample in samples().values():
        for path, _ in leaves(sample["Properties"]):
            # A list or an object may come from one parameter as a whole.
            parts = path.split("/")
            known.setdefault(sample["Type"], set()).update("/".join(parts[:end]) for end in range(2, len(parts) + 1))
    for logical_id, found in template(name)["Resources"].items():
        if found["Type"].startswith(resource_schemas.CHECKED):
            unknown = set(used(found.get("Properties", {}))) - known.get(found["Type"], set())
            assert not unknown, f"{logical_id} ({found['Type']}) sets what no sample has: {sorted(unknown)}"


def read(cloud: EmbeddedCloud, kind: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """A resource as its API describes it."""
    sagemaker = cloud.client("sagemaker", DEV)
    match kind.rpartition("::")[2]:
        case "Model":
            return dict(sagemaker.describe_model(ModelName=properties["ModelName"]))
        case "EndpointConfig":
            return dict(sagemaker.describe_endpoint_config(EndpointConfigName=properties["EndpointConfigName"]))
        case "Endpoint":
            found = sagemaker.describe_endpoint(EndpointName=properties["EndpointName"])
            return {**found, "DeploymentConfig": found["LastDeploymentConfig"]}
        case "ScalableTarget":
            client, wanted = cloud.client("application-autoscaling", DEV), [properties["ResourceId"]]
            answer = client.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=wanted)
            return dict(answer["ScalableTargets"][0])
        case "ScalingPolicy":
            client, wanted = cloud.client("application-autoscaling", DEV), [properties["PolicyName"]]
            answer = client.describe_scaling_policies(ServiceNamespace="sagemaker", PolicyNames=wanted)
            return dict(answer["ScalingPolicies"][0])
        case "Alarm":
            alarms = cloud.client("cloudwatch", DEV).describe_alarms(AlarmNames=[properties["AlarmName"]])
            return dict(alarms["MetricAlarms"][0])
        case "Project":
            return dict(cloud.client("codebuild", DEV).batch_get_projects(names=[properties["Name"]])["projects"][0])
        case "Pipeline":
            return dict(sagemaker.describe_pipeline(PipelineName=properties["PipelineName"]))
        case "MonitoringSchedule":
            name = properties["MonitoringScheduleName"]
            return dict(sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name))
        case other:
            noun = {"Data": "data_quality", "ModelQ": "model_quality", "ModelB": "model_bias"}
            snake = next((spelt for start, spelt in noun.items() if other.startswith(start)), "model_explainability")
            describe = getattr(sagemaker, f"describe_{snake}_job_definition")
            return dict(describe(JobDefinitionName=properties["JobDefinitionName"]))


def lowered(value: Any) -> Any:
    """With the members' names in lower case: the API of CodeBuild spells them otherwise than templates do."""
    if isinstance(value, Mapping):
        return {name.lower(): lowered(inner) for name, inner in value.items()}
    return [lowered(inner) for inner in value] if isinstance(value, list) else value


def missing(wanted: Any, found: Any, path: str) -> Iterator[str]:
    """What of a sample did not come back."""
    if isinstance(wanted, Mapping) and not {"Fn::GetAtt", "Ref"} & wanted.keys():
        for name, inner in wanted.items():
            given = found.get(name.lower()) if isinstance(found, Mapping) else None
            yield from missing(inner, given, f"{path}/{name}")
    elif isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            yield f"{path}: {found}"
            return
        for number, (inner, given) in enumerate(zip(wanted, found, strict=True)):
            yield from missing(inner, given, f"{path}/{number}")
    elif isinstance(wanted, Mapping):
        if not found:
            yield f"{path}: nothing"
    elif wanted != found:
        yield f"{path}: {found!r} instead of {wanted!r}"


@pytest.mark.cloud
def test_every_property_of_every_sample_comes_back(cloud: EmbeddedCloud) -> None:
    bucket = make_bucket(cloud, DEV)
    s3 = cloud.client("s3", DEV)
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=model_archive(SCRIPT))
    s3.put_object(Bucket=bucket, Key="pipeline.json", Body=json.dumps(DEFINITION).encode())
    reads = statement("s3:GetObject", f"arn:aws:s3:::{bucket}/*")
    group = unique("wines")
    sagemaker = cloud.client("sagemaker", DEV)
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification={
            "Containers": [{"Image": "image:1", "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    text = json.dumps(samples())
    for place, value in {
        ROLE: make_role(cloud, DEV, service_trust("sagemaker"), reads),
        BUILDER: make_role(cloud, DEV, service_trust("codebuild")),
        BUCKET: bucket,
        PACKAGE: package,
    }.items():
        text = text.replace(place, value)
    resources: dict[str, dict[str, Any]] = json.loads(text)
    outputs = {"Scaled": {"Ref": "Target"}, "Monitored": {"Ref": "DataQuality"}}
    made = make(cloud, resources, outputs)
    assert made["StackStatus"] == "CREATE_COMPLETE", reasons(cloud, made)
    assert outputs_of(made)["Scaled"].endswith("|sagemaker")
    lost = []
    for logical_id, one in resources.items():
        schema = resource_schemas.schema(one["Type"])
        never = {pointer.removeprefix("/properties/") for pointer in schema.get("writeOnlyProperties", [])}
        properties = {name: value for name, value in one["Properties"].items() if name not in never}
        # The definition itself comes back in place of where it lay; that is compared below.
        properties.pop("PipelineDefinition", None)
        lost += list(missing(properties, lowered(read(cloud, one["Type"], one["Properties"])), logical_id))
    assert lost == []
    found = sagemaker.describe_pipeline(PipelineName=resources["Pipeline"]["Properties"]["PipelineName"])
    assert json.loads(found["PipelineDefinition"]) == DEFINITION
