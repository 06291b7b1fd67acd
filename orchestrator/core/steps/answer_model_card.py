"""A model-card operation that was uploaded as a file: done at once, and told as a release is, in Slack and by e-mail.

It makes no stack and waits for nobody, so its record is inserted when it has ended. A delivery that died between the
operation and the record is done again by the next one, which every operation bears.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from orchestrator.core.errors import AccessDenied, CallRefused, Conflict, Refused
from orchestrator.core.model_cards import OPERATIONS
from orchestrator.core.model_cards.operations import perform
from orchestrator.core.model_cards.ports import ModelCards
from orchestrator.core.model_cards.request import ModelCardRequest
from orchestrator.core.origins import Source
from orchestrator.core.packaging import canonical
from orchestrator.core.people import Identity
from orchestrator.core.ports import Clock, Objects
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.progress import stamp

EVERY_CARD = "model-cards"
"""Stands for a name where the operation has none."""

OVERTAKEN = "A newer version of the file had arrived before this one."
"""Why an upload is superseded at once, a release's too."""


def answer_key(release_id: str) -> str:
    """Where the JSON answer is kept in the packages bucket."""
    return f"requests/{release_id}.answer.json"


def answer_model_card(
    request: ModelCardRequest,
    release_id: str,
    source: Source,
    requester: Identity,
    *,
    cards: ModelCards,
    objects: Objects,
    assets_bucket: str,
    packages_bucket: str,
    now: Clock,
    again: bool,
    overtaken: bool,
) -> Release:
    """Do the operation; its record, not inserted yet. Raises ``Throttled``: the delivery is repeated.

    ``again``: an earlier delivery may have done it already, and died before its record was inserted. ``overtaken``: a
    newer version of the file has been done, which this one must not undo.
    """
    if not request.export_job:
        # A name of the delivery's own, so that a repeated export finds the first.
        request = replace(request, export_job=release_id)
    problems: tuple[str, ...] = ()
    status, reason = Status.SUPERSEDED, OVERTAKEN
    if not overtaken:
        status, reason, problems = _done(
            request, answer_key(release_id), cards, objects, assets_bucket, packages_bucket, now, again=again
        )
    moment = stamp(now())
    return Release(
        release_id=release_id,
        workload=request.name or EVERY_CARD,
        workload_type=request.operation,
        status=status,
        source=source,
        requester=requester,
        created_at=moment,
        updated_at=moment,
        reason=reason,
        problems=problems,
        warnings=tuple(warning.sentence for warning in request.warnings),
    )


def _done(
    request: ModelCardRequest,
    key: str,
    cards: ModelCards,
    objects: Objects,
    assets_bucket: str,
    packages_bucket: str,
    now: Clock,
    *,
    again: bool,
) -> tuple[Status, str, tuple[str, ...]]:
    """How it ended, what is told of it, and what was wrong with the request; the answer is kept under the key."""
    try:
        answer = perform(request, cards, objects, assets_bucket, now(), again=again)
    except BadConfiguration as refused:
        return Status.REFUSED, "", tuple(problem.sentence for problem in refused.problems)
    except Refused as refused:
        return Status.REFUSED, "", (f"{request.path}.name: {refused}",)
    except (AccessDenied, CallRefused) as failed:
        return Status.FAILED, str(failed), ()
    with suppress(Conflict):  # an earlier delivery wrote it, with other times in it
        objects.write_once(packages_bucket, key, canonical(answer), "application/json")
    return Status.SUCCEEDED, _told(request, answer["message"]), ()


def _told(request: ModelCardRequest, message: object) -> str:
    if isinstance(message, str):
        return f"{message}."
    if not isinstance(message, dict) or "ModelCardSummaries" in message:
        count = len(message["ModelCardSummaries"]) if isinstance(message, dict) else 0
        return f"There {'is 1 model card' if count == 1 else f'are {count} model cards'} in the account."
    standing = f"version {message['ModelCardVersion']}, {message['ModelCardStatus']}"
    return f"The card was {OPERATIONS[request.operation]}: {standing} ({message['ModelCardArn']})."
