"""Why an approval waits: it agrees with the decision, and what is said to be missing is what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.approvals import Outcome, PolicySource, Reason, Rules, best_case, decide
from orchestrator.core.installation import ApprovalPolicy
from orchestrator.core.people import UNKNOWN, Identity
from orchestrator.core.records import Verdict
from orchestrator.core.requirement_words import sentences
from orchestrator.core.requirements import Excluded, Explanation, Missing, explain
from tests.core.test_approval_properties import ALL, MEMBERS, ballots, cast, mail, requesters, rules, slack
from tests.strategies import PEOPLE, ROLES

EVE = slack("eve")
"""A person of the settings who has no role."""


def one(*alternatives: dict[str, int], requester_may_approve: bool = False) -> Rules:
    policy = ApprovalPolicy(
        tuple(tuple(seats.items()) for seats in alternatives), requester_may_approve=requester_may_approve
    )
    return Rules((policy,), MEMBERS, ALL)


def missing(found: Explanation) -> list[list[Missing]]:
    """Of the one policy, by way."""
    (requirement,) = found.requirements
    return [list(way.missing) for way in requirement.ways]


@given(rules, requesters, ballots)
def test_it_never_disagrees_with_the_decision(
    rule: Rules, requester: Identity, said: list[tuple[str, Verdict]]
) -> None:
    votes = [cast(*one) for one in said]
    found = explain(rule, requester, votes)
    assert found.decision == decide(rule, requester, votes)
    assert bool(found.requirements) == (found.decision.outcome is Outcome.WAIT)
    assert found.possible == (Outcome.APPROVED in {found.decision.outcome, best_case(rule, requester).outcome})
    assert sentences(found)


@given(rules, requesters, st.sets(st.sampled_from(PEOPLE)), st.data())
def test_whoever_is_said_to_be_missing_brings_it_one_nearer(
    rule: Rules, requester: Identity, approving: set[str], data: st.DataObject
) -> None:
    votes = [cast(name) for name in sorted(approving)]
    before = explain(rule, requester, votes)
    gaps = [
        (number, place, gap)
        for number, requirement in enumerate(before.requirements)
        for place, way in enumerate(requirement.ways)
        for gap in way.missing
        if gap.could
    ]
    if not gaps:
        return
    number, place, gap = data.draw(st.sampled_from(gaps))
    name = data.draw(st.sampled_from(gap.could)).lower()
    assert name not in approving
    assert any(name in ROLES[role] for role in gap.roles)
    after = explain(rule, requester, [*votes, cast(name)])
    left = [
        sum(gap.count for gap in way.missing)
        for requirement in after.requirements
        for way in requirement.ways
        if (requirement.source, way.asks)
        == (before.requirements[number].source, before.requirements[number].ways[place].asks)
    ]
    counted = sum(gap.count for gap in before.requirements[number].ways[place].missing)
    assert not left or counted - 1 in left


@given(rules, requesters, st.sets(st.sampled_from(PEOPLE)))
def test_what_is_possible_can_be_reached_by_those_who_are_named(
    rule: Rules, requester: Identity, approving: set[str]
) -> None:
    votes = [cast(name) for name in sorted(approving)]
    found = explain(rule, requester, votes)
    everybody = [*votes, *(cast(name.lower()) for name in found.could)]
    assert (decide(rule, requester, everybody).outcome is Outcome.APPROVED) == found.possible


def test_one_of_each() -> None:
    rule = one({"owner": 1, "risk": 1})
    assert missing(explain(rule, EVE, [])) == [
        [Missing(1, ("owner",), ("Ana", "Ben", "Chloe")), Missing(1, ("risk",), ("Chloe", "Dev"))]
    ]
    assert missing(explain(rule, EVE, [cast("ana")])) == [[Missing(1, ("risk",), ("Chloe", "Dev"))]]


def test_somebody_with_two_roles_leaves_open_which_of_them_is_missing() -> None:
    rule = one({"owner": 1, "risk": 1})
    assert missing(explain(rule, EVE, [cast("chloe")])) == [[Missing(1, ("owner", "risk"), ("Ana", "Ben", "Dev"))]]


def test_two_of_a_role_are_counted_together() -> None:
    assert missing(explain(one({"owner": 2}), EVE, [])) == [[Missing(2, ("owner",), ("Ana", "Ben", "Chloe"))]]
    assert missing(explain(one({"owner": 2}), EVE, [cast("ben")])) == [[Missing(1, ("owner",), ("Ana", "Chloe"))]]


def test_each_policy_says_whose_it_is() -> None:
    both = replace(
        one({"owner": 1}),
        policies=(ApprovalPolicy(((("owner", 1),),)), ApprovalPolicy(((("cto", 1),),))),
        sources=(PolicySource.INSTALLATION, PolicySource.CONFIGURATION),
    )
    assert [found.source for found in explain(both, EVE, []).requirements] == list(PolicySource)
    (left,) = explain(both, EVE, [cast("ben")]).requirements
    assert left.source is PolicySource.CONFIGURATION


@pytest.mark.parametrize(
    ("description", "rule", "requester", "said", "told"),
    [
        (
            "two ways",
            one({"owner": 1, "risk": 1}, {"cto": 1}),
            EVE,
            ["ben"],
            ["The installation's rules still need 1 × risk (Chloe or Dev); or 1 × cto (Dev)."],
        ),
        ("enough", one({"owner": 1}), EVE, ["ben"], ["Nothing more is needed."]),
        ("rejected", one({"owner": 1}), EVE, ["-ben"], ["An approver has rejected it."]),
        (
            "the requester",
            one({"owner": 1}),
            slack("ana"),
            [],
            [
                "The installation's rules still need 1 × owner (Ben or Chloe).",
                "Ana asked for this release, and may not approve it; rejecting is allowed.",
            ],
        ),
        (
            "nobody knows who asked",
            one({"risk": 1}),
            UNKNOWN,
            ["dev"],
            [
                "The installation's rules still need one approval more.",
                "It is not known for certain who asked for this release, so one approval more is needed than the rules "
                "say, of anybody who may approve: Chloe.",
            ],
        ),
        (
            "it can never be met",
            one({"cto": 1}),
            slack("dev"),
            [],
            [
                "The installation's rules still need 1 × cto (nobody is left who may) (which cannot be had).",
                "Dev asked for this release, and may not approve it; rejecting is allowed.",
                "This can never be approved: even if everybody approves who may, something is missing. It waits until "
                "it expires, or is rejected; the settings must name more people.",
            ],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_in_sentences(description: str, rule: Rules, requester: Identity, said: list[str], told: list[str]) -> None:
    votes = [cast(name.lstrip("-"), Verdict.REJECT if name[0] == "-" else Verdict.APPROVE) for name in said]
    assert sentences(explain(rule, requester, votes)) == told, description


def test_the_author_of_the_commit_is_told_of() -> None:
    wrote = replace(one({"owner": 1}), author=mail("ben", verified=False))
    assert explain(wrote, EVE, []).excluded == (Excluded("Ben", Reason.IS_THE_AUTHOR),)


def test_a_role_of_hundreds_is_not_read_out() -> None:
    many = tuple(f"U0{number:04}" for number in range(300))
    rule = Rules((ApprovalPolicy(((("crowd", 1),),)),), {"crowd": many}, ALL)
    (told,) = sentences(explain(rule, slack("ana"), []))
    assert told.endswith("U00011 or 288 others).")
