"""AWS's events, parsed once into types.

The constants here feed both the EventBridge rules of the stacks and the guards in front of the parsers, so a rule
cannot match what its function does not understand. An event is a hint: whoever acts on a status event describes the
thing itself first.

Sources: "EventBridge object-level events" of the Amazon S3 User Guide (keys are *not* URL-encoded there);
"CloudFormation stack status change event" of the AWS CloudFormation User Guide; "SageMaker Model Building Pipeline
Execution Status Change" of the Amazon SageMaker Developer Guide; "Build notifications input format reference" of the
AWS CodeBuild User Guide; "SageMaker model package state change" of the Amazon SageMaker Developer Guide (its
``UpdatedModelPackageFields`` comes with every change, and is missing in the guide's example); "Monitoring CodeCommit
events in Amazon EventBridge and Amazon CloudWatch Events" of the AWS CodeCommit User Guide (``callerUserArn`` of a
push is in the event's schema, not in the guide's examples); "Automating Step Functions event delivery with
EventBridge" of the AWS Step Functions Developer Guide. AWS documents no event of AutoML jobs:
``AUTOML_STATUS_CHANGE`` is what they are said to send, in the likeness of SageMaker's other jobs. Where none comes,
the sweeper's look every minute settles the wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.core.errors import BadRequest, UnversionedObject

CONFIGURATION_NAME = "mlops-config.json"

S3_SOURCE = "aws.s3"
S3_OBJECT_CREATED = "Object Created"
CLOUDFORMATION_SOURCE = "aws.cloudformation"
STACK_STATUS_CHANGE = "CloudFormation Stack Status Change"
SAGEMAKER_SOURCE = "aws.sagemaker"
PIPELINE_STATUS_CHANGE = "SageMaker Model Building Pipeline Execution Status Change"
AUTOML_STATUS_CHANGE = "SageMaker AutoML Job State Change"
MODEL_PACKAGE_CHANGE = "SageMaker Model Package State Change"
CODEBUILD_SOURCE = "aws.codebuild"
BUILD_STATUS_CHANGE = "CodeBuild Build State Change"
CODECOMMIT_SOURCE = "aws.codecommit"
CODEPIPELINE_SOURCE = "aws.codepipeline"
EXECUTION_STATE_CHANGE = "CodePipeline Pipeline Execution State Change"
STAGE_STATE_CHANGE = "CodePipeline Stage Execution State Change"
ACTION_STATE_CHANGE = "CodePipeline Action Execution State Change"
REPOSITORY_STATE_CHANGE = "CodeCommit Repository State Change"
STATES_SOURCE = "aws.states"
EXECUTION_STATUS_CHANGE = "Step Functions Execution Status Change"

MANAGED_STACK_PREFIX = "mlops-pipeline-"
"""Stacks of workloads are named ``mlops-pipeline-…``, and so are their pipelines and build projects; stage accounts
forward events of no others."""

PIPELINE_ENDS = ("Succeeded", "Failed", "Stopped")
"""``detail.currentPipelineExecutionStatus`` of a pipeline execution that has ended."""
EXECUTION_ENDS = ("ABANDONED", "CANCELED", "FAILED", "STOPPED", "SUCCEEDED", "SUPERSEDED")
"""``detail.state`` of a CodePipeline execution, of a stage or an action of it, that has ended."""
AUTOML_ENDS = ("Completed", "Failed", "Stopped")
"""``detail.AutoMLJobStatus`` of an AutoML job that has ended."""
PUSHES = ("referenceCreated", "referenceUpdated")
"""``detail.event`` of a repository whose branch has a new commit."""
BRANCH = "branch"
"""``detail.referenceType`` of a branch; the other is ``tag``."""
BUILD_ENDS = ("SUCCEEDED", "FAILED", "FAULT", "TIMED_OUT", "STOPPED")
"""``detail.build-status`` of a build that has ended."""


@dataclass(frozen=True)
class Upload:
    """One version of one object was written to the assets bucket, or to the one of commits' archives."""

    bucket: str
    key: str
    version_id: str
    sequencer: str


