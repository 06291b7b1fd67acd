"""A click becomes a ballot: one way from buttons, dialogs and words to the vote, and to what the person is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from slack_sdk import WebClient

from orchestrator.aws.user_groups import SlackUserGroups
from orchestrator.core.errors import Refused
from orchestrator.core.messages import private
from orchestrator.core.messages.blocks import Message
from orchestrator.core.messages.buttons import WITHDRAW, Question, question_of
from orchestrator.core.messages.dialogs import Place
from orchestrator.core.records import Approval, Release, Verdict
from orchestrator.core.steps.decide_approval import Ballot, BallotResult, asked_about, check_voter, vote
from orchestrator.core.steps.withdraw_vote import Wish, withdraw
from orchestrator.core.user_groups import Voter, look_up
from slack_app.desk import Desk
from slack_app.homes import reply
from slack_app.identity import caller, member

logger = logging.getLogger("slack_app")


Act = Callable[[Voter], BallotResult]
"""What somebody does about an approval, once it is certain who he is."""


def cast(
    body: Mapping[str, Any], where: Place, verdict: Verdict, client: WebClient, desk: Desk, reason: str = ""
) -> None:
    """Count the clicker's vote and tell him privately what came of it.

    The decision is in the table, and the state machine answered, before anything is said; the release's message is
    kept current by the table's stream.
    """
    _act(body, where, verdict.value, voting(where.question, verdict, client, desk, reason), client, desk)


def take_back(body: Mapping[str, Any], where: Place, client: WebClient, desk: Desk) -> None:
    """Withdraw the clicker's vote and tell him privately what came of it."""
    _act(body, where, WITHDRAW, withdrawing(where.question, desk), client, desk)


def voting(asked: Question, verdict: Verdict, client: WebClient, desk: Desk, reason: str = "") -> Act:
    """A vote about a question as it was shown."""

    def act(voter: Voter) -> BallotResult:
        return vote(
            Ballot(
                asked.approval_id,
                asked.digest_prefix,
                voter.identity,
                verdict,
                reason,
                via="slack",
                slack_id=voter.slack_id,
            ),
            store=desk.store,
            tasks=desk.tasks,
            installation=desk.installation,
            now=desk.now,
            groups=user_groups(client, desk),
        )

    return act


def withdrawing(asked: Question, desk: Desk) -> Act:
    """A vote about a question as it was shown is taken back."""

    def act(voter: Voter) -> BallotResult:
        wish = Wish(asked.approval_id, asked.digest_prefix, voter.identity, via="slack")
        return withdraw(wish, store=desk.store, installation=desk.installation, now=desk.now)

    return act


def answer(body: Mapping[str, Any], asked: Question, what: str, act: Act, client: WebClient, desk: Desk) -> Message:
    """Do it as the one who asks, and say what came of it."""
    try:
        who = caller(body)
        result = act(Voter(member(who, client, desk.installation), who.user))
    except Refused as refusal:
        # A trace of who tried what: ids alone, and at a level that Lambda's log shows.
        logger.warning("refused: %s by %s of approval %s: %s", what, caller(body).user, asked.approval_id, refusal)
        return private.told(str(refusal))
    return private.ballot_answer(result.approval, result.sentence, result.counted)


def user_groups(client: WebClient, desk: Desk) -> SlackUserGroups:
    """Slack's user groups, asked with the token of the request at hand."""
    return SlackUserGroups(lambda: str(client.token or ""), desk.installation.slack_api_url)


def _act(body: Mapping[str, Any], where: Place, what: str, act: Act, client: WebClient, desk: Desk) -> None:
    message = answer(body, where.question, what, act, client, desk)
    reply(client, where.channel, caller(body).user, message, desk)


def still_open(
    asked: Question, voter: Voter, verdict: Verdict, client: WebClient, desk: Desk
) -> tuple[Release, Approval]:
    """The release and approval that this person may still say this about; raises ``Refused`` with why not."""
    found = asked_about(asked.approval_id, desk.store, desk.installation)
    late = private.too_late(found.approval)
    if late:
        raise Refused(late)
    if question_of(found.approval) != asked:
        raise Refused(private.STALE_BUTTON)
    check_voter(found, voter, verdict, look_up(found.rules, user_groups(client, desk)))
    return found.release, found.approval
