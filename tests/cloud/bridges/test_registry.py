"""The Model Registry across accounts, models made from its versions, and model cards."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import (
    DEV,
    HUB,
    REGION,
    make_bucket,
    make_role,
    model_archive,
    policy,
    receive,
    service_trust,
    statement,
    unique,
    watch_events,
)
from tests.cloud.bridges.stacks_of import make, outputs_of, reasons, resource

pytestmark = pytest.mark.cloud

SCRIPT = "def model_fn(d): return None\ndef predict_fn(x, m):\n    import os\n    return {'y': os.environ['UNIT']}\n"
TO_DEV = {"Principal": {"AWS": f"arn:aws:iam::{DEV}:root"}}
WORKLOADS = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{DEV}:role/mlops/*"}}


def version(cloud: EmbeddedCloud, group: str, data: str = "s3://any/model.tar.gz", **more: Any) -> str:
    container = {"Image": "an-image:1", "ModelDataUrl": data, "Environment": {"UNIT": "grams"}}
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["application/json"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    arn: str = cloud.client("sagemaker", HUB).create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=specification, **more
    )["ModelPackageArn"]
    return arn


def make_group(cloud: EmbeddedCloud) -> str:
    name = unique("wines")
    cloud.client("sagemaker", HUB).create_model_package_group(ModelPackageGroupName=name)
    return name


def let_in(cloud: EmbeddedCloud, group: str, *actions: str) -> None:
    arn = f"arn:aws:sagemaker:{REGION}:{HUB}:model-package/{group}/*"
    allowed = statement([f"sagemaker:{action}" for action in actions], arn, Condition=WORKLOADS, **TO_DEV)
    cloud.client("sagemaker", HUB).put_model_package_group_policy(
        ModelPackageGroupName=group, ResourcePolicy=policy(allowed)
    )


def test_versions_are_numbered_described_approved_and_listed(cloud: EmbeddedCloud) -> None:
    group = make_group(cloud)
    url = watch_events(
        cloud,
        HUB,
        {
            "detail-type": ["SageMaker Model Package State Change"],
            "detail": {"ModelPackageGroupName": [group], "ModelApprovalStatus": ["Approved"]},
        },
    )
    first, second = version(cloud, group), version(cloud, group, CustomerMetadataProperties={"commit": "abc"})
    assert first.endswith(f"model-package/{group}/1")
    sagemaker = cloud.client("sagemaker", HUB)
    found = sagemaker.describe_model_package(ModelPackageName=second)
    assert (found["ModelPackageVersion"], found["ModelPackageStatus"]) == (2, "Completed")
    assert found["ModelApprovalStatus"] == "PendingManualApproval"
    assert found["CustomerMetadataProperties"] == {"commit": "abc"}
    sagemaker.update_model_package(ModelPackageArn=second, ModelApprovalStatus="Approved", ApprovalDescription="good")
    listed = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    assert [one["ModelPackageArn"] for one in listed["ModelPackageSummaryList"]] == [second]
    event = json.loads(receive(cloud, HUB, url)["Body"])
    assert event["resources"] == [second]
    assert event["detail"]["UpdatedModelPackageFields"] == ["ApprovalDescription", "ModelApprovalStatus"]
    with pytest.raises(ClientError, match="not empty"):
        sagemaker.delete_model_package_group(ModelPackageGroupName=group)


def test_another_account_reads_a_version_where_the_groups_policy_lets_it_in(cloud: EmbeddedCloud) -> None:
    group = make_group(cloud)
    arn = version(cloud, group)
    trusted = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": DEV}, "Action": "sts:AssumeRole"}]})
    rights = statement("sagemaker:DescribeModelPackage", f"arn:aws:sagemaker:{REGION}:{HUB}:model-package/*")
    inside = cloud.client_as("sagemaker", make_role(cloud, DEV, trusted, rights, path="/mlops/"), DEV)
    outside = cloud.client_as("sagemaker", make_role(cloud, DEV, trusted, rights, path="/others/"), DEV)
    with pytest.raises(ClientError, match="AccessDenied"):
        inside.describe_model_package(ModelPackageName=arn)
    let_in(cloud, group, "DescribeModelPackage")
    assert inside.describe_model_package(ModelPackageName=arn)["ModelPackageArn"] == arn
    with pytest.raises(ClientError, match="AccessDenied"):
        outside.describe_model_package(ModelPackageName=arn)


def test_versions_of_a_group_are_listed_by_who_may_see_them(cloud: EmbeddedCloud) -> None:
    """The action's resource is the versions (Service Authorization Reference)."""
    group, other = make_group(cloud), make_group(cloud)
    trusted = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}]})
    versions = f"arn:aws:sagemaker:{REGION}:{HUB}:model-package/{group}/*"
    reader = cloud.client_as(
        "sagemaker", make_role(cloud, HUB, trusted, statement("sagemaker:ListModelPackages", versions)), HUB
    )
    assert reader.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"] == []
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.list_model_packages(ModelPackageGroupName=other)


