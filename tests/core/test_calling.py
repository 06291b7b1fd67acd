"""Who is called, by the question and by a reminder: everybody who may, then only who would still help."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.approvals import Outcome, Rules, best_case, decide, eligible
from orchestrator.core.calling import Called, called_again, called_first, would_help
from orchestrator.core.installation import ApprovalPolicy
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind, People, Person
from orchestrator.core.records import Verdict, Vote
from tests.core.test_approval_properties import cast, requesters, slack
from tests.core.test_approval_properties import rules as all_rules
from tests.strategies import PEOPLE as PEOPLE_NAMES

ANA = Person("ana@example.com", "Ana", ("U0ANA",), ("ana",))
BEN = Person("ben@example.com", "Ben", ("U0BEN",))
CHLOE = Person("chloe@example.com", "Chloé", ("U0CHLOE",))
DEV = Person("dev@example.com", "Dev", ("U0DEV",))
MIA = Person("mia@example.com", "Mia")
PEOPLE = People((ANA, BEN, CHLOE, DEV, MIA))
ROLES = {
    "owner": ("ben@example.com", "dev@example.com"),
    "risk": ("U0CHLOE", "ben@example.com"),
    "cto": ("dev@example.com", "mia@example.com"),
    "duty": ("S0DUTY",),
    "both": ("S0DUTY", "chloe@example.com"),
}
BY_ANA = Identity(IdentityKind.IAM, "arn:aws:sts::1:assumed-role/AWSReservedSSO_X/ana", verified=True)


def rules(*alternatives: dict[str, int], quiet: tuple[str, ...] = (), **more: object) -> Rules:
    policy = ApprovalPolicy(tuple(tuple(one.items()) for one in alternatives), do_not_ping=quiet)
    return Rules((policy,), ROLES, PEOPLE, **more)  # type: ignore[arg-type]


def said(*who: str, groups: tuple[str, ...] = ()) -> list[Vote]:
    return [Vote(f"{name}@example.com", name, Verdict.APPROVE, "t", groups=groups) for name in who]


@pytest.mark.parametrize(
    ("description", "rule", "called"),
    [
        ("everybody of the role", rules({"owner": 1}), Called(users=("U0BEN", "U0DEV"))),
        ("each once", rules({"owner": 1, "risk": 1}), Called(users=("U0BEN", "U0CHLOE", "U0DEV"))),
        ("a group as a whole", rules({"both": 1}), Called(users=("U0CHLOE",), groups=("S0DUTY",))),
        ("somebody without Slack", rules({"cto": 1}), Called(users=("U0DEV",), unreachable=("Mia",))),
        ("a quiet role", rules({"risk": 1}, {"cto": 1}, quiet=("cto",)),
         Called(users=("U0BEN", "U0CHLOE"), quiet=("Dev", "Mia"))),
        ("quiet in one role, asked in another", rules({"owner": 1}, {"cto": 1}, quiet=("cto",)),
         Called(users=("U0BEN", "U0DEV"), quiet=("Mia",))),
        ("a quiet member, in every role", rules({"owner": 1}, {"risk": 1}, quiet=("ben@example.com",)),
         Called(users=("U0CHLOE", "U0DEV"), quiet=("Ben",))),
        ("a quiet member under another name", rules({"risk": 1}, quiet=("U0CHLOE",)),
         Called(users=("U0BEN",), quiet=("Chloé",))),
        ("a quiet group", rules({"both": 1}, quiet=("S0DUTY",)), Called(users=("U0CHLOE",), quiet=("S0DUTY",))),
    ],
)  # fmt: skip
def test_the_question_calls_everybody_who_may_decide(description: str, rule: Rules, called: Called) -> None:
    assert called_first(rule, BY_ANA) == called, description


def test_a_requester_who_may_not_decide_is_not_called() -> None:
    by_ben = Identity(IdentityKind.SLACK, "U0BEN", verified=True)
    assert called_first(rules({"owner": 1}), by_ben).users == ("U0DEV",)


@pytest.mark.parametrize(
    ("description", "rule", "votes", "called"),
    [
        ("who has not voted", rules({"owner": 2}), said("ben"), Called(users=("U0DEV",))),
        ("not a second of a role that has enough", rules({"owner": 1, "risk": 1}), said("dev"),
         Called(users=("U0BEN", "U0CHLOE"))),
        ("who has another role changes seats with a voter", rules({"owner": 1, "risk": 1}), said("ben"),
         Called(users=("U0CHLOE", "U0DEV"))),
        ("nobody of a role in peace", rules({"owner": 1}, {"cto": 1}, quiet=("owner",)), [],
         Called(users=("U0DEV",), unreachable=("Mia",), quiet=("Ben",))),
        ("a group of which nobody has voted", rules({"duty": 2}), [], Called(groups=("S0DUTY",))),
        ("not a group of which somebody has voted", rules({"duty": 2}), said("ben", groups=("S0DUTY",)), Called()),
        ("its members one by one where they are known",
         rules({"duty": 2}, groups={"S0DUTY": frozenset({"ben@example.com", "dev@example.com"})}),
         said("ben", groups=("S0DUTY",)), Called(users=("U0DEV",))),
        ("a group that Slack does not tell of",
         rules({"duty": 2}, groups={"S0DUTY": frozenset()}, silent=frozenset({"S0DUTY"})),
         [], Called(groups=("S0DUTY",))),
    ],
)  # fmt: skip
def test_a_reminder_calls_those_alone_who_would_help(
    description: str, rule: Rules, votes: list[Vote], called: Called
) -> None:
    assert called_again(rule, BY_ANA, votes) == called, description


def test_while_it_is_not_known_who_asked_everybody_helps() -> None:
    rule = rules({"owner": 1})
    assert not would_help(rule, BY_ANA, said("ben"), "dev@example.com")
    assert would_help(rule, UNKNOWN, said("ben"), "dev@example.com")


def test_mentions_are_slacks_markup() -> None:
    called = called_first(rules({"both": 1}), BY_ANA)
    assert called.mentions == ("<!subteam^S0DUTY>", "<@U0CHLOE>")


everybody = st.lists(st.sampled_from(PEOPLE_NAMES), unique=True)


@given(all_rules, requesters, everybody)
def test_a_reminder_calls_nobody_who_has_voted_may_not_or_could_not_help(
    rule: Rules, requester: Identity, approving: list[str]
) -> None:
    votes = [cast(name) for name in approving if eligible(rule, requester, slack(name)).allowed]
    called = called_again(rule, requester, votes)
    first = called_first(rule, requester)
    assert set(called.users) <= set(first.users)
    for name in PEOPLE_NAMES:
        if f"U0{name.upper()}" in called.users:
            assert eligible(rule, requester, slack(name)).allowed
            assert cast(name) not in votes


@given(all_rules, requesters, everybody)
def test_as_long_as_a_question_can_be_met_a_reminder_finds_somebody_to_call(
    rule: Rules, requester: Identity, approving: list[str]
) -> None:
    votes = [cast(name) for name in approving if eligible(rule, requester, slack(name)).allowed]
    if decide(rule, requester, votes).outcome is not Outcome.WAIT:
        return
    called = called_again(rule, requester, votes)
    if best_case(rule, requester).outcome is Outcome.APPROVED:
        assert called.users


@given(all_rules, requesters, everybody)
def test_whoever_is_called_brings_the_question_nearer_when_it_is_certain_who_asked(
    rule: Rules, requester: Identity, approving: list[str]
) -> None:
    votes = [cast(name) for name in approving if eligible(rule, requester, slack(name)).allowed]
    if not (rule.requester_may_approve or rule.is_known(requester)):
        return
    while decide(rule, requester, votes).outcome is Outcome.WAIT:
        called = called_again(rule, requester, votes).users
        if not called:
            assert best_case(rule, requester).outcome is not Outcome.APPROVED
            return
        votes.append(cast(called[0].removeprefix("U0").lower()))
    assert decide(rule, requester, votes).outcome is Outcome.APPROVED
