"""For whom a service does something: the caller of the request, a stack's role, or a role that it was given.

What a service does in the course of a call, such as reading a pipeline's definition from S3, is allowed or not to that
principal, not to the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from local.cloud.contract import Seam
from local.cloud.principals import Verdict, caller_arn, caller_may, decide
from local.cloud.stack_requests import acting_role

SEAMS = (
    Seam("ministack.core.iam_evaluator", "EvalContext"),
    Seam("ministack.core.iam_evaluator", "_resource_policy", ("service", "resource_arn")),
    Seam("ministack.core.iam_evaluator", "evaluate_resource_policy", ("doc", "ctx")),
    Seam("ministack.core.responses", "get_account_id", ()),
    Seam("ministack.core.responses", "get_region", ()),
    Seam("ministack.services.s3", "_bucket_owner_account", ("name",)),
    Seam(
        "ministack.services.s3",
        "_foreign_bucket_allows",
        ("owner_account", "bucket_name", "key", "method", "query_params", "caller"),
    ),
)


class Principal(Protocol):
    """Who is asked about."""

    @property
    def arn(self) -> str:
        """As policies see it: of a session, or of an account's root."""
        ...

    def may(self, action: str, resource: str, context: Mapping[str, Any] | None = None) -> Verdict:
        """Whether it may do something; ``context`` holds condition keys in lower case."""
        ...


class Role:
    """A role whose credentials the service has."""

    def __init__(self, arn: str, session: str) -> None:
        self._arn, self._session = arn, session

    @property
    def arn(self) -> str:
        """Of a session of the role."""
        return f"arn:aws:sts::{self._arn.split(':')[4]}:assumed-role/{self._arn.rpartition('/')[2]}/{self._session}"

    def may(self, action: str, resource: str, context: Mapping[str, Any] | None = None) -> Verdict:
        """By the role's policies, its boundary and the resource's own policy."""
        return decide(self._arn, action, resource, context, self._session)


class Caller:
    """The caller of the current request; an account's root needs the policy of a foreign bucket."""

    @property
    def arn(self) -> str:
        """The caller's."""
        return caller_arn()

    def may(self, action: str, resource: str, context: Mapping[str, Any] | None = None) -> Verdict:
        """By the caller's policies and the resource's own."""
        from ministack.core import responses
        from ministack.services import s3

        verdict = caller_may(action, resource, context)
        if not verdict.allowed or not action.startswith("s3:"):
            return verdict
        bucket, _, key = resource.removeprefix("arn:aws:s3:::").partition("/")
        owner, account = s3._bucket_owner_account(bucket), responses.get_account_id()
        if owner not in (None, account) and not s3._foreign_bucket_allows(owner, bucket, key, "GET", {}, account):
            return Verdict(False, f"{account} is not authorized to perform: {action} on resource: {resource}")
        return verdict


def acting() -> Principal:
    """The role that makes a stack's resources, where one does; otherwise the caller."""
    role = acting_role.get()
    return Role(role, "AWSCloudFormation") if role else Caller()


def owner_lets_in(who: Principal, action: str, resource: str) -> Verdict:
    """Whether the policy of a resource in another account lets somebody in; in the same account nothing is asked."""
    from ministack.core import iam_evaluator, responses

    account = who.arn.split(":")[4]
    owner = resource.split(":")[4]
    if owner == account:
        return Verdict(True)
    policy, _ = iam_evaluator._resource_policy(action.partition(":")[0], resource) or ({}, owner)
    request = iam_evaluator.EvalContext(
        principal_arn=who.arn,
        principal_type="AssumedRole" if ":assumed-role/" in who.arn else "Root",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=responses.get_region(),
        secure_transport=True,
        service_context={},
    )
    if iam_evaluator.evaluate_resource_policy(policy, request).decision == "Allow":
        return Verdict(True)
    return Verdict(False, f"User: {who.arn} is not authorized to perform: {action} on resource: {resource}")
