"""Step Functions: executions started once, tasks that wait, fail and expire as on AWS.

- A function that fails in ``lambda:invoke.waitForTaskToken`` fails the task at once, with the function's error type, so
  that Retry and Catch see it; the emulator waits for the task's timeout. Each attempt has a token of its own.
- A function is invoked with the permissions of the machine's role.
- SendTaskSuccess and its kin are decided on the state machine whose task waits. The emulator asks IAM about the
  resource ``*``, so that a role which may answer the tasks of one machine could answer none.
- A token that was answered, or whose task is over, gives TaskTimedOut; one that never was, InvalidToken.
- The history of an execution shows what a task was given, its token among it, as on AWS.
- ``TimeoutSeconds`` may be a JSONata expression; the emulator takes its text for a number.
- StartExecution with the name and input of an execution that runs answers that execution.
- :func:`expire` lets waiting tasks run into their timeout now, :func:`scale_waits` shortens Wait states and retries.
"""

from __future__ import annotations

import functools
import json
import threading
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from local.cloud.contract import Seam
from local.cloud.principals import decide

SEAMS = (
    Seam(
        "ministack.core.iam_actions",
        "extract_resource_arn",
        ("service", "method", "path", "headers", "body", "query_params", "region", "account_id"),
    ),
    Seam("ministack.core.responses", "error_response_json", ("code", "message", "status")),
    Seam("ministack.core.responses", "json_response", ("data",)),
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.services.stepfunctions", "_ExecutionError"),
    Seam("ministack.services.stepfunctions", "_SFN_WAIT_SCALE"),
    Seam("ministack.services.stepfunctions", "_add_event", ("execution", "event_type", "details")),
    Seam("ministack.services.stepfunctions", "_apply_jsonata_arguments", ("state_def", "raw_input", "ctx")),
    Seam("ministack.services.stepfunctions", "_apply_jsonata_template", ("value", "raw_input", "ctx")),
    Seam("ministack.services.stepfunctions", "_call_lambda", ("func_ref", "event")),
    Seam("ministack.services.stepfunctions", "_execute_task", ("state_def", "raw_input", "execution", "ctx")),
    Seam("ministack.services.stepfunctions", "_executions.get"),
    Seam("ministack.services.stepfunctions", "_invoke_with_callback", ("resource", "input_data", "token")),
    Seam("ministack.services.stepfunctions", "_resolve_state_machine_arn", ("arn",)),
    Seam("ministack.services.stepfunctions", "_send_task_failure", ("data",)),
    Seam("ministack.services.stepfunctions", "_send_task_heartbeat", ("data",)),
    Seam("ministack.services.stepfunctions", "_send_task_success", ("data",)),
    Seam("ministack.services.stepfunctions", "_start_execution", ("data",)),
    Seam("ministack.services.stepfunctions", "_state_machines.get"),
    Seam("ministack.services.stepfunctions", "_task_tokens"),
)


@dataclass(frozen=True)
class Task:
    """A task that waits, or waited, for its token."""

    machine: str
    """ARN of the state machine."""
    execution: str
    """ARN of the execution."""


_current: ContextVar[Task | None] = ContextVar("task", default=None)
"""The task that is being executed in this thread."""

_calling: ContextVar[str] = ContextVar("calling", default="")
"""Token of the task whose function is being invoked."""

_given: ContextVar[Any] = ContextVar("given", default=None)
"""Arguments of the attempt that is made in this thread."""

_tasks: dict[str, Task] = {}
"""Token → its task; kept when the task is over, to tell a late answer from a made-up token."""

_lock = threading.Lock()


def install() -> None:
    """Wrap the execution of tasks, the answers to them, and the start of executions."""
    from ministack.services import stepfunctions

    _wrap_tasks()
    _wrap_answers()
    stepfunctions._start_execution = _started_once(stepfunctions._start_execution)


def expire(execution_arn: str) -> int:
    """Let every waiting task of an execution time out now; how many there were."""
    from ministack.core import responses
    from ministack.services import stepfunctions

    expired = 0
    region, account = execution_arn.split(":")[3:5]
    with _lock, responses.request_scope(account, region):
        for token, task in _tasks.items():
            info = stepfunctions._task_tokens.get(token)
            if task.execution == execution_arn and info is not None and not info["event"].is_set():
                info["error"] = {"Error": "States.Timeout", "Cause": "Task timed out waiting for callback"}
                info["event"].set()
                expired += 1
    return expired


def scale_waits(factor: float) -> float:
    """Multiply the seconds of Wait states and retry intervals, 0 for none; answers the factor that was in force."""
    from ministack.services import stepfunctions

    former: float = stepfunctions._SFN_WAIT_SCALE
    stepfunctions._SFN_WAIT_SCALE = max(0.0, float(factor))
    return former