def test_a_model_of_another_accounts_version_serves_with_the_versions_data(cloud: EmbeddedCloud) -> None:
    bucket = make_bucket(cloud, HUB)
    cloud.client("s3", HUB).put_object(Bucket=bucket, Key="model.tar.gz", Body=model_archive(SCRIPT))
    group = make_group(cloud)
    arn = version(cloud, group, f"s3://{bucket}/model.tar.gz")
    reads = statement("s3:GetObject", f"arn:aws:s3:::{bucket}/*")
    role = make_role(cloud, DEV, service_trust("sagemaker"), reads, path="/mlops/workload/")
    service = make_role(
        cloud,
        DEV,
        service_trust("cloudformation"),
        statement("sagemaker:*", f"arn:aws:sagemaker:{REGION}:{DEV}:*"),
        statement("iam:PassRole", role),
        path="/mlops/",
    )
    variant = {
        "VariantName": "all",
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1,
    }
    resources = {
        "Model": resource(
            "AWS::SageMaker::Model",
            ExecutionRoleArn=role,
            Containers=[{"ModelPackageName": arn, "Environment": {"UNIT": "litres"}}],
        ),
        "Config": resource("AWS::SageMaker::EndpointConfig", ProductionVariants=[variant]),
        "Endpoint": resource(
            "AWS::SageMaker::Endpoint", EndpointConfigName={"Fn::GetAtt": ["Config", "EndpointConfigName"]}
        ),
    }
    outputs = {"Name": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}}
    refused = make(cloud, resources, outputs, role=service)
    assert "not authorized to perform: sagemaker:CreateModel" in reasons(cloud, refused)
    let_in(cloud, group, "CreateModel", "DescribeModelPackage")
    unreadable = make(cloud, resources, outputs, role=service)
    assert "Could not access model data" in reasons(cloud, unreadable), "the bucket's policy is asked too"
    opened = policy(statement("s3:GetObject", f"arn:aws:s3:::{bucket}/*", Condition=WORKLOADS, **TO_DEV))
    cloud.client("s3", HUB).put_bucket_policy(Bucket=bucket, Policy=opened)
    made = make(cloud, resources, outputs, role=service)
    assert made["StackStatus"] == "CREATE_COMPLETE", reasons(cloud, made)
    runtime = cloud.client("sagemaker-runtime", DEV)
    answer = runtime.invoke_endpoint(EndpointName=outputs_of(made)["Name"], Body=b"{}", ContentType="application/json")
    assert json.loads(answer["Body"].read()) == {"y": "litres"}


def test_a_group_of_a_stack_has_its_policy(cloud: EmbeddedCloud) -> None:
    name, stack = unique("wines"), unique("groups")
    arn = f"arn:aws:sagemaker:{REGION}:{HUB}:model-package/{name}/*"
    allowed = json.loads(policy(statement("sagemaker:DescribeModelPackage", arn, **TO_DEV)))
    described = {"ModelPackageGroupName": name, "ModelPackageGroupDescription": "Wines"}
    group = resource("AWS::SageMaker::ModelPackageGroup", **described, ModelPackageGroupPolicy=allowed)
    made = make(cloud, {"G": group}, {"Arn": {"Ref": "G"}}, stack=stack, account=HUB)
    assert outputs_of(made)["Arn"] == f"arn:aws:sagemaker:{REGION}:{HUB}:model-package-group/{name}"
    sagemaker = cloud.client("sagemaker", HUB)
    found = sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)["ResourcePolicy"]
    assert json.loads(found) == allowed
    assert sagemaker.describe_model_package_group(ModelPackageGroupName=name)["ModelPackageGroupDescription"] == "Wines"
    without = resource("AWS::SageMaker::ModelPackageGroup", **described)
    make(cloud, {"G": without}, stack=stack, account=HUB, update=True)
    with pytest.raises(ClientError, match="Cannot find resource policy"):
        sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)


CONTENT: dict[str, Any] = {
    "model_overview": {"model_name": "wine", "model_version": 1, "model_artifact": ["s3://bucket/model.tar.gz"]},
    "intended_uses": {"purpose_of_model": "Tells wines apart.", "risk_rating": "Low"},
    "evaluation_details": [
        {
            "name": "holdout",
            "metric_groups": [{"name": "figures", "metric_data": [{"name": "auc", "type": "number", "value": 0.9}]}],
        }
    ],
    "additional_information": {"custom_details": {"team": "wine"}},
}


