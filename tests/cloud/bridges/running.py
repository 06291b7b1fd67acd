"""Pipelines, roles and data for tests of jobs that run."""

from __future__ import annotations

import json
from typing import Any

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import (
    DEV,
    REGION,
    eventually,
    make_bucket,
    make_role,
    model_archive,
    receive,
    service_trust,
    statement,
    unique,
    watch_events,
)

BUILT_IN = f"683313688378.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:1.7-1"
"""An image of AWS's own: its account is none of this cloud's."""

CREATES = [
    f"sagemaker:{verb}{noun}"
    for verb in ("Create", "Describe", "Stop")
    for noun in ("TrainingJob", "HyperParameterTuningJob", "TransformJob", "ProcessingJob")
]
PULLS = [
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchGetImage",
]

TRIPLER = """
def model_fn(model_dir):
    return 3

def input_fn(body, content_type):
    assert content_type == "text/csv", content_type
    return [[float(cell) for cell in line.split(",")] for line in body.splitlines() if line]

def predict_fn(rows, factor):
    if any(row[0] < 0 for row in rows):
        raise ValueError("no negative numbers")
    return [row[0] * factor for row in rows]

def output_fn(values, accept):
    return "\\n".join(str(value) for value in values) + "\\n", "text/csv"
"""


class Workplace:
    """A bucket in dev, a role for jobs and a role for pipelines."""

    def __init__(self, cloud: EmbeddedCloud) -> None:
        self.cloud = cloud
        self.bucket = make_bucket(cloud, DEV)
        self.sagemaker = cloud.client("sagemaker", DEV)
        everything = f"arn:aws:s3:::{self.bucket}"
        self.data_statements = [
            statement(["s3:GetObject", "s3:PutObject"], f"{everything}/*"),
            statement("s3:ListBucket", everything),
            statement(PULLS, "*"),
        ]
        self.job_role = self.role(*self.data_statements)
        self.pipeline_role = self.role(
            statement([*CREATES, "sagemaker:AddTags"], "*"),
            statement("iam:PassRole", self.job_role),
        )

    def role(self, *statements: dict[str, Any]) -> str:
        """A workload's role with these statements."""
        return make_role(self.cloud, DEV, service_trust("sagemaker"), *statements, path="/mlops/workload/")

    def put(self, key: str, data: bytes | str) -> str:
        """An object; its URI."""
        body = data.encode() if isinstance(data, str) else data
        self.cloud.client("s3", DEV).put_object(Bucket=self.bucket, Key=key, Body=body)
        return self.uri(key)

    def uri(self, key: str) -> str:
        """``s3://bucket/key``."""
        return f"s3://{self.bucket}/{key}"

    def get(self, uri: str) -> bytes:
        """An object's bytes."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        found: bytes = self.cloud.client("s3", DEV).get_object(Bucket=bucket, Key=key)["Body"].read()
        return found

    def json(self, uri: str) -> Any:
        """A JSON object's content."""
        return json.loads(self.get(uri))

    def keys(self, prefix: str = "") -> list[str]:
        """Keys below a prefix."""
        found = self.cloud.client("s3", DEV).list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", [])]

    def model(self, script: str = TRIPLER, role: str = "") -> str:
        """A model record that serves a script; its name."""
        url = self.put(f"models/{unique('model')}/model.tar.gz", model_archive(script))
        name = unique("served")
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=role or self.job_role,
            PrimaryContainer={"Image": BUILT_IN, "ModelDataUrl": url},
        )
        return name

    def pipeline(self, *steps: dict[str, Any], parameters: list[dict[str, Any]] | None = None, role: str = "") -> str:
        """A pipeline with these steps; its name."""
        name = unique("pipeline")
        definition = {"Version": "2020-12-01", "Parameters": parameters or [], "Steps": list(steps)}
        self.sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=json.dumps(definition),
            RoleArn=role or self.pipeline_role,
            ClientRequestToken="t" * 32,
        )
        return name

    def start(self, pipeline: str, **more: Any) -> str:
        """Start a pipeline; the execution's ARN."""
        arn: str = self.sagemaker.start_pipeline_execution(PipelineName=pipeline, **more)["PipelineExecutionArn"]
        return arn

    def ended(self, execution: str) -> dict[str, Any]:
        """An execution's description once it has ended."""

        def found() -> dict[str, Any]:
            answer: dict[str, Any] = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
            return {} if answer["PipelineExecutionStatus"] in {"Executing", "Stopping"} else answer

        return eventually(found, 90)

    def run(self, *steps: dict[str, Any], **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Run these steps to their end: the execution, and its steps, oldest first."""
        execution = self.start(self.pipeline(*steps, **more))
        return self.ended(execution), self.steps(execution)

    def steps(self, execution: str) -> list[dict[str, Any]]:
        """An execution's steps, oldest first."""
        found: list[dict[str, Any]] = self.sagemaker.list_pipeline_execution_steps(
            PipelineExecutionArn=execution, SortOrder="Ascending"
        )["PipelineExecutionSteps"]
        return found

    def watch(self, detail_type: str) -> str:
        """A queue with the events of a type; its URL."""
        return watch_events(self.cloud, DEV, {"source": ["aws.sagemaker"], "detail-type": [detail_type]})

    def event(self, url: str) -> dict[str, Any]:
        """The next event of a queue."""
        found: dict[str, Any] = json.loads(receive(self.cloud, DEV, url)["Body"])
        return found


def job_name(step: dict[str, Any]) -> str:
    """The name of the job that a step made."""
    (made,) = step["Metadata"].values()
    arn: str = made["Arn"]
    return arn.rpartition("/")[2]


def transform(model: Any, source: Any, target: Any, **more: Any) -> dict[str, Any]:
    """A transform step: lines of CSV in and out."""
    arguments = {
        "ModelName": model,
        "BatchStrategy": "MultiRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": target, "Accept": "text/csv", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **more,
    }
    return {"Name": "Transform", "Type": "Transform", "Arguments": arguments}
