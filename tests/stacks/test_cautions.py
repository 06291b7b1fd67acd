"""Approvals that an upload to S3 could never get are told, and hinder nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Annotations, Match

from orchestrator.core.approvals import Outcome, Rules, decide
from orchestrator.core.people import UNKNOWN
from orchestrator.core.records import Verdict, Vote
from stacks.cautions import cautions
from tests.stacks.templates import app_of, settings_of

BEN, CHLOE, DEV = "ben@example.com", "chloe@example.com", "dev@example.com"


def told(roles: dict[str, list[str]], **policy: Any) -> list[tuple[str, str]]:
    """Path and sentence of each caution, where prod has this policy and staging is not asked about."""
    chosen = settings_of("multi", roles=roles, approvals={"staging": None, "prod": policy})
    return [(caution.path, caution.sentence) for caution in cautions(chosen.installation)]


NEVER = [
    pytest.param({"risk": [BEN]}, [{"risk": 1}], id="one of one"),
    pytest.param({"risk": [BEN, CHLOE]}, [{"risk": 2}], id="two of two"),
    pytest.param({"owner": [BEN, CHLOE], "risk": [BEN, CHLOE]}, [{"owner": 1, "risk": 1}], id="two roles of two"),
    pytest.param({"owner": [BEN], "risk": [BEN, "U0BEN"]}, [{"owner": 1}, {"risk": 1}], id="one person in each"),
]


@pytest.mark.parametrize(("roles", "any_of"), NEVER)
def test_an_approval_that_needs_everybody_is_never_given_to_an_upload(
    roles: dict[str, list[str]], any_of: list[dict[str, int]]
) -> None:
    found = told(roles, any_of=any_of)

    assert [path for path, _ in found] == ["$.approvals.prod"]
    assert BEN in found[0][1]
    assert "Add a member to one of its roles, or set requester_may_approve." in found[0][1]


@pytest.mark.parametrize(
    ("roles", "policy"),
    [
        pytest.param({"risk": [BEN, CHLOE]}, {"any_of": [{"risk": 1}]}, id="one of two"),
        pytest.param(
            {"owner": [BEN, DEV], "risk": [CHLOE]}, {"any_of": [{"owner": 1, "risk": 1}]}, id="a third in one role"
        ),
        pytest.param({"owner": [BEN], "risk": [CHLOE]}, {"any_of": [{"owner": 1}, {"risk": 1}]}, id="an alternative"),
        pytest.param({"risk": [BEN]}, {"any_of": [{"risk": 1}], "requester_may_approve": True}, id="requester may"),
    ],
)
def test_what_an_upload_can_get_is_not_told(roles: dict[str, list[str]], policy: dict[str, Any]) -> None:
    assert told(roles, **policy) == []


@pytest.mark.parametrize(("roles", "any_of"), NEVER)
def test_what_is_told_is_so(roles: dict[str, list[str]], any_of: list[dict[str, int]]) -> None:
    chosen = settings_of("multi", roles=roles, approvals={"staging": None, "prod": {"any_of": any_of}})
    policy = chosen.installation.stage("prod").approval
    assert policy is not None
    rules = Rules((policy,), chosen.installation.roles, chosen.installation.people)
    everybody = [Vote(person.email, person.name, Verdict.APPROVE, "t") for person in rules.people.everybody]

    assert decide(rules, UNKNOWN, everybody).outcome is Outcome.WAIT


def test_synthesis_warns_and_goes_on(tmp_path: Path) -> None:
    chosen = settings_of("multi", roles={"risk": [BEN]}, approvals={"staging": None, "prod": {"any_of": [{"risk": 1}]}})
    stack = _orchestrator(app_of(chosen, tmp_path))

    found = Annotations.from_stack(stack)

    found.has_warning("/MlopsOrchestrator", Match.string_like_regexp(r"\$\.approvals\.prod: is never met"))
    assert found.find_error("*", Match.any_value()) == []


def test_the_local_installation_gives_no_warning(tmp_path: Path) -> None:
    stack = _orchestrator(app_of(settings_of("multi"), tmp_path))

    assert Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("approvals")) == []


def _orchestrator(app: App) -> Any:
    return app.node.find_child("MlopsOrchestrator")
