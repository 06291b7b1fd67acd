"""A world in memory: every port of the steps, good enough to take whole releases through it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from orchestrator.core.errors import Conflict, PlanFailed, SourceGone, StackBusy
from orchestrator.core.ports import Answer, JobState, ObjectVersion, PlanRequest, StackState
from orchestrator.core.records import ParameterChange, Plan, Record, ResourceChange, TaskToken

R = TypeVar("R", bound=Record)


class FakeClock:
    """Time that moves when it is told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Now; every look at the clock takes a millisecond."""
        self.moment += timedelta(milliseconds=1)
        return self.moment

    def pass_hours(self, hours: float) -> None:
        """Let time pass."""
        self.moment += timedelta(hours=hours)


class MemoryStore:
    """``ports.Store`` in a dict. ``before_write`` lets a test slip a rival's write between read and write."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Record] = {}
        self.before_write: Callable[[], None] | None = None

    def get(self, cls: type[R], key: tuple[str, str]) -> R | None:
        """See ``ports.Store``."""
        row = self.rows.get(key)
        return row if isinstance(row, cls) else None

    def insert(self, record: Record) -> None:
        """See ``ports.Store``."""
        if record.key() in self.rows:
            raise Conflict(f"{record.KIND} {record.key()[0]} exists")
        self.rows[record.key()] = record

    def update(self, cls: type[R], key: tuple[str, str], change: Callable[[R], R]) -> R:
        """See ``ports.Store``."""
        for _ in range(20):
            row = self.get(cls, key)
            if row is None:
                raise KeyError(f"there is no {cls.KIND} {key[0]}")
            changed = change(row)
            if changed == row:
                return row
            if self.before_write is not None:
                rival, self.before_write = self.before_write, None
                rival()
            if self.rows.get(key) is not row:
                continue
            self.rows[key] = changed
            return changed
        raise Conflict(f"{cls.KIND} {key[0]} keeps changing")

    def delete(self, record: Record) -> bool:
        """See ``ports.Store``."""
        if self.rows.get(record.key()) != record:
            return False
        del self.rows[record.key()]
        return True

    def under(self, cls: type[R], partition: str) -> tuple[R, ...]:
        """See ``ports.Store``."""
        keys = sorted(key for key in self.rows if key[0] == partition)
        return tuple(row for key in keys if isinstance(row := self.rows[key], cls))

    def listed(self, cls: type[R], listing: str, *, limit: int = 100, newest_first: bool = False) -> tuple[R, ...]:
        """See ``ports.Store``."""
        found = []
        for row in self.rows.values():
            place = row.listing()
            if isinstance(row, cls) and place is not None and place[0] == listing:
                found.append((place[1], row))
        found.sort(key=lambda pair: pair[0], reverse=newest_first)
        return tuple(row for _, row in found[:limit])


@dataclass
class MemoryObjects:
    """``ports.Objects``: every write is a version; the checksum is the bytes' own."""

    versions: dict[tuple[str, str], list[tuple[str, bytes, Mapping[str, str]]]] = field(default_factory=dict)

    def put(self, bucket: str, key: str, data: bytes, metadata: Mapping[str, str] | None = None) -> str:
        """Upload; the new version's id."""
        history = self.versions.setdefault((bucket, key), [])
        version = f"v{len(history) + 1}-{hashlib.sha256(key.encode()).hexdigest()[:6]}"
        history.append((version, data, metadata or {}))
        return version

    def read(self, bucket: str, key: str, version_id: str = "") -> bytes:
        """See ``ports.Objects``."""
        return self._find(bucket, key, version_id)[1]

    def describe(self, bucket: str, key: str, version_id: str = "") -> ObjectVersion:
        """See ``ports.Objects``."""
        version, data, metadata = self._find(bucket, key, version_id)
        checksum = hashlib.sha256(data).hexdigest()
        return ObjectVersion(bucket, key, version, len(data), checksum, tuple(sorted(metadata.items())))

    def copy_once(self, source: ObjectVersion, bucket: str, key: str) -> ObjectVersion:
        """See ``ports.Objects``."""
        if (bucket, key) not in self.versions:
            self.put(bucket, key, self.read(source.bucket, source.key, source.version_id))
        return self.describe(bucket, key)

    def write_once(self, bucket: str, key: str, data: bytes, content_type: str) -> ObjectVersion:
        """See ``ports.Objects``."""
        if (bucket, key) not in self.versions:
            self.put(bucket, key, data)
        elif self.read(bucket, key) != data:
            raise Conflict(f"s3://{bucket}/{key} was written before, with other bytes")
        return self.describe(bucket, key)

    def template_url(self, bucket: str, key: str) -> str:
        """See ``ports.Objects``."""
        return f"https://s3.test/{bucket}/{key}"

    def _find(self, bucket: str, key: str, version_id: str) -> tuple[str, bytes, Mapping[str, str]]:
        for version in reversed(self.versions.get((bucket, key), [])):
            if version_id in {"", version[0]}:
                return version
        raise SourceGone(f"s3://{bucket}/{key} does not exist")


