"""S3 asks for the KMS key of an object: ``kms:GenerateDataKey`` to write it, ``kms:Decrypt`` to read or copy it.

As on AWS the caller needs both its own permission and the key policy's, in whichever account the key is; the emulator
encrypts nothing and asks for no key.
"""

from __future__ import annotations

import functools
from typing import Any
from urllib.parse import parse_qs, unquote

from local.cloud.contract import Seam
from local.cloud.principals import Verdict, caller_may

SEAMS = (
    Seam("ministack.core.responses", "get_account_id", ()),
    Seam("ministack.core.responses", "get_region", ()),
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.services.s3", "_bucket_default_sse_headers", ("bucket_name",)),
    Seam("ministack.services.s3", "_bucket_owner_account", ("name",)),
    Seam("ministack.services.s3", "_buckets.get_scoped"),
    Seam("ministack.services.s3", "_error"),
    Seam("ministack.services.s3", "_object_versions.get"),
    Seam("ministack.services.s3", "_parse_bucket_key", ("path", "headers")),
    Seam("ministack.services.s3", "_stored_sse_headers", ("obj",)),
    Seam("ministack.services.s3", "handle_request", ("method", "path", "headers", "body", "query_params")),
)

_KEY = "x-amz-server-side-encryption-aws-kms-key-id"

CONTEXT = "kms:encryptioncontext:aws:s3:arn"
"""Condition key, in lower case."""

_PLAIN = frozenset({"versionId", "x-id", "partNumber", "uploadId", "uploads", "response-content-type"})
"""Query parameters with which a request still reads or writes the object's own bytes."""


def install() -> None:
    """Ask before S3 reads or writes bytes under a key."""
    from ministack.services import s3

    handle = s3.handle_request

    @functools.wraps(handle)
    async def asked(
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        *more: Any,
        **named: Any,
    ) -> Any:
        bucket, key = s3._parse_bucket_key(path, headers)
        if key and method in {"GET", "PUT", "POST"} and not query_params.keys() - _PLAIN:
            for action, key_arn, sealed in _needs(method, bucket, key, headers, query_params):
                verdict = _may(action, key_arn, sealed)
                if not verdict.allowed:
                    return s3._error("AccessDenied", verdict.message, 403, f"/{bucket}/{key}")
        return await handle(method, path, headers, body, query_params, *more, **named)

    s3.handle_request = asked


def _may(action: str, key_arn: str, sealed: str) -> Verdict:
    from ministack.core import responses

    context = {
        "kms:viaservice": f"s3.{responses.get_region()}.amazonaws.com",
        "kms:calleraccount": responses.get_account_id(),
        CONTEXT: sealed,
    }
    return caller_may(action, key_arn, context)


def _needs(
    method: str, bucket: str, key: str, headers: dict[str, str], query_params: dict[str, Any]
) -> list[tuple[str, str, str]]:
    """Actions, the ARNs of the keys that they are asked for, and S3's encryption context."""
    found = []
    if method == "GET":
        used = _key_of_object(bucket, key, query_params.get("versionId", [""])[0])
        found.append(("kms:Decrypt", used, encryption_context(bucket, key)))
    else:
        source = headers.get("x-amz-copy-source", "")
        if source:
            named, _, query = source.lstrip("/").partition("?")
            source_bucket, _, source_key = unquote(named).partition("/")
            version = parse_qs(query).get("versionId", [""])[0]
            used = _key_of_object(source_bucket, source_key, version)
            found.append(("kms:Decrypt", used, encryption_context(source_bucket, source_key)))
        used = headers.get(_KEY) or _key_of_bucket(bucket)
        found.append(("kms:GenerateDataKey", used, encryption_context(bucket, key)))
    return [need for need in found if need[1].startswith("arn:")]


def encryption_context(bucket: str, key: str) -> str:
    """What S3 tells KMS: the object's ARN. With a bucket key it would be the bucket's (Amazon S3 User Guide, "Using
    server-side encryption with AWS KMS keys"), which nothing here keeps."""
    return f"arn:aws:s3:::{bucket}/{key}"


def _key_of_bucket(bucket: str) -> str:
    from ministack.core import responses
    from ministack.services import s3

    owner = s3._bucket_owner_account(bucket)
    if owner is None:
        return ""
    with responses.request_scope(owner, responses.get_region()):
        return str(s3._bucket_default_sse_headers(bucket).get(_KEY, ""))


def _key_of_object(bucket: str, key: str, version: str) -> str:
    from ministack.core import responses
    from ministack.services import s3

    owner = s3._bucket_owner_account(bucket)
    if owner is None:
        return ""
    with responses.request_scope(owner, responses.get_region()):
        record = s3._buckets.get_scoped(owner, None, bucket)["objects"].get(key) or {}
        if version:
            versions = s3._object_versions.get((bucket, key)) or []
            record = next((entry for entry in versions if entry["version_id"] == version), record)
        return str(s3._stored_sse_headers(record).get(_KEY, ""))
