"""Approvers of other accounts: the API's resource policy, which lets them read a release and decide about it.

A caller of another account needs both: an identity policy of his own, and this. IAM refuses a policy that names a
principal which does not exist (yet), so each statement's principal is the account, narrowed to exactly the principals
that the settings name; an account by itself is let in nowhere. Callers of the orchestrator's own account need their
identity policy alone, as ever (API Gateway Developer Guide, "How API Gateway resource policies affect authorization").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_cdk import aws_iam as iam

from orchestrator.core.installation import Installation
from orchestrator.core.people import Principal, is_group, principal_of

ROUTES = (("GET", "releases/*"), ("POST", "releases/*/decision"))
"""What ``mlops approve`` and ``mlops reject`` call."""


def foreign_principals(installation: Installation) -> tuple[Principal, ...]:
    """Principals of other accounts by which members of approver roles go, in a fixed order."""
    named = {member for members in installation.roles.values() for member in members}
    groups = any(is_group(member) for member in named)
    arns = {member for member in named if member.startswith("arn:")}
    for person in installation.people.everybody:
        # Who is in a user group is not known here: everybody may be.
        if groups or named.intersection((person.email, *person.slack_ids, *person.iam_principals)):
            arns.update(person.iam_principals)
    known = [found for arn in sorted(arns) if (found := principal_of(arn)) is not None]
    return tuple(one for one in known if one.account != installation.account)


def resource_policy(installation: Installation, stage: str) -> iam.PolicyDocument | None:
    """The policy of the API, whose stage has this name; None where every approver is of the orchestrator's account."""
    principals = foreign_principals(installation)
    if not principals:
        return None
    return iam.PolicyDocument(statements=list(_statements(principals, installation.partition, stage)))


def _statements(principals: tuple[Principal, ...], partition: str, stage: str) -> Iterator[iam.PolicyStatement]:
    for account in sorted({one.account for one in principals}):
        here = [one for one in principals if one.account == account]
        whole = sorted(one.arn for one in here if not one.session)
        if whole:
            yield _let_in(account, stage, {"StringEquals": {"aws:PrincipalArn": whole}})
        for one in here:
            if one.session:
                # A session's ARN lacks the path of its role, so the role may have any; its name is exact.
                prefix = f"arn:{partition}:iam::{account}:role/"
                roles = {"aws:PrincipalArn": [f"{prefix}{one.name}", f"{prefix}*/{one.name}"]}
                session = {"aws:userid": f"*:{one.session}"}
                yield _let_in(account, stage, {"ArnLike": roles, "StringLike": session})


def _let_in(account: str, stage: str, conditions: dict[str, Any]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        effect=iam.Effect.ALLOW,
        principals=[iam.AccountPrincipal(account)],
        actions=["execute-api:Invoke"],
        resources=[f"execute-api:/{stage}/{method}/{path}" for method, path in ROUTES],
        conditions=conditions,
    )
