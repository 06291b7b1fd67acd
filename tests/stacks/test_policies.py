"""What every policy of the stacks holds to: no confused deputies, no wildcard that nobody has looked at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stacks.templates import Statement, Synthesised, of_type, short, statements
from tests.stacks.wildcards import REVIEWED

OWNERS = {"arn:<AWS::Partition>:iam::{account}:root"}
NARROWED_TO_ROLES = "aws:PrincipalArn"
FROM_US = {"sts:ExternalId", "aws:PrincipalOrgID"}
SOURCE = {"aws:SourceArn", "aws:SourceAccount"}

TRUSTED_WITHOUT_SOURCE = {
    "cloudformation.amazonaws.com": "assumes a role only for stacks of the account that passed it",
    "lambda.amazonaws.com": "assumes a role only for a function of the account that passed it",
    "apigateway.amazonaws.com": "assumes the log role only for the account whose setting names it",
}


def every_statement(synthesised: Synthesised) -> Iterator[Statement]:
    for name, template in synthesised.templates.items():
        yield from statements(name, template)


def account_of(synthesised: Synthesised, statement: Statement) -> str:
    if statement.stack == "MlopsOrchestrator":
        return synthesised.settings.account
    return synthesised.places[statement.stack.removeprefix("MlopsStage-")]


def faults(statement: Statement, own_account: str) -> list[str]:
    """Why a statement could be a confused deputy's; empty when it could not."""
    if not statement.allows or statement.kind == "identity":
        return []
    found = []
    conditions = set(statement.conditions)
    accounts = statement.principals("AWS")
    own = any(own_account in principal for principal in accounts) and statement.resource.startswith("BucketsKey")
    if accounts and not own:
        if NARROWED_TO_ROLES not in conditions:
            found.append("an account is let in whole")
        if statement.kind == "trust" and not conditions & FROM_US:
            found.append("a role of another account may be assumed without external id or organisation")
    for service in statement.principals("Service"):
        excused = statement.kind == "trust" and service in TRUSTED_WITHOUT_SOURCE
        if not excused and not conditions & SOURCE:
            found.append(f"{service} is let in for whoever it works for")
    return found


def test_no_statement_could_be_a_confused_deputys(synthesised: Synthesised) -> None:
    found = {
        f"{statement.stack} {statement.resource}": faults(statement, account_of(synthesised, statement))
        for statement in every_statement(synthesised)
    }

    assert {where: why for where, why in found.items() if why} == {}


def _trust(principal: dict[str, str], **condition: dict[str, str]) -> Statement:
    raw = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}
    return Statement("MlopsStage-dev", "Role", "trust", raw)


ROLE = {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/mlops/functions/x"}


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        pytest.param(_trust({"AWS": "arn:aws:iam::1:root"}), 2, id="account alone"),
        pytest.param(
            _trust({"AWS": "arn:aws:iam::1:root"}, StringEquals={"sts:ExternalId": "e"}), 1, id="external id alone"
        ),
        pytest.param(_trust({"AWS": "arn:aws:iam::1:root"}, ArnLike=ROLE), 1, id="role alone"),
        pytest.param(
            _trust({"AWS": "arn:aws:iam::1:root"}, ArnLike=ROLE, StringEquals={"sts:ExternalId": "e"}), 0, id="both"
        ),
        pytest.param(_trust({"Service": "events.amazonaws.com"}), 1, id="service without source"),
        pytest.param(_trust({"Service": "lambda.amazonaws.com"}), 0, id="service that needs none"),
        pytest.param(_trust({"AWS": "*"}), 2, id="everybody"),
    ],
)
def test_the_deputy_check_finds(statement: Statement, found: int) -> None:
    assert len(faults(statement, "222222222222")) == found


def test_nobody_is_let_in_anonymously(synthesised: Synthesised) -> None:
    anonymous = [
        statement
        for statement in every_statement(synthesised)
        if statement.allows and "*" in statement.principals("AWS")
    ]

    assert anonymous == []


