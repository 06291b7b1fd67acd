"""A person votes: from Slack, the API or the command line, always through here (or ``withdraw_vote``).

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

MAX_REASON = 512
"""Characters of a reason, and of a comment on an approval: as many as CodePipeline takes with an approval's result
(API reference, ApprovalResult)."""

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
    """Why; of an approval, a comment for the record."""
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


@dataclass(frozen=True)
class Asked:
    """A question, and what it is judged by."""

    approval: Approval
    release: Release
    rules: Rules


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
    asked = asked_about(ballot.approval_id, store, installation)
    release, rules = asked.release, asked.rules
    lookup = look_up(rules, groups)
    _check(ballot, asked, lookup)
    before = asked.approval

    def cast(current: Approval) -> Approval:
        nonlocal before
        before = current
        return _cast(current, ballot, release, lookup.into(rules, current.votes, ballot.cast_by), now)

    after = store.update(Approval, before.key(), cast)
    if after.status is not ApprovalStatus.PENDING:
        answer(after, store=store, tasks=tasks)
    decision = decide(lookup.into(rules, after.votes, ballot.cast_by), release.requester, after.votes)
    told = how_it_stands(after, release, now)
    if not told:
        mine = after.vote_of(rules.voter_key(ballot.voter))
        told = _taken(after, release, decision) if after != before else _again(after, release, decision, mine, ballot)
        told += f" {unknown_members(lookup)}" if lookup.silent else ""
    return BallotResult(after, decision, told, counted=after != before)


def asked_about(approval_id: str, store: Store, installation: Installation) -> Asked:
    """The question with this id; raises ``Refused`` where there is nothing to ask (any more)."""
    approval = approval_of(store, approval_id)
    if approval is None:
        raise Refused("There is no such approval (any more).")
    release = release_of(store, approval.release_id)
    rules = rules_for(installation, release, approval.stage)
    if rules is None:
        raise Refused(f"{approval.stage} needs no approval.")
    return Asked(approval, release, rules)


def check_digest(approval: Approval, digest_prefix: str) -> None:
    """Raise ``Refused`` where somebody was shown another plan than the one that is asked about."""
    if not approval.digest.startswith(digest_prefix) or len(digest_prefix) < MIN_PREFIX:
        raise Refused("The plan has changed since you looked. Look at the new one and decide again.")


def check_voter(asked: Asked, voter: Voter, verdict: Verdict, lookup: Lookup) -> None:
    """Raise ``NotAllowed`` where this person may not say this about the question."""
    rules = lookup.into(asked.rules, asked.approval.votes, voter)
    standing = eligible(rules, asked.release.requester, voter.identity, verdict)
    if not standing.allowed:
        raise NotAllowed(why_not(standing.reason, asked.approval.stage, voter, lookup, rules.people))


def _check(ballot: Ballot, asked: Asked, lookup: Lookup) -> None:
    check_voter(asked, ballot.cast_by, ballot.verdict, lookup)
    check_digest(asked.approval, ballot.digest_prefix)
    length = len(ballot.reason.strip())
    if ballot.verdict is Verdict.REJECT and not MIN_REASON <= length <= MAX_REASON:
        raise Refused(f"A rejection needs a reason of {MIN_REASON} to {MAX_REASON} characters; this has {length}.")
    if length > MAX_REASON:
        raise Refused(f"A comment has at most {MAX_REASON} characters; this has {length}.")


def _cast(current: Approval, ballot: Ballot, release: Release, rules: Rules, now: Clock) -> Approval:
    """The approval with this ballot in it; unchanged when the ballot can no longer change anything."""
    key = rules.voter_key(ballot.voter)
    if current.status is not ApprovalStatus.PENDING:
        return current
    moment = now()
    if moment >= read_stamp(current.expires_at):
        # The state machine's own time-out ends the release; a late vote must not look like a decision.
        return current
    said = current.vote_of(key)
    if said is not None and said.verdict is ballot.verdict:
        return _counted(current, noted(current.votes, rules), release, rules, moment)
    cast = Vote(
        person=key,
        display=rules.people.display(ballot.voter),
        verdict=ballot.verdict,
        at=stamp(moment),
        reason=ballot.reason.strip(),
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


def subject_of(release: Release) -> str:
    """What is decided about, inside a sentence."""
    kind = "removal" if release.removes else "rollback" if release.goes_back_to else ""
    return f"the {kind} of {release.workload}" if kind else release.workload


def how_it_stands(approval: Approval, release: Release, now: Clock) -> str:
    """How a question that takes no votes any more has ended, as a sentence; empty while it is open."""
    stage, workload = approval.stage, subject_of(release)
    subject = workload[0].upper() + workload[1:] if workload != release.workload else workload
    last = approval.votes[-1] if approval.votes else None
    match approval.status:
        case ApprovalStatus.APPROVED:
            who = ", ".join(vote.display for vote in approval.votes if vote.verdict is Verdict.APPROVE)
            return f"{subject} is approved for {stage} by {who}."
        case ApprovalStatus.REJECTED:
            return f"{subject} was rejected for {stage} by {last.display if last else 'somebody'}."
        case ApprovalStatus.SUPERSEDED:
            return f"A newer release of {release.workload} has superseded this one."
        case ApprovalStatus.PENDING if now() < read_stamp(approval.expires_at):
            return ""
        case _:
            return f"The approval of {workload} for {stage} has expired."


def in_minutes(moment: str) -> str:
    """A time of the records as a sentence has it: ``2026-03-01 12:00 UTC``."""
    return f"{moment[:16].replace('T', ' ')} UTC"


def _taken(approval: Approval, release: Release, decision: Decision) -> str:
    about = f"{subject_of(release)} for {approval.stage}"
    return f"Your approval of {about} is counted. Still needed: {decision.missing}."


def _again(approval: Approval, release: Release, decision: Decision, mine: Vote | None, ballot: Ballot) -> str:
    when = f", at {in_minutes(mine.at)}" if mine else ""
    told = f"You had approved {subject_of(release)} for {approval.stage} already{when}."
    comment = ballot.reason.strip()
    if mine and comment and comment != mine.reason:
        told += " Your comment was not added: withdraw your vote first, and vote anew."
    return f"{told} Still needed: {decision.missing}."
