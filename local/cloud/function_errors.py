"""Lambda: a failing function answers the class of its exception, and its process stays warm; a dead one says so.

On AWS ``errorType`` is the name of the Python class, which a state machine's ``ErrorEquals`` names; the emulator calls
every exception ``Runtime.HandlerError`` and ends the process, so that the next invocation pays a cold start. A process
that is gone is ``Runtime.ExitError`` on AWS, which a state machine tries again; here that is also what becomes of an
invocation whose process the emulator has ended, or could not reach, while many ran at once.
"""

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import Any

from local.cloud.contract import ContractBroken, Seam

SEAMS = (
    Seam("ministack.core.lambda_runtime", "_PYTHON_WORKER_SCRIPT"),
    Seam("ministack.core.lambda_runtime", "Worker.invoke", ("self", "event", "request_id")),
    Seam("ministack.services.lambda_svc", "_execute_function_warm", ("func", "event", "request_id")),
)

_FAILS = (
    "            _real_stdout.write(json.dumps("
    '{"status": "error", "error": str(e), "trace": traceback.format_exc()}) + "\\n")\n'
)
_TELLS = (
    "            _real_stdout.write(json.dumps("
    '{"status": "ok", "result": None, "failed": {"errorMessage": str(e), "errorType": type(e).__name__, '
    '"stackTrace": traceback.format_tb(e.__traceback__)[1:]}, "trace": traceback.format_exc()}) + "\\n")\n'
)

_OUT_OF_TIME = "Sandbox.Timedout"

_failed: ContextVar[dict[str, Any] | None] = ContextVar("failed_function", default=None)


def install() -> None:
    """Let the worker tell the exception as an answer, and turn that into the answer that Lambda gives."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if _FAILS not in script:
        raise ContractBroken("ministack's script of a Python worker answers an exception otherwise than expected")
    invoke = lambda_runtime.Worker.invoke
    execute = lambda_svc._execute_function_warm

    @functools.wraps(invoke)
    def invoked(self: Any, event: Any, request_id: str, **more: Any) -> dict[str, Any]:
        response: dict[str, Any] = invoke(self, event, request_id, **more)
        failed = response.get("failed")
        if failed is not None:
            _failed.set({**failed, "requestId": request_id})
            response = {**response, "status": "error", "error": failed["errorMessage"]}
        return response

    @functools.wraps(execute)
    def executed(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        former = _failed.set(None)
        try:
            result: dict[str, Any] = execute(func, event, request_id)
            failed = _failed.get()
            if not result.get("error") or result.get("throttle"):
                return result
            return {**result, "body": failed or _gone(result["body"])}
        finally:
            _failed.reset(former)

    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(_FAILS, _TELLS)
    lambda_runtime.Worker.invoke = invoked
    lambda_svc._execute_function_warm = executed


def _gone(body: dict[str, Any]) -> dict[str, Any]:
    """What Lambda answers for an invocation that ended with neither a result nor an exception of the function's."""
    return body if body.get("errorType") == _OUT_OF_TIME else {**body, "errorType": "Runtime.ExitError"}
