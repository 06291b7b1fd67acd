"""Tasks that wait, in the emulator's Step Functions.

- SendTaskSuccess and its kin are decided on the state machine whose task waits, as on AWS. The emulator asks IAM about
  the resource ``*``, so that a role which may answer the tasks of one machine could answer none.
- ``TimeoutSeconds`` may be a JSONata expression; the emulator takes its text for a number.
"""

from __future__ import annotations

import contextvars
import functools
import json
from typing import Any

from local.cloud.contract import Seam

SEAMS = (
    Seam(
        "ministack.core.iam_actions",
        "extract_resource_arn",
        ("service", "method", "path", "headers", "body", "query_params", "region", "account_id"),
    ),
    Seam("ministack.services.stepfunctions", "_apply_jsonata_template", ("value", "raw_input", "ctx")),
    Seam("ministack.services.stepfunctions", "_execute_task", ("state_def", "raw_input", "execution", "ctx")),
    Seam("ministack.services.stepfunctions", "_invoke_with_callback", ("resource", "input_data", "token")),
)

_machine: contextvars.ContextVar[str] = contextvars.ContextVar("machine", default="")
"""ARN of the state machine whose task is being executed."""

_machines: dict[str, str] = {}
"""Token of a waiting task → ARN of its machine."""


def install() -> None:
    """Note each token's machine; name it when IAM is asked about the token."""
    from ministack.core import iam_actions
    from ministack.services import stepfunctions

    execute = stepfunctions._execute_task
    call = stepfunctions._invoke_with_callback
    extract = iam_actions.extract_resource_arn

    @functools.wraps(execute)
    def executed(state_def: Any, raw_input: Any, execution: dict[str, Any], ctx: Any) -> Any:
        timeout = state_def.get("TimeoutSeconds")
        if isinstance(timeout, str):
            seconds = stepfunctions._apply_jsonata_template(timeout, raw_input, ctx)
            state_def = {**state_def, "TimeoutSeconds": seconds}
        known = _machine.set((execution or {}).get("stateMachineArn", ""))
        try:
            return execute(state_def, raw_input, execution, ctx)
        finally:
            _machine.reset(known)

    @functools.wraps(call)
    def called(resource: Any, input_data: Any, token: str, *rest: Any) -> Any:
        _machines[token] = _machine.get()
        try:
            return call(resource, input_data, token, *rest)
        finally:
            _machines.pop(token, None)

    @functools.wraps(extract)
    def extracted(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any, **more: Any) -> Any:
        found = extract(service, method, path, headers, body, *rest, **more)
        if service == "states" and found == "*":
            return _machines.get(_token(body)) or found
        return found

    stepfunctions._execute_task = executed
    stepfunctions._invoke_with_callback = called
    iam_actions.extract_resource_arn = extracted


def _token(body: bytes) -> str:
    try:
        return str(json.loads(body).get("taskToken", ""))
    except (ValueError, AttributeError):
        return ""