def test_a_card_has_versions_a_status_and_exports(cloud: EmbeddedCloud) -> None:
    sagemaker, name = cloud.client("sagemaker", HUB), unique("card")
    sagemaker.create_model_card(ModelCardName=name, Content=json.dumps(CONTENT), ModelCardStatus="Draft")
    with pytest.raises(ClientError, match="ConflictException"):
        sagemaker.create_model_card(ModelCardName=name, Content="{}", ModelCardStatus="Draft")
    with pytest.raises(ClientError, match="Exactly one of Content and ModelCardStatus"):
        sagemaker.update_model_card(ModelCardName=name, Content="{}", ModelCardStatus="Approved")
    sagemaker.update_model_card(ModelCardName=name, Content='{"model_overview": {"model_name": "wine 2"}}')
    sagemaker.update_model_card(ModelCardName=name, ModelCardStatus="Approved")
    latest = sagemaker.describe_model_card(ModelCardName=name)
    assert (latest["ModelCardVersion"], latest["ModelCardStatus"]) == (2, "Approved")
    first = sagemaker.describe_model_card(ModelCardName=name, ModelCardVersion=1)
    assert (json.loads(first["Content"]), first["ModelCardStatus"]) == (CONTENT, "Draft")
    versions = sagemaker.list_model_card_versions(ModelCardName=name)["ModelCardVersionSummaryList"]
    assert [one["ModelCardVersion"] for one in versions] == [2, 1]
    bucket = make_bucket(cloud, HUB)
    arn = sagemaker.create_model_card_export_job(
        ModelCardName=name, ModelCardExportJobName="one", OutputConfig={"S3OutputPath": f"s3://{bucket}/exports"}
    )["ModelCardExportJobArn"]
    job = sagemaker.describe_model_card_export_job(ModelCardExportJobArn=arn)
    assert (job["Status"], job["ModelCardVersion"]) == ("Completed", 2)
    key = job["ExportArtifacts"]["S3ExportArtifacts"].removeprefix(f"s3://{bucket}/")
    body = cloud.client("s3", HUB).get_object(Bucket=bucket, Key=key)["Body"].read()
    assert body.startswith(b"%PDF-")
    sagemaker.update_model_card(ModelCardName=name, ModelCardStatus="Archived")
    with pytest.raises(ClientError, match="Model Card is in Archived state"):
        sagemaker.update_model_card(ModelCardName=name, Content="{}")
    sagemaker.delete_model_card(ModelCardName=name)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.describe_model_card(ModelCardName=name)


WRONG_CARDS = [
    pytest.param("{", "Draft", "not valid JSON", id="not JSON"),
    pytest.param('{"overview": {}}', "Draft", "#: extraneous key \\[overview\\]", id="an unknown part"),
    pytest.param(
        '{"intended_uses": {"risk_rating": "Huge"}}', "Draft", "Huge is not a valid enum value", id="an unknown rating"
    ),
    pytest.param(
        '{"model_overview": {"model_version": "1"}}', "Draft", "expected type: Number, found: String", id="a wrong type"
    ),
    pytest.param('{"evaluation_details": [{}]}', "Draft", "required key \\[name\\]", id="an evaluation without a name"),
    pytest.param("{}", "Ready", "enum value set", id="an unknown status"),
]


@pytest.mark.parametrize(("content", "status", "words"), WRONG_CARDS)
def test_a_wrong_card_is_refused(cloud: EmbeddedCloud, content: str, status: Any, words: str) -> None:
    with pytest.raises(ClientError, match=words):
        cloud.client("sagemaker", HUB).create_model_card(
            ModelCardName=unique("wrong"), Content=content, ModelCardStatus=status
        )


def test_an_export_needs_the_callers_permission_to_write(cloud: EmbeddedCloud) -> None:
    name, bucket = unique("card"), make_bucket(cloud, HUB)
    cloud.client("sagemaker", HUB).create_model_card(ModelCardName=name, Content="{}", ModelCardStatus="Draft")
    trusted = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}]})
    exporter = make_role(cloud, HUB, trusted, statement("sagemaker:*", "*"))
    sagemaker = cloud.client_as("sagemaker", exporter, HUB)
    arn = sagemaker.create_model_card_export_job(
        ModelCardName=name, ModelCardExportJobName="one", OutputConfig={"S3OutputPath": f"s3://{bucket}/exports"}
    )["ModelCardExportJobArn"]
    job = sagemaker.describe_model_card_export_job(ModelCardExportJobArn=arn)
    assert job["Status"] == "Failed"
    assert "s3:PutObject" in job["FailureReason"]
