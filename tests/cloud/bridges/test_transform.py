"""Batch transform: the model's own container predicts, under the permissions of the model's role."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import DEV, HUB, eventually, make_bucket, model_archive, statement, unique, watch_events
from tests.cloud.bridges.running import BUILT_IN, PULLS, TRIPLER, Workplace, job_name, transform

pytestmark = pytest.mark.cloud


@pytest.fixture
def place(cloud: EmbeddedCloud) -> Workplace:
    return Workplace(cloud)


def test_every_object_below_the_prefix_is_predicted_into_an_out_file(place: Workplace) -> None:
    place.put("data/one.csv", "1,9\n2,9\n")
    place.put("data/deep/two.csv", "5,9\n")
    execution, steps = place.run(transform(place.model(), place.uri("data/"), place.uri("out")))
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    assert sorted(place.keys("out/")) == ["out/deep/two.csv.out", "out/one.csv.out"]
    assert place.get(place.uri("out/one.csv.out")) == b"3.0\n6.0\n"
    assert place.get(place.uri("out/deep/two.csv.out")) == b"15.0\n"
    job = place.sagemaker.describe_transform_job(TransformJobName=job_name(steps[0]))
    assert (job["TransformJobStatus"], job["TransformInput"]["SplitType"]) == ("Completed", "Line")


def test_one_object_goes_right_below_the_output(place: Workplace) -> None:
    source = place.put("data/one.csv", "1\n2\n3\n")
    place.run(transform(place.model(), source, place.uri("out/"), BatchStrategy="SingleRecord"))
    assert place.get(place.uri("out/one.csv.out")) == b"3.0\n6.0\n9.0\n"


def test_compressed_input_is_unpacked(place: Workplace) -> None:
    source = place.put("data/one.csv.gz", gzip.compress(b"4\n"))
    step = transform(place.model(), source, place.uri("out"))
    step["Arguments"]["TransformInput"]["CompressionType"] = "Gzip"
    place.run(step)
    assert place.get(place.uri("out/one.csv.gz.out")) == b"12.0\n"


REFUSALS = [
    pytest.param("data/absent.csv", "*", "1\n", 'No S3 objects found under S3 URL "s3://', id="no input"),
    pytest.param("data/one.csv", "models/*", "1\n", "Access denied to s3://", id="role may not read"),
    pytest.param("data/one.csv", "*", "-1\n", "Bad HTTP status received from algorithm: 500", id="model refuses"),
]


@pytest.mark.parametrize(("key", "readable", "data", "reason"), REFUSALS)
def test_what_cannot_be_predicted_fails_the_job_with_its_reason(
    place: Workplace, key: str, readable: str, data: str, reason: str
) -> None:
    place.put("data/one.csv", data)
    arn = f"arn:aws:s3:::{place.bucket}"
    role = place.role(
        statement(["s3:GetObject"], f"{arn}/{readable}"),
        statement("s3:PutObject", f"{arn}/*"),
        statement("s3:ListBucket", arn),
        statement(PULLS, "*"),
    )
    execution, steps = place.run(transform(place.model(role=role), place.uri(key), place.uri("out")))
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert reason in steps[0]["FailureReason"]
    job = place.sagemaker.describe_transform_job(TransformJobName=job_name(steps[0]))
    assert (job["TransformJobStatus"], reason in job["FailureReason"]) == ("Failed", True)
    assert place.keys("out/") == []


def test_input_in_another_account_needs_the_buckets_policy(place: Workplace) -> None:
    bucket = make_bucket(place.cloud, HUB)
    s3, arn = place.cloud.client("s3", HUB), f"arn:aws:s3:::{bucket}"
    s3.put_object(Bucket=bucket, Key="in/one.csv", Body=b"2\n")
    foreign = [statement("s3:GetObject", f"{arn}/*"), statement("s3:ListBucket", arn)]
    step = transform(
        place.model(role=place.role(*place.data_statements, *foreign)), f"s3://{bucket}/in/", place.uri("out")
    )
    assert "No S3 objects found" in place.run(step)[1][0]["FailureReason"]
    within = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{DEV}:role/mlops/workload/*"}}
    allowed = [{**each, "Principal": {"AWS": f"arn:aws:iam::{DEV}:root"}, "Condition": within} for each in foreign]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": allowed}))
    assert place.run(step)[0]["PipelineExecutionStatus"] == "Succeeded"
    assert place.get(place.uri("out/one.csv.out")) == b"6.0\n"


def test_input_under_a_key_needs_the_key(place: Workplace) -> None:
    key = place.cloud.client("kms", DEV).create_key()["KeyMetadata"]["Arn"]
    place.cloud.client("s3", DEV).put_object(
        Bucket=place.bucket, Key="data/one.csv", Body=b"2\n", ServerSideEncryption="aws:kms", SSEKMSKeyId=key
    )
    source = place.uri("data/one.csv")
    assert "kms:Decrypt" in place.run(transform(place.model(), source, place.uri("out")))[1][0]["FailureReason"]
    reader = place.role(*place.data_statements, statement("kms:Decrypt", key))
    execution, _ = place.run(transform(place.model(role=reader), source, place.uri("out")))
    assert execution["PipelineExecutionStatus"] == "Succeeded"


def test_a_manifest_names_the_objects(place: Workplace) -> None:
    place.put("data/one.csv", "1\n")
    place.put("data/two.csv", "2\n")
    source = place.put("manifest.json", json.dumps([{"prefix": place.uri("data/")}, "two.csv"]))
    step = transform(place.model(), source, place.uri("out"))
    step["Arguments"]["TransformInput"]["DataSource"]["S3DataSource"]["S3DataType"] = "ManifestFile"
    place.run(step)
    assert place.keys("out/") == ["out/two.csv.out"]


def test_a_version_of_the_registry_predicts(place: Workplace) -> None:
    group, model = unique("group"), unique("registered")
    url = place.put("models/model.tar.gz", model_archive(TRIPLER))
    place.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    content = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
    version = place.sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification={"Containers": [{"Image": BUILT_IN, "ModelDataUrl": url}], **content},
        ModelApprovalStatus="Approved",
    )["ModelPackageArn"]
    place.sagemaker.create_model(
        ModelName=model, ExecutionRoleArn=place.job_role, PrimaryContainer={"ModelPackageName": version}
    )
    place.run(transform(model, place.put("data/one.csv", "3\n"), place.uri("out")))
    assert place.get(place.uri("out/one.csv.out")) == b"9.0\n"


def test_what_a_job_writes_is_told_as_any_upload(place: Workplace) -> None:
    enabled: Any = {"EventBridgeConfiguration": {}}
    s3 = place.cloud.client("s3", DEV)
    s3.put_bucket_notification_configuration(Bucket=place.bucket, NotificationConfiguration=enabled)
    source = place.put("data/one.csv", "1\n")
    pattern = {"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "out/"}]}}}
    url = watch_events(place.cloud, DEV, pattern)
    place.run(transform(place.model(), source, place.uri("out")))
    detail = place.event(url)["detail"]
    assert (detail["bucket"]["name"], detail["object"]["key"]) == (place.bucket, "out/one.csv.out")
    assert detail["object"]["version-id"]


def test_a_job_keeps_its_tags(place: Workplace) -> None:
    source = place.put("data/one.csv", "1\n")
    tags = [{"Key": "mlops:release", "Value": "r-1"}]
    _, steps = place.run(transform(place.model(), source, place.uri("out"), Tags=tags))
    assert place.sagemaker.list_tags(ResourceArn=steps[0]["Metadata"]["TransformJob"]["Arn"])["Tags"] == tags


def test_a_model_that_does_not_start_fails_the_job(place: Workplace) -> None:
    source = place.put("data/one.csv", "1\n")
    _, steps = place.run(transform(place.model("raise OSError('no weights')"), source, place.uri("out")))
    assert "no weights" in steps[0]["FailureReason"]


def test_an_output_that_may_not_be_written_fails_the_job(place: Workplace) -> None:
    source = place.put("data/one.csv", "1\n")
    arn = f"arn:aws:s3:::{place.bucket}"
    role = place.role(statement("s3:GetObject", f"{arn}/*"), statement("s3:ListBucket", arn), statement(PULLS, "*"))
    _, steps = place.run(transform(place.model(role=role), source, place.uri("out")))
    assert "Failed to upload data. Access denied" in steps[0]["FailureReason"]


WRONG: list[Any] = [
    pytest.param({"BatchStrategy": "Some"}, "enum value set: \\[MultiRecord, SingleRecord\\]", id="enumeration"),
    pytest.param({"MaxPayloadInMB": 101}, "must not exceed 100 MB", id="payload"),
    pytest.param({"ModelName": "absent"}, "Could not find model", id="no model"),
    pytest.param({"TransformJobName": "under_score"}, "regular expression pattern", id="name"),
]


@pytest.mark.parametrize(("changes", "words"), WRONG)
def test_a_wrong_request_is_refused_in_the_apis_words(place: Workplace, changes: dict[str, Any], words: str) -> None:
    source = place.put("data/one.csv", "1\n")
    arguments = transform(place.model(), source, place.uri("out"), TransformJobName=unique("job"))["Arguments"]
    with pytest.raises(ClientError, match=words):
        place.sagemaker.create_transform_job(**arguments | changes)


def test_what_only_the_start_knows_fails_the_step_in_the_apis_words(place: Workplace) -> None:
    step = transform(place.model(), place.put("data/one.csv", "1\n"), place.uri("out"))
    step["Arguments"]["BatchStrategy"] = {"Get": "Parameters.Strategy"}
    parameters = [{"Name": "Strategy", "Type": "String", "DefaultValue": "Some"}]
    _, steps = place.run(step, parameters=parameters)
    assert "Failed to invoke sagemaker:CreateTransformJob" in steps[0]["FailureReason"]
    assert "enum value set: [MultiRecord, SingleRecord]" in steps[0]["FailureReason"]


def test_a_job_of_its_own_is_made_once_and_can_be_stopped(place: Workplace) -> None:
    source = place.put("data/one.csv", "1\n")
    request = transform(place.model(), source, place.uri("out"))["Arguments"] | {"TransformJobName": unique("alone")}
    place.cloud.jobs(hold=True)
    try:
        place.sagemaker.create_transform_job(**request)
        with pytest.raises(ClientError, match="ResourceInUse"):
            place.sagemaker.create_transform_job(**request)
        place.sagemaker.stop_transform_job(TransformJobName=request["TransformJobName"])
    finally:
        place.cloud.jobs(hold=False)

    def stopped() -> bool:
        job = place.sagemaker.describe_transform_job(TransformJobName=request["TransformJobName"])
        return str(job["TransformJobStatus"]) == "Stopped"

    assert eventually(stopped)
    assert place.cloud.client("sagemaker", DEV).list_transform_jobs(StatusEquals="Stopped")["TransformJobSummaries"]
