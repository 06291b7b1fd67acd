"""``/mlops approve``, ``reject``, ``withdraw``: votes in words, about what was asked when they were typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_sdk import WebClient

from orchestrator.core.errors import UnknownRelease
from orchestrator.core.messages import private
from orchestrator.core.messages.blocks import Message
from orchestrator.core.messages.buttons import APPROVE, REJECT, WITHDRAW, question_of
from orchestrator.core.messages.headlines import sentence
from orchestrator.core.records import Verdict
from orchestrator.core.steps.notify_release import gather
from orchestrator.core.steps.progress import read_stamp
from slack_app import ballots
from slack_app.desk import Desk
from slack_app.front.answering import text
from slack_app.front.replay import TYPED_AT

USAGE = {
    APPROVE: "Write /mlops approve RELEASE, and a comment behind it if you like.",
    REJECT: "Write /mlops reject RELEASE and the reason behind it.",
    WITHDRAW: "Write /mlops withdraw RELEASE.",
}
VERBS = frozenset(USAGE)


def decided(verb: str, words: str, body: Mapping[str, Any], client: WebClient, desk: Desk) -> Message:
    """What came of ``/mlops VERB WORDS``."""
    release_id, _, said = words.strip().partition(" ")
    said = said.strip()
    if not release_id or (verb == WITHDRAW and said) or (verb == REJECT and not said):
        return private.told(USAGE[verb])
    try:
        facts = gather(release_id, desk.store, desk.installation)
    except UnknownRelease:
        return private.no_release(release_id)
    if facts.waiting is None:
        return private.told(f"{release_id} waits for no decision. {sentence(facts)}")
    approval = facts.waiting.approval
    if _typed_at(body) < read_stamp(approval.asked_at).timestamp():
        # Told twice, or late: words about one stage must not decide about the next.
        return private.asked_since(approval.stage)
    asked = question_of(approval)
    if verb == WITHDRAW:
        act = ballots.withdrawing(asked, desk)
    else:
        act = ballots.voting(asked, Verdict.APPROVE if verb == APPROVE else Verdict.REJECT, client, desk, said)
    return private.about_plan(ballots.answer(body, asked, verb, act, client, desk), release_id, approval)


def _typed_at(body: Mapping[str, Any]) -> float:
    try:
        return float(text(body, TYPED_AT))
    except ValueError:
        return 0.0
