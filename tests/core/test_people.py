"""One human, many names; and what strangers claim to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.people import UNKNOWN, Identity, IdentityKind, People, Person, principal_name, same_principal

BENS_SESSION = "arn:aws:sts::111111111111:assumed-role/Engineers/ben"
BEN = Person(
    "Ben@example.com",
    "Ben",
    ("U0BEN", "W0BEN"),
    ("arn:aws:iam::111111111111:role/team/Ben", "arn:aws:iam::111111111111:user/ben", "ben-session", BENS_SESSION),
    ("ben@home.example",),
)
PEOPLE = People((BEN, Person("ana@example.com", "Ana")))


def session(role: str, name: str = "s", account: str = "111111111111") -> str:
    return f"arn:aws:sts::{account}:assumed-role/{role}/{name}"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (IdentityKind.SLACK, "U0BEN"),
        (IdentityKind.SLACK, "W0BEN"),
        (IdentityKind.EMAIL, "BEN@example.com"),
        (IdentityKind.GIT, "ben@home.example"),
        (IdentityKind.GIT, "ben@EXAMPLE.com"),
        (IdentityKind.IAM, "arn:aws:iam::111111111111:user/ben"),
        (IdentityKind.IAM, session("Ben")),
        (IdentityKind.IAM, session("Engineers", "ben")),
        (IdentityKind.IAM, session("AWSReservedSSO_MLEngineer_0123456789abcdef", "ben-session")),
    ],
)
def test_the_same_human_by_each_of_his_names(kind: IdentityKind, value: str) -> None:
    identity = Identity(kind, value, verified=True)
    assert PEOPLE.find(identity) is BEN
    assert PEOPLE.key(identity) == "ben@example.com"
    assert PEOPLE.display(identity) == "Ben"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (IdentityKind.SLACK, "u0ben"),
        (IdentityKind.SLACK, "ben@example.com"),
        (IdentityKind.EMAIL, "ben@home.example"),
        (IdentityKind.IAM, session("Ben", account="999999999999")),
        (IdentityKind.IAM, session("Benjamin")),
        # Whoever may assume a role chooses the session's name.
        (IdentityKind.IAM, session("Anything", "ben-session")),
        (IdentityKind.IAM, session("My_AWSReservedSSO_Role", "ben-session")),
        (IdentityKind.IAM, session("AWSReservedSSO_MLEngineer_0123456789abcdef", "Ben-session")),
        # Of a configured session, nothing may differ.
        (IdentityKind.IAM, session("Engineers", "ana")),
        (IdentityKind.IAM, session("Engineers", "ben", account="999999999999")),
        (IdentityKind.IAM, session("Builds", "ben")),
        (IdentityKind.IAM, session("AWSReservedSSO_MLEngineer_0123456789abcdef", "ben")),
        (IdentityKind.IAM, "arn:aws:iam::111111111111:role/Engineers"),
        (IdentityKind.IAM, "arn:aws:iam::111111111111:role/ben-session"),
        (IdentityKind.IAM, "arn:aws-cn:sts::111111111111:assumed-role/Ben/s"),
        (IdentityKind.UNKNOWN, "ben@example.com"),
    ],
)
def test_somebody_else(kind: IdentityKind, value: str) -> None:
    identity = Identity(kind, value, verified=True)
    assert PEOPLE.find(identity) is None
    assert PEOPLE.key(identity) == f"{kind}:{value}"


@given(st.text(max_size=80) | st.from_regex(r"[a-z:]*:assumed-role/[a-z/:]*", fullmatch=True))
def test_a_claim_of_any_shape_is_only_compared(claim: str) -> None:
    for known in BEN.iam_principals:
        same_principal(known, claim)
        same_principal(claim, known)
    identity = Identity(IdentityKind.IAM, claim, verified=False)
    assert PEOPLE.display(identity).endswith(" (unverified)")


def test_a_bare_name_is_taken_for_the_person_it_names() -> None:
    """Only a claim has this shape: it keeps the one it names from approving, and gives nobody a vote."""
    assert PEOPLE.find(Identity(IdentityKind.IAM, "ben-session", verified=False)) is BEN


def test_a_claim_is_marked_and_nobody_is_nobody() -> None:
    assert PEOPLE.display(Identity(IdentityKind.EMAIL, "ben@example.com", verified=False)) == "Ben (unverified)"
    assert PEOPLE.display(UNKNOWN) == "unknown"
    assert PEOPLE.display(Identity(IdentityKind.IAM, session("X", "ana"), verified=True)) == "ana"


def test_the_readable_end_of_an_arn() -> None:
    assert principal_name("arn:aws:sts::1:assumed-role/Admin/ana") == "ana"
    assert principal_name("a/b") == "a/b"
