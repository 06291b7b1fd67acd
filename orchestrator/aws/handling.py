"""What every handler does around its one call: a log line with release, stage and outcome, and nothing secret.

Events carry task tokens, so no event is ever logged; a log line holds the few fields named here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar

from orchestrator.core.errors import OrchestratorError, TryAgain

Answer = TypeVar("Answer")


def step(
    name: str, shows: Sequence[str] = (), unlogged: Sequence[str] = ()
) -> Callable[[Callable[[dict[str, Any]], Answer]], Callable[[dict[str, Any], Any], Answer]]:
    """Make a Lambda handler ``(event, context)`` of a function of the event; errors are logged once and raised on.

    ``shows`` names fields of the answer that are logged beside its ``outcome``; ``unlogged`` are outcomes that are not
    worth a line. Lambda reports the exception's class name as ``errorType``, which the state machines' ``ErrorEquals``
    name.
    """

    def decorate(run: Callable[[dict[str, Any]], Answer]) -> Callable[[dict[str, Any], Any], Answer]:
        @wraps(run)
        def handler(event: dict[str, Any], context: Any) -> Answer:
            from aws_lambda_powertools import Logger

            logger = Logger(service=name)
            about: dict[str, Any] = {
                "request_id": getattr(context, "aws_request_id", ""),
                "release_id": event.get("release_id", ""),
                "stage": event.get("stage", ""),
            }
            started = time.monotonic()
            try:
                answer = run(event)
            except TryAgain as error:
                logger.info("tried again later", extra=about | {"error": type(error).__name__, "why": str(error)})
                raise
            except OrchestratorError as error:
                logger.error("failed", extra=about | {"error": type(error).__name__, "why": str(error)})
                raise
            except Exception as error:
                logger.exception("failed unexpectedly", extra=about | {"error": type(error).__name__})
                raise
            told = answer if isinstance(answer, Mapping) else {}
            about["outcome"] = told.get("outcome", "done")
            about["milliseconds"] = round((time.monotonic() - started) * 1000)
            log = logger.debug if about["outcome"] in unlogged else logger.info
            log("done", extra=about | {field: told[field] for field in shows if field in told})
            return answer

        return handler

    return decorate
