"""``decide`` against a policy written down a second time, over every order of clicks of up to five people.

Each of them stays away, approves, rejects, or approves and withdraws again, and their clicks come in any order until
the question is settled. What stands after each click is judged by both. Two orders that leave the same votes standing
in the same order are judged once, and of the people whom a policy does not know one speaks for all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from orchestrator.core.approvals import Outcome, Rules, decide
from orchestrator.core.installation import ApprovalPolicy
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind, People, Person
from orchestrator.core.records import Verdict, Vote

NAMES = ("ana", "ben", "chloe", "dev", "eve")
ROLES = {
    "ml-owner": frozenset({"ana", "ben", "chloe"}),
    "risk": frozenset({"chloe", "dev"}),
    "cto": frozenset({"eve"}),
    "nobody": frozenset[str](),
}
Alternative = dict[str, int]
Policy = tuple[Alternative, ...]
Said = tuple[tuple[str, Verdict], ...]

POLICIES: dict[str, tuple[Policy, ...]] = {
    "one of three": (({"ml-owner": 1},),),
    "two of three": (({"ml-owner": 2},),),
    "three of three": (({"ml-owner": 3},),),
    "more than there are": (({"ml-owner": 4},),),
    "one of each, of whom one has both roles": (({"ml-owner": 1, "risk": 1},),),
    "two and one": (({"ml-owner": 2, "risk": 1},),),
    "1 ml-owner and 1 risk, or 1 cto": (({"ml-owner": 1, "risk": 1}, {"cto": 1}),),
    "everybody": (({"ml-owner": 3, "risk": 1, "cto": 1},),),
    "nobody has the role": (({"nobody": 1},),),
    "nobody has the role, or the cto": (({"nobody": 1}, {"cto": 1}),),
    "no alternative": ((),),
    "an empty alternative": (({},),),
    "two policies": (({"ml-owner": 1},), ({"risk": 1},)),
    "two policies, the second stricter": (({"ml-owner": 1},), ({"ml-owner": 2, "cto": 1},)),
    "two policies, the second by other ways": (({"ml-owner": 2}, {"cto": 1}), ({"risk": 1}, {"ml-owner": 1})),
}
ASKERS = {
    "known, an approver": Identity(IdentityKind.SLACK, "U0ANA", verified=True),
    "known, in two roles": Identity(IdentityKind.SLACK, "U0CHLOE", verified=True),
    "known, no approver": Identity(IdentityKind.SLACK, "U0ZOE", verified=True),
    "claimed": Identity(IdentityKind.EMAIL, "ben@example.com", verified=False),
    "unknown": UNKNOWN,
}
PEOPLE = People(tuple(Person(f"{name}@example.com", name, (f"U0{name.upper()}",)) for name in (*NAMES, "zoe")))


def reference(policies: tuple[Policy, ...], asker: Identity, lets_him: bool, said: Said) -> Outcome:
    """The policy once more: seats tried in every way; a claim keeps its person out, and makes nothing certain."""
    roles = {role for policy in policies for alternative in policy for role in alternative}
    approvers = {name for role in roles for name in ROLES[role]}
    person = PEOPLE.find(asker)
    own = {person.name} if person and not lets_him else set()
    if any(verdict is Verdict.REJECT and name in approvers for name, verdict in said):
        return Outcome.REJECTED
    yes = [name for name, verdict in said if verdict is Verdict.APPROVE and name in approvers - own]
    spare = 0 if lets_him or asker.verified else 1

    def met(alternative: Alternative) -> bool:
        seats = [role for role, count in alternative.items() for _ in range(count)]
        tried = itertools.permutations(yes, len(seats)) if len(yes) >= len(seats) + spare and seats else ()
        return any(all(name in ROLES[role] for name, role in zip(sat, seats, strict=True)) for sat in tried)

    enough = all(any(met(alternative) for alternative in policy) for policy in policies)
    return Outcome.APPROVED if enough else Outcome.WAIT


def rules(policies: tuple[Policy, ...], lets_him: bool) -> Rules:
    made = (
        ApprovalPolicy(tuple(tuple(one.items()) for one in policy), requester_may_approve=lets_him)
        for policy in policies
    )
    return Rules(tuple(made), {role: tuple(f"{n}@example.com" for n in names) for role, names in ROLES.items()}, PEOPLE)


def clickers(policies: tuple[Policy, ...]) -> tuple[str, ...]:
    """Everybody whom the policies ask, and one of the others."""
    asked = {name for policy in policies for alternative in policy for role in alternative for name in ROLES[role]}
    return (*sorted(asked), *[name for name in NAMES if name not in asked][:1])


def clicks(people: tuple[str, ...], said: Said, done: frozenset[str]) -> Iterator[tuple[Said, frozenset[str]]]:
    """What can stand after one click more; ``done``: who has withdrawn, and stays away from then on."""
    for name in people:
        others = tuple(one for one in said if one[0] != name)
        if len(others) < len(said):
            yield others, done | {name}
            yield (*others, (name, Verdict.REJECT)), done
        elif name not in done:
            yield (*said, (name, Verdict.APPROVE)), done
            yield (*said, (name, Verdict.REJECT)), done


def everything_that_can_stand(
    settled: dict[Said, Outcome], people: tuple[str, ...], rule: Rules, asker: Identity
) -> Iterator[Said]:
    """Walk every order of clicks until the product says that it is settled."""
    seen: set[tuple[Said, frozenset[str]]] = set()
    look: list[tuple[Said, frozenset[str]]] = [((), frozenset())]
    while look:
        state = look.pop()
        if state in seen:
            continue
        seen.add(state)
        said, done = state
        if said not in settled:
            votes = [Vote(f"{name}@example.com", name, verdict, "t") for name, verdict in said]
            settled[said] = decide(rule, asker, votes).outcome
            yield said
        if settled[said] is Outcome.WAIT:
            look += clicks(people, said, done)


@pytest.mark.parametrize(
    ("asker", "lets_him"), [*((asker, False) for asker in ASKERS), ("known, in two roles", True), ("unknown", True)]
)
@pytest.mark.parametrize("policy", POLICIES)
def test_every_order_of_clicks_is_decided_as_the_reference_decides(policy: str, asker: str, lets_him: bool) -> None:
    policies, who = POLICIES[policy], ASKERS[asker]
    outcomes: dict[Said, Outcome] = {}
    for said in everything_that_can_stand(outcomes, clickers(policies), rules(policies, lets_him), who):
        assert outcomes[said] is reference(policies, who, lets_him, said), said
    assert len(outcomes) > 2
