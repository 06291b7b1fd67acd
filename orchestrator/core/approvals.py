"""May this be deployed? One pure function answers, with a reason, for Slack, the API and the command line alike.

``eligible`` says whether one human may vote on one approval; ``decide`` says what the votes so far amount to. Both fail
closed: a role without members is never satisfied; a requester who is unknown, only claimed (object metadata, a Git
author), or nobody of ``people``, costs one approval more, since the approver could be the requester; a vote of
somebody who may not vote counts for nothing even when it stands in the record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from orchestrator.core.installation import DEFAULT_REMINDERS, ApprovalPolicy, Reminders
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind, People, is_group, same_principal
from orchestrator.core.records import Verdict, Vote


class Reason(StrEnum):
    """Why a vote counts or not, and why an approval waits or is settled."""

    IS_APPROVER = "is_approver"
    NOT_AN_APPROVER = "not_an_approver"
    IS_THE_REQUESTER = "is_the_requester"
    IS_THE_AUTHOR = "is_the_author"
    GROUP_NOT_KNOWN = "group_not_known"
    """Nobody knows just now whether somebody is a member of a group that may approve."""
    ENOUGH_APPROVALS = "enough_approvals"
    NEEDS_MORE_APPROVALS = "needs_more_approvals"
    UNKNOWN_REQUESTER_NEEDS_ONE_MORE = "unknown_requester_needs_one_more"
    REJECTED_BY_APPROVER = "rejected_by_approver"


class Outcome(StrEnum):
    """What the votes so far amount to."""

    APPROVED = "approved"
    REJECTED = "rejected"
    WAIT = "wait"


@dataclass(frozen=True)
class Rules:
    """Every policy that applies to one approval (the installation's and the configuration's): all must be met."""

    policies: tuple[ApprovalPolicy, ...]
    roles: Mapping[str, tuple[str, ...]]
    people: People
    author: Identity = UNKNOWN
    """Who has written the commit that is released, by the commit's own word: he may not approve it either, whoever
    pushed it. A claim is enough to keep somebody out, not to let him in."""
    groups: Mapping[str, frozenset[str]] | None = None
    """Slack user group → comparable keys of its members, as Slack has just told it. None where nobody has asked: then
    only what the votes have noted of their voters is known (``user_groups``)."""
    silent: frozenset[str] = frozenset()
    """Groups that Slack was asked about and did not tell: as long as it does not, nobody is known to be in them."""

    @property
    def requester_may_approve(self) -> bool:
        """Only where every policy allows it."""
        return all(policy.requester_may_approve for policy in self.policies)

    @property
    def expires_after_hours(self) -> int:
        """The shortest of the policies' times."""
        return min(policy.expires_after_hours for policy in self.policies)

    @property
    def reminders(self) -> Reminders:
        """The earliest first reminder, and the fewest, of the policies that say something of them."""
        said = [policy.reminders for policy in self.policies if policy.reminders is not None] or [DEFAULT_REMINDERS]
        return Reminders(min(one.after_hours for one in said), min(one.at_most for one in said))

    @property
    def do_not_ping(self) -> frozenset[str]:
        """Roles and members whom any of the policies leaves in peace."""
        return frozenset(name for policy in self.policies for name in policy.do_not_ping)

    @property
    def named_groups(self) -> frozenset[str]:
        """Slack user groups that the policies' roles name."""
        return frozenset(member for member in self._named_members() if is_group(member))

    def members(self, role: str) -> frozenset[str]:
        """Comparable keys of the role's members."""
        return self._keys(self.roles.get(role, ()))

    def _keys(self, members: Iterable[str]) -> frozenset[str]:
        known = self.groups or {}
        found: set[str] = set()
        for member in members:
            found |= known.get(member, frozenset()) if is_group(member) else {self.member_key(member)}
        return frozenset(found)

    def as_noted(self, votes: Sequence[Vote]) -> Rules:
        """These rules with what the votes have noted of groups, where Slack was not asked."""
        if self.groups is not None or not self.named_groups:
            return self
        noted = {group: frozenset(vote.person for vote in votes if group in vote.groups) for group in self.named_groups}
        return replace(self, groups=noted)

    def voter_key(self, voter: Identity) -> str:
        """The comparable key of a voter; sessions of a role that is a member itself share the role's key."""
        person = self.people.find(voter)
        if person is None and voter.kind is IdentityKind.IAM:
            for member in sorted(self._named_members() - self.named_groups):
                if same_principal(member, voter.value):
                    return self.member_key(member)
        return self.people.key(voter)

    def is_known(self, requester: Identity) -> bool:
        """Whether it is certain which human asked: authenticated, and one of ``people`` or of the approvers.

        Behind any other principal may stand an approver under a name that the settings do not have.
        """
        known = self.people.find(requester) is not None or self.voter_key(requester) in self.approver_keys()
        return requester.verified and known

    def member_key(self, member: str) -> str:
        """A member as configured (e-mail, Slack id, IAM principal) as the comparable key of a human."""
        return self.people.key(identify(member))

    def _named_members(self) -> frozenset[str]:
        named = {role for policy in self.policies for alternative in policy.any_of for role, _ in alternative}
        return frozenset(member for role in named for member in self.roles.get(role, ()))

    def approver_keys(self) -> frozenset[str]:
        """Everybody who may approve by any of the policies."""
        return self._keys(self._named_members())


