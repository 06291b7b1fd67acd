"""Routes, bodies and status codes of the REST API. Every answer is JSON, also every refusal."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from functions.api.env import Env
from orchestrator.aws.world import World
from orchestrator.core import strict_json, views
from orchestrator.core.disclosure import told_call
from orchestrator.core.errors import (
    BadRequest,
    CallRefused,
    Conflict,
    NotAllowed,
    Refused,
    TryAgain,
    UnknownModelCard,
    UnknownRelease,
)
from orchestrator.core.model_cards import OPERATIONS
from orchestrator.core.model_cards.operations import perform
from orchestrator.core.model_cards.request import ModelCardRequest, model_card_in
from orchestrator.core.people import Identity, IdentityKind
from orchestrator.core.pipeline_state import pipeline_state
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.records import Approval, ApprovalStatus, Release, StageRecord, Status, Verdict
from orchestrator.core.steps.answer_model_card import answer_key
from orchestrator.core.steps.decide_approval import MIN_PREFIX, Ballot, vote
from orchestrator.core.steps.progress import approval_of, live_figures, release_of
from orchestrator.core.steps.receive_request import Reception, receive_body

MAX_BODY = 262_144
"""Bytes of a request's body: a configuration is some kilobytes."""

MAX_LIMIT = 100

MAX_KEY = 128
"""Characters of an idempotency key."""

MAX_PROBLEMS = 500
"""In one answer: Lambda passes on 6 MB, and what is longer reaches the caller as a 502 without a word."""

RETRY_AFTER = 5
"""Seconds, where AWS asked for a slower pace."""


@dataclass(frozen=True)
class Api:
    """What the routes work with."""

    world: World
    env: Env

    def reception(self) -> Reception:
        """The collaborators of ``receive_request``."""
        return Reception(
            store=self.world.store,
            objects=self.world.objects,
            tasks=self.world.tasks,
            catalogue=self.world.catalogue,
            installation=self.world.installation,
            registry=self.world.registry,
            assets_bucket=self.env.assets_bucket,
            packages_bucket=self.env.packages_bucket,
            cards=self.world.cards,
            multi_machine_arn=self.env.multi_machine_arn,
            single_machine_arn=self.env.single_machine_arn,
            now=self.world.now,
        )


def respond(event: Mapping[str, Any], api: Api) -> dict[str, Any]:
    """Answer one request; refusals become their status codes, everything else is raised on.

    What is raised becomes API Gateway's own 502, and an error of the function that an alarm sees.
    """
    try:
        status, body = _route(event, api)
    except BadConfiguration as error:
        return _json(400, _problems(error))
    except (UnknownRelease, UnknownModelCard) as error:
        return _json(404, {"message": str(error)})
    except NotAllowed as error:
        return _json(403, {"message": str(error)})
    except BadRequest as error:
        return _json(400, {"message": str(error)})
    except Refused as error:
        return _json(409, {"message": str(error)})
    except (TryAgain, Conflict) as error:
        return _json(503, {"message": f"Try again in a moment: {error}"}, {"Retry-After": str(RETRY_AFTER)})
    return _json(status, body)


def _problems(error: BadConfiguration) -> dict[str, Any]:
    """All that is wrong, as far as an answer can hold it: a body of 256 KiB can have 40,000 mistakes."""
    shown, more = error.problems[:MAX_PROBLEMS], len(error.problems) - MAX_PROBLEMS
    sentences = [found.sentence for found in shown] + ([f"… and {more:,} more"] if more > 0 else [])
    return {
        "message": "\n".join(sentences),
        "problems": [asdict(found) for found in shown],
    }


def _route(event: Mapping[str, Any], api: Api) -> tuple[int, dict[str, Any]]:
    parameters = event.get("pathParameters") or {}
    match (event.get("httpMethod"), event.get("resource")):
        case ("GET", "/releases"):
            return 200, _list(event, api)
        case ("GET", "/releases/{id}"):
            return 200, _show(parameters["id"], api)
        case ("POST", "/releases/{id}/decision"):
            return 200, _decide(parameters["id"], event, api)
        case ("POST", "/provisionpipeline"):
            return 200, _provision(event, api)
        case ("POST", "/pipelinestatus"):
            return 200, _state(event, api)
        case (method, resource):
            return 404, {"message": f"there is no {method} {resource}"}


def _list(event: Mapping[str, Any], api: Api) -> dict[str, Any]:
    raw = (event.get("queryStringParameters") or {}).get("limit", "20")
    if not str(raw).isdecimal() or not 1 <= int(raw) <= MAX_LIMIT:
        raise BadRequest(f"limit is {raw!r}; it should be a whole number from 1 to {MAX_LIMIT}")
    releases = api.world.store.listed(Release, "RELEASES", limit=int(raw), newest_first=True)
    return {"releases": [views.summary(release, api.world.installation) for release in releases]}


def _show(release_id: str, api: Api) -> dict[str, Any]:
    release = release_of(api.world.store, release_id)
    live = live_figures(api.world.store, release)
    found = views.detail(release, *_progress(release, api), api.world.installation, live)
    if release.workload_type in OPERATIONS and release.status is Status.SUCCEEDED:
        found["answer"] = json.loads(api.world.objects.read(api.env.packages_bucket, answer_key(release_id)))
    return found


