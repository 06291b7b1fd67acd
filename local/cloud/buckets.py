"""S3 across accounts: the bucket policy is asked about the principal that calls, not about its account's root.

On AWS a statement with the caller's account as principal, narrowed by ``ArnLike aws:PrincipalArn``, lets a role of that
account in. The emulator evaluates a foreign bucket's policy for the root of the caller's account, so that neither such
a statement nor one that names a role ever matches.

CloudFormation reads a ``TemplateURL`` with the caller's permissions, in another account's bucket too; the emulator
looks in the caller's own buckets and asks for no permission.
"""

from __future__ import annotations

import dataclasses
import functools
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote, urlparse

from local.cloud import contract
from local.cloud.contract import Seam
from local.cloud.principals import caller_arn, caller_may

SEAMS = (
    Seam("ministack.core.iam_evaluator", "evaluate_resource_policy", ("doc", "ctx")),
    Seam("ministack.core.iam_evaluator", "_request_caller_arn"),
    Seam(
        "ministack.services.s3",
        "_foreign_bucket_allows",
        ("owner_account", "bucket_name", "key", "method", "query_params", "caller", "headers"),
    ),
    Seam("ministack.services.s3", "_bucket_owner_account", ("name",)),
    Seam("ministack.services.cloudformation.helpers", "_resolve_document", ("params", "body_key", "url_key", "label")),
    Seam("ministack.services.cloudformation.helpers", "_error", ("code", "message")),
    Seam("ministack.services.cloudformation.helpers", "_p", ("params", "key")),
)

_foreign_caller: ContextVar[str] = ContextVar("foreign_caller", default="")


def install() -> None:
    """Evaluate foreign bucket policies for the caller, and read templates under its permissions."""
    from ministack.core import iam_evaluator
    from ministack.services import s3
    from ministack.services.cloudformation import helpers

    allows = s3._foreign_bucket_allows
    evaluate = iam_evaluator.evaluate_resource_policy
    resolve = helpers._resolve_document

    @functools.wraps(evaluate)
    def for_caller(doc: Any, ctx: Any, *arguments: Any, **more: Any) -> Any:
        caller = _foreign_caller.get()
        if caller:
            kind = "AssumedRole" if ":assumed-role/" in caller else ctx.principal_type
            ctx = dataclasses.replace(ctx, principal_arn=caller, principal_type=kind)
        return evaluate(doc, ctx, *arguments, **more)

    @functools.wraps(allows)
    def foreign_bucket_allows(
        owner_account: str,
        bucket_name: str,
        key: str,
        method: str,
        query_params: dict[str, Any],
        caller: str,
        headers: dict[str, str] | None = None,
    ) -> Any:
        principal = caller_arn()
        known = caller and principal.split(":")[4:5] == [caller]
        token = _foreign_caller.set(principal if known else "")
        try:
            return allows(owner_account, bucket_name, key, method, query_params, caller, headers)
        finally:
            _foreign_caller.reset(token)

    @functools.wraps(resolve)
    def document(params: dict[str, Any], body_key: str, url_key: str, label: str) -> Any:
        url = helpers._p(params, url_key)
        if helpers._p(params, body_key) or not url:
            return resolve(params, body_key, url_key, label)
        return _from_bucket(url, lambda: resolve(params, body_key, url_key, label))

    iam_evaluator.evaluate_resource_policy = for_caller
    s3._foreign_bucket_allows = foreign_bucket_allows
    contract.replace(resolve, document, "ministack.services.cloudformation.helpers")


def _from_bucket(url: str, read: Any) -> Any:
    """Read in the bucket owner's account what the caller may read there."""
    from ministack.core import responses
    from ministack.services import s3
    from ministack.services.cloudformation import helpers

    bucket, _, key = unquote(urlparse(url).path).lstrip("/").partition("/")
    owner = s3._bucket_owner_account(bucket)
    account = responses.get_account_id()
    if owner is None:
        return None, helpers._error("ValidationError", f"S3 error: The specified bucket does not exist ({bucket})")
    verdict = caller_may("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
    # The verdict counts the bucket's policy too; an account's root has no policies and needs the bucket's.
    if owner != account and not s3._foreign_bucket_allows(owner, bucket, key, "GET", {}, account):
        verdict = dataclasses.replace(verdict, allowed=False)
    if not verdict.allowed:
        return None, helpers._error("ValidationError", f"S3 error: Access Denied ({bucket}/{key})", 403)
    with responses.request_scope(owner, responses.get_region()):
        return read()
