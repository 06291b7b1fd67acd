"""``POST /provisionpipeline``, in the shapes that clients of the old product know."""

from __future__ import annotations

from typing import Any

from functions.api.call import Call
from functions.api.service import Answer, Service
from orchestrator.core.disclosure import told_call
from orchestrator.core.errors import BadRequest, CallRefused, Refused
from orchestrator.core.model_cards.operations import perform
from orchestrator.core.model_cards.request import ModelCardRequest, model_card_in
from orchestrator.core.steps.receive_request import receive_body


def provision_pipeline(call: Call, service: Service) -> Answer:
    """Start the releases of a configuration; a model-card operation is done and answered at once."""
    token, data = call.token, call.body
    card = model_card_in(data)
    if card is not None:
        return Answer(200, _answer_card(card, service))
    force = call.query.get("force", "false")
    if force not in {"true", "false"}:
        raise BadRequest(f"force is {force!r}; it should be 'true' or 'false'")
    receipt = receive_body(data, call.caller, token, service.world.reception(service.env), force=force == "true")
    first = receipt.releases[0]
    answer: dict[str, Any] = {
        "message": "The release has started." if not receipt.duplicate else "This request has been taken before.",
        "pipeline_id": receipt.pipeline_id(first, service.world.installation),
        "release_id": first.release_id,
        "warnings": list(receipt.warnings),
    }
    if len(receipt.releases) > 1:
        answer["release_ids"] = [release.release_id for release in receipt.releases]
    return Answer(200, answer)


def _answer_card(card: ModelCardRequest, service: Service) -> dict[str, Any]:
    world = service.world
    try:
        answer = perform(card, world.cards, world.objects, service.env.assets_bucket, world.now())
    except CallRefused as error:
        from aws_lambda_powertools import Logger

        Logger(service="api").error("refused by AWS", extra={"why": str(error)})
        raise Refused(told_call(error, world.installation)) from error
    warnings = [warning.sentence for warning in card.warnings]
    return {**answer, "warnings": warnings} if warnings else answer
