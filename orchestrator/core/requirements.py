"""Why does an approval wait? What each policy still asks for, who could give it, and who may not.

``explain`` says it from the very parts that ``approvals.decide`` decides by, so that the two cannot disagree. Members
of Slack user groups are known only where Slack was asked: elsewhere the group is named in their place, and what
anybody in it could make possible is taken for possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.core.approvals import (
    Decision,
    Outcome,
    PolicySource,
    Reason,
    Rules,
    approving,
    barred,
    best_case,
    decide,
    identify,
    is_certain,
    policy_ways,
)
from orchestrator.core.installation import ApprovalPolicy
from orchestrator.core.people import Identity, is_group
from orchestrator.core.records import Vote
from orchestrator.core.user_groups import assumed


@dataclass(frozen=True)
class Missing:
    """So many people of any of the roles are missing."""

    count: int
    roles: tuple[str, ...]
    could: tuple[str, ...]
    """Names of those who could be among them: they may approve, and have not."""


@dataclass(frozen=True)
class OpenWay:
    """One alternative of a policy that is not met."""

    asks: tuple[tuple[str, int], ...]
    """Role and number of people."""
    missing: tuple[Missing, ...]
    one_more: bool
    """Whether one person more is needed beside them, because it is not certain who asked."""
    possible: bool
    """Whether it would be met if everybody approved who may."""


@dataclass(frozen=True)
class Requirement:
    """One policy that is not met: one of its ways must be gone to its end."""

    source: PolicySource
    ways: tuple[OpenWay, ...]

    @property
    def possible(self) -> bool:
        """Whether any way can be gone to its end."""
        return any(way.possible for way in self.ways)


@dataclass(frozen=True)
class Excluded:
    """An approver who may not approve this one."""

    name: str
    reason: Reason


@dataclass(frozen=True)
class Explanation:
    """Why an approval stands as it does."""

    decision: Decision
    certain: bool
    """Whether it is known who asked, as far as that matters."""
    requirements: tuple[Requirement, ...]
    """What is not met yet."""
    excluded: tuple[Excluded, ...]
    could: tuple[str, ...]
    """Names of all who may approve and have not: any of them can be the one more that an uncertain requester costs."""
    possible: bool
    """Whether it can be approved at all; False: it waits until it expires, is rejected or superseded."""


def explain(rules: Rules, requester: Identity, votes: Sequence[Vote]) -> Explanation:
    """What is missing, who could give it, and who may not."""
    decision = decide(rules, requester, votes)
    unseen = rules.named_groups if rules.groups is None else frozenset()
    hoped = assumed(rules) if unseen else rules
    rules = rules.as_noted(votes)
    waits = decision.outcome is Outcome.WAIT
    approvers, certain = approving(rules, requester, votes), is_certain(rules, requester)
    names = {
        rules.member_key(member): _name(rules, member)
        for role in _roles(rules)
        for member in rules.roles.get(role, ())
        if not is_group(member)
    }
    names |= {person.email.lower(): person.name for person in rules.people.everybody}
    out = barred(rules, requester)
    inside = rules.approver_keys()
    waiting = inside - frozenset(out) - approvers
    most = hoped.approver_keys() - frozenset(out)

    def could(roles: Iterable[str]) -> tuple[str, ...]:
        return (*_names(names, _members(rules, roles) & waiting), *_groups(rules, roles, unseen))

    def requirement(policy: ApprovalPolicy, source: PolicySource) -> Requirement | None:
        found = policy_ways(rules, policy, approvers, certain=certain)
        if any(way.met for way in found):
            return None
        best = policy_ways(hoped, policy, most, certain=certain)
        return Requirement(
            source,
            tuple(
                OpenWay(
                    way.asks,
                    tuple(Missing(gap.count, gap.roles, could(gap.roles)) for gap in way.gaps),
                    way.one_more,
                    with_everybody.met,
                )
                for way, with_everybody in zip(found, best, strict=True)
            ),
        )

    sources = rules.sources or (PolicySource.INSTALLATION,) * len(rules.policies)
    asked = [requirement(policy, source) for policy, source in zip(rules.policies, sources, strict=True)]
    return Explanation(
        decision,
        certain,
        tuple(one for one in asked if one is not None) if waits else (),
        tuple(
            sorted(
                (Excluded(names[key], reason) for key, reason in out.items() if key in inside), key=lambda one: one.name
            )
        ),
        could(_roles(rules)) if waits else (),
        decision.outcome is Outcome.APPROVED or best_case(hoped, requester).outcome is Outcome.APPROVED,
    )


def _roles(rules: Rules) -> set[str]:
    return {role for policy in rules.policies for alternative in policy.any_of for role, _ in alternative}


def _members(rules: Rules, roles: Iterable[str]) -> frozenset[str]:
    return frozenset(member for role in roles for member in rules.members(role))


def _groups(rules: Rules, roles: Iterable[str], unseen: frozenset[str]) -> tuple[str, ...]:
    named = {member for role in roles for member in rules.roles.get(role, ())} & unseen
    return tuple(f"members of the user group {group}" for group in sorted(named))


def _name(rules: Rules, member: str) -> str:
    return rules.people.display(identify(member))


def _names(names: dict[str, str], keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names[key] for key in keys))
