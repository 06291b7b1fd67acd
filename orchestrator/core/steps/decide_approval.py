"""A person votes: from Slack, the API or the command line, always through here.

The vote is written first, by a condition on the row; the state machine is answered second. If the function dies
between, the sweeper repeats the second step from the row. What is shown is never the record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.core.approvals import Decision, Outcome, Rules, decide, eligible
from orchestrator.core.errors import NotAllowed, Refused
from orchestrator.core.installation import Installation
from orchestrator.core.messages.refused_votes import unknown_members, why_not
from orchestrator.core.people import Identity
from orchestrator.core.ports import Clock, Store, Tasks
from orchestrator.core.records import Approval, ApprovalStatus, Release, Verdict, Vote
from orchestrator.core.steps.answers import answer
from orchestrator.core.steps.progress import approval_of, read_stamp, release_of, rules_for, stamp
from orchestrator.core.user_groups import Lookup, UserGroups, Voter, look_up, noted

MIN_REASON = 3
"""Characters of a reason to reject."""

MAX_REASON = 1000

MIN_PREFIX = 16
"""Hex digits of the digest that a button carries: 64 bits cannot be met by chance."""


@dataclass(frozen=True)
class Ballot:
    """What somebody wants to say about one approval."""

    approval_id: str
    digest_prefix: str
    """The start of the plan's digest as it was shown to the voter."""
    voter: Identity
    verdict: Verdict
    reason: str = ""
    via: str = "slack"
    slack_id: str = ""
    """The Slack account that clicked; empty for a ballot that came another way."""

    @property
    def cast_by(self) -> Voter:
        """The voter, with the account."""
        return Voter(self.voter, self.slack_id)


@dataclass(frozen=True)
class BallotResult:
    """What came of a ballot."""

    approval: Approval
    decision: Decision
    sentence: str
    """For the voter."""
    counted: bool
    """False when the ballot changed nothing: the same vote again, or a vote on what is settled."""


def vote(
    ballot: Ballot,
    *,
    store: Store,
    tasks: Tasks,
    installation: Installation,
    now: Clock,
    groups: UserGroups | None = None,
) -> BallotResult:
    """Count a ballot, and answer the state machine when it settles the approval.

    Members of Slack user groups are looked up in ``groups`` now, once; None where Slack cannot be asked. Raises
    ``NotAllowed`` when this person may not vote here, ``Refused`` when there is nothing (more) to vote on or the plan
    is another one than the voter was shown; both carry a sentence for the voter.
    """
    approval = approval_of(store, ballot.approval_id)
    if approval is None:
        raise Refused("There is no such approval (any more).")
    release = release_of(store, approval.release_id)
    rules = rules_for(installation, release, approval.stage)
    if rules is None:
        raise Refused(f"{approval.stage} needs no approval.")
    lookup = look_up(rules, groups)
    _check(ballot, release, lookup.into(rules, approval.votes, ballot.cast_by), approval, lookup)
    before = approval

    def cast(current: Approval) -> Approval:
        nonlocal before
        before = current
        return _cast(current, ballot, release, lookup.into(rules, current.votes, ballot.cast_by), now)

    after = store.update(Approval, approval.key(), cast)
    if after.status is not ApprovalStatus.PENDING:
        answer(after, store=store, tasks=tasks)
    decision = decide(lookup.into(rules, after.votes, ballot.cast_by), release.requester, after.votes)
    late = after.status is ApprovalStatus.PENDING and now() >= read_stamp(after.expires_at)
    told = _sentence(after, decision, release, late)
    if lookup.silent and after.status is ApprovalStatus.PENDING and not late:
        told += f" {unknown_members(lookup)}"
    return BallotResult(after, decision, told, counted=after != before)


def _check(ballot: Ballot, release: Release, rules: Rules, approval: Approval, lookup: Lookup) -> None:
    standing = eligible(rules, release.requester, ballot.voter)
    if not standing.allowed:
        raise NotAllowed(why_not(standing.reason, approval.stage, ballot.cast_by, lookup, rules.people))
    if not approval.digest.startswith(ballot.digest_prefix) or len(ballot.digest_prefix) < MIN_PREFIX:
        raise Refused("The plan has changed since you looked. Look at the new one and decide again.")
    if ballot.verdict is Verdict.REJECT and not MIN_REASON <= len(ballot.reason.strip()) <= MAX_REASON:
        raise Refused(f"A rejection needs a reason of {MIN_REASON} to {MAX_REASON} characters.")


def _cast(current: Approval, ballot: Ballot, release: Release, rules: Rules, now: Clock) -> Approval:
    """The approval with this ballot in it; unchanged when the ballot can no longer change anything."""
    key = rules.voter_key(ballot.voter)
    if current.status is not ApprovalStatus.PENDING:
        return current
    moment = now()
    if moment >= read_stamp(current.expires_at):
        # The state machine's own time-out ends the release; a late vote must not look like a decision.
        return current
    if _has_said(current, key, ballot.verdict):
        return _counted(current, noted(current.votes, rules), release, rules, moment)
    cast = Vote(
        person=key,
        display=rules.people.display(ballot.voter),
        verdict=ballot.verdict,
        at=stamp(moment),
        reason=ballot.reason.strip()[:MAX_REASON],
        via=ballot.via,
        slack_id=ballot.slack_id,
    )
    votes = (*(vote for vote in current.votes if vote.person != key), cast)
    return _counted(current, noted(votes, rules), release, rules, moment)


def _counted(current: Approval, votes: tuple[Vote, ...], release: Release, rules: Rules, moment: datetime) -> Approval:
    """The approval with these votes, settled where they suffice."""
    outcome = decide(rules, release.requester, votes).outcome
    if outcome is Outcome.WAIT:
        return replace(current, votes=votes)
    status = ApprovalStatus.APPROVED if outcome is Outcome.APPROVED else ApprovalStatus.REJECTED
    return replace(current, votes=votes, status=status, settled_at=stamp(moment))


def _has_said(approval: Approval, person: str, verdict: Verdict) -> bool:
    return any(vote.person == person and vote.verdict is verdict for vote in approval.votes)


def _sentence(approval: Approval, decision: Decision, release: Release, late: bool) -> str:
    stage = approval.stage
    kind = "removal" if release.removes else "rollback" if release.goes_back_to else ""
    workload = f"the {kind} of {release.workload}" if kind else release.workload
    subject = f"The {kind} of {release.workload}" if kind else workload
    last = approval.votes[-1] if approval.votes else None
    match approval.status:
        case ApprovalStatus.APPROVED:
            who = ", ".join(vote.display for vote in approval.votes if vote.verdict is Verdict.APPROVE)
            return f"{subject} is approved for {stage} by {who}."
        case ApprovalStatus.REJECTED:
            return f"{subject} was rejected for {stage} by {last.display if last else 'somebody'}."
        case ApprovalStatus.EXPIRED:
            return f"The approval of {workload} for {stage} has expired."
        case ApprovalStatus.SUPERSEDED:
            return f"A newer release of {release.workload} has superseded this one."
        case ApprovalStatus.PENDING if late:
            return f"The approval of {workload} for {stage} has expired."
        case _:
            return f"Your approval of {workload} for {stage} is counted. Still needed: {decision.missing}."
