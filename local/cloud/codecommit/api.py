"""CodeCommit's API under IAM, and pushes: the emulator has neither.

A push is not an action of the API on AWS, but Git's own protocol, which IAM decides as ``codecommit:GitPush``; here it
is a control endpoint that asks the same, commits to the real repository and sends CodeCommit's event.
"""

from __future__ import annotations

import asyncio
import functools
import json
import time
from typing import Any

from local.cloud import shapes
from local.cloud.codecommit import actions
from local.cloud.codecommit.actions import ApiError, Repository
from local.cloud.codecommit.git import NoSuchObject, PushRefused
from local.cloud.contract import Seam
from local.cloud.principals import decide, role_arn_of_session

SEAMS = (
    Seam("ministack.app", "SERVICE_HANDLERS"),
    Seam("ministack.app", "_reset_all_state"),
    Seam("ministack.core.iam_actions", "SERVICE_TO_IAM_NAMESPACE"),
    Seam("ministack.core.iam_actions", "extract_resource_arn", ("service", "method", "path", "headers", "body")),
    Seam("ministack.core.responses", "get_account_id", ()),
    Seam("ministack.core.responses", "get_region", ()),
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.core.router", "SERVICE_PATTERNS"),
    Seam("ministack.services.eventbridge", "_put_events", ("data", "allow_aws_source")),
)

SERVICE = "codecommit"
EVENT = "CodeCommit Repository State Change"

Answer = tuple[int, dict[str, str], bytes]


def install() -> None:
    """Register the service with the router, IAM and the handlers."""
    from ministack import app
    from ministack.core import iam_actions, responses, router

    router.SERVICE_PATTERNS[SERVICE] = {
        "target_prefixes": ["CodeCommit_20150413"],
        "host_patterns": [r"codecommit\."],
        "credential_scope": SERVICE,
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    app.SERVICE_HANDLERS[SERVICE] = handle
    extract = iam_actions.extract_resource_arn
    reset = app._reset_all_state

    @functools.wraps(extract)
    def extracted(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *more: Any, **named: Any
    ) -> str:
        if service != SERVICE:
            return str(extract(service, method, path, headers, body, *more, **named))
        name = str(_fields(body).get("repositoryName", ""))
        return actions.arn(responses.get_account_id(), responses.get_region(), name)

    @functools.wraps(reset)
    def reset_all(*arguments: Any, **named: Any) -> Any:
        actions.reset()
        return reset(*arguments, **named)

    iam_actions.extract_resource_arn = extracted
    app._reset_all_state = reset_all


async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]) -> Answer:
    """Answer one call that IAM has let through."""
    from ministack.core import responses

    kind = {"Content-Type": "application/x-amz-json-1.1"}
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    try:
        account, region = responses.get_account_id(), responses.get_region()
        answer = await asyncio.to_thread(_perform, account, region, action, _fields(body))
    except ApiError as refused:
        kind["x-amzn-ErrorType"] = refused.code
        return 400, kind, json.dumps({"__type": refused.code, "message": str(refused)}).encode()
    return 200, kind, json.dumps(answer).encode()


def _perform(account: str, region: str, action: str, fields: dict[str, Any]) -> dict[str, Any]:
    wrong = shapes.problem(SERVICE, action, fields)
    if wrong:
        raise ApiError("ValidationException", wrong)
    known = actions.ACTIONS.get(action)
    if known is None:
        raise ApiError("UnknownOperationException", f"The embedded cloud has no CodeCommit action {action}")
    return known(account, region, fields)


def push(query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
    """Commit the files of ``body`` to a branch of a repository, as ``caller``; answers the commit's id.

    ``files``: path → text, or null to delete it. ``force`` begins anew from ``parent`` (nothing without one), and
    ``collect`` then throws away what no branch reaches. ``delete`` deletes the branch instead.
    """
    try:
        repository = actions.find(body["account"], body["region"], body["repository"])
        caller = body.get("caller") or f"arn:aws:iam::{repository.account}:root"
        _ask(caller, repository)
        return 200, {"commit_id": _pushed(repository, caller, body)}
    except (ApiError, PushRefused, NoSuchObject) as refused:
        return 409, {"error": str(refused)}


def _ask(caller: str, repository: Repository) -> None:
    """A role's session may push where the role may; an account's root may in its own account."""
    from ministack.core import responses

    role = role_arn_of_session(caller)
    if role is None:
        if caller != f"arn:aws:iam::{repository.account}:root":
            raise ApiError("AccessDeniedException", f"{caller} is not known here")
        return
    with responses.request_scope(repository.account, repository.region):
        verdict = decide(role, "codecommit:GitPush", repository.arn)
    if not verdict.allowed:
        raise ApiError("AccessDeniedException", verdict.message)


def _pushed(repository: Repository, caller: str, body: dict[str, Any]) -> str:
    git, branch = repository.git, body["branch"]
    try:
        old = git.resolve(f"refs/heads/{branch}")
    except NoSuchObject:
        old = ""
    if body.get("delete"):
        git.delete_branch(branch)
        _send(repository, caller, branch, "referenceDeleted", {"oldCommitId": old})
        return ""
    files = {path: None if text is None else text.encode() for path, text in body["files"].items()}
    new = git.push(
        branch,
        files,
        body["author"],
        body["message"],
        parent=body.get("parent", ""),
        force=bool(body.get("force")),
    )
    if body.get("collect"):
        git.collect()
    moved = {"oldCommitId": old} if old else {}
    _send(repository, caller, branch, "referenceUpdated" if old else "referenceCreated", {"commitId": new, **moved})
    return new


def _send(repository: Repository, caller: str, branch: str, event: str, commits: dict[str, str]) -> None:
    """CodeCommit's event, in the shape of the AWS CodeCommit User Guide, "Monitoring CodeCommit events"."""
    from ministack.core import responses
    from ministack.services import eventbridge

    detail = {
        "event": event,
        "repositoryName": repository.name,
        "repositoryId": repository.identity,
        "referenceType": "branch",
        "referenceName": branch,
        "referenceFullName": f"refs/heads/{branch}",
        "callerUserArn": caller,
        **commits,
    }
    entry = {
        "Source": "aws.codecommit",
        "DetailType": EVENT,
        "Detail": json.dumps(detail),
        "Resources": [repository.arn],
        "Time": time.time(),
    }
    with responses.request_scope(repository.account, repository.region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _fields(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