@dataclass(frozen=True)
class ModelPackageChanged:
    """Something about a version of a model package is said to have changed: its approval, its status, its metadata."""

    arn: str
    changed: tuple[str, ...] | None
    """Names of what has changed, as of UpdateModelPackage's members; None where the event does not tell."""
    time: str = ""
    """When, as the event has it: ISO 8601 in UTC."""


@dataclass(frozen=True)
class FetchFailed:
    """An execution of a source pipeline is said to have failed."""

    pipeline: str
    execution_id: str


@dataclass(frozen=True)
class StackChanged:
    """A stack in a stage account is said to have changed its status."""

    stack_id: str
    status: str
    request_token: str


@dataclass(frozen=True)
class JobChanged:
    """A job in a stage account is said to have changed its status: a pipeline execution, an AutoML job, a build."""

    arn: str
    status: str
    """In its service's own words."""


@dataclass(frozen=True)
class Push:
    """A reference of a CodeCommit repository was created, moved or deleted."""

    event: str
    """One of ``PUSHES``, ``referenceDeleted``, or what else CodeCommit tells of a repository."""
    repository: str
    reference_type: str
    """``branch`` or ``tag``; empty where the event is of none."""
    reference: str
    """Name of the branch or tag."""
    commit_id: str
    """Empty for a reference that was deleted."""
    old_commit_id: str
    """Where the reference stood before; empty for a new one."""
    caller: str
    """ARN of the principal who pushed: authenticated by IAM. Empty where the event does not tell."""
    time: str
    """When, as the event has it: ISO 8601 in UTC."""


@dataclass(frozen=True)
class PipelineChanged:
    """An execution of a workload's CodePipeline, or a stage or an action of it, is said to have ended."""

    pipeline: str
    execution_id: str


StatusEvent = StackChanged | JobChanged | PipelineChanged


def upload(event: Mapping[str, Any]) -> Upload:
    """Parse an S3 "Object Created" event.

    Raises ``BadRequest`` for another shape and ``UnversionedObject`` where no version id says which bytes are meant.
    """
    bucket, key = place_of(event)
    stored = _mapping(_mapping(event, "detail"), "object", "detail.")
    version_id = stored.get("version-id")
    if not isinstance(version_id, str) or version_id in {"", "null"}:
        raise UnversionedObject(
            f"s3://{bucket}/{key} has no version id. Turn versioning on for the bucket and upload the file again."
        )
    sequencer = stored.get("sequencer")
    return Upload(bucket, key, version_id, sequencer if isinstance(sequencer, str) else "")


def place_of(event: Mapping[str, Any]) -> tuple[str, str]:
    """Bucket and key of an S3 "Object Created" event, with or without a version; raises ``BadRequest``."""
    _expect(event, S3_SOURCE, S3_OBJECT_CREATED)
    detail = _mapping(event, "detail")
    bucket = _text(_mapping(detail, "bucket", "detail."), "name", "detail.bucket.")
    return bucket, _text(_mapping(detail, "object", "detail."), "key", "detail.object.")


def is_configuration(key: str) -> bool:
    """Whether an object or a file of this name is a configuration: an ``mlops-config.json`` in any folder."""
    return key.rsplit("/", 1)[-1] == CONFIGURATION_NAME


def model_package(event: Mapping[str, Any]) -> ModelPackageChanged:
    """Parse a "SageMaker Model Package State Change" event; raises ``BadRequest`` for another shape."""
    _expect(event, SAGEMAKER_SOURCE, MODEL_PACKAGE_CHANGE)
    detail = _mapping(event, "detail")
    told = detail.get("UpdatedModelPackageFields")
    # An empty list says as little as none: a version that was just made has no field that was updated.
    changed = tuple(str(name) for name in told) if isinstance(told, list) and told else None
    return ModelPackageChanged(_text(detail, "ModelPackageArn", "detail."), changed, _optional(event, "time"))


def bucket_of(event: Mapping[str, Any]) -> str:
    """The bucket of an S3 event; empty where it names none."""
    detail = event.get("detail")
    bucket = detail.get("bucket") if isinstance(detail, Mapping) else None
    return _optional(bucket, "name") if isinstance(bucket, Mapping) else ""


