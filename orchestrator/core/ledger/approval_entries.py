"""What a change of an approval tells: the question, each vote, each withdrawal, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.core.approvals import decide
from orchestrator.core.ledger.chain import Actor, Draft, EntryKind
from orchestrator.core.ledger.changes import Change
from orchestrator.core.ledger.setting import Setting, some
from orchestrator.core.people import Identity, IdentityKind, principal_name
from orchestrator.core.records import Approval, ApprovalStatus, Verdict, Vote
from orchestrator.core.steps.progress import rules_for
from orchestrator.core.withdrawals import Withdrawal


def of_approval(change: Change, before: Approval | None, after: Approval, setting: Setting) -> Iterator[Draft]:
    """Everything that it tells, in order."""
    if before is None:
        yield Draft(
            EntryKind.APPROVAL_REQUESTED,
            change.told_as(EntryKind.APPROVAL_REQUESTED),
            after.asked_at,
            after.release_id,
            stage=after.stage,
            facts={**_question(after), "expires_at": after.expires_at, "needed": _needed(after, setting)},
        )
    known = before.votes if before else ()
    for vote in after.votes:
        if not any(_same(vote, other) for other in known):
            yield _voted(change, after, vote)
    new = after.withdrawals[len(before.withdrawals) if before else 0 :]
    for withdrawal in new:
        yield _withdrawn(change, after, withdrawal, Verdict.APPROVE)
    for vote in known:
        if vote.person not in {*(other.person for other in after.votes), *(other.person for other in new)}:
            # Nothing in the product drops a vote without a word; whatever does is told all the same.
            gone = Withdrawal(vote.person, vote.display, vote.at, change.at, via="")
            yield _withdrawn(change, after, gone, vote.verdict)
    was = before.status if before else ApprovalStatus.PENDING
    if after.status is not ApprovalStatus.PENDING and after.status is not was:
        yield _decided(change, after)


def _question(approval: Approval) -> dict[str, Any]:
    return {"approval_id": approval.approval_id, "plan_digest": approval.digest}


def _needed(approval: Approval, setting: Setting) -> str:
    """Whose approval was asked for, in words."""
    release, installation = setting.release, setting.installation
    if not installation.has_stage(approval.stage):
        return ""
    rules = rules_for(installation, release, approval.stage)
    return decide(rules, release.requester, ()).missing if rules else ""


def _same(one: Vote, other: Vote) -> bool:
    return (one.person, one.verdict, one.at) == (other.person, other.verdict, other.at)


def _voted(change: Change, approval: Approval, vote: Vote) -> Draft:
    return Draft(
        EntryKind.VOTE,
        change.told_as(EntryKind.VOTE, vote.person),
        vote.at,
        approval.release_id,
        stage=approval.stage,
        actor=_voter(vote),
        via=vote.via,
        outcome=vote.verdict.value,
        reason=vote.reason,
        facts=_question(approval),
    )


def _withdrawn(change: Change, approval: Approval, withdrawal: Withdrawal, verdict: Verdict) -> Draft:
    """The vote's own entry stays: the ledger tells both."""
    return Draft(
        EntryKind.VOTE_WITHDRAWN,
        change.told_as(EntryKind.VOTE_WITHDRAWN, withdrawal.person),
        withdrawal.at,
        approval.release_id,
        stage=approval.stage,
        actor=_voter(withdrawal),
        via=withdrawal.via,
        outcome=verdict.value,
        facts={**_question(approval), "cast_at": withdrawal.cast_at},
    )


def _decided(change: Change, approval: Approval) -> Draft:
    """The question is settled; by people, the one whose vote came last has settled it."""
    by_people = approval.status in {ApprovalStatus.APPROVED, ApprovalStatus.REJECTED}
    last = max(approval.votes, key=lambda vote: vote.at, default=None) if by_people else None
    return Draft(
        EntryKind.DECISION,
        change.told_as(EntryKind.DECISION),
        approval.settled_at or change.at,
        approval.release_id,
        stage=approval.stage,
        actor=_voter(last) if last else None,
        via=last.via if last else "",
        outcome=approval.status.value,
        reason=last.reason if last else "",
        facts={**_question(approval), "votes": some([_vote_in_words(vote) for vote in approval.votes])},
    )


def _vote_in_words(vote: Vote) -> str:
    return f"{vote.verdict.value} by {vote.display} ({vote.person}) at {vote.at} via {vote.via}"


def _voter(vote: Vote | Withdrawal) -> Actor:
    """Who only claims to be somebody has no vote, so the voter is verified."""
    who = _identity(vote.person)
    return Actor(vote.display or principal_name(who.value), who.value, who.kind.value, who.verified)


def _identity(person: str) -> Identity:
    """The inverse of ``People.key``."""
    kind, separator, value = person.partition(":")
    if separator and kind in set(IdentityKind):
        return Identity(IdentityKind(kind), value, verified=True)
    return Identity(IdentityKind.EMAIL, person, verified=True)
