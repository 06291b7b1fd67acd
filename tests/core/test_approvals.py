"""Who may approve, and what the votes amount to: tables a product owner can read, and properties."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.approvals import Eligibility, Outcome, Reason, Rules, decide, eligible, identify
from orchestrator.core.installation import ApprovalPolicy
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind, People, Person
from orchestrator.core.records import Verdict, Vote

ANA = Person("ana@example.com", "Ana", ("U0ANA",), ("ana",), ("ana@home.example",))
BEN = Person("ben@example.com", "Ben", ("U0BEN",), ("arn:aws:iam::111111111111:role/team/Ben",))
CHLOE = Person("chloe@example.com", "Chloé", ("U0CHLOE",))
DEV = Person("dev@example.com", "Dev", ("U0DEV",))
PEOPLE = People((ANA, BEN, CHLOE, DEV))
ROLES = {
    "owner": ("ben@example.com", "ana@example.com"),
    "risk": ("U0CHLOE", "ben@example.com"),
    "cto": ("dev@example.com",),
    "nobody": (),
    "machine": ("arn:aws:iam::555555555555:role/Release",),
}
A_ROBOT = Identity(IdentityKind.IAM, "arn:aws:sts::111111111111:assumed-role/Builds/ana", verified=True)
ASKED_BY_ANA = Identity(
    IdentityKind.IAM, "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Admin/ana", verified=True
)
ANA_SAYS_GIT = Identity(IdentityKind.GIT, "ana@home.example", verified=False)


def slack(user: str) -> Identity:
    return Identity(IdentityKind.SLACK, user, verified=True)


def rules(*alternatives: dict[str, int], own: bool = False) -> Rules:
    policy = ApprovalPolicy(tuple(tuple(a.items()) for a in alternatives), requester_may_approve=own)
    return Rules((policy,), ROLES, PEOPLE)


def votes(*who: str) -> list[Vote]:
    """``ben`` approves, ``-ben`` rejects."""
    return [
        Vote(f"{name.lstrip('-')}@example.com", name, Verdict.REJECT if name[0] == "-" else Verdict.APPROVE, "t")
        for name in who
    ]


@pytest.mark.parametrize(
    ("description", "rule", "requester", "said", "outcome"),
    [
        ("nobody has voted", rules({"owner": 1}), ASKED_BY_ANA, [], Outcome.WAIT),
        ("one of one", rules({"owner": 1}), ASKED_BY_ANA, ["ben"], Outcome.APPROVED),
        ("the requester's own vote is worth nothing", rules({"owner": 1}), ASKED_BY_ANA, ["ana"], Outcome.WAIT),
        ("unless the policy allows it", rules({"owner": 1}, own=True), ASKED_BY_ANA, ["ana"], Outcome.APPROVED),
        ("somebody without the role", rules({"owner": 1}), ASKED_BY_ANA, ["dev"], Outcome.WAIT),
        (
            "a mix, met by two",
            rules({"owner": 1, "risk": 1}),
            ASKED_BY_ANA,
            ["ben", "chloe"],
            Outcome.APPROVED,
        ),
        ("one human fills one seat only", rules({"owner": 1, "risk": 1}), ASKED_BY_ANA, ["ben"], Outcome.WAIT),
        (
            "or the other way",
            rules({"owner": 1, "risk": 1}, {"cto": 1}),
            ASKED_BY_ANA,
            ["dev"],
            Outcome.APPROVED,
        ),
        ("one rejection settles it", rules({"owner": 2}), ASKED_BY_ANA, ["ben", "-chloe"], Outcome.WAIT),
        (
            "an approver rejects",
            rules({"owner": 1, "risk": 1}),
            ASKED_BY_ANA,
            ["ben", "-chloe"],
            Outcome.REJECTED,
        ),
        ("a role without members is never met", rules({"nobody": 1}), ASKED_BY_ANA, ["ben", "chloe"], Outcome.WAIT),
        ("an empty policy is never met", rules(), ASKED_BY_ANA, ["ben"], Outcome.WAIT),
        ("an empty alternative is never met", rules({}), ASKED_BY_ANA, ["ben"], Outcome.WAIT),
        ("an unknown requester costs one more", rules({"risk": 1}), UNKNOWN, ["ben"], Outcome.WAIT),
        ("and is satisfied by it", rules({"risk": 1}), UNKNOWN, ["ben", "chloe"], Outcome.APPROVED),
        ("a principal that is nobody of people costs one more", rules({"risk": 1}), A_ROBOT, ["chloe"], Outcome.WAIT),
        ("a robot's release is approved by two", rules({"risk": 1}), A_ROBOT, ["chloe", "ben"], Outcome.APPROVED),
        ("a claimed requester costs one more too", rules({"risk": 1}), ANA_SAYS_GIT, ["ben"], Outcome.WAIT),
        ("and the claimed one may not be it", rules({"owner": 1}), ANA_SAYS_GIT, ["ben", "ana"], Outcome.WAIT),
    ],
)
def test_decisions(description: str, rule: Rules, requester: Identity, said: list[str], outcome: Outcome) -> None:
    assert decide(rule, requester, votes(*said)).outcome is outcome, description


def test_every_policy_must_be_met_and_the_stricter_times_win() -> None:
    installation = ApprovalPolicy(((("owner", 1),),), expires_after_hours=72, requester_may_approve=True)
    configuration = ApprovalPolicy(((("risk", 1),),), expires_after_hours=24)
    both = Rules((installation, configuration), ROLES, PEOPLE)
    assert decide(both, ASKED_BY_ANA, votes("chloe")).outcome is Outcome.WAIT
    assert decide(both, ASKED_BY_ANA, votes("chloe", "ben")).outcome is Outcome.APPROVED
    assert both.expires_after_hours == 24
    assert not both.requester_may_approve


@pytest.mark.parametrize(
    ("voter", "reason"),
    [
        (slack("U0BEN"), Reason.IS_APPROVER),
        (slack("U0ANA"), Reason.IS_THE_REQUESTER),
        (slack("U0DEV"), Reason.NOT_AN_APPROVER),
        (slack("U0STRANGER"), Reason.NOT_AN_APPROVER),
        (Identity(IdentityKind.IAM, "arn:aws:sts::111111111111:assumed-role/Ben/session", True), Reason.IS_APPROVER),
        (
            Identity(IdentityKind.IAM, "arn:aws:sts::999999999999:assumed-role/Ben/s", True),
            Reason.NOT_AN_APPROVER,
        ),
        (UNKNOWN, Reason.NOT_AN_APPROVER),
    ],
)
def test_who_may_vote(voter: Identity, reason: Reason) -> None:
    assert eligible(rules({"owner": 1}), ASKED_BY_ANA, voter).reason is reason


def test_a_principal_that_is_no_person_may_be_an_approver_by_its_role() -> None:
    session = Identity(IdentityKind.IAM, "arn:aws:sts::555555555555:assumed-role/Release/run-7", verified=True)
    rule = rules({"machine": 1})
    assert eligible(rule, ASKED_BY_ANA, session).allowed
    cast = Vote(rule.voter_key(session), "run-7", Verdict.APPROVE, "t")
    assert decide(rule, ASKED_BY_ANA, [cast]).outcome is Outcome.APPROVED


@pytest.mark.parametrize(
    ("member", "kind"),
    [
        ("ben@example.com", IdentityKind.EMAIL),
        ("U0BEN", IdentityKind.SLACK),
        ("W012A3CDE", IdentityKind.SLACK),
        ("arn:aws:iam::1:role/x", IdentityKind.IAM),
        ("arn:aws:sts::1:assumed-role/x/me@example.com", IdentityKind.IAM),
    ],
)
def test_members_are_recognised(member: str, kind: IdentityKind) -> None:
    assert identify(member).kind is kind


@given(st.lists(st.sampled_from(["ana", "ben", "chloe", "dev", "-ben", "-dev"]), unique_by=lambda n: n.lstrip("-")))
def test_more_approvals_never_undo_an_approval(said: list[str]) -> None:
    rule = rules({"owner": 1, "risk": 1}, {"cto": 1})
    before = decide(rule, ASKED_BY_ANA, votes(*said)).outcome
    if before is Outcome.APPROVED:
        more = [name for name in ("ben", "chloe", "dev") if name not in {n.lstrip("-") for n in said}]
        assert decide(rule, ASKED_BY_ANA, votes(*said, *more)).outcome is Outcome.APPROVED


@given(st.lists(st.sampled_from(["ana", "nobody", "stranger"]), unique=True))
def test_votes_of_others_never_approve(said: list[str]) -> None:
    assert decide(rules({"risk": 1}), ASKED_BY_ANA, votes(*said)).outcome is Outcome.WAIT


def test_the_extra_approval_is_said_from_the_start() -> None:
    waiting = decide(rules({"risk": 1}), UNKNOWN, [])
    assert waiting.missing == "1 × risk, and one approval more because it is not known for certain who asked"
    assert decide(rules({"risk": 1}), ASKED_BY_ANA, []).missing == "1 × risk"


BEN_WRITES = Identity(IdentityKind.GIT, "ben@example.com", verified=False)
A_STRANGER_WRITES = Identity(IdentityKind.GIT, "somebody@example.org", verified=False)


@pytest.mark.parametrize(
    ("description", "author", "own", "said", "outcome"),
    [
        ("another than the author approves", BEN_WRITES, False, ["chloe"], Outcome.APPROVED),
        ("the author's own vote is worth nothing", BEN_WRITES, False, ["ben"], Outcome.WAIT),
        ("unless the policy allows it", BEN_WRITES, True, ["ben"], Outcome.APPROVED),
        ("an author whom nobody knows keeps nobody out", A_STRANGER_WRITES, False, ["ben"], Outcome.APPROVED),
        ("a release without a commit", UNKNOWN, False, ["ben"], Outcome.APPROVED),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_author_of_a_commit_does_not_approve_it(
    description: str, author: Identity, own: bool, said: list[str], outcome: Outcome
) -> None:
    wanted = replace(rules({"risk": 1}, own=own), author=author)
    assert decide(wanted, ASKED_BY_ANA, votes(*said)).outcome is outcome, description


def test_an_author_is_told_why_he_may_not_approve() -> None:
    wanted = replace(rules({"risk": 1}), author=BEN_WRITES)
    voter = Identity(IdentityKind.EMAIL, "ben@example.com", verified=True)
    assert eligible(wanted, ASKED_BY_ANA, voter) == Eligibility(False, Reason.IS_THE_AUTHOR)
