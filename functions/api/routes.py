"""Which call goes where, and what its refusal is in HTTP. Every answer is JSON, also every refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib import import_module
from typing import Any

from functions.api.call import Call, call_of
from functions.api.service import Answer, Service
from orchestrator.core.errors import (
    BadRequest,
    BodyTooLarge,
    Conflict,
    NotAllowed,
    Refused,
    TryAgain,
    UnknownModelCard,
    UnknownRelease,
    UnknownWorkload,
)
from orchestrator.core.problems import BadConfiguration

MAX_PROBLEMS = 500
"""In one answer: Lambda passes on 6 MB, and what is longer reaches the caller as a 502 without a word."""

RETRY_AFTER = 5
"""Seconds, where AWS asked for a slower pace."""

Route = Callable[[Call, Service], Answer]

ROUTES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("GET", "/releases"): ("releases", "list_releases"),
    ("GET", "/releases/{id}"): ("releases", "show_release"),
    ("POST", "/releases/{id}/decision"): ("decisions", "decide"),
    ("POST", "/releases/{id}/rollback"): ("rollbacks", "roll_back"),
    ("GET", "/workloads"): ("workloads", "list_workloads"),
    ("DELETE", "/workloads/{id}"): ("removals", "remove"),
    ("GET", "/workloads/{id}/ledger"): ("ledger", "show_ledger"),
    ("GET", "/workloads/{id}/rollback"): ("rollbacks", "propose"),
    ("POST", "/provisionpipeline"): ("provisioning", "provision_pipeline"),
    ("POST", "/pipelinestatus"): ("pipeline_status", "pipeline_status"),
    ("GET", "/doctor"): ("examination", "examine"),
    ("GET", "/slack-manifest"): ("slack_manifest", "show_manifest"),
    ("GET", "/openapi.json"): ("description", "describe"),
}
"""As ``stacks/rest_api.py`` makes them: module of this folder, and function. A module is imported by the first call
that needs it: who only looks does not wait for the compiled schemas of whoever starts a release."""


def route_of(method: str, resource: str) -> Route | None:
    """The function that answers; None where there is no such route."""
    named = ROUTES.get((method, resource))
    if named is None:
        return None
    module, function = named
    found: Route = getattr(import_module(f"functions.api.{module}"), function)
    return found


def respond(event: Mapping[str, Any], service: Service) -> dict[str, Any]:
    """Answer one request; refusals become their status codes, everything else is raised on.

    What is raised becomes API Gateway's own 502, and an error of the function that an alarm sees.
    """
    return _answer(call_of(event), service).for_gateway()


def _answer(call: Call, service: Service) -> Answer:
    route = route_of(call.method, call.resource)
    if route is None:
        return _no_route(call)
    try:
        return route(call, service)
    except BadConfiguration as error:
        return Answer(400, _problems(error))
    except (TryAgain, Conflict) as error:
        return Answer(503, {"message": f"Try again in a moment: {error}"}, {"Retry-After": str(RETRY_AFTER)})
    except Refused as error:
        return Answer(_status(error), {"message": str(error)})


def _problems(error: BadConfiguration) -> dict[str, Any]:
    """All that is wrong, as far as an answer can hold it: a body of 256 KiB can have 40,000 mistakes."""
    shown, more = error.problems[:MAX_PROBLEMS], len(error.problems) - MAX_PROBLEMS
    sentences = [found.sentence for found in shown] + ([f"… and {more:,} more"] if more > 0 else [])
    return {
        "message": "\n".join(sentences),
        "problems": [asdict(found) for found in shown],
    }


def _status(refused: Refused) -> int:
    match refused:
        case BadRequest():
            return 400
        case NotAllowed():
            return 403
        case UnknownRelease() | UnknownWorkload() | UnknownModelCard():
            return 404
        case BodyTooLarge():
            return 413
        case _:
            return 409


def _no_route(call: Call) -> Answer:
    """What API Gateway has no route for comes here by ``/{proxy+}``: a path that takes another method, or none."""
    path = call.path or call.resource
    allowed = sorted(method for method, resource in ROUTES if _fits(resource, path))
    if allowed:
        shown = ", ".join(allowed)
        return Answer(405, {"message": f"{path} takes {shown}, not {call.method}"}, {"Allow": shown})
    return Answer(404, {"message": f"there is no {call.method} {path}"})


def _fits(resource: str, path: str) -> bool:
    wanted, given = resource.strip("/").split("/"), path.strip("/").split("/")
    return len(wanted) == len(given) and all(part in ("{id}", here) for part, here in zip(wanted, given, strict=True))