@dataclass
class FakeStack:
    """One stack of ``FakeStacks``."""

    stack_id: str
    status: str
    parameters: dict[str, str]
    content: str = ""
    moved: int = 0
    token: str = ""
    reason: str = ""


@dataclass
class FakeStacks:
    """``ports.Stacks`` of one stage: change sets live and die as CloudFormation's do.

    ``finish`` ends the running operation; with ``immediate`` an operation ends as soon as it is executed.
    """

    stage: str
    immediate: bool = True
    fails_with: str = ""
    busy: bool = False
    stacks: dict[str, FakeStack] = field(default_factory=dict)
    change_sets: dict[str, tuple[PlanRequest, Plan]] = field(default_factory=dict)
    executed: list[str] = field(default_factory=list)

    def plan(self, request: PlanRequest) -> Plan:
        """See ``ports.Stacks``."""
        if self.busy:
            raise StackBusy(f"{request.stack_name} is busy")
        if request.parameters.get("ImageUri") == "refused":
            raise PlanFailed("Parameter ImageUri is refused")
        arn = f"arn:cs:{self.stage}:{request.change_set_name}"
        if arn in self.change_sets:
            return self.change_sets[arn][1]
        stack = self.stacks.get(request.stack_name)
        if stack is not None and stack.status in {"ROLLBACK_COMPLETE"}:
            del self.stacks[request.stack_name]
            stack = None
        creates = stack is None
        if stack is None:
            stack_id = f"arn:stack:{self.stage}:{request.stack_name}:{len(self.executed)}"
            stack = self.stacks[request.stack_name] = FakeStack(stack_id, "REVIEW_IN_PROGRESS", {})
        before, after = stack.parameters, dict(request.parameters)
        changes = tuple(
            ParameterChange(name, before.get(name), after.get(name))
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        )
        empty = not creates and not changes
        plan = Plan(
            change_set_arn=arn,
            stack_id=stack.stack_id,
            stack_name=request.stack_name,
            digest=hashlib.sha256(
                f"{arn}|{json.dumps(after, sort_keys=True)}|{request.content_digest}".encode()
            ).hexdigest(),
            creates_stack=creates,
            empty=empty,
            resources=() if empty else (ResourceChange("add" if creates else "modify", "Endpoint", "AWS::X"),),
            parameters=changes,
            base=str(stack.moved),
        )
        if not empty:
            self.change_sets[arn] = (request, plan)
        return plan

    def still_valid(self, plan: Plan, content_digest: str) -> bool:
        """See ``ports.Stacks``."""
        stack = self.stacks.get(plan.stack_name)
        return plan.change_set_arn in self.change_sets and stack is not None and str(stack.moved) == plan.base

    def execute(self, plan: Plan, request_token: str) -> bool:
        """See ``ports.Stacks``."""
        if plan.change_set_arn not in self.change_sets:
            return self.state(plan.stack_name).last_request_token == request_token
        request, _ = self.change_sets[plan.change_set_arn]
        stack = self.stacks[plan.stack_name]
        self.executed.append(request_token)
        stack.status = "CREATE_IN_PROGRESS" if plan.creates_stack else "UPDATE_IN_PROGRESS"
        stack.token = request_token
        stack.moved += 1
        self._pending = dict(request.parameters)
        self.change_sets = {
            arn: kept for arn, kept in self.change_sets.items() if kept[1].stack_name != plan.stack_name
        }
        if self.immediate:
            self.finish(plan.stack_name)
        return True

    def finish(self, name: str) -> None:
        """The operation in progress ends: well, or by a rollback with ``fails_with``."""
        stack = self.stacks[name]
        kind = stack.status.split("_")[0]
        if self.fails_with:
            stack.status = "ROLLBACK_COMPLETE" if kind == "CREATE" else "UPDATE_ROLLBACK_COMPLETE"
            stack.reason = self.fails_with
        else:
            stack.status, stack.parameters, stack.reason = f"{kind}_COMPLETE", self._pending, ""

    def somebody_else_deploys(self, name: str) -> None:
        """The stack moves under a plan, as after a deployment by hand."""
        stack = self.stacks[name]
        stack.moved += 1
        stack.token = "Console-1"

    def state(self, stack: str) -> StackState:
        """See ``ports.Stacks``."""
        for name, found in self.stacks.items():
            if stack in {name, found.stack_id}:
                outputs = (("EndpointName", f"{name}-endpoint"),)
                return StackState(found.stack_id, found.status, found.token, found.reason, outputs)
        return StackState(stack, "ABSENT")

    def discard(self, plan: Plan) -> None:
        """See ``ports.Stacks``."""
        self.change_sets.pop(plan.change_set_arn, None)
        stack = self.stacks.get(plan.stack_name)
        if stack is not None and stack.status == "REVIEW_IN_PROGRESS":
            del self.stacks[plan.stack_name]


