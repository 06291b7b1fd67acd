"""What people are told of a failure where an installation keeps AWS's own words to itself.

AWS's reasons name accounts, roles and resources. With ``detailed_error_messages`` off, whatever is shown of a record
(API, command line, Slack, e-mail) says instead what failed, in which stage, and where the installation's owner finds
the reason; the record keeps it, and so do the logs. Our own sentences, such as the problems of a configuration, are
told either way. Everything that shows records passes them through here: ``views``, ``pipeline_state``, and the
messages' ``Facts``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from orchestrator.core.errors import CallRefused
from orchestrator.core.installation import Installation
from orchestrator.core.records import Release, StageRecord, StageStatus, Status

OUR_OWN_WORDS = frozenset(
    {
        "BadConfiguration",
        "SourceGone",
        "UnversionedObject",
        "PackageDamaged",
        "PlanKeepsMoving",
        "ModelWithdrawn",
        "GatesFailed",
        "ChangeSetPending",
        "WorkloadBusy",
        "StackBusy",
        "ExecutionEnded",
        "States.Timeout",
    }
)
"""Errors whose message was written here; of any other, also one that nobody expected, only what failed is told."""

_WHAT = {
    "DeploymentFailed": "CloudFormation could not deploy",
    "RemovalFailed": "CloudFormation could not delete the stack",
    "PlanFailed": "CloudFormation could not make the plan",
    "JobFailed": "The job did not succeed",
    "VerificationFailed": "What was deployed did not pass its check",
    "AccessDenied": "A right is missing",
    "CallRefused": "An AWS service refused a call",
}

LEFTOVER = "The plan could not be deleted"
"""Starts what ``record_outcome`` adds, in parentheses, to the reason of a release whose plan it could not delete."""


def told_release(release: Release, installation: Installation) -> Release:
    """The release as people may see it."""
    if installation.detailed_errors:
        return release
    if release.status is Status.FAILED and release.failure not in OUR_OWN_WORDS:
        return replace(release, reason=_sentence(release, release.stage))
    kept, leftover, _ = release.reason.partition(f"({LEFTOVER}:")
    return replace(release, reason=f"{kept}({LEFTOVER}.)") if leftover else release


def told_stage(record: StageRecord, release: Release, installation: Installation) -> StageRecord:
    """The stage as people may see it."""
    if installation.detailed_errors:
        return record
    if record.job is not None and record.job.reason:
        record = replace(record, job=replace(record.job, reason=_sentence(release, record.stage, "JobFailed")))
    if record.status is StageStatus.FAILED and release.failure not in OUR_OWN_WORDS:
        return replace(record, note=_sentence(release, record.stage))
    return record


def told_call(error: CallRefused, installation: Installation) -> str:
    """What a caller of the API is told of a call that an AWS service refused; whoever uses this logs the reason."""
    if installation.detailed_errors:
        return str(error)
    return f"{_WHAT['CallRefused']}. The owner of the installation finds the reason in the log of the API's function."


def told_stages(
    stages: Mapping[str, StageRecord], release: Release, installation: Installation
) -> dict[str, StageRecord]:
    """Every stage, by name, as people may see it."""
    return {name: told_stage(record, release, installation) for name, record in stages.items()}


def _sentence(release: Release, stage: str, error: str = "") -> str:
    error = error or release.failure
    place = f" in {stage}" if stage else ""
    found = [f"in Step Functions, execution {release.release_id}"]
    if error in {"DeploymentFailed", "RemovalFailed"}:
        found.insert(0, f"in the events of the stack {release.stack_name}")
    if error == "JobFailed":
        found.insert(0, "on the job's page in the AWS console")
    return (
        f"{_WHAT.get(error, 'Something failed')}{place}. "
        f"The owner of the installation finds the reason {' and '.join(found)}."
    )
