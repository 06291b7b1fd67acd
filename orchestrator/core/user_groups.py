"""Slack user groups as members of approver roles: who is in them is asked of Slack at each vote, and never kept.

``decide`` and ``eligible`` stay pure: ``look_up`` asks Slack for the groups that the policies name, and ``Lookup.into``
puts the answer into the rules. A vote counts only as long as its voter is in the group, so whoever left it after
voting, and before the last vote, has voted for nothing.

Fails closed in three ways. A group that Slack does not tell of has no members for the moment: those whom the settings
name otherwise can still decide, and a vote that was only good by the group is counted again when Slack answers again.
A member of the group who is nobody of ``people`` does not count: it could not be told whether the release is his own.
Where Slack is not asked (a message, the API's answer, the ledger), what the votes have noted at the last vote holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from orchestrator.core.approvals import Rules
from orchestrator.core.errors import ChatRefused, ChatUnavailable
from orchestrator.core.people import Identity, IdentityKind, People
from orchestrator.core.records import Vote


class UserGroups(Protocol):
    """Slack's user groups."""

    def members(self, group: str) -> frozenset[str]:
        """Slack ids of the group's members whose accounts are in use; raises ``ChatUnavailable``, ``ChatRefused``."""
        ...


@dataclass(frozen=True)
class Voter:
    """Who votes now."""

    identity: Identity
    slack_id: str = ""
    """The account that clicked; empty where nobody clicked."""


@dataclass(frozen=True)
class Lookup:
    """What Slack has told of the groups just now."""

    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Group → Slack ids."""
    silent: frozenset[str] = frozenset()
    """Groups that it did not tell of."""
    why: str = ""
    """Slack's code for the first of them, or what went wrong on the way."""

    def into(self, rules: Rules, votes: Sequence[Vote], voter: Voter | None = None) -> Rules:
        """The rules with the groups' members as comparable keys.

        A person is known by a Slack id of ``people``; one whom Slack knew by the e-mail address alone, by the account
        that has clicked.
        """
        people = rules.people
        emails = {person.email.lower() for person in people.everybody}
        by_account = {vote.slack_id: vote.person for vote in votes if vote.slack_id and vote.person in emails}
        if voter is not None and voter.slack_id and people.find(voter.identity) is not None:
            by_account[voter.slack_id] = people.key(voter.identity)
        known = {group: _keys(ids, by_account, people) for group, ids in self.members.items()}
        return replace(rules, groups=known | {group: frozenset() for group in self.silent}, silent=self.silent)

    def is_stranger(self, voter: Voter, people: People) -> bool:
        """Whether the voter is in one of the groups, and nobody of ``people``."""
        inside = any(voter.slack_id in ids for ids in self.members.values())
        return bool(voter.slack_id) and inside and people.find(voter.identity) is None


NOTHING = Lookup()


def look_up(rules: Rules, groups: UserGroups | None) -> Lookup:
    """Ask Slack for the groups of the policies, each once; without Slack every group is silent."""
    members: dict[str, frozenset[str]] = {}
    silent: list[str] = []
    why = ""
    for group in sorted(rules.named_groups):
        try:
            if groups is None:
                raise ChatRefused("not_set_up")
            members[group] = groups.members(group)
        except ChatRefused as error:
            silent.append(group)
            why = why or error.code
        except ChatUnavailable as error:
            silent.append(group)
            why = why or str(error)
    return Lookup(members, frozenset(silent), why)


def noted(votes: Sequence[Vote], rules: Rules) -> tuple[Vote, ...]:
    """The votes with the groups that each voter is in by these rules; for whoever cannot ask Slack later."""
    if not rules.named_groups:
        return tuple(votes)
    known = rules.groups or {}
    return tuple(
        replace(vote, groups=tuple(sorted(group for group, keys in known.items() if vote.person in keys)))
        for vote in votes
    )


def assumed(rules: Rules) -> Rules:
    """The rules as if everybody of ``people`` were in every group: what is impossible then, is impossible.

    For whoever checks settings, when Slack cannot be asked.
    """
    if not rules.named_groups:
        return rules
    everybody = frozenset(person.email.lower() for person in rules.people.everybody)
    return replace(rules, groups=dict.fromkeys(rules.named_groups, everybody))


def _keys(ids: Collection[str], by_account: Mapping[str, str], people: People) -> frozenset[str]:
    found: set[str] = set()
    for user in ids:
        account = Identity(IdentityKind.SLACK, user, verified=True)
        if people.find(account) is not None:
            found.add(people.key(account))
        elif user in by_account:
            found.add(by_account[user])
    return frozenset(found)
