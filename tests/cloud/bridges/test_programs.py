"""Processing jobs with a Python program of their own, which runs with the job's files and as the job's role."""

from __future__ import annotations

from typing import Any

import pytest

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import REGION, statement
from tests.cloud.bridges.running import CREATES, Workplace

pytestmark = pytest.mark.cloud

SCIKIT_LEARN = f"683313688378.dkr.ecr.{REGION}.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"

COUNT = [
    "import os, pathlib, sys",
    "import boto3",
    "place = pathlib.Path('/opt/ml/processing')",
    "who = boto3.client('sts').get_caller_identity()['Arn']",
    "lines = (place / 'input/numbers/n.csv').read_text().split()",
    "target = place / 'output/deep/count.txt'",
    "target.parent.mkdir()",
    'target.write_text(f\'{sys.argv[1]} {len(lines)} {os.environ["KIND"]} {who.split("/")[1]}\')',
]
REFUSE = [
    "import pathlib, sys",
    "message = pathlib.Path('/opt/ml/output/message')",
    "message.parent.mkdir()",
    "message.write_text('no numbers here')",
    "sys.exit(3)",
]
ASK = ["import boto3", "boto3.client('sagemaker').describe_endpoint(EndpointName='prices')"]


@pytest.fixture
def place(cloud: EmbeddedCloud) -> Workplace:
    return Workplace(cloud)


def step(place: Workplace, program: list[str], image: str = SCIKIT_LEARN, role: str = "") -> dict[str, Any]:
    """A step that runs the lines of a program."""
    numbers = place.put("data/n.csv", "1\n2\n3\n")
    return {
        "Name": "Run",
        "Type": "Processing",
        "Arguments": {
            "RoleArn": role or place.job_role,
            "AppSpecification": {
                "ImageUri": image,
                "ContainerEntrypoint": ["python3", "-c", "import sys; exec(chr(10).join(sys.argv[2:]))", "numbers:"],
                "ContainerArguments": program,
            },
            "Environment": {"KIND": "plain", "AWS_DEFAULT_REGION": REGION},
            "ProcessingInputs": [
                {
                    "InputName": "numbers",
                    "S3Input": {
                        "S3Uri": numbers,
                        "LocalPath": "/opt/ml/processing/input/numbers",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "result",
                        "S3Output": {
                            "S3Uri": place.uri("result"),
                            "LocalPath": "/opt/ml/processing/output",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
            },
        },
    }


def test_a_program_reads_its_inputs_and_leaves_its_outputs_as_the_jobs_role(place: Workplace) -> None:
    execution, steps = place.run(step(place, COUNT))
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    role = place.job_role.rpartition("/")[2]
    assert place.get(place.uri("result/deep/count.txt")).decode() == f"numbers: 3 plain {role}"


def test_a_program_that_fails_says_why(place: Workplace) -> None:
    execution, steps = place.run(step(place, REFUSE))
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "AlgorithmError: no numbers here, exit code: 3" in steps[0]["FailureReason"]
    assert place.keys("result") == []


def test_a_program_may_do_what_the_jobs_role_may(place: Workplace) -> None:
    _, steps = place.run(step(place, ASK))
    assert "is not authorized to perform: sagemaker:DescribeEndpoint" in steps[0]["FailureReason"]

    role = place.role(*place.data_statements, statement("sagemaker:DescribeEndpoint", "*"))
    place.pipeline_role = place.role(statement([*CREATES, "sagemaker:AddTags"], "*"), statement("iam:PassRole", role))
    _, steps = place.run(step(place, ASK, role=role))
    assert "Could not find endpoint" in steps[0]["FailureReason"]


def test_another_image_is_not_run(place: Workplace) -> None:
    execution, _ = place.run(step(place, COUNT, image=f"683313688378.dkr.ecr.{REGION}.amazonaws.com/another:1"))
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert place.keys("result") == ["result/NOT-RUN.txt"]