@dataclass
class FakeTasks:
    """``ports.Tasks``: remembers what was started and answered; a token can be answered once."""

    started: dict[str, tuple[str, Mapping[str, object]]] = field(default_factory=dict)
    answers: dict[str, Mapping[str, object]] = field(default_factory=dict)
    failures: dict[str, tuple[str, str]] = field(default_factory=dict)

    def start(self, machine_arn: str, name: str, payload: Mapping[str, object]) -> str:
        """See ``ports.Tasks``."""
        self.started.setdefault(name, (machine_arn, payload))
        return f"arn:execution:{name}"

    def succeed(self, token: TaskToken, output: Mapping[str, object]) -> bool:
        """See ``ports.Tasks``."""
        if token.value in self.answers or token.value in self.failures:
            return False
        self.answers[token.value] = output
        return True

    def fail(self, token: TaskToken, error: str, cause: str) -> bool:
        """See ``ports.Tasks``."""
        if token.value in self.answers or token.value in self.failures:
            return False
        self.failures[token.value] = (error, cause)
        return True


@dataclass
class FakeEndpoints:
    """``ports.Endpoints``: every endpoint is in service and answers what it is told to."""

    answer: Answer = field(default_factory=lambda: Answer(200, b"[1]", "application/json"))
    status_of: tuple[str, str] = ("InService", "")
    asked: list[tuple[str, bytes, str]] = field(default_factory=list)

    def status(self, endpoint: str) -> tuple[str, str]:
        """See ``ports.Endpoints``."""
        return self.status_of

    def invoke(self, endpoint: str, body: bytes, content_type: str) -> Answer:
        """See ``ports.Endpoints``."""
        self.asked.append((endpoint, body, content_type))
        return self.answer


@dataclass
class FakeJobs:
    """``ports.Jobs``: one execution for each request token."""

    states: dict[str, JobState] = field(default_factory=dict)

    def start_pipeline(self, pipeline: str, request_token: str, display_name: str) -> str:
        """See ``ports.Jobs``."""
        arn = f"arn:pipeline:{pipeline}:{request_token}"
        self.states.setdefault(arn, JobState(arn, "Executing"))
        return arn

    def pipeline(self, execution_arn: str) -> JobState:
        """See ``ports.Jobs``."""
        return self.states[execution_arn]

    def end(self, status: str, reason: str = "") -> None:
        """End every execution."""
        self.states = {arn: replace(state, status=status, reason=reason) for arn, state in self.states.items()}


class FakeAccounts:
    """``ports.Accounts``: the same fakes at every call."""

    def __init__(self, *stages: str) -> None:
        self.by_stage = {stage: (FakeStacks(stage), FakeEndpoints(), FakeJobs()) for stage in stages}

    def stacks(self, stage: str) -> FakeStacks:
        """See ``ports.Accounts``."""
        return self.by_stage[stage][0]

    def endpoints(self, stage: str) -> FakeEndpoints:
        """See ``ports.Accounts``."""
        return self.by_stage[stage][1]

    def jobs(self, stage: str) -> FakeJobs:
        """See ``ports.Accounts``."""
        return self.by_stage[stage][2]


@dataclass
class FakeMail:
    """``ports.Mail``: remembers what was sent."""

    sent: list[tuple[str, str]] = field(default_factory=list)

    def send(self, subject: str, text: str) -> None:
        """See ``ports.Mail``."""
        self.sent.append((subject, text))
