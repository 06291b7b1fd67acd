"""S3 as ``ports.Objects``: pinned reads, server-side copies, objects written once.

No model byte passes through a function: CopyObject, and UploadPartCopy above CopyObject's 5 GB limit, with a fixed part
size so that the composite checksum of the same bytes is always the same.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC
from typing import TYPE_CHECKING, Any

from orchestrator.aws.translated import code_of, translated
from orchestrator.core.errors import Conflict, OrchestratorError, SourceGone, Throttled, UnversionedObject
from orchestrator.core.ports import MOST_LISTED, ObjectVersion, StoredVersion

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

MAX_COPY = 5 * 1024**3
"""Bytes that one CopyObject copies (S3 User Guide, "Copying objects")."""

PART = 512 * 1024**2
"""Bytes of a part of a multipart copy; 10,000 parts at most, so 5 TB, S3's largest object."""

PARTS_AT_ONCE = 8
"""S3 copies a part of this size in some five seconds; in a row, 100 GB would outlive the function's 15 minutes."""

MOST_VERSIONS = 100
"""Versions that are read to find an object's newest: the first page has them, with those of longer keys behind."""

_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed", "405", "NoSuchBucket"})
"""A version id that names a delete marker gives MethodNotAllowed."""

_NO_VERSION = frozenset({"InvalidArgument", "400"})
"""Of a call with a version id: text that S3 has never given out as one. A HEAD has no body, so no other code."""

_EXISTS = frozenset({"PreconditionFailed", "412"})
_WRITTEN_NOW = frozenset({"ConditionalRequestConflict", "409"})
"""Somebody else is writing this key at this moment; S3 asks to try again."""