@dataclass(frozen=True)
class Eligibility:
    """Whether somebody may vote, and why."""

    allowed: bool
    reason: Reason


@dataclass(frozen=True)
class Decision:
    """What the votes amount to; ``missing`` says in words what is still needed."""

    outcome: Outcome
    reason: Reason
    missing: str = ""


def identify(member: str) -> Identity:
    """A configured member who is one human, as an identity: an e-mail has an @, a Slack id starts with U or W, the rest
    is IAM."""
    if "@" in member and not member.startswith("arn:"):
        return Identity(IdentityKind.EMAIL, member, verified=True)
    if member[:1] in {"U", "W"} and member.isalnum() and member.upper() == member:
        return Identity(IdentityKind.SLACK, member, verified=True)
    return Identity(IdentityKind.IAM, member, verified=True)


def eligible(rules: Rules, requester: Identity, voter: Identity) -> Eligibility:
    """May this human vote on this approval? Who only claims to be somebody may not."""
    key = rules.voter_key(voter)
    if not voter.verified or key not in rules.approver_keys():
        return Eligibility(False, Reason.GROUP_NOT_KNOWN if rules.silent else Reason.NOT_AN_APPROVER)
    if not rules.requester_may_approve and _same_human(rules, requester, key):
        return Eligibility(False, Reason.IS_THE_REQUESTER)
    if not rules.requester_may_approve and _same_human(rules, rules.author, key):
        return Eligibility(False, Reason.IS_THE_AUTHOR)
    return Eligibility(True, Reason.IS_APPROVER)


def decide(rules: Rules, requester: Identity, votes: Sequence[Vote]) -> Decision:
    """What do the votes so far amount to?"""
    rules = rules.as_noted(votes)
    counted = [vote for vote in votes if _counts(rules, requester, vote.person)]
    rejections = [vote for vote in counted if vote.verdict is Verdict.REJECT]
    if rejections:
        return Decision(Outcome.REJECTED, Reason.REJECTED_BY_APPROVER)
    approvers = frozenset(vote.person for vote in counted)
    unmet = [_missing(rules, policy, approvers) for policy in rules.policies]
    missing = " and ".join(text for text in unmet if text)
    certain = rules.requester_may_approve or rules.is_known(requester)
    if missing:
        extra = "" if certain else ", and one approval more because it is not known for certain who asked"
        return Decision(Outcome.WAIT, Reason.NEEDS_MORE_APPROVALS, missing + extra)
    if not certain and not all(_met_with_one_more(rules, policy, approvers) for policy in rules.policies):
        return Decision(
            Outcome.WAIT,
            Reason.UNKNOWN_REQUESTER_NEEDS_ONE_MORE,
            "one approval more, because it is not known for certain who asked for this release",
        )
    return Decision(Outcome.APPROVED, Reason.ENOUGH_APPROVALS)


def best_case(rules: Rules, requester: Identity) -> Decision:
    """What it would amount to if everybody approved who may: where that is no approval, nothing ever is."""
    return decide(rules, requester, [Vote(key, key, Verdict.APPROVE, "") for key in sorted(rules.approver_keys())])


def _same_human(rules: Rules, somebody: Identity, key: str) -> bool:
    return somebody.kind is not IdentityKind.UNKNOWN and rules.voter_key(somebody) == key


def _counts(rules: Rules, requester: Identity, key: str) -> bool:
    if key not in rules.approver_keys():
        return False
    own = _same_human(rules, requester, key) or _same_human(rules, rules.author, key)
    return rules.requester_may_approve or not own


def _met_with_one_more(rules: Rules, policy: ApprovalPolicy, approvers: frozenset[str]) -> bool:
    """Whether an alternative is met by more people than it has seats: one of them could be the requester."""
    return any(
        len(approvers) > sum(count for _, count in alternative) and _met(rules, alternative, approvers)
        for alternative in policy.any_of
        if alternative
    )


def _missing(rules: Rules, policy: ApprovalPolicy, approvers: Iterable[str]) -> str:
    """Empty when one alternative is met; else what the alternatives still need, in words."""
    approvers = frozenset(approvers)
    wanted = [alternative for alternative in policy.any_of if alternative]
    if any(_met(rules, alternative, approvers) for alternative in wanted):
        return ""
    return " or ".join(_in_words(alternative) for alternative in wanted) or "approvers (none are configured)"


def _met(rules: Rules, alternative: Sequence[tuple[str, int]], approvers: frozenset[str]) -> bool:
    """Whether the approvers can fill every seat, each of them one seat only.

    Seats are few (a policy asks for two or three people), so trying the assignments is cheap.
    """
    seats = [role for role, count in alternative for _ in range(count)]
    candidates = [sorted(approvers & rules.members(role)) for role in seats]
    if len(approvers) < len(seats) or not all(candidates):
        return False
    return _fill(candidates, frozenset())


def _fill(candidates: Sequence[Sequence[str]], taken: frozenset[str]) -> bool:
    if not candidates:
        return True
    return any(_fill(candidates[1:], taken | {person}) for person in candidates[0] if person not in taken)


def _in_words(alternative: Sequence[tuple[str, int]]) -> str:
    return " + ".join(f"{count} × {role}" for role, count in alternative)
