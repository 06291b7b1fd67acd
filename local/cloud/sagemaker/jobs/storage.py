"""A job's data in S3: listed, read and written with the permissions of its role, in whichever account the bucket is."""

from __future__ import annotations

import json
from dataclasses import dataclass

from local.cloud.contract import Seam
from local.cloud.sagemaker.jobs.access import Refused, Role

SEAMS = (
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.services.s3", "_bucket_default_sse_headers", ("bucket_name",)),
    Seam("ministack.services.s3", "_bucket_owner_account", ("name",)),
    Seam("ministack.services.s3", "_buckets.get_scoped"),
    Seam("ministack.services.s3", "_get_object_data", ("bucket_name", "key")),
    Seam("ministack.services.s3", "_put_object", ("bucket_name", "key", "body", "headers")),
    Seam("ministack.services.s3", "_stored_sse_headers", ("obj",)),
)

_KEY = "x-amz-server-side-encryption-aws-kms-key-id"


class Unusable(Exception):
    """Data is not there, may not be read or written, or is not what it should be; the message says so."""


@dataclass(frozen=True)
class Object:
    """One object below a place that a job reads."""

    bucket: str
    key: str
    relative: str
    """Its key below the folder of the place."""

    @property
    def uri(self) -> str:
        """``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"


def parts(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI; a key may hold any character."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def join(uri: str, *names: str) -> str:
    """A URI below another."""
    return "/".join([uri.rstrip("/"), *names])


def listed(role: Role, uri: str, data_type: str = "S3Prefix") -> list[Object]:
    """The objects that an S3 data source names, without folder markers; raises Unusable when there are none."""
    if data_type == "ManifestFile":
        return _of_manifest(role, uri)
    bucket, prefix = parts(uri)
    owner = _owner(bucket)
    keys: list[str] = []
    if owner and role.may("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": prefix}):
        keys = sorted(key for key in _objects(owner, bucket) if key.startswith(prefix) and not key.endswith("/"))
    if data_type == "AugmentedManifestFile":
        keys = [key for key in keys if key == prefix]
    if not keys:
        raise Unusable(
            f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
            f"exists in the selected region ({role.region}), that objects exist under that S3 prefix, and that the "
            f'role "{role.arn}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        )
    folder = prefix.rpartition("/")[0]
    return [Object(bucket, key, key[len(folder) :].lstrip("/")) for key in keys]


def read(role: Role, uri: str, version: str = "") -> bytes:
    """The bytes of one object, of a version or the newest; raises Unusable."""
    from ministack.core import responses
    from ministack.services import s3

    bucket, key = parts(uri)
    owner = _owner(bucket)
    if owner is None:
        raise Unusable(f"Failed to download data. The specified bucket does not exist: {bucket}")
    try:
        role.need("s3:GetObjectVersion" if version else "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
    except Refused as problem:
        raise Unusable(f"Failed to download data. Access denied to {uri}: {problem}") from problem
    with responses.request_scope(owner, role.region):
        record = _objects(owner, bucket).get(key)
        if record is None:
            raise Unusable(f"Failed to download data. S3 key: {uri} matched no files on s3")
        key_arn = s3._stored_sse_headers(record).get(_KEY, "")
        data = s3._get_object_data(bucket, key, version or None)
    if data is None:
        raise Unusable(f"Failed to download data. {uri} has no version {version}")
    _ask_key(role, "kms:Decrypt", key_arn, uri)
    return bytes(data)


def write(role: Role, uri: str, body: bytes, kms_key: str = "") -> None:
    """Write one object; raises Unusable."""
    from ministack.core import responses
    from ministack.services import s3

    bucket, key = parts(uri)
    owner = _owner(bucket)
    if owner is None:
        raise Unusable(f"Failed to upload data. The specified bucket does not exist: {bucket}")
    try:
        role.need("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}")
    except Refused as problem:
        raise Unusable(f"Failed to upload data. Access denied to {uri}: {problem}") from problem
    headers = {"x-amz-server-side-encryption": "aws:kms", _KEY: kms_key} if kms_key else {}
    with responses.request_scope(owner, role.region):
        _ask_key(role, "kms:GenerateDataKey", kms_key or s3._bucket_default_sse_headers(bucket).get(_KEY, ""), uri)
        status, _, answer = s3._put_object(bucket, key, body, headers)
    if status >= 300:
        raise Unusable(f"Failed to upload data to {uri}: {answer.decode(errors='replace')}")


def _ask_key(role: Role, action: str, key_arn: str, uri: str) -> None:
    if not key_arn.startswith("arn:"):
        return
    context = {"kms:viaservice": f"s3.{role.region}.amazonaws.com", "kms:calleraccount": role.arn.split(":")[4]}
    try:
        role.need(action, key_arn, context)
    except Refused as problem:
        raise Unusable(f"The KMS key of {uri} cannot be used: {problem}") from problem


def _owner(bucket: str) -> str | None:
    from ministack.services import s3

    found = s3._bucket_owner_account(bucket)
    return str(found) if found else None


def _objects(owner: str, bucket: str) -> dict[str, dict[str, object]]:
    from ministack.services import s3

    found: dict[str, dict[str, object]] = dict(s3._buckets.get_scoped(owner, None, bucket)["objects"])
    return found


def _of_manifest(role: Role, uri: str) -> list[Object]:
    """A manifest is a JSON list: ``{"prefix": "s3://…"}``, then names below it (SageMaker API, S3DataSource)."""
    try:
        first, *names = json.loads(read(role, uri))
        prefix = first["prefix"]
        found = [Object(*parts(prefix + name), name) for name in names]
    except (ValueError, TypeError, KeyError) as problem:
        raise Unusable(f"The manifest {uri} is not a JSON list of a prefix and names ({problem})") from problem
    if not found:
        raise Unusable(f"The manifest {uri} names no objects")
    return found
