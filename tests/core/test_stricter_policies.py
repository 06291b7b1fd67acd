"""Settings and configuration both have a policy of a stage: what holds, part by part, whichever of them is stricter."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.core.approvals import Outcome, Rules, decide, eligible
from orchestrator.core.installation import DEFAULT_REMINDERS, ApprovalPolicy, Reminders
from orchestrator.core.people import Identity, IdentityKind, People, Person
from orchestrator.core.records import Verdict, Vote
from orchestrator.core.steps.progress import rules_for
from orchestrator.core.steps.request_approval import request_approval
from tests.fakes.memory_world import MemoryWorld, configuration, installation

PEOPLE = People(tuple(Person(f"{name}@example.com", name, (f"U0{name.upper()}",)) for name in ("ana", "ben", "chloe")))
ROLES = {"owner": ("ana@example.com", "ben@example.com"), "risk": ("chloe@example.com", "ben@example.com")}
BY_ANA = Identity(IdentityKind.SLACK, "U0ANA", verified=True)


def policy(any_of: dict[str, int] | None = None, **more: Any) -> ApprovalPolicy:
    return ApprovalPolicy((tuple((any_of or {"owner": 1}).items()),), **more)


def both(one: ApprovalPolicy, other: ApprovalPolicy) -> tuple[Rules, Rules]:
    """Both ways round: it does not matter who says what."""
    return Rules((one, other), ROLES, PEOPLE), Rules((other, one), ROLES, PEOPLE)


@pytest.mark.parametrize(
    ("description", "one", "other", "hours"),
    [
        ("the shorter", policy(expires_after_hours=24), policy(expires_after_hours=48), 24),
        ("the default is one too", policy(), policy(expires_after_hours=100), 72),
    ],
)
def test_the_shorter_time_counts(description: str, one: ApprovalPolicy, other: ApprovalPolicy, hours: int) -> None:
    assert [rules.expires_after_hours for rules in both(one, other)] == [hours, hours], description


@pytest.mark.parametrize(("one", "other", "may"), [(True, True, True), (True, False, False), (False, False, False)])
def test_the_requester_may_approve_only_where_both_allow_it(one: bool, other: bool, may: bool) -> None:
    for rules in both(policy(requester_may_approve=one), policy(requester_may_approve=other)):
        assert eligible(rules, BY_ANA, BY_ANA).allowed is may
        own = [Vote("ana@example.com", "Ana", Verdict.APPROVE, "t")]
        assert (decide(rules, BY_ANA, own).outcome is Outcome.APPROVED) is may


@pytest.mark.parametrize(
    ("description", "one", "other", "wanted"),
    [
        ("nobody says anything", None, None, DEFAULT_REMINDERS),
        ("one says something", None, Reminders(20, 7), Reminders(20, 7)),
        ("the earlier first one and the fewer", Reminders(4, 5), Reminders(12, 2), Reminders(4, 2)),
        ("none wins", Reminders(4, 5), Reminders(1, 0), Reminders(1, 0)),
    ],
)
def test_reminders_begin_early_and_are_few(
    description: str, one: Reminders | None, other: Reminders | None, wanted: Reminders
) -> None:
    for rules in both(policy(reminders=one), policy(reminders=other)):
        assert rules.reminders == wanted, description


def test_whoever_either_leaves_in_peace_is_left_in_peace() -> None:
    for rules in both(policy(do_not_ping=("owner",)), policy({"risk": 1}, do_not_ping=("chloe@example.com",))):
        assert rules.do_not_ping == {"owner", "chloe@example.com"}


@pytest.mark.parametrize(
    ("description", "one", "other", "approving", "outcome"),
    [
        ("one of each", {"owner": 1}, {"risk": 1}, ["ben"], Outcome.APPROVED),
        ("the second is not met", {"owner": 1}, {"risk": 2}, ["ben"], Outcome.WAIT),
        ("the first is not met", {"owner": 1}, {"risk": 1}, ["chloe"], Outcome.WAIT),
        ("more of the same role", {"risk": 1}, {"risk": 2}, ["ben"], Outcome.WAIT),
        ("both", {"risk": 1}, {"risk": 2}, ["ben", "chloe"], Outcome.APPROVED),
    ],
)
def test_both_are_met_or_nothing_is_approved(
    description: str, one: dict[str, int], other: dict[str, int], approving: list[str], outcome: Outcome
) -> None:
    votes = [Vote(f"{name}@example.com", name, Verdict.APPROVE, "t") for name in approving]
    for rules in both(policy(one), policy(other)):
        assert decide(rules, BY_ANA, votes).outcome is outcome, description


def test_a_configuration_says_all_of_it_and_the_question_keeps_to_it() -> None:
    world = MemoryWorld(installation=installation())
    asks = {
        "staging": {
            "any_of": [{"risk": 1}, {"ml-owner": 2}],
            "expires_after_hours": 10,
            "reminders": {"after_hours": 2},
            "do_not_ping": ["ml-owner"],
        }
    }
    release = world.release(configuration(approval=asks))
    rules = rules_for(world.installation, release, "staging")
    assert rules is not None
    assert (rules.expires_after_hours, rules.reminders, rules.do_not_ping) == (
        10,
        Reminders(2, 10),
        frozenset({"ml-owner"}),
    )
    world.package(release.release_id)
    world.deploy(release.release_id, "dev")
    world.verify(release.release_id, "dev")
    world.plan(release.release_id, "staging")
    request_approval(
        release.release_id,
        "staging",
        world.token(),
        store=world.store,
        tasks=world.tasks,
        installation=world.installation,
        now=world.clock,
    )
    assert world.approval(release.release_id, "staging").reminders == Reminders(2, 10)


@pytest.mark.parametrize(
    ("asked", "path", "told"),
    [
        ({"reminders": {"after_hours": 72}}, "reminders.after_hours", "no reminder would ever come"),
        ({"reminders": {"after_hours": 8}, "expires_after_hours": 8}, "reminders.after_hours", "Write less than 8"),
        ({"reminders": {"at_most": 2}}, "reminders", "after_hours"),
        ({"reminders": {"after_hours": 0}}, "reminders.after_hours", "1"),
        ({"reminders": {"after_hours": 1, "at_most": 11}}, "reminders.at_most", "10"),
        ({"do_not_ping": ["rsik"]}, "do_not_ping[0]", 'Did you mean "risk"?'),
        ({"do_not_ping": "risk"}, "do_not_ping", "list"),
    ],
)
def test_a_configurations_mistakes_are_told_with_their_path(asked: dict[str, Any], path: str, told: str) -> None:
    world = MemoryWorld()
    release = world.receive(
        world.put_configuration(configuration(approval={"prod": {"any_of": [{"risk": 1}], **asked}}))
    ).releases[0]
    assert any(f"$.approval.prod.{path}" in problem and told in problem for problem in release.problems), (
        release.problems
    )


def test_reminders_of_which_none_is_wanted_may_begin_whenever() -> None:
    none = {"prod": {"any_of": [{"risk": 1}], "expires_after_hours": 8, "reminders": {"after_hours": 24, "at_most": 0}}}
    (demand,) = MemoryWorld().release(configuration(approval=none)).policies
    assert demand.policy.reminders == Reminders(24, 0)
