"""Doing what a model-card request asks; the answer is JSON, in the shape that clients of the old product know.

``{"message": …}`` holds SageMaker's description of the card (create, update, describe), the list of cards (list), or a
sentence (delete, export). Creating may be repeated: a card that stands with the same content counts as created.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestrator.core.errors import Refused, UnknownModelCard
from orchestrator.core.model_cards import EXPORTS
from orchestrator.core.model_cards.content import content_of
from orchestrator.core.model_cards.ports import ModelCards
from orchestrator.core.model_cards.request import ModelCardRequest
from orchestrator.core.ports import Objects
from orchestrator.core.problems import BadConfiguration, Problem

MAX_CONTENT = 100_000
"""Characters of a card's content (CreateModelCard)."""

DEFAULT_STATUS = "Draft"


def perform(
    request: ModelCardRequest,
    cards: ModelCards,
    objects: Objects,
    assets_bucket: str,
    now: datetime,
    *,
    again: bool = False,
) -> dict[str, Any]:
    """Do it; raises ``BadConfiguration``, ``UnknownModelCard``, ``Refused`` (a card of the name is there already).

    ``again``: an attempt that died may have done it already, so that a card to delete may be gone.
    """
    match request.operation:
        case "create_model_card":
            message: object = _create(request, cards, objects, assets_bucket)
        case "update_model_card":
            message = _update(request, cards, objects, assets_bucket)
        case "describe_model_card":
            message = _described(request, cards)
        case "delete_model_card":
            if not cards.delete(request.name) and not again:
                raise _unknown(request)
            message = f"Model card with the name: {request.name} has been deleted"
        case "export_model_card":
            message = _export(request, cards, assets_bucket, now)
        case _:
            message = {"ModelCardSummaries": cards.summaries()}
    return {"message": message}


def _create(request: ModelCardRequest, cards: ModelCards, objects: Objects, bucket: str) -> Mapping[str, Any]:
    content = _text(content_of(request, cards, objects, bucket), request)
    status = request.status or DEFAULT_STATUS
    if not cards.create(request.name, content, status):
        standing = _described(request, cards)
        same = json.loads(standing["Content"]) == json.loads(content) and standing["ModelCardStatus"] == status
        if not same:
            raise Refused(f'there is a model card "{request.name}" already; change it with update_model_card')
    return _described(request, cards)


def _update(request: ModelCardRequest, cards: ModelCards, objects: Objects, bucket: str) -> Mapping[str, Any]:
    """Replace the sections that are given, keep the others.

    Content and status are two calls: SageMaker takes one of them a call. A card in Archived takes no content, so a new
    status comes first where it leads out of there, and last otherwise.
    """
    standing = _described(request, cards)
    changes = content_of(request, cards, objects, bucket)
    before = json.loads(standing["Content"] or "{}")
    after = {**before, **changes}
    status_first = standing["ModelCardStatus"] == "Archived"
    wanted = request.status if request.status != standing["ModelCardStatus"] else ""
    if wanted and status_first:
        cards.update_status(request.name, wanted)
    if after != before:
        cards.update_content(request.name, _text(after, request))
    if wanted and not status_first:
        cards.update_status(request.name, wanted)
    return _described(request, cards)


def _described(request: ModelCardRequest, cards: ModelCards) -> Mapping[str, Any]:
    found = cards.describe(request.name, request.version)
    if found is None:
        raise _unknown(request)
    return found


def _export(request: ModelCardRequest, cards: ModelCards, bucket: str, now: datetime) -> str:
    _described(request, cards)
    job = request.export_job or f"{request.name[:48]}-{now:%Y%m%d%H%M%S}"
    output = f"s3://{bucket}/{EXPORTS}"
    cards.export(request.name, job, request.version, output)
    return f"Model card with the name: {request.name} has been exported to {output}"


def _text(content: Mapping[str, Any], request: ModelCardRequest) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    if len(text) > MAX_CONTENT:
        what = f"makes a card of {len(text):,} characters, SageMaker takes {MAX_CONTENT:,}"
        raise BadConfiguration([Problem(request.path, what, "Shorten it, or leave results out.")])
    return text


def _unknown(request: ModelCardRequest) -> UnknownModelCard:
    version = f" with the version {request.version}" if request.version else ""
    return UnknownModelCard(f'there is no model card "{request.name}"{version} in this account and region')
