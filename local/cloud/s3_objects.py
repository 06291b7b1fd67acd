"""Objects of S3 as a service reads them for somebody: with that principal's permissions, and the key's.

Who reads needs ``s3:GetObject`` (``s3:GetObjectVersion`` for a named version) by its own policies and, in another
account's bucket, by the bucket's policy, and ``kms:Decrypt`` on the key that the object is stored under.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from local.cloud.contract import Seam
from local.cloud.object_keys import CONTEXT, encryption_context
from local.cloud.on_behalf import Principal

SEAMS = (
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.services.s3", "_bucket_default_sse_headers", ("bucket_name",)),
    Seam("ministack.services.s3", "_bucket_owner_account", ("name",)),
    Seam("ministack.services.s3", "_buckets.get_scoped"),
    Seam("ministack.services.s3", "_get_object_data", ("bucket_name", "key", "version_id")),
    Seam("ministack.services.s3", "_object_versions.get"),
    Seam("ministack.services.s3", "_put_object", ("bucket_name", "key", "body", "headers")),
    Seam("ministack.services.s3", "_stored_sse_headers", ("obj",)),
)

_KEY = "x-amz-server-side-encryption-aws-kms-key-id"


class Denied(Exception):
    """Who reads may not read the object; the message is IAM's."""


class Absent(Exception):
    """There is no such bucket, object or version."""


def read(who: Principal, bucket: str, key: str, region: str, version: str = "") -> bytes:
    """The object's bytes; raises Denied or Absent."""
    from ministack.core import responses
    from ministack.services import s3

    owner = s3._bucket_owner_account(bucket)
    if owner is None:
        raise Absent(f"The specified bucket does not exist: {bucket}")
    action = "s3:GetObjectVersion" if version else "s3:GetObject"
    _demand(who, action, f"arn:aws:s3:::{bucket}/{key}")
    with responses.request_scope(owner, region):
        record = s3._buckets.get_scoped(owner, None, bucket)["objects"].get(key)
        if version:
            versions = s3._object_versions.get((bucket, key)) or []
            record = next((found for found in versions if found["version_id"] == version), None)
        data = s3._get_object_data(bucket, key, version or None) if record is not None else None
        encryption = s3._stored_sse_headers(record) if record is not None else {}
    if data is None:
        raise Absent(f"The specified key does not exist: s3://{bucket}/{key}")
    key_arn = encryption.get(_KEY, "")
    if key_arn.startswith("arn:"):
        _demand(who, "kms:Decrypt", key_arn, _sealed(bucket, key, region))
    return bytes(data)


def write(who: Principal, bucket: str, key: str, data: bytes, region: str, key_arn: str = "") -> None:
    """Put an object; raises Denied or Absent. ``key_arn``: the KMS key, by itself the bucket's."""
    from ministack.core import responses
    from ministack.services import s3

    owner = s3._bucket_owner_account(bucket)
    if owner is None:
        raise Absent(f"The specified bucket does not exist: {bucket}")
    _demand(who, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}")
    headers = {"x-amz-server-side-encryption": "aws:kms", _KEY: key_arn} if key_arn else {}
    with responses.request_scope(owner, region):
        used = key_arn or s3._bucket_default_sse_headers(bucket).get(_KEY, "")
        if used.startswith("arn:"):
            _demand(who, "kms:GenerateDataKey", used, _sealed(bucket, key, region))
        status, _, answer = s3._put_object(bucket, key, data, headers)
    if status >= 300:
        raise Denied(answer.decode(errors="replace"))


def _sealed(bucket: str, key: str, region: str) -> dict[str, str]:
    return {"kms:viaservice": f"s3.{region}.amazonaws.com", CONTEXT: encryption_context(bucket, key)}


def _demand(who: Principal, action: str, resource: str, context: Mapping[str, Any] | None = None) -> None:
    verdict = who.may(action, resource, context)
    if not verdict.allowed:
        raise Denied(verdict.message)


def etag(data: bytes) -> str:
    """The ETag of an object that was put in one piece."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
