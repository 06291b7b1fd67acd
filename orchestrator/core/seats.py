"""Seats of a policy, and who fills them: the one piece of arithmetic behind a decision and behind its explanation.

An alternative such as "1 ml-owner and 1 risk" is two seats. One human fills one seat, whichever roles he has, so
whether three people fill three seats is a matching; it is found by augmenting paths, and what it leaves open says who
is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Alternative = Sequence[tuple[str, int]]
"""Role and number of people, as ``ApprovalPolicy.any_of`` lists them."""

Members = Callable[[str], frozenset[str]]
"""Comparable keys of a role's members."""


@dataclass(frozen=True)
class Gap:
    """Seats that are still open: each person more of any of the roles fills one of them.

    There are several roles where somebody who sits for one of them could move and sit for another.
    """

    count: int
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Way:
    """One alternative of a policy, as far as the approvers have come with it."""

    asks: tuple[tuple[str, int], ...]
    gaps: tuple[Gap, ...]
    one_more: bool
    """Whether, once every seat is filled, one person more is needed: one of them could be the requester."""

    @property
    def met(self) -> bool:
        """Whether nothing is missing."""
        return not self.gaps and not self.one_more


def ways(any_of: Sequence[Alternative], members: Members, approvers: frozenset[str], *, certain: bool) -> list[Way]:
    """Each alternative of a policy; one without seats is none. ``certain``: no approver can be the requester."""
    found = []
    for alternative in any_of:
        seats = [role for role, count in alternative for _ in range(count)]
        if seats:
            gaps = _gaps(seats, members, approvers)
            people = len(approvers) + sum(gap.count for gap in gaps)
            found.append(Way(tuple(alternative), gaps, not certain and people <= len(seats)))
    return found


def _gaps(seats: Sequence[str], members: Members, people: frozenset[str]) -> tuple[Gap, ...]:
    taken = _seated(seats, members, people)
    filled = set(taken.values())
    open_seats = [index for index in range(len(seats)) if index not in filled]
    reached = [_reach(seats[index], seats, members, people, taken) for index in open_seats]
    return tuple(Gap(count, roles) for roles, count in Counter(reached).items())


def _seated(seats: Sequence[str], members: Members, people: frozenset[str]) -> dict[str, int]:
    """Person → index of the seat; as many seats as possible are filled."""
    taken: dict[str, int] = {}

    def seat(index: int, asked: set[str]) -> bool:
        for person in sorted(people & members(seats[index])):
            if person in asked:
                continue
            asked.add(person)
            if person not in taken or seat(taken[person], asked):
                taken[person] = index
                return True
        return False

    for index in range(len(seats)):
        seat(index, set())
    return taken


def _reach(
    role: str, seats: Sequence[str], members: Members, people: frozenset[str], taken: dict[str, int]
) -> tuple[str, ...]:
    """The roles of which one person more fills this open seat, directly or because others move up."""
    reached, look = {role}, [role]
    while look:
        for person in people & members(look.pop()):
            held = seats[taken[person]]
            if held not in reached:
                reached.add(held)
                look.append(held)
    return tuple(sorted(reached))
