"""Approvers of other accounts: exactly the named principals are let in, to read a release and to decide."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Stack

from orchestrator.core.people import Principal, principal_of
from stacks.foreign_approvers import foreign_principals, resource_policy
from stacks.settings import parse
from tests.stacks.templates import Synthesised, of_type
from tests.stacks.test_settings import given, problems

OTHER = "555555555555"
ROLE = f"arn:aws:iam::{OTHER}:role/teams/risk/RiskOfficer"
USER = f"arn:aws:iam::{OTHER}:user/auditors/kim"
SESSION = f"arn:aws:sts::{OTHER}:assumed-role/Release/chloe"


def installed(*principals: str, **changes: Any) -> Any:
    """The installation, with Chloé going by these principals."""
    return parse(given(people__2__iam_principals=list(principals), **changes)).installation


def statements(installation: Any) -> list[dict[str, Any]]:
    policy = resource_policy(installation, "v1")
    if policy is None:
        return []
    found: list[dict[str, Any]] = Stack(App(), "S").resolve(policy)["Statement"]
    return found


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        (ROLE, Principal(ROLE, OTHER, "RiskOfficer")),
        (USER, Principal(USER, OTHER, "kim")),
        (SESSION, Principal(SESSION, OTHER, "Release", "chloe")),
        (f"arn:aws:iam::{OTHER}:root", None),
        (f"arn:aws:iam::{OTHER}:role/*", None),
        (f"arn:aws:iam::{OTHER}:role/Risk?", None),
        ("arn:aws:iam::*:role/Risk", None),
        (f"arn:aws:sts::{OTHER}:assumed-role/Release", None),
        (f"arn:aws:sts::{OTHER}:assumed-role/Release/a/b", None),
        (f"arn:aws:iam::{OTHER}:group/Risk", None),
        ("chloe@example.com", None),
        (f"{ROLE}\n", None),
    ],
)
def test_a_principal_is_one_role_user_or_session(arn: str, principal: Principal | None) -> None:
    assert principal_of(arn) == principal


def test_where_all_approvers_are_of_the_own_account_the_api_has_no_policy() -> None:
    assert statements(parse(given()).installation) == []


def test_roles_and_users_are_let_in_by_their_whole_arn() -> None:
    (statement,) = statements(installed(ROLE, USER))
    assert statement == {
        "Effect": "Allow",
        "Principal": {"AWS": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":iam::{OTHER}:root"]]}},
        "Action": "execute-api:Invoke",
        "Resource": ["execute-api:/v1/GET/releases/*", "execute-api:/v1/POST/releases/*/decision"],
        "Condition": {"StringEquals": {"aws:PrincipalArn": [ROLE, USER]}},
    }


def test_a_session_is_let_in_by_its_name_and_that_of_its_role() -> None:
    (statement,) = statements(installed(SESSION))
    assert statement["Condition"] == {
        "ArnLike": {"aws:PrincipalArn": [f"arn:aws:iam::{OTHER}:role/Release", f"arn:aws:iam::{OTHER}:role/*/Release"]},
        "StringLike": {"aws:userid": "*:chloe"},
    }


def test_each_account_has_its_own_statement_and_none_is_let_in_whole() -> None:
    another = "arn:aws:iam::666666666666:role/Auditor"
    found = statements(installed(ROLE, another))
    assert [statement["Condition"]["StringEquals"]["aws:PrincipalArn"] for statement in found] == [[ROLE], [another]]
    assert all(statement["Condition"] for statement in found)


def test_who_approves_nothing_is_not_let_in() -> None:
    """Ana is of no role; but where a role names a user group, she may be in it."""
    named = given(people__0__iam_principals=[ROLE])
    assert [one.arn for one in foreign_principals(parse(named).installation)] == [ROLE]
    del named["roles"]["on-duty"]
    assert foreign_principals(parse(named).installation) == ()


@pytest.mark.parametrize("arn", [f"arn:aws:iam::{OTHER}:root", f"arn:aws:iam::{OTHER}:role/*", "arn:aws:iam::1:role/A"])
def test_what_is_no_single_principal_is_refused_in_the_settings(arn: str) -> None:
    ((path, told),) = problems(given(people__2__iam_principals=[arn]))
    assert path == "$.people[2].iam_principals[0]"
    assert "is no ARN of one role, user or session" in told


def test_the_api_of_an_installation_has_the_policy(organization: Synthesised) -> None:
    """The example names a role of an audit account; the template is looked at with all others for confused deputies."""
    (properties,) = of_type(organization.orchestrator, "AWS::ApiGateway::RestApi").values()
    (statement,) = properties["Policy"]["Statement"]
    assert statement["Condition"]["StringEquals"] == {
        "aws:PrincipalArn": ["arn:aws:iam::777788889999:role/audit/RiskOfficer"]
    }
