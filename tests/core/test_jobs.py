"""Tokens and names of jobs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.jobs import automl_name, automl_request, job_name, request_token

EXECUTION = "arn:aws:sagemaker:us-east-1:222222222222:pipeline/fraud/execution/a1b2c3d4e5f6"
AUTOML = "arn:aws-us-gov:sagemaker:us-gov-west-1:222222222222:automl-job/churn-0a1b2c3d"
BUILD = "arn:aws-cn:codebuild:cn-north-1:222222222222:build/images:8745a7a9-c340"
RELEASE = "fraud-detector-realtime-0123456789"


@pytest.mark.parametrize("release_id", ["a-0123456789", RELEASE, "m" * 51])
@pytest.mark.parametrize("stage", ["dev", "staging", "orchestrator"])
def test_a_request_token_is_one_that_every_service_takes(release_id: str, stage: str) -> None:
    token = request_token(release_id, stage)
    assert 32 <= len(token) <= 64
    assert re.fullmatch(r"[A-Za-z0-9-]+", token)
    assert token != request_token(release_id, "prod")
    assert token == request_token(release_id, stage)


@given(st.text(max_size=80))
def test_the_name_of_an_automl_job_is_one_that_sagemaker_takes(prefix: str) -> None:
    """CreateAutoMLJobV2: 32 characters of a pattern, which the reference writes as here."""
    name = automl_name(prefix, RELEASE, "orchestrator")
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}", name), name
    assert len(name) <= 32


def test_the_name_tells_release_and_stage_apart() -> None:
    names = {automl_name("churn", release, stage) for release in ("r1", "r2") for stage in ("dev", "prod")}
    assert len(names) == 4
    assert automl_name("churn", "r1", "dev") == automl_name("churn", "r1", "dev")
    assert all(name.startswith("churn-") for name in names)


def test_the_inputs_go_before_the_documents_members() -> None:
    request = automl_request({"AutoMLJobName": "churn", "RoleArn": "old"}, {"RoleArn": "new"}, {}, "r1", "dev")
    assert request == {
        "AutoMLJobName": automl_name("churn", "r1", "dev"),
        "RoleArn": "new",
        "Tags": [{"Key": "mlops:release", "Value": "r1"}],
    }


@pytest.mark.parametrize(
    ("arn", "name"),
    [(EXECUTION, "fraud a1b2c3d4e5f6"), (AUTOML, "churn-0a1b2c3d"), (BUILD, "images:8745a7a9-c340")],
)
def test_what_people_call_a_job(arn: str, name: str) -> None:
    assert job_name(arn) == name