def _progress(release: Release, api: Api) -> tuple[tuple[StageRecord, ...], dict[str, Approval]]:
    """The release's stages, and their approvals by id."""
    store = api.world.store
    stages = store.under(StageRecord, f"RELEASE#{release.release_id}")
    found = [approval_of(store, record.approval_id) for record in stages if record.approval_id]
    return stages, {approval.approval_id: approval for approval in found if approval}


def _decide(release_id: str, event: Mapping[str, Any], api: Api) -> dict[str, Any]:
    body = _object(event)
    verdict = body.get("decision")
    if not isinstance(verdict, str) or verdict not in set(Verdict):
        raise BadRequest(f"$.decision is {verdict!r}; it should be 'approve' or 'reject'")
    reason = body.get("reason", "")
    if not isinstance(reason, str):
        raise BadRequest("$.reason should be text")
    digest = body.get("digest")
    if not isinstance(digest, str) or len(digest) < MIN_PREFIX:
        raise BadRequest(
            f"$.digest is missing: send the digest of the plan you looked at (stages[].plan.digest of "
            f"GET /releases/{release_id}), at least its first {MIN_PREFIX} characters"
        )
    approval = _pending(release_id, body.get("stage"), api)
    result = vote(
        Ballot(approval.approval_id, digest, _caller(event), Verdict(verdict), reason, via="api"),
        store=api.world.store,
        tasks=api.world.tasks,
        installation=api.world.installation,
        now=api.world.now,
    )
    return {
        "release_id": release_id,
        "stage": approval.stage,
        "status": result.approval.status.value,
        "counted": result.counted,
        "message": result.sentence,
    }


def _pending(release_id: str, stage: object, api: Api) -> Approval:
    """The approval to decide: of the stage named, else the one that waits."""
    release = release_of(api.world.store, release_id)
    if stage is not None and stage not in release.stages:
        raise BadRequest(f"$.stage is {stage!r}; this release has the stages {', '.join(release.stages)}")
    _, known = _progress(release, api)
    approvals = [approval for approval in known.values() if stage in {None, approval.stage}]
    waiting = [approval for approval in approvals if approval.status is ApprovalStatus.PENDING]
    if waiting:
        return waiting[0]
    if approvals and stage is not None:
        return approvals[-1]
    raise Refused(f"release {release_id} waits for no decision{f' in {stage}' if stage else ''}")


def _provision(event: Mapping[str, Any], api: Api) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    token = headers.get("idempotency-key") or event["requestContext"]["requestId"]
    if len(token) > MAX_KEY:
        raise BadRequest(f"the header Idempotency-Key has {len(token)} characters; at most {MAX_KEY} are taken")
    force = (event.get("queryStringParameters") or {}).get("force", "") == "true"
    data = _body(event)
    card = model_card_in(data)
    if card is not None:
        return _answer_card(card, api)
    receipt = receive_body(data, _caller(event), token, api.reception(), force=force)
    first = receipt.releases[0]
    answer: dict[str, Any] = {
        "message": "The release has started." if not receipt.duplicate else "This request has been taken before.",
        "pipeline_id": receipt.pipeline_id(first, api.world.installation),
        "release_id": first.release_id,
        "warnings": list(receipt.warnings),
    }
    if len(receipt.releases) > 1:
        answer["release_ids"] = [release.release_id for release in receipt.releases]
    return answer


def _answer_card(card: ModelCardRequest, api: Api) -> dict[str, Any]:
    """A model-card operation, in the shape that clients of the old product know."""
    try:
        answer = perform(card, api.world.cards, api.world.objects, api.env.assets_bucket, api.world.now())
    except CallRefused as error:
        from aws_lambda_powertools import Logger

        Logger(service="api").error("refused by AWS", extra={"why": str(error)})
        raise Refused(told_call(error, api.world.installation)) from error
    warnings = [warning.sentence for warning in card.warnings]
    return {**answer, "warnings": warnings} if warnings else answer


def _state(event: Mapping[str, Any], api: Api) -> dict[str, Any]:
    pipeline_id = _object(event).get("pipeline_id")
    if not isinstance(pipeline_id, str) or ":stack/" not in pipeline_id:
        raise BadRequest("$.pipeline_id should be the stack ARN that POST /provisionpipeline has answered")
    release = release_of(api.world.store, pipeline_id.rsplit("/", 1)[-1])
    return pipeline_state(release, *_progress(release, api), api.world.installation)


def _caller(event: Mapping[str, Any]) -> Identity:
    arn = event["requestContext"]["identity"].get("userArn") or ""
    if not arn:
        raise NotAllowed("API Gateway named no caller; the API must be called with SigV4")
    return Identity(IdentityKind.IAM, arn, verified=True)


def _body(event: Mapping[str, Any]) -> bytes:
    raw = event.get("body") or ""
    try:
        # A lone surrogate is no UTF-8; it is passed on so that the parser refuses it as it refuses it in a file.
        data = base64.b64decode(raw) if event.get("isBase64Encoded") else str(raw).encode("utf-8", "surrogatepass")
    except ValueError:
        raise BadRequest("the body is not valid base64") from None
    if len(data) > MAX_BODY:
        raise BadRequest(f"the body has {len(data)} bytes; at most {MAX_BODY} are taken")
    return data


def _object(event: Mapping[str, Any]) -> dict[str, Any]:
    parsed = strict_json.parse(_body(event))
    if not isinstance(parsed, dict):
        raise BadRequest("the body should be a JSON object")
    return parsed


def _json(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "isBase64Encoded": False,
        "body": json.dumps(body),
    }
