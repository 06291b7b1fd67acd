"""A person takes an approval back while others are still missing.

A conditional write like a vote: it and the vote that settles the question cannot both win. The vote leaves the row's
votes, and stays in its withdrawals; whoever has withdrawn may vote again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.core.approvals import decide
from orchestrator.core.errors import NotAllowed, Refused
from orchestrator.core.installation import Installation
from orchestrator.core.people import Identity
from orchestrator.core.ports import Clock, Store
from orchestrator.core.records import Approval, ApprovalStatus
from orchestrator.core.steps.decide_approval import (
    BallotResult,
    asked_about,
    check_digest,
    how_it_stands,
    in_minutes,
    subject_of,
)
from orchestrator.core.steps.progress import read_stamp, stamp
from orchestrator.core.withdrawals import Withdrawal


@dataclass(frozen=True)
class Wish:
    """Whose vote is to be taken back, and from which question."""

    approval_id: str
    digest_prefix: str
    """The start of the plan's digest as it was shown to the voter."""
    voter: Identity
    via: str = "slack"


def withdraw(wish: Wish, *, store: Store, installation: Installation, now: Clock) -> BallotResult:
    """Take a vote back; the same wish again is answered again, and changes nothing.

    Raises ``NotAllowed`` where this person has no vote to withdraw, ``Refused`` where the question is settled, or the
    plan is another one than was shown; both carry a sentence for the person.
    """
    asked = asked_about(wish.approval_id, store, installation)
    check_digest(asked.approval, wish.digest_prefix)
    release, rules = asked.release, asked.rules
    # A vote stands under the key of somebody who was verified; who only claims to be somebody has none.
    key = rules.voter_key(wish.voter) if wish.voter.verified else ""
    before = asked.approval

    def taken_back(current: Approval) -> Approval:
        nonlocal before
        before = current
        moment = now()
        mine = current.vote_of(key)
        if current.status is not ApprovalStatus.PENDING or mine is None or moment >= read_stamp(current.expires_at):
            return current
        told = Withdrawal(key, mine.display, mine.at, stamp(moment), wish.via)
        others = tuple(vote for vote in current.votes if vote.person != key)
        return replace(current, votes=others, withdrawals=(*current.withdrawals, told))

    after = store.update(Approval, before.key(), taken_back)
    ended = how_it_stands(after, release, now)
    if ended:
        raise Refused(f"{ended} A vote can be withdrawn only while others are missing.")
    last = next((one for one in reversed(after.withdrawals) if one.person == key), None)
    if last is None:
        raise NotAllowed(f"You have no vote to withdraw about {after.stage}.")
    decision = decide(rules, release.requester, after.votes)
    about = f"{subject_of(release)} for {after.stage}"
    if after == before:
        told = f"You had withdrawn your approval of {about} already, at {in_minutes(last.at)}."
    else:
        told = f"Your approval of {about} is withdrawn."
    return BallotResult(after, decision, f"{told} Still needed: {decision.missing}.", counted=after != before)
