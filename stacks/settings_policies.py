"""One stage's approval policy as the settings write it: who, how many, for how long, reminded how often, left in peace.

Fails closed: an alternative that its roles could never meet is refused. Who is in a Slack user group is not known
while the settings are read, so a role with one is taken to have everybody of ``people``, from whom alone its members
can come; ``mlops doctor`` asks Slack.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.core.approvals import Outcome, Rules, best_case, identify
from orchestrator.core.installation import DEFAULT_EXPIRY_HOURS, MAX_REMINDERS, ApprovalPolicy, Reminders
from orchestrator.core.people import UNKNOWN, People, is_group
from orchestrator.core.problems import did_you_mean, listing
from orchestrator.core.user_groups import assumed
from stacks.settings_reading import Reading, shown

MAX_EXPIRY_HOURS = 24 * 90

Roles = Mapping[str, tuple[str, ...]]


def read_policy(one: Reading, roles: Roles, people: People) -> ApprovalPolicy:
    """Read and check; the problems are in ``one.problems``."""
    alternatives: list[tuple[tuple[str, int], ...]] = []
    for alternative in one.objects("any_of", required=True):
        before = len(one.problems)
        counts = [(role, _count(alternative, role, wanted, roles, people)) for role, wanted in alternative.items()]
        if not counts:
            alternative.note("", "asks for nobody", 'Say how many of which role, such as {"ml-owner": 1}.')
        alternatives.append(tuple(counts))
        if len(one.problems) == before:
            _check_seats(alternative, tuple(counts), roles, people)
    if one.has("any_of") and not alternatives:
        one.note("any_of", "has no alternative", 'Say who approves, such as [{"ml-owner": 1}].')
    expires = one.number("expires_after_hours", range(1, MAX_EXPIRY_HOURS + 1), default=DEFAULT_EXPIRY_HOURS)
    asked = dict.fromkeys(role for alternative in alternatives for role, _ in alternative)
    policy = ApprovalPolicy(
        any_of=tuple(alternatives),
        expires_after_hours=expires,
        requester_may_approve=one.flag("requester_may_approve", default=False),
        reminders=_reminders(one, expires),
        do_not_ping=_do_not_ping(one, tuple(asked), roles),
    )
    one.unknown_keys()
    return policy


def _reminders(one: Reading, expires: int) -> Reminders | None:
    section = one.object("reminders", required=False)
    if section is None:
        return None
    before = len(one.problems)
    found = Reminders(
        after_hours=section.number("after_hours", range(1, MAX_EXPIRY_HOURS + 1), default=1),
        at_most=section.number("at_most", range(MAX_REMINDERS + 1), default=MAX_REMINDERS),
    )
    if not section.has("after_hours"):
        section.note("after_hours", "is missing", "Say after how many hours the first reminder comes.")
    if len(one.problems) == before and found.at_most and found.after_hours >= expires:
        section.note(
            "after_hours",
            f"is {found.after_hours}, but the question expires after {expires} hours: no reminder would ever come",
            f"Write less than {expires}, or at_most 0 for no reminders.",
        )
    section.unknown_keys()
    return found


def _do_not_ping(one: Reading, asked: tuple[str, ...], roles: Roles) -> tuple[str, ...]:
    """Roles that the policy asks, or members of them as the roles name them."""
    names = one.texts("do_not_ping", shape="a role of this policy, or a member as its roles name it")
    known = (*asked, *(member for role in asked for member in roles.get(role, ())))
    for index, name in enumerate(names):
        if known and name not in known:
            what = f"{shown(name)} is neither a role that this policy asks nor a member of one"
            one.note(f"do_not_ping[{index}]", what, did_you_mean(name, known))
    return names


def _check_seats(alternative: Reading, counts: tuple[tuple[str, int], ...], roles: Roles, people: People) -> None:
    """Whether its roles have enough people together: each fills one seat only."""
    rules = assumed(Rules((ApprovalPolicy((counts,), requester_may_approve=True),), roles, people))
    if best_case(rules, UNKNOWN).outcome is not Outcome.APPROVED:
        wanted, members = sum(count for _, count in counts), listing(sorted(rules.approver_keys()))
        what = f"asks for {wanted} people, each for one role only, whom its roles do not have ({members})"
        alternative.note("", what, "Add members to its roles, or ask for fewer.")


def _count(alternative: Reading, role: str, wanted: Any, roles: Roles, people: People) -> int:
    """How many of a role; at least one, and not more than it can have people."""
    if role not in roles:
        alternative.note(role, "is no role of this installation", did_you_mean(role, roles))
        return 1
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        alternative.note(role, f"is {shown(wanted)}", "Write how many of the role must approve: 1 or more.")
        return 1
    if any(is_group(member) for member in roles[role]):
        most, which = len(people.everybody), "which can have"
    else:
        most, which = len({people.key(identify(member)) for member in roles[role]}), "which has"
    if wanted > most:
        what = f"asks for {wanted} of {role}, {which} {most}"
        alternative.note(role, what, "Add members to the role, or ask for fewer.")
    return wanted