def _wrap_tasks() -> None:
    from ministack.services import stepfunctions

    execute = stepfunctions._execute_task
    arguments = stepfunctions._apply_jsonata_arguments
    wait = stepfunctions._invoke_with_callback
    call = stepfunctions._call_lambda
    add_event = stepfunctions._add_event

    @functools.wraps(execute)
    def executed(state_def: Any, raw_input: Any, execution: dict[str, Any] | None, ctx: Any) -> Any:
        timeout = state_def.get("TimeoutSeconds")
        if isinstance(timeout, str):
            seconds = stepfunctions._apply_jsonata_template(timeout, raw_input, ctx)
            state_def = {**state_def, "TimeoutSeconds": seconds}
        known = execution or {}
        _given.set(None)
        former = _current.set(Task(known.get("stateMachineArn", ""), known.get("executionArn", "")))
        try:
            return execute(state_def, raw_input, execution, ctx)
        finally:
            _current.reset(former)

    @functools.wraps(arguments)
    def with_new_token(state_def: Any, raw_input: Any, ctx: Any = None) -> Any:
        if ctx and "Task" in ctx:
            ctx["Task"] = {"Token": str(uuid.uuid4())}
        given = arguments(state_def, raw_input, ctx)
        _given.set(given)
        return given

    @functools.wraps(add_event)
    def event_added(execution: Any, event_type: str, details: dict[str, Any] | None = None) -> Any:
        scheduled = (details or {}).get("taskScheduledEventDetails")
        if scheduled is not None and _given.get() is not None:
            scheduled["parameters"] = json.dumps(_given.get())
        return add_event(execution, event_type, details)

    @functools.wraps(wait)
    def waiting(resource: Any, input_data: Any, token: str, state_def: Any) -> Any:
        task = _current.get() or Task("", "")
        with _lock:
            _tasks[token] = Task(task.machine, task.execution)
        former = _calling.set(token)
        try:
            return wait(resource, input_data, token, state_def)
        finally:
            _calling.reset(former)

    @functools.wraps(call)
    def called(func_ref: Any, event: Any) -> Any:
        token = _calling.get()
        try:
            _check_role(func_ref)
            return call(func_ref, event)
        except stepfunctions._ExecutionError as failed:
            info = stepfunctions._task_tokens.get(token) if token else None
            if info is not None and not info["event"].is_set():
                info["error"] = {"Error": failed.error, "Cause": failed.cause}
                info["event"].set()
            raise

    stepfunctions._execute_task = executed
    stepfunctions._apply_jsonata_arguments = with_new_token
    stepfunctions._invoke_with_callback = waiting
    stepfunctions._call_lambda = called
    stepfunctions._add_event = event_added


def _check_role(function: Any) -> None:
    """Raise the error of a machine whose role may not invoke the function."""
    from ministack.services import stepfunctions

    task = _current.get()
    machine = stepfunctions._state_machines.get(task.machine) if task else None
    if machine is None or not str(function).startswith("arn:"):
        return
    verdict = decide(machine["roleArn"], "lambda:InvokeFunction", str(function), session="StepFunctions")
    if not verdict.allowed:
        raise stepfunctions._ExecutionError("Lambda.AWSLambdaException", verdict.message)


def _wrap_answers() -> None:
    from ministack.core import iam_actions, responses
    from ministack.services import stepfunctions

    def answered(send: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        @functools.wraps(send)
        def sent(data: dict[str, Any]) -> Any:
            token = str(data.get("taskToken", ""))
            info = stepfunctions._task_tokens.get(token)
            if info is not None and not info["event"].is_set():
                return send(data)
            if token in _tasks:
                return responses.error_response_json("TaskTimedOut", "Task Timed Out: the task is over", 400)
            return responses.error_response_json("InvalidToken", "Invalid Token: 'Invalid token'", 400)

        return sent

    for name in ("_send_task_success", "_send_task_failure", "_send_task_heartbeat"):
        setattr(stepfunctions, name, answered(getattr(stepfunctions, name)))

    extract = iam_actions.extract_resource_arn

    @functools.wraps(extract)
    def extracted(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any, **more: Any) -> Any:
        found = extract(service, method, path, headers, body, *rest, **more)
        if service == "states" and found == "*":
            task = _tasks.get(_token(body))
            return task.machine if task and task.machine else found
        return found

    iam_actions.extract_resource_arn = extracted


def _token(body: bytes) -> str:
    try:
        return str(json.loads(body).get("taskToken", ""))
    except (ValueError, AttributeError):
        return ""


def _started_once(start: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    @functools.wraps(start)
    def started(data: dict[str, Any]) -> Any:
        from ministack.core import responses
        from ministack.services import stepfunctions

        machine = stepfunctions._resolve_state_machine_arn(str(data.get("stateMachineArn", "")).partition("#")[0])
        if machine and data.get("name"):
            arn = machine.replace(":stateMachine:", ":execution:") + f":{data['name']}"
            running = stepfunctions._executions.get(arn)
            if running and running["status"] == "RUNNING" and running["input"] == data.get("input", "{}"):
                return responses.json_response({"executionArn": arn, "startDate": running["startDate"]})
        return start(data)

    return started
