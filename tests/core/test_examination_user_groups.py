"""What ``mlops doctor`` finds about the Slack user groups of approver roles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.errors import ChatRefused, ChatUnavailable
from orchestrator.core.examination.findings import Check, State
from orchestrator.core.people import People, Person
from tests.core.test_examination import House
from tests.fakes.examination import account
from tests.fakes.memory_world import ANA, BEN, CHLOE, DEV, ROLES

GROUP = "S0RISK"


def house(members: Any, **accounts: dict[str, Any]) -> House:
    """Prod is decided by the group alone."""
    found = House()
    found.settings = replace(found.settings, roles={**ROLES, "risk": (GROUP,)})
    found.workspace.groups = {} if members is None else {GROUP: members}
    found.workspace.accounts = accounts
    return found


@pytest.mark.parametrize(
    ("description", "members", "state", "what"),
    [
        ("all are known", frozenset({"U0BEN", "U0DEV"}), State.OK, "has 2 members, who may decide"),
        ("one is nobody of people", frozenset({"U0BEN", "U0ZOE"}), State.WARNING, "but not U0ZOE"),
        ("all are nobody of people", frozenset({"U0ZOE"}), State.FAULT, "no member whom people of the settings knows"),
        ("nobody is in it", frozenset(), State.FAULT, "has no members"),
        ("there is none of this id", None, State.FAULT, "is no user group of this workspace"),
        ("the scope is missing", ChatRefused("missing_scope"), State.FAULT, "missing_scope"),
        ("Slack has no time", ChatUnavailable("Slack asks for a slower pace"), State.WARNING, "slower pace"),
    ],
)
def test_a_group_is_looked_at(description: str, members: Any, state: State, what: str) -> None:
    finding = house(members).one(Check.USER_GROUP)
    assert (finding.about, finding.state) == (GROUP, state), description
    assert what in finding.what
    assert bool(finding.fix) is (state is not State.OK)


def test_a_member_is_recognised_by_the_accounts_address_too() -> None:
    found = house(frozenset({"U0NEW"}), U0NEW=account("U0NEW", profile={"email": "mia@example.com"}))
    people = People((ANA, BEN, CHLOE, DEV, Person("mia@example.com", "Mia")))
    found.settings = replace(found.settings, people=people)
    assert found.one(Check.USER_GROUP).state is State.OK


@pytest.mark.parametrize(
    ("members", "state"),
    [
        (frozenset({"U0BEN", "U0DEV"}), State.OK),
        (frozenset({"U0BEN"}), State.WARNING),
        (frozenset({"U0ZOE"}), State.FAULT),
        (None, State.FAULT),
        (ChatRefused("missing_scope"), State.FAULT),
        (ChatUnavailable("Slack asks for a slower pace"), State.OK),
    ],
)
def test_an_approval_is_met_by_those_who_are_in_the_group_now(members: Any, state: State) -> None:
    """Where Slack could not be asked, nothing is known to be wrong: the check of the group says so."""
    (prod,) = [one for one in house(members).of(Check.APPROVAL) if one.about == "prod"]
    assert prod.state is state, prod


def test_a_group_that_no_policy_names_is_not_looked_at() -> None:
    found = House()
    found.settings = replace(found.settings, roles={**ROLES, "unused": (GROUP,)})
    assert found.of(Check.USER_GROUP) == ()


def test_without_a_token_no_group_is_looked_at() -> None:
    found = house(frozenset({"U0BEN"}))
    found.secret = "{}"
    assert found.one(Check.USER_GROUP).state is State.SKIPPED