def push(event: Mapping[str, Any]) -> Push:
    """Parse a "CodeCommit Repository State Change" event; raises ``BadRequest`` for another shape."""
    _expect(event, CODECOMMIT_SOURCE, REPOSITORY_STATE_CHANGE)
    detail = _mapping(event, "detail")
    kind = _text(detail, "event", "detail.")
    return Push(
        event=kind,
        repository=_text(detail, "repositoryName", "detail."),
        reference_type=_optional(detail, "referenceType"),
        reference=_optional(detail, "referenceName"),
        commit_id=_text(detail, "commitId", "detail.") if kind in PUSHES else _optional(detail, "commitId"),
        old_commit_id=_optional(detail, "oldCommitId"),
        caller=_optional(detail, "callerUserArn"),
        time=_optional(event, "time"),
    )


def fetch_failed(event: Mapping[str, Any]) -> FetchFailed:
    """Parse a "CodePipeline Pipeline Execution State Change" event; raises ``BadRequest`` for another shape."""
    _expect(event, CODEPIPELINE_SOURCE, EXECUTION_STATE_CHANGE)
    detail = _mapping(event, "detail")
    return FetchFailed(_text(detail, "pipeline", "detail."), _text(detail, "execution-id", "detail."))


def status(event: Mapping[str, Any]) -> StatusEvent:
    """Parse a forwarded status event; raises ``BadRequest`` for any other."""
    detail = _mapping(event, "detail")
    kind = (event.get("source"), event.get("detail-type"))
    if kind == (CLOUDFORMATION_SOURCE, STACK_STATUS_CHANGE):
        details = _mapping(detail, "status-details", "detail.")
        token = detail.get("client-request-token")
        return StackChanged(
            _text(detail, "stack-id", "detail."),
            _text(details, "status", "detail.status-details."),
            token if isinstance(token, str) else "",
        )
    if kind == (SAGEMAKER_SOURCE, PIPELINE_STATUS_CHANGE):
        return JobChanged(
            _text(detail, "pipelineExecutionArn", "detail."),
            _text(detail, "currentPipelineExecutionStatus", "detail."),
        )
    if kind == (SAGEMAKER_SOURCE, AUTOML_STATUS_CHANGE):
        return JobChanged(_text(detail, "AutoMLJobArn", "detail."), _text(detail, "AutoMLJobStatus", "detail."))
    if kind == (CODEBUILD_SOURCE, BUILD_STATUS_CHANGE):
        return JobChanged(_text(detail, "build-id", "detail."), _text(detail, "build-status", "detail."))
    if kind[0] == CODEPIPELINE_SOURCE and kind[1] in {EXECUTION_STATE_CHANGE, STAGE_STATE_CHANGE, ACTION_STATE_CHANGE}:
        return PipelineChanged(_text(detail, "pipeline", "detail."), _text(detail, "execution-id", "detail."))
    raise BadRequest(f"event of source {kind[0]!r} and detail-type {kind[1]!r} is not one this function follows")


def kind_of(event: Mapping[str, Any]) -> tuple[object, object]:
    """Source and detail-type. The Developer Guide's sample of a model package's event holds ``source`` twice, once as a
    list: a list of one is that one."""
    source = event.get("source")
    if isinstance(source, list) and len(source) == 1:
        source = source[0]
    return source, event.get("detail-type")


def _expect(event: Mapping[str, Any], source: str, detail_type: str) -> None:
    if kind_of(event) != (source, detail_type):
        raise BadRequest(
            f"expected an event of source {source!r} and detail-type {detail_type!r}, "
            f"got {event.get('source')!r} and {event.get('detail-type')!r}"
        )


def _mapping(parent: Mapping[str, Any], name: str, path: str = "") -> Mapping[str, Any]:
    value = parent.get(name)
    if not isinstance(value, Mapping):
        raise BadRequest(f"the event has no object at {path}{name}")
    return value


def _text(parent: Mapping[str, Any], name: str, path: str) -> str:
    value = parent.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"the event has no text at {path}{name}")
    return value


def _optional(parent: Mapping[str, Any], name: str) -> str:
    value = parent.get(name)
    return value if isinstance(value, str) else ""
