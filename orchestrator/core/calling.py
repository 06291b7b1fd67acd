"""Whom a question calls, and whom it leaves in peace: people by their Slack ids, user groups by theirs.

A person is called where any role that is asked and not left in peace names him, himself or by a group. A reminder calls
those alone whose approval would still bring the question nearer to its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.core.approvals import Rules, eligible, identify
from orchestrator.core.people import Identity, IdentityKind, is_group
from orchestrator.core.records import Verdict, Vote


@dataclass(frozen=True)
class Called:
    """Who is asked, each in the order of the alphabet."""

    users: tuple[str, ...] = ()
    """Slack ids."""
    groups: tuple[str, ...] = ()
    """Ids of Slack user groups that are called as a whole."""
    unreachable: tuple[str, ...] = ()
    """Names of those who may decide and whom Slack does not know."""
    quiet: tuple[str, ...] = ()
    """Names of those who may decide as well, and do not want to be called; a group by its id."""

    @property
    def mentions(self) -> tuple[str, ...]:
        """In Slack's markup; the ids are of the settings, which hold them to letters and digits."""
        return (*(f"<!subteam^{group}>" for group in self.groups), *(f"<@{user}>" for user in self.users))


@dataclass(frozen=True)
class _Way:
    """One way in which a role that is asked names somebody."""

    member: str
    """As configured."""
    key: str
    """Comparable key of the human; the id of a group."""
    name: str
    slack: str
    """Slack id of the person or the group; empty where Slack knows none."""
    is_group: bool
    quiet: bool


def called_first(rules: Rules, requester: Identity) -> Called:
    """Everybody who may decide, but for a requester who may not; groups as a whole."""
    ways = _ways(rules)
    return _sorted_out([way for way in ways if way.is_group or _may(way, rules, requester)])


def called_again(rules: Rules, requester: Identity, votes: Sequence[Vote]) -> Called:
    """Those who have not voted and would help; a group by its members, where the rules know them.

    Else as a whole, as long as no vote is known to be a member's: who has voted is not called again.
    """
    now = rules.as_noted(votes)
    voted = {vote.person for vote in votes}
    of_voters = {group for vote in votes for group in vote.groups}
    ways: list[_Way] = []
    for way in _ways(rules):
        if way.is_group and rules.groups is not None and way.key not in rules.silent:
            ways += [_person(key, rules, way.quiet) for key in sorted(rules.groups.get(way.key, ()))]
        elif not way.is_group or way.key not in of_voters:
            ways.append(way)

    def wanted(way: _Way) -> bool:
        if way.is_group:
            return True
        return way.key not in voted and _may(way, now, requester) and would_help(now, requester, votes, way.key)

    return _sorted_out([way for way in ways if wanted(way)])


def would_help(rules: Rules, requester: Identity, votes: Sequence[Vote], key: str) -> bool:
    """Whether one more approval, of this human, would fill a seat that is still free.

    Everybody's does while it is not known for certain who has asked, which takes one more than there are seats.
    """
    if not (rules.requester_may_approve or rules.is_known(requester)):
        return True
    before = frozenset(vote.person for vote in votes if vote.verdict is Verdict.APPROVE)
    for policy in rules.policies:
        seats = [[role for role, count in alternative for _ in range(count)] for alternative in policy.any_of]
        if any(seated(rules, one, before) == len(one) for one in seats):
            continue
        if any(seated(rules, one, before | {key}) > seated(rules, one, before) for one in seats):
            return True
    return False


def seated(rules: Rules, seats: Sequence[str], people: frozenset[str]) -> int:
    """How many of these seats, each of a role, the people can take, each of them one."""
    if not seats or not people:
        return 0
    rest = seats[1:]
    fitting = people & rules.members(seats[0])
    return max([seated(rules, rest, people), *(1 + seated(rules, rest, people - {one}) for one in fitting)])


def _ways(rules: Rules) -> list[_Way]:
    asked = {role for policy in rules.policies for alternative in policy.any_of for role, _ in alternative}
    return [
        _Way(member, member, member, member, True, quiet) if is_group(member) else _person(member, rules, quiet)
        for role in sorted(asked)
        for member in rules.roles.get(role, ())
        for quiet in [not rules.do_not_ping.isdisjoint({role, member})]
    ]


def _person(member: str, rules: Rules, quiet: bool) -> _Way:
    identity, key = identify(member), rules.member_key(member)
    person = rules.people.find(identity)
    own = identity.value if identity.kind is IdentityKind.SLACK else ""
    # Whoever is named in do_not_ping is left in peace under all of his names.
    quiet = quiet or key in {rules.member_key(one) for one in rules.do_not_ping if one not in rules.roles}
    if person is None:
        return _Way(member, key, rules.people.display(identity), own, False, quiet)
    return _Way(member, key, person.name, person.slack_ids[0] if person.slack_ids else own, False, quiet)


def _may(way: _Way, rules: Rules, requester: Identity) -> bool:
    return eligible(rules, requester, identify(way.member)).allowed


def _sorted_out(ways: Sequence[_Way]) -> Called:
    loud = [way for way in ways if not way.quiet]
    loudly = {way.key for way in loud}
    return Called(
        users=_ordered(way.slack for way in loud if not way.is_group and way.slack),
        groups=_ordered(way.slack for way in loud if way.is_group),
        unreachable=_ordered(way.name for way in loud if not way.slack),
        quiet=_ordered(way.name for way in ways if way.key not in loudly),
    )


def _ordered(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(words)))