class S3Objects:
    """See the module."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def read(self, bucket: str, key: str, version_id: str = "") -> bytes:
        """See ``ports.Objects``."""
        with translated("s3"):
            try:
                return self._client.get_object(Bucket=bucket, Key=key, **_version(version_id))["Body"].read()
            except self._client.exceptions.ClientError as error:
                _raise_if_gone(error, bucket, key, version_id)
                raise

    def describe(self, bucket: str, key: str, version_id: str = "") -> ObjectVersion:
        """See ``ports.Objects``."""
        found = self._head(bucket, key, version_id)
        if not found.version_id:
            raise UnversionedObject(f"s3://{bucket}/{key} has no version. Turn versioning on and upload it again.")
        return found

    def copy_once(self, source: ObjectVersion, bucket: str, key: str) -> ObjectVersion:
        """See ``ports.Objects``. The key is content-addressed, so an object that stands there is the copy."""
        with suppress(SourceGone):
            standing = self.describe(bucket, key)
            if standing.sha256 and standing.size == source.size:
                return standing
        with translated("s3"):
            try:
                if source.size > MAX_COPY:
                    self._copy_parts(source, bucket, key)
                else:
                    self._copy_whole(source, bucket, key)
            except self._client.exceptions.ClientError as error:
                _raise_if_gone(error, source.bucket, source.key, source.version_id)
                raise
        return self.describe(bucket, key)

    def write_once(self, bucket: str, key: str, data: bytes, content_type: str) -> ObjectVersion:
        """See ``ports.Objects``."""
        with translated("s3"):
            try:
                self._client.put_object(
                    Bucket=bucket,
                    Key=key,
                    Body=data,
                    ContentType=content_type,
                    ChecksumAlgorithm="SHA256",
                    IfNoneMatch="*",
                )
            except self._client.exceptions.ClientError as error:
                if code_of(error) in _WRITTEN_NOW:
                    raise Throttled(f"s3://{bucket}/{key} is being written by somebody else") from error
                if code_of(error) not in _EXISTS:
                    raise
                if self.read(bucket, key) != data:
                    raise Conflict(f"s3://{bucket}/{key} was written before, with other bytes") from error
        return self.describe(bucket, key)

    def history(self, bucket: str, key: str, *, limit: int) -> Sequence[StoredVersion]:
        """See ``ports.Objects``; one page of S3's answer, which has the newest versions of a key first."""
        with translated("s3"):
            answer = self._client.list_object_versions(Bucket=bucket, Prefix=key, MaxKeys=MOST_VERSIONS)
        return [
            StoredVersion(one["VersionId"], one["LastModified"].astimezone(UTC).isoformat(timespec="seconds"))
            for one in answer.get("Versions", [])
            if one["Key"] == key and one["VersionId"] != "null"
        ][:limit]

    def any_under(self, bucket: str, prefix: str) -> bool:
        """See ``ports.Objects``."""
        with translated("s3"):
            return bool(self._client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)["KeyCount"])

    def fingerprint(self, bucket: str, prefix: str, without: Sequence[str] = ()) -> str:
        """See ``ports.Objects``: a hash over keys, sizes and entity tags."""
        digest = hashlib.sha256()
        with translated("s3"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=prefix, PaginationConfig={"MaxItems": MOST_LISTED}
            )
            for page in pages:
                for one in page.get("Contents", []):
                    if one["Key"].startswith(tuple(without)):
                        continue
                    digest.update(f"{one['Key']}\n{one['Size']}\n{one['ETag']}\n".encode())
        return digest.hexdigest()

    def newest(self, bucket: str, key: str) -> ObjectVersion:
        """See ``ports.Objects``."""
        return self._head(bucket, key, "")

    def part(self, bucket: str, key: str, version_id: str, first: int, length: int) -> bytes:
        """See ``ports.Objects``."""
        with translated("s3"):
            try:
                wanted = f"bytes={first}-{first + length - 1}"
                return self._client.get_object(Bucket=bucket, Key=key, Range=wanted, **_version(version_id))[
                    "Body"
                ].read()
            except self._client.exceptions.ClientError as error:
                _raise_if_gone(error, bucket, key, version_id)
                raise

    def template_url(self, bucket: str, key: str) -> str:
        """See ``ports.Objects``. CloudFormation takes path-style URLs of the region's endpoint."""
        return f"{self._client.meta.endpoint_url.rstrip('/')}/{bucket}/{key}"

    def _head(self, bucket: str, key: str, version_id: str) -> ObjectVersion:
        """What S3 says of an object; the version's id is empty where it has none."""
        with translated("s3"):
            try:
                head = self._client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED", **_version(version_id))
            except self._client.exceptions.ClientError as error:
                _raise_if_gone(error, bucket, key, version_id)
                raise
        found = head.get("VersionId", "")
        return ObjectVersion(
            bucket=bucket,
            key=key,
            version_id="" if found == "null" else found,
            size=int(head["ContentLength"]),
            sha256=_hex(head.get("ChecksumSHA256", "")),
            metadata=tuple(sorted(head.get("Metadata", {}).items())),
        )

    def _copy_whole(self, source: ObjectVersion, bucket: str, key: str) -> None:
        """Without the source's tags: copying them would take permissions of their own."""
        self._client.copy_object(
            Bucket=bucket,
            Key=key,
            CopySource=_source(source),
            ChecksumAlgorithm="SHA256",
            MetadataDirective="REPLACE",
            TaggingDirective="REPLACE",
        )

    def _copy_parts(self, source: ObjectVersion, bucket: str, key: str) -> None:
        upload = self._client.create_multipart_upload(Bucket=bucket, Key=key, ChecksumAlgorithm="SHA256")["UploadId"]
        try:
            parts = self._copied_parts(source, bucket, key, upload)
            self._client.complete_multipart_upload(
                Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
            )
        except BaseException:
            # Parts of an upload that never ends cost as objects do; a lifecycle rule is behind this.
            with suppress(OrchestratorError), translated("s3"):
                self._client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
            raise

    def _copied_parts(self, source: ObjectVersion, bucket: str, key: str, upload: str) -> Sequence[Any]:
        from concurrent.futures import ThreadPoolExecutor

        def copied(number: int) -> dict[str, Any]:
            start = (number - 1) * PART
            last = min(start + PART, source.size) - 1
            part = self._client.upload_part_copy(
                Bucket=bucket,
                Key=key,
                UploadId=upload,
                PartNumber=number,
                CopySource=_source(source),
                CopySourceRange=f"bytes={start}-{last}",
            )["CopyPartResult"]
            return {"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}

        numbers = range(1, -(-source.size // PART) + 1)
        with ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
            return list(pool.map(copied, numbers))


def _version(version_id: str) -> Any:
    return {"VersionId": version_id} if version_id else {}


def _source(source: ObjectVersion) -> Any:
    return {"Bucket": source.bucket, "Key": source.key, "VersionId": source.version_id}


def _raise_if_gone(error: Any, bucket: str, key: str, version_id: str) -> None:
    code = code_of(error)
    if code in _GONE or (version_id and code in _NO_VERSION):
        version = f" (version {version_id})" if version_id else ""
        raise SourceGone(f"s3://{bucket}/{key}{version} does not exist") from error


def _hex(checksum: str) -> str:
    """S3's base64 checksum as hex; a composite one (``…-<parts>``) keeps its suffix."""
    if not checksum:
        return ""
    encoded, _, parts = checksum.partition("-")
    digest = base64.b64decode(encoded).hex()
    return f"{digest}-{parts}" if parts else digest