def test_across_accounts_only_packages_pinned_assets_and_documents_are_read(multi: Synthesised) -> None:
    across = [
        (
            statement.actions,
            tuple(short(one) for one in statement.raw.get("Resource", ()) and [statement.raw["Resource"]]),
        )
        for statement in statements("MlopsOrchestrator", multi.orchestrator)
        if statement.kind == "resource"
        and any(
            stage.account in principal
            for stage in multi.settings.installation.stages
            for principal in statement.principals("AWS")
        )
    ]

    assert across == [
        (("kms:Decrypt",), ("*",)),
        (("s3:GetObject",), ("<BucketsPackages.Arn>/packages/*",)),
        (("s3:GetObject",), ("<BucketsPackages.Arn>/assets/*",)),
        (("s3:GetObject",), ("<BucketsPackages.Arn>/documents/*",)),
        (("s3:ListBucket",), ("<BucketsPackages.Arn>",)),
        (("events:PutEvents",), ("arn:aws:events:us-east-1:111111111111:event-bus/mlops",)),
    ]


def test_across_accounts_assets_and_documents_are_found_and_packages_are_not(multi: Synthesised) -> None:
    (listing,) = (
        statement
        for statement in statements("MlopsOrchestrator", multi.orchestrator)
        if statement.kind == "resource" and "s3:ListBucket" in statement.actions and statement.allows
    )

    assert listing.raw["Condition"]["StringLike"] == {"s3:prefix": ["assets/*", "documents/*"]}
    assert all("role/mlops/workload/" in role for role in listing.raw["Condition"]["ArnLike"]["aws:PrincipalArn"])


def test_one_account_opens_nothing_to_others(single: Synthesised) -> None:
    outside = [
        statement.resource
        for statement in statements("MlopsOrchestrator", single.orchestrator)
        if statement.kind == "resource" and NARROWED_TO_ROLES in statement.conditions
    ]

    assert outside == []


def wild(synthesised: Synthesised) -> set[tuple[str, str, str]]:
    """Every right with a wildcard that somebody has: kind of stack, resource, action."""
    found = set()
    for statement in every_statement(synthesised):
        if statement.stack == "MlopsStage-orchestrator":
            continue  # as in a stage's account, see test_golden.py; its account's number stands for two things
        if not (statement.allows and (statement.kind == "identity" or statement.resource.startswith("BucketsKey"))):
            continue
        stack = "orchestrator" if statement.stack == "MlopsOrchestrator" else "stage"
        own = account_of(synthesised, statement)
        for resource in map(short, statement.resources):
            shown = resource if stack == "orchestrator" else resource.replace(own, "<account>")
            found |= {(stack, shown, action) for action in statement.actions if "*" in resource or "*" in action}
    return found


def on_the_list() -> set[tuple[str, str, str]]:
    return {
        (stack, entry.resource, action)
        for stack, entries in REVIEWED.items()
        for entry in entries
        for action in entry.actions
    }


def test_every_wildcard_has_been_reviewed(multi: Synthesised, single: Synthesised) -> None:
    # In one account the stage's stack holds the same statements with the same number twice.
    in_one = {right for right in wild(single) if right[0] == "orchestrator"}

    assert sorted((wild(multi) | in_one) - on_the_list()) == []


def test_no_review_has_outlived_its_statement(multi: Synthesised) -> None:
    assert sorted(on_the_list() - wild(multi)) == []


def test_no_action_is_a_wildcard_outside_the_key_policy(synthesised: Synthesised) -> None:
    wild = {
        (statement.stack, statement.resource)
        for statement in every_statement(synthesised)
        if statement.allows and statement.kind == "identity" and any("*" in action for action in statement.actions)
    }

    assert wild == set()


def test_one_role_a_function(synthesised: Synthesised) -> None:
    roles = [
        str(properties["Role"]) for properties in of_type(synthesised.orchestrator, "AWS::Lambda::Function").values()
    ]

    assert len(set(roles)) == len(roles)


def test_workload_roles_cannot_be_made_without_the_boundary(synthesised: Synthesised) -> None:
    for place in synthesised.places:
        making = [
            statement
            for statement in statements(f"MlopsStage-{place}", synthesised.stage(place))
            if statement.kind == "identity"
            and set(statement.actions) & {"iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"}
        ]
        never = [
            action
            for statement in statements(f"MlopsStage-{place}", synthesised.stage(place))
            for action in statement.actions
            if action in {"iam:DeleteRolePermissionsBoundary", "iam:AttachRolePolicy", "iam:CreatePolicyVersion"}
        ]

        assert [set(statement.conditions) for statement in making] == [{"iam:PermissionsBoundary"}]
        assert never == []
