"""Records of a release in every state it can be shown in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.core.installation import Installation
from orchestrator.core.jobs import JobKind, JobRun, JobStatus
from orchestrator.core.messages.facts import Facts
from orchestrator.core.origins import Source, SourceKind
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind
from orchestrator.core.plans import ParameterChange, Plan, ResourceChange
from orchestrator.core.records import (
    Approval,
    ApprovalStatus,
    Release,
    StageRecord,
    StageStatus,
    Status,
    TaskToken,
    Verdict,
    Vote,
)
from tests.fakes.memory_world import BY_ANA, installation

RELEASE_ID = "fraud-detector-0123456789"
ASKED = "2026-03-01T12:00:00.000Z"
EXPIRES = "2026-03-04T12:00:00.000Z"
GIT_ANA = Identity(IdentityKind.GIT, "ana@home.example", verified=False)
UNKNOWN_REQUESTER = UNKNOWN

RESOURCES = (
    ResourceChange("add", "Alarm", "AWS::CloudWatch::Alarm"),
    ResourceChange("modify", "EndpointConfig", "AWS::SageMaker::EndpointConfig", ("KmsKeyId",)),
    ResourceChange("remove", "OldQueue", "AWS::SQS::Queue"),
    ResourceChange("replace", "Endpoint", "AWS::SageMaker::Endpoint", ("EndpointConfigName", "Name")),
)
PARAMETERS = (
    ParameterChange("InferenceInstance", "ml.m5.large", "ml.m5.xlarge"),
    ParameterChange("KmsKeyArn", "", "arn:aws:kms:us-east-1:1:key/1"),
    ParameterChange("New", None, "value"),
    ParameterChange("Gone", "value", None),
    ParameterChange("Password", "****", "****"),
)


def release(status: Status = Status.AWAITING_APPROVAL, stage: str = "staging", **changes: Any) -> Release:
    """A release of three stages, asked for by Ana."""
    known = Release(
        release_id=RELEASE_ID,
        workload="fraud-detector",
        workload_type="byom_realtime_builtin",
        status=status,
        source=Source(SourceKind.S3, "assets", "fraud/mlops-config.json", "v7"),
        requester=BY_ANA,
        created_at=ASKED,
        updated_at=ASKED,
        stages=("dev", "staging", "prod"),
        stage=stage,
        stack_name="mlops-pipeline-fraud-detector",
        description="Retrained on February's data.",
    )
    return replace(known, **changes)


def plan(resources: Sequence[ResourceChange] = RESOURCES, parameters: Sequence[ParameterChange] = PARAMETERS) -> Plan:
    """A plan of staging."""
    return Plan(
        change_set_arn="arn:aws:cloudformation:us-east-1:3:changeSet/r-1/1",
        stack_id="arn:aws:cloudformation:us-east-1:3:stack/s/1",
        stack_name="mlops-pipeline-fraud-detector",
        digest=hashlib.sha256(b"plan").hexdigest(),
        creates_stack=False,
        empty=False,
        resources=tuple(resources),
        parameters=tuple(parameters),
    )


def approval(status: ApprovalStatus = ApprovalStatus.PENDING, votes: Sequence[Vote] = (), **changes: Any) -> Approval:
    """The question about staging's plan."""
    known = Approval(
        approval_id="0123456789abcdef0123",
        release_id=RELEASE_ID,
        stage="staging",
        digest=plan().digest,
        status=status,
        asked_at=ASKED,
        expires_at=EXPIRES,
        token=TaskToken("a-token-that-must-never-be-seen"),
        votes=tuple(votes),
    )
    return replace(known, **changes)


def vote(who: str = "Ben Okafor", verdict: Verdict = Verdict.APPROVE, reason: str = "", via: str = "slack") -> Vote:
    """A vote of Ben's, or of somebody who shows as ``who``."""
    return Vote("ben@example.com", who, verdict, "2026-03-01T13:00:00.000Z", reason, via)


def stage(name: str, status: StageStatus, **changes: Any) -> StageRecord:
    """A stage's record."""
    return StageRecord(RELEASE_ID, name, status, ASKED, attempt=1, **changes)


