"""A job from its request to its end: checked, recorded, done with the permissions of its role, told by events.

What a kind of job is called and does is a :class:`Kind`; here is what all of them share. A job is made by a call of
its Create action, or by the step of a pipeline, whose role then needs the permission for that call.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.cloud.faults import next_failure
from local.cloud.principals import Verdict
from local.cloud.sagemaker import backend, records
from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.jobs import events, requests, worker
from local.cloud.sagemaker.jobs.access import SERVICE, Refused, Role, join_network
from local.cloud.sagemaker.jobs.storage import Unusable
from local.cloud.sagemaker.records import Record

_LOG = logging.getLogger("local.cloud.jobs")

May = Callable[[str, str, Mapping[str, Any] | None], Verdict]
"""Action, resource ARN, condition keys in lower case → whether whoever makes the job may."""


class JobFailed(Exception):
    """A job did not succeed; the message is its failure reason, in SageMaker's words where they are known."""


@dataclass
class Job:
    """A job that is being done."""

    kind: Kind
    record: Record
    account: str
    region: str
    run: worker.Run
    role: Role

    @property
    def fields(self) -> dict[str, Any]:
        """The request that made it."""
        return self.record.fields

    def secondary(self, status: str, message: str = "") -> None:
        """Enter a secondary status; waits while jobs are held, raises worker.Stopped."""
        self.run.look()
        enter(self.record, status, message)


@dataclass(frozen=True)
class Kind:
    """A kind of job."""

    noun: str
    """As in the API: ``TrainingJob`` in CreateTrainingJob and TrainingJobName."""
    arn_kind: str
    """As in ARNs: ``training-job``."""
    detail_type: str
    work: Callable[[Job], dict[str, Any]]
    """Do the job: what Describe shows beside the request; raises JobFailed, Unusable, Refused, worker.Stopped."""
    role: Callable[[str, str, dict[str, Any]], str]
    """Account, region, request → ARN of the role that the job works with; raises ApiError."""
    check: Callable[[dict[str, Any]], None] = lambda fields: None
    """Rules across members of the request; raises ApiError."""
    create: str = ""
    """The action that makes it, when it is not Create and the noun."""
    times: tuple[str, str] = ("", "")
    """Names of the start and end in Describe, when they are not the noun's without ``Job``."""
    secondary: str = ""
    """Describe's member with the secondary status, when it has one."""
    passes: tuple[str, ...] = ("RoleArn",)
    """Members of the request whose roles are passed to SageMaker."""
    added: Callable[[Record], dict[str, Any]] = lambda record: {}
    """What Describe shows beside the request while the job runs and after it."""

    @property
    def action(self) -> str:
        """``CreateTrainingJob``."""
        return self.create or f"Create{self.noun}"

    @property
    def name(self) -> str:
        """``TrainingJobName``."""
        return f"{self.noun}Name"


def begin(account: str, region: str, kind: Kind, fields: dict[str, Any], may: May) -> Record:
    """Check a request and record the job; raises ApiError."""
    requests.check(kind.action, fields)
    kind.check(fields)
    for role in roles_passed(kind, fields):
        verdict = may("iam:PassRole", role, {"iam:passedtoservice": SERVICE})
        if not verdict.allowed:
            raise ApiError("AccessDeniedException", verdict.message)
        try:
            Role(role, region).assume()
        except Refused as refused:
            raise ApiError("ValidationException", str(refused)) from refused
    works_with = kind.role(account, region, fields)
    name = str(fields[kind.name])
    taken = ApiError(
        "ResourceInUse",
        f"Job name must be unique within an AWS account and region, and a {kind.arn_kind.replace('-', ' ')} with this "
        f"name already exists ({backend.arn(account, region, kind.arn_kind, name)})",
    )
    record = records.create(account, region, kind.arn_kind, name, fields, taken)
    record.state |= {"status": "InProgress", "transitions": [], "role": works_with}
    enter(record, "Starting", "Starting the job")
    return record


def roles_passed(kind: Kind, fields: dict[str, Any]) -> list[str]:
    """Roles that a request hands to SageMaker; a definition within it may hold one too."""
    inner = [fields, *(fields.get("TrainingJobDefinitions") or []), fields.get("TrainingJobDefinition") or {}]
    return sorted({str(part[name]) for part in inner for name in kind.passes if part.get(name)})


def carry_out(account: str, region: str, kind: Kind, record: Record, run: worker.Run) -> None:
    """Do the job to its end; how it ended is in the record."""
    role = Role(record.state["role"], region)
    job = Job(kind, record, account, region, run, role)
    announce(account, region, kind, record)
    status, reason, extra = "Completed", "", dict[str, Any]()
    try:
        run.look()
        reason = next_failure()
        record.state["started"] = time.time()
        if reason:
            status = "Failed"
        else:
            role.assume()
            if _in_a_network(record.fields):
                join_network(role)
            extra = kind.work(job)
    except worker.Stopped:
        status = "Stopped"
    except (JobFailed, Refused) as problem:
        status, reason = "Failed", str(problem)
    except Unusable as problem:
        status, reason = "Failed", f"ClientError: {problem}"
    except Exception:
        _LOG.exception("%s %s", kind.noun, record.name)
        status, reason = "Failed", "InternalServerError: We encountered an internal error. Please try again."
    if not run.abandoned:
        finish(account, region, kind, record, status, reason, extra)


def _in_a_network(fields: dict[str, Any]) -> bool:
    places = (
        fields,
        *(fields.get(name) or {} for name in ("TrainingJobDefinition", "NetworkConfig", "SecurityConfig")),
    )
    return any(place.get("VpcConfig") for place in places)


def finish(
    account: str, region: str, kind: Kind, record: Record, status: str, reason: str, extra: dict[str, Any]
) -> None:
    """Record how a job ended, and tell it."""
    now = time.time()
    record.state |= {"ended": now, "extra": extra, "reason": reason}
    record.modified = now
    enter(record, status, reason)
    record.state["status"] = status
    announce(account, region, kind, record)


def enter(record: Record, secondary: str, message: str = "") -> None:
    """Enter a secondary status."""
    now = time.time()
    transitions = record.state.setdefault("transitions", [])
    if transitions:
        transitions[-1].setdefault("EndTime", now)
    transitions.append({"Status": secondary, "StartTime": now, "StatusMessage": message or secondary})
    record.state["secondary"] = secondary
    record.modified = now


def announce(account: str, region: str, kind: Kind, record: Record) -> None:
    """Send the event of the job's present status."""
    detail = {**events.milliseconds(describe(kind, record)), "Tags": {tag["Key"]: tag["Value"] for tag in record.tags}}
    events.send(account, region, kind.detail_type, detail, [record.arn])


def describe(kind: Kind, record: Record) -> dict[str, Any]:
    """What the Describe action answers."""
    state = record.state
    stem = kind.noun.removesuffix("Job")
    started, ended = kind.times if kind.times[0] else (f"{stem}StartTime", f"{stem}EndTime")
    answer = {
        **record.fields,
        kind.name: record.name,
        f"{kind.noun}Arn": record.arn,
        f"{kind.noun}Status": state["status"],
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        **kind.added(record),
        **state.get("extra", {}),
    }
    if "started" in state:
        answer[started] = state["started"]
    if "ended" in state:
        answer[ended] = state["ended"]
    if state.get("reason"):
        answer["FailureReason"] = state["reason"]
    if kind.secondary:
        answer[kind.secondary] = state["secondary"]
        answer["SecondaryStatusTransitions"] = [dict(step) for step in state["transitions"]]
    return answer
