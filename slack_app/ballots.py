"""A click becomes a ballot: one way from both buttons to the vote, and to what the clicker is told."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from slack_sdk import WebClient

from orchestrator.aws.user_groups import SlackUserGroups
from orchestrator.core.approvals import eligible
from orchestrator.core.errors import NotAllowed, Refused
from orchestrator.core.messages import private
from orchestrator.core.messages.blocks import Message
from orchestrator.core.messages.buttons import Question, question_of
from orchestrator.core.messages.dialogs import Place
from orchestrator.core.messages.refused_votes import why_not
from orchestrator.core.records import Approval, Release, Verdict
from orchestrator.core.steps.decide_approval import Ballot, vote
from orchestrator.core.steps.progress import approval_of, release_of, rules_for
from orchestrator.core.user_groups import UserGroups, Voter, look_up
from slack_app.desk import Desk
from slack_app.homes import reply
from slack_app.identity import caller, member

logger = logging.getLogger("slack_app")


def cast(
    body: Mapping[str, Any], where: Place, verdict: Verdict, client: WebClient, desk: Desk, reason: str = ""
) -> None:
    """Count the clicker's vote and tell him privately what came of it.

    The decision is in the table, and the state machine answered, before anything is said; the release's message is
    kept current by the table's stream.
    """
    who = caller(body)
    message = _counted(body, where.question, verdict, client, desk, reason)
    reply(client, where.channel, who.user, message, desk)


def _counted(
    body: Mapping[str, Any], asked: Question, verdict: Verdict, client: WebClient, desk: Desk, reason: str
) -> Message:
    try:
        who = caller(body)
        voter = member(who, client, desk.installation)
        result = vote(
            Ballot(asked.approval_id, asked.digest_prefix, voter, verdict, reason, via="slack", slack_id=who.user),
            store=desk.store,
            tasks=desk.tasks,
            installation=desk.installation,
            now=desk.now,
            groups=user_groups(client, desk),
        )
    except Refused as refusal:
        # A trace of who tried what: ids alone, and at a level that Lambda's log shows.
        logger.warning(
            "refused: %s by %s of approval %s: %s", verdict.value, caller(body).user, asked.approval_id, refusal
        )
        return private.told(str(refusal))
    return private.ballot_answer(result.approval, result.sentence, result.counted)


def user_groups(client: WebClient, desk: Desk) -> SlackUserGroups:
    """Slack's user groups, asked with the token of the request at hand."""
    return SlackUserGroups(lambda: str(client.token or ""), desk.installation.slack_api_url)


def still_open(asked: Question, voter: Voter, groups: UserGroups, desk: Desk) -> tuple[Release, Approval]:
    """The release and approval that this person may still reject; raises ``Refused`` with the reason why not."""
    approval = approval_of(desk.store, asked.approval_id)
    if approval is None:
        raise Refused(private.STALE_BUTTON)
    late = private.too_late(approval)
    if late:
        raise Refused(late)
    if question_of(approval) != asked:
        raise Refused(private.STALE_BUTTON)
    release = release_of(desk.store, approval.release_id)
    rules = rules_for(desk.installation, release, approval.stage)
    if rules is None:
        raise Refused(private.STALE_BUTTON)
    lookup = look_up(rules, groups)
    standing = eligible(lookup.into(rules, approval.votes, voter), release.requester, voter.identity)
    if not standing.allowed:
        raise NotAllowed(why_not(standing.reason, approval.stage, voter, lookup, rules.people))
    return release, approval
