"""S3: copies have the checksum that the request asks for.

CopyObject with ``ChecksumAlgorithm`` and UploadPartCopy of an upload with one give the copy a checksum on AWS; the
emulator computes checksums of bodies that it is sent only.
"""

from __future__ import annotations

import functools
from typing import Any

from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.services.s3", "_copy_object", ("bucket_name", "dest_key", "headers")),
    Seam("ministack.services.s3", "_multipart_uploads"),
    Seam("ministack.services.s3", "_qp", ("params", "key")),
    Seam("ministack.services.s3", "_resolve_part_checksums", ("body", "headers", "upload")),
    Seam("ministack.services.s3", "_upload_part_copy", ("bucket_name", "dest_key", "query_params", "headers")),
)

_ASKED, _COMPUTED = "x-amz-checksum-algorithm", "x-amz-sdk-checksum-algorithm"
"""The header of CopyObject, and the one for which the emulator computes a checksum."""


def install() -> None:
    """Wrap the two ways to copy."""
    from ministack.services import s3

    copy = s3._copy_object
    copy_part = s3._upload_part_copy

    @functools.wraps(copy)
    def copied(bucket_name: str, dest_key: str, headers: dict[str, str]) -> Any:
        if _ASKED in headers:
            headers = {_COMPUTED: headers[_ASKED], **headers}
        return copy(bucket_name, dest_key, headers)

    @functools.wraps(copy_part)
    def part_copied(bucket_name: str, dest_key: str, query_params: dict[str, Any], headers: dict[str, str]) -> Any:
        status, answered, body = copy_part(bucket_name, dest_key, query_params, headers)
        if status != 200:
            return status, answered, body
        upload = s3._multipart_uploads[s3._qp(query_params, "uploadId")]
        part = upload["parts"][int(s3._qp(query_params, "partNumber", "1"))]
        part["checksums"], _ = s3._resolve_part_checksums(part["body"], {}, upload)
        found = "".join(f"<Checksum{name}>{value}</Checksum{name}>" for name, value in part["checksums"].items())
        return status, answered, body.replace(b"</CopyPartResult>", found.encode() + b"</CopyPartResult>")

    s3._copy_object = copied
    s3._upload_part_copy = part_copied
