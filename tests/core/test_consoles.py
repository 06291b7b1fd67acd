"""Where the AWS console shows things, in each partition."""

from __future__ import annotations

import pytest

from orchestrator.core.consoles import commit_page, job_page, pipeline_page
from orchestrator.core.jobs import JobKind

EXECUTION = "arn:aws:sagemaker:us-east-1:222222222222:pipeline/fraud/execution/a1b2c3d4e5f6"
AUTOML = "arn:aws-us-gov:sagemaker:us-gov-west-1:222222222222:automl-job/churn-0a1b2c3d"
BUILD = "arn:aws-cn:codebuild:cn-north-1:222222222222:build/images:8745a7a9-c340"


@pytest.mark.parametrize(
    ("kind", "arn", "link"),
    [
        (
            JobKind.SAGEMAKER_PIPELINE,
            EXECUTION,
            "https://us-east-1.console.aws.amazon.com/sagemaker/home?region=us-east-1#/studio-landing",
        ),
        (
            JobKind.AUTOML_JOB,
            AUTOML,
            "https://us-gov-west-1.console.amazonaws-us-gov.com/sagemaker/home?region=us-gov-west-1#/studio-landing",
        ),
        (
            JobKind.CODEBUILD,
            BUILD,
            "https://cn-north-1.console.amazonaws.cn/codesuite/codebuild/222222222222/projects/images/build/"
            "images%3A8745a7a9-c340/?region=cn-north-1",
        ),
    ],
)
def test_a_job(kind: JobKind, arn: str, link: str) -> None:
    assert job_page(kind, arn) == link


@pytest.mark.parametrize(
    ("partition", "host"),
    [
        ("aws", "console.aws.amazon.com"),
        ("aws-us-gov", "console.amazonaws-us-gov.com"),
        ("aws-cn", "console.amazonaws.cn"),
    ],
)
def test_a_commit_and_a_pipeline(partition: str, host: str) -> None:
    place = f"https://eu-west-1.{host}/codesuite"
    commit = f"{place}/codecommit/repositories/models/commit/0123abcd?region=eu-west-1"
    assert commit_page(partition, "eu-west-1", "models", "0123abcd") == commit
    pipeline = f"{place}/codepipeline/pipelines/mlops-deploy-fraud/view?region=eu-west-1"
    assert pipeline_page(partition, "eu-west-1", "mlops-deploy-fraud") == pipeline


def test_a_partition_whose_console_is_not_known_has_no_pages() -> None:
    assert commit_page("aws-iso", "us-iso-east-1", "models", "0123abcd") == ""
    assert pipeline_page("aws-iso", "us-iso-east-1", "mlops-deploy-fraud") == ""
