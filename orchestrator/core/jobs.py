"""Jobs that releases run: their tokens and names, and where people find them in AWS's consoles.

What makes a start happen once differs by service, so that each attempt to start a job carries the same token and the
same name; ``orchestrator/aws/jobs.py`` says what each service makes of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

RELEASE_TAG = "mlops:release"
"""Tag of an AutoML job: the release that has made it."""

MAX_AUTOML_NAME = 32
"""Characters, CreateAutoMLJobV2 (Amazon SageMaker API Reference)."""

_NAME_HASH = 8

MIN_TOKEN, MAX_TOKEN = 32, 64
"""Characters: StartPipelineExecution wants 32 at least, StartBuild takes as many as one likes."""


class JobKind(StrEnum):
    """What runs a release's job; the words of ``workload.json``."""

    SAGEMAKER_PIPELINE = "sagemaker_pipeline"
    AUTOML_JOB = "automl_job"
    CODEBUILD = "codebuild"


class JobStatus(StrEnum):
    """How a job stands, whatever its service calls it."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    ABSENT = "absent"
    """Its service does not know it: not yet, or not any more."""


@dataclass(frozen=True)
class JobRun:
    """The job that a release runs in one of its stages."""

    kind: JobKind
    arn: str
    """Of the pipeline execution, the AutoML job, or the build."""
    status: JobStatus
    started_at: str
    ended_at: str = ""
    reason: str = ""
    """Why it did not succeed, in its service's words."""


def request_token(release_id: str, stage: str) -> str:
    """The same for every attempt to start the job of this release in this stage; readable in the service's console."""
    whole = f"{release_id}-{stage}-job"
    if len(whole) > MAX_TOKEN:
        digest = _digest(release_id, stage)
        whole = f"{whole[: MAX_TOKEN - len(digest) - 1]}-{digest}"
    return whole.ljust(MIN_TOKEN, "0")


def automl_request(
    document: Mapping[str, Any], inputs: Mapping[str, object], tags: Mapping[str, str], release_id: str, stage: str
) -> dict[str, Any]:
    """CreateAutoMLJobV2's request: the document, with the inputs as members, a name of its own, and the tags.

    The document's AutoMLJobName is a prefix; what follows tells release and stage.
    """
    tagged = {**tags, RELEASE_TAG: release_id}
    given = {tag["Key"]: tag["Value"] for tag in document.get("Tags", [])} | tagged
    return {
        **document,
        **inputs,
        "AutoMLJobName": automl_name(str(document.get("AutoMLJobName", "")), release_id, stage),
        "Tags": [{"Key": name, "Value": value} for name, value in sorted(given.items())],
    }


def automl_name(prefix: str, release_id: str, stage: str) -> str:
    """``<prefix>-<8 hex digits of the release and stage>``, of the characters that SageMaker takes."""
    readable = re.sub(r"[^A-Za-z0-9-]+", "-", prefix).strip("-") or "release"
    return f"{readable[: MAX_AUTOML_NAME - _NAME_HASH - 1].rstrip('-')}-{_digest(release_id, stage)}"


_SERVICES = {
    JobKind.SAGEMAKER_PIPELINE: "a SageMaker pipeline",
    JobKind.AUTOML_JOB: "a SageMaker Autopilot job",
    JobKind.CODEBUILD: "a CodeBuild build",
}


def job_to_come(kind: JobKind, stage: str) -> str:
    """What a stage runs once it is deployed, as a sentence."""
    return f"Once it is deployed, its job runs in {stage}: {_SERVICES[kind]}."


def job_name(arn: str) -> str:
    """What people call a job: the execution of a pipeline, the name of an AutoML job, a build with its project."""
    resource = arn.split(":", 5)[-1]
    return re.sub(r"^(pipeline|automl-job|build)/", "", resource).replace("/execution/", " ")


def _digest(release_id: str, stage: str) -> str:
    return hashlib.sha256(f"{release_id}|{stage}".encode()).hexdigest()[:_NAME_HASH]
