"""The rights of an organisation's own types as IAM's policies, and whether IAM has room for them.

It is counted when the app is synthesised, rather than refused when it is deployed: IAM counts characters without
white space ("IAM and AWS STS quotas"). The shipped rights fit, which a test sees to; an organisation's own types share
what is left.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from orchestrator.core.problems import BadConfiguration, Problem
from stacks.names import Names
from stacks.type_permissions import Statement, filled

MOST = 6_144
"""Characters of one managed policy."""
MOST_POLICIES = 2
"""Managed policies for the rights of an organisation's own types: more, and the stack's template outgrows the 51,200
bytes that CloudFormation takes in a call."""


def own_statements(own: Sequence[Statement], fixed: Names, account: str) -> list[iam.PolicyStatement]:
    """Statements of ``permissions.json`` for one stage's account."""
    raw = filled(own, fixed.partition, fixed.region, account)
    return [iam.PolicyStatement.from_json(statement) for statement in raw]


def size(scope: IConstruct, document: iam.PolicyDocument) -> int:
    """Characters of a document as IAM counts them."""
    return len("".join(json.dumps(Stack.of(scope).resolve(document), separators=(",", ":")).split()))


def check_boundary(scope: IConstruct, document: iam.PolicyDocument) -> None:
    """Raise ``BadConfiguration`` where the boundary has outgrown a managed policy: a role has one only."""
    found = size(scope, document)
    if found > MOST:
        raise BadConfiguration(
            [
                Problem(
                    "$.template_folders",
                    f"the boundary of workloads takes {found:,} characters with workload_roles of permissions.json, "
                    f"and IAM holds {MOST:,}",
                    "Name fewer actions or resources there.",
                )
            ]
        )


def packed(scope: IConstruct, statements: Sequence[iam.PolicyStatement]) -> list[iam.PolicyDocument]:
    """Documents of managed policies that hold the statements in order; raises ``BadConfiguration`` if they cannot."""
    documents: list[list[iam.PolicyStatement]] = []
    for statement in statements:
        if documents and size(scope, _document([*documents[-1], statement])) <= MOST:
            documents[-1].append(statement)
        else:
            documents.append([statement])
    made = [_document(one) for one in documents]
    if len(made) > MOST_POLICIES or any(size(scope, one) > MOST for one in made):
        total = sum(size(scope, one) for one in made)
        raise BadConfiguration(
            [
                Problem(
                    "$.template_folders",
                    f"service_role of permissions.json takes {total:,} characters in all types together, and "
                    f"{MOST_POLICIES} policies hold {MOST:,} each",
                    "Name fewer actions or resources there.",
                )
            ]
        )
    return made


def _document(statements: Sequence[iam.PolicyStatement]) -> iam.PolicyDocument:
    return iam.PolicyDocument(statements=list(statements), minimize=True)
