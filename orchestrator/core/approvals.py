"""May this be deployed? One pure function answers, with a reason, for Slack, the API and the command line alike.

``eligible`` says whether one human may vote on one approval; ``decide`` says what the votes so far amount to
(``requirements.explain`` says why, from the same parts). Both fail closed: a role without members is never satisfied; a
requester who is unknown, only claimed (object metadata, a Git author), or nobody of ``people``, costs one approval
more, since the approver could be the requester; a vote of somebody who may not vote counts for nothing even when it
stands in the record. Whoever asked for a release, or wrote its commit, may stop it where he is an approver, but not
approve it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from orchestrator.core.installation import DEFAULT_REMINDERS, ApprovalPolicy, Reminders
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind, People, is_group, same_principal
from orchestrator.core.records import Verdict, Vote
from orchestrator.core.seats import Alternative, Way, ways


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


class PolicySource(StrEnum):
    """Who has asked for a policy."""

    INSTALLATION = "installation"
    CONFIGURATION = "configuration"


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
    sources: tuple[PolicySource, ...] = ()
    """Of each policy; the installation's where none is named."""

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


def eligible(rules: Rules, requester: Identity, voter: Identity, verdict: Verdict = Verdict.APPROVE) -> Eligibility:
    """May this human say this about this approval? Who only claims to be somebody may not."""
    key = rules.voter_key(voter)
    if not voter.verified or key not in rules.approver_keys():
        return Eligibility(False, Reason.GROUP_NOT_KNOWN if rules.silent else Reason.NOT_AN_APPROVER)
    why_not = barred(rules, requester).get(key)
    if verdict is Verdict.APPROVE and why_not is not None:
        return Eligibility(False, why_not)
    return Eligibility(True, Reason.IS_APPROVER)


def barred(rules: Rules, requester: Identity) -> dict[str, Reason]:
    """Who may not approve, by comparable key, and why; as approvers they may reject."""
    if rules.requester_may_approve:
        return {}
    involved = ((rules.author, Reason.IS_THE_AUTHOR), (requester, Reason.IS_THE_REQUESTER))
    return {rules.voter_key(who): why for who, why in involved if who.kind is not IdentityKind.UNKNOWN}


def decide(rules: Rules, requester: Identity, votes: Sequence[Vote]) -> Decision:
    """What do the votes so far amount to?"""
    rules = rules.as_noted(votes)
    if any(vote.verdict is Verdict.REJECT for vote in counted(rules, requester, votes)):
        return Decision(Outcome.REJECTED, Reason.REJECTED_BY_APPROVER)
    approvers, certain = approving(rules, requester, votes), is_certain(rules, requester)
    stand = [policy_ways(rules, policy, approvers, certain=certain) for policy in rules.policies]
    unmet = [found for found in stand if all(way.gaps for way in found)]
    if unmet:
        missing = " and ".join(_in_words(found) for found in unmet)
        extra = "" if certain else ", and one approval more because it is not known for certain who asked"
        return Decision(Outcome.WAIT, Reason.NEEDS_MORE_APPROVALS, missing + extra)
    if not all(any(way.met for way in found) for found in stand):
        return Decision(
            Outcome.WAIT,
            Reason.UNKNOWN_REQUESTER_NEEDS_ONE_MORE,
            "one approval more, because it is not known for certain who asked for this release",
        )
    return Decision(Outcome.APPROVED, Reason.ENOUGH_APPROVALS)


def counted(rules: Rules, requester: Identity, votes: Sequence[Vote]) -> list[Vote]:
    """The votes of those who may say so."""
    approvers, out = rules.approver_keys(), barred(rules, requester)
    found = [vote for vote in votes if vote.person in approvers]
    return [vote for vote in found if vote.verdict is Verdict.REJECT or vote.person not in out]


def approving(rules: Rules, requester: Identity, votes: Sequence[Vote]) -> frozenset[str]:
    """Whose approval counts."""
    found = counted(rules, requester, votes)
    return frozenset(vote.person for vote in found if vote.verdict is Verdict.APPROVE)


def is_certain(rules: Rules, requester: Identity) -> bool:
    """Whether no approver can be the requester unseen, or none would mind."""
    return rules.requester_may_approve or rules.is_known(requester)


def policy_ways(rules: Rules, policy: ApprovalPolicy, approvers: frozenset[str], *, certain: bool) -> list[Way]:
    """How far each alternative of a policy has come."""
    return ways(policy.any_of, rules.members, approvers, certain=certain)


def best_case(rules: Rules, requester: Identity) -> Decision:
    """What it would amount to if everybody approved who may: where that is no approval, nothing ever is."""
    return decide(rules, requester, [Vote(key, key, Verdict.APPROVE, "") for key in sorted(rules.approver_keys())])


def _in_words(found: Sequence[Way]) -> str:
    """What is missing by each way: somebody whose vote could be moved to another seat makes room for either role."""
    missing = [[("/".join(gap.roles), gap.count) for gap in way.gaps] for way in found]
    return " or ".join(map(asked_in_words, missing)) or "approvers (none are configured)"


def asked_in_words(alternative: Alternative) -> str:
    """``1 × ml-owner + 1 × risk``."""
    return " + ".join(f"{count} × {role}" for role, count in alternative)