def facts(
    of: Release | None = None,
    question: Approval | None = None,
    planned: Plan | None = None,
    stages: Mapping[str, StageRecord] | None = None,
    setting: Installation | None = None,
) -> Facts:
    """A release that waits for staging, unless told otherwise."""
    asked = question or approval()
    known = {
        "dev": stage("dev", StageStatus.VERIFIED, outputs=(("EndpointName", "fraud-dev"),)),
        "staging": stage(
            "staging", StageStatus.AWAITING_APPROVAL, plan=planned or plan(), approval_id=asked.approval_id
        ),
    }
    return Facts(
        of or release(),
        setting or installation(),
        known if stages is None else dict(stages),
        {asked.approval_id: asked},
    )


def ended(status: Status, **changes: Any) -> Facts:
    """A release that has ended in staging."""
    question = {
        Status.REJECTED: approval(ApprovalStatus.REJECTED, [vote(verdict=Verdict.REJECT, reason="Recall too low.")]),
        Status.EXPIRED: approval(ApprovalStatus.EXPIRED),
        Status.SUPERSEDED: approval(ApprovalStatus.SUPERSEDED),
    }.get(status, approval(ApprovalStatus.APPROVED, [vote()]))
    return facts(release(status, **changes), question)


EXECUTION = "arn:aws:sagemaker:us-east-1:333333333333:pipeline/mlops-pipeline-fraud/execution/a1b2c3d4e5f6"


def job(status: JobStatus = JobStatus.RUNNING, **changes: Any) -> JobRun:
    """A pipeline's execution that has taken seven minutes, if it has ended."""
    ended_at = "" if status is JobStatus.RUNNING else "2026-03-01T12:07:10.000Z"
    return replace(JobRun(JobKind.SAGEMAKER_PIPELINE, EXECUTION, status, ASKED, ended_at), **changes)


def with_job(of: Release, run: JobRun, status: StageStatus = StageStatus.DEPLOYED) -> Facts:
    """A release whose job in staging stands so; that of dev has succeeded."""
    dev = stage("dev", StageStatus.VERIFIED, job=job(JobStatus.SUCCEEDED, ended_at="2026-03-01T12:00:09.400Z"))
    return facts(of, stages={"dev": dev, "staging": stage("staging", status, job=run)})


def every_state() -> dict[str, Facts]:
    """One of each, by name."""
    reached = {
        name: stage(name, StageStatus.VERIFIED, outputs=(("EndpointName", f"fraud-{name}"), ("ModelName", "m")))
        for name in ("dev", "staging", "prod")
    }
    return {
        **{f"{status}": facts(release(status), stages={}) for status in Status if not status.ended},
        "waiting": facts(),
        "waiting with a vote": facts(question=approval(votes=[vote()])),
        "waiting, unknown requester": facts(release(requester=UNKNOWN_REQUESTER)),
        "decided, not moved on yet": facts(question=approval(ApprovalStatus.APPROVED, [vote()])),
        "succeeded": facts(release(Status.SUCCEEDED, "prod"), approval(ApprovalStatus.APPROVED), stages=reached),
        "unchanged": facts(
            release(Status.UNCHANGED, "", reason="The same content is live already, since release x."), stages={}
        ),
        "rejected": ended(Status.REJECTED, reason="Recall too low.", ended_by="Ben Okafor"),
        "expired": ended(Status.EXPIRED, reason="Nobody decided about staging in time."),
        "superseded": ended(Status.SUPERSEDED, ended_by="fraud-detector-9876543210", reason="x took over."),
        "failed": ended(Status.FAILED, reason="Endpoint (AWS::SageMaker::Endpoint): no capacity for ml.m5.xlarge"),
        "waiting, with a job to come": facts(release(job=JobKind.AUTOML_JOB)),
        "job running": with_job(release(Status.DEPLOYING), job()),
        "job failed": with_job(
            release(Status.FAILED, reason="Train: AlgorithmError: the label has one class only"),
            job(JobStatus.FAILED),
            StageStatus.FAILED,
        ),
        "job stopped": with_job(
            release(Status.FAILED, reason="the job was stopped"), job(JobStatus.STOPPED), StageStatus.FAILED
        ),
        "refused": facts(
            release(
                Status.REFUSED,
                "",
                workload="fraud/mlops-config.json",
                workload_type="",
                stages=(),
                description="",
                problems=('$.model_name: is missing. Add "model_name".', "$.colour: is unknown."),
                reason="The configuration has problems; nothing was deployed.",
            ),
            stages={},
        ),
    }
