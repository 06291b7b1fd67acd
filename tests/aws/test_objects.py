"""What is special to S3: versions, tags, copies in parts, conditional writes, and what S3 may answer."""

from __future__ import annotations

import base64
import hashlib
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import FlexibleChecksumError, IncompleteReadError
from types_boto3_s3.client import S3Client

import orchestrator.aws.objects as objects_module
from orchestrator.aws.objects import S3Objects
from orchestrator.core.errors import AccessDenied, SourceGone, Throttled, UnversionedObject
from orchestrator.core.ports import ObjectVersion
from tests.aws.conftest import new_bucket
from tests.aws.service_double import Refusal, ServiceDouble


def test_an_object_without_a_version_is_refused(s3: S3Client, objects: S3Objects) -> None:
    bucket = new_bucket(s3, versioned=False)
    s3.put_object(Bucket=bucket, Key="config", Body=b"{}")
    with pytest.raises(UnversionedObject, match="Turn versioning on"):
        objects.describe(bucket, "config")


def test_an_object_without_a_version_has_a_newest_state_all_the_same(s3: S3Client) -> None:
    bucket = new_bucket(s3, versioned=False)
    s3.put_object(Bucket=bucket, Key="statistics.json", Body=b"{}")
    found = S3Objects(s3).newest(bucket, "statistics.json")
    assert (found.version_id, found.size) == ("", 2)


def test_a_delete_marker_is_no_object(s3: S3Client, objects: S3Objects, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="model", Body=b"bytes")
    marker = s3.delete_object(Bucket=bucket, Key="model")["VersionId"]
    for version in ("", marker):
        with pytest.raises(SourceGone):
            objects.describe(bucket, "model", version)


def test_a_copy_takes_neither_tags_nor_metadata(s3: S3Client, objects: S3Objects, bucket: str) -> None:
    """Copying tags would take permissions on tags, and metadata may say anything."""
    s3.put_object(Bucket=bucket, Key="model", Body=b"bytes", Tagging="team=payments", Metadata={"requester": "ana"})
    copy = objects.copy_once(objects.describe(bucket, "model"), bucket, "assets/model")
    assert s3.get_object_tagging(Bucket=bucket, Key="assets/model")["TagSet"] == []
    assert copy.metadata == ()


def test_a_large_object_is_copied_in_parts(
    s3: S3Client, objects: S3Objects, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = 5 * 1024**2  # the smallest that S3 takes
    monkeypatch.setattr(objects_module, "MAX_COPY", part)
    monkeypatch.setattr(objects_module, "PART", part)
    data = b"a" * part + b"b" * part + b"c"
    s3.put_object(Bucket=bucket, Key="model", Body=data)

    def add_checksum(parsed: dict[str, Any], **_: Any) -> None:
        parsed["CopyPartResult"]["ChecksumSHA256"] = "moto computes none"

    s3.meta.events.register("after-call.s3.UploadPartCopy", add_checksum)
    copy = objects.copy_once(objects.describe(bucket, "model"), bucket, "assets/model")
    assert copy.size == len(data)
    assert objects.read(bucket, "assets/model") == data
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


class Bucket(ServiceDouble):
    """An S3 that copies in parts, and refuses at will."""

    service = "s3"

    def __init__(self) -> None:
        super().__init__()
        self.done = False

    def head_object(self, **_: Any) -> dict[str, Any]:
        if not self.done:
            raise Refusal("404", "Not Found", 404)
        checksum = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
        return {"VersionId": "v1", "ContentLength": 12 * 1024**3, "ChecksumSHA256": f"{checksum}-24"}

    def create_multipart_upload(self, **_: Any) -> dict[str, Any]:
        return {"UploadId": "u1"}

    def upload_part_copy(self, PartNumber: int, **_: Any) -> dict[str, Any]:
        return {"CopyPartResult": {"ETag": f"e{PartNumber}", "ChecksumSHA256": f"c{PartNumber}"}}

    def complete_multipart_upload(self, **_: Any) -> dict[str, Any]:
        self.done = True
        return {}

    def abort_multipart_upload(self, **_: Any) -> dict[str, Any]:
        return {}

    def get_object(self, **_: Any) -> dict[str, Any]:
        raise AssertionError

    def put_object(self, **_: Any) -> dict[str, Any]:
        return {}


LARGE = ObjectVersion("assets", "model", "v0", 12 * 1024**3 + 1)


def test_the_parts_cover_every_byte_once_and_the_checksum_says_that_it_is_composite() -> None:
    double = Bucket()
    copy = S3Objects(double.client()).copy_once(LARGE, "packages", "assets/model")
    ranges = {call["PartNumber"]: call["CopySourceRange"] for call in double.made("upload_part_copy")}
    assert len(ranges) == 25
    edges = [tuple(map(int, ranges[n].removeprefix("bytes=").split("-"))) for n in sorted(ranges)]
    assert edges[0][0] == 0
    assert all(before[1] + 1 == after[0] for before, after in pairwise(edges))
    assert edges[-1][1] == LARGE.size - 1
    (completed,) = double.made("complete_multipart_upload")
    assert [one["PartNumber"] for one in completed["MultipartUpload"]["Parts"]] == list(range(1, 26))
    assert completed["MultipartUpload"]["Parts"][1] == {"PartNumber": 2, "ETag": "e2", "ChecksumSHA256": "c2"}
    assert copy.sha256 == hashlib.sha256(b"x").hexdigest() + "-24"


@pytest.mark.parametrize(
    ("refusal", "error"),
    [(Refusal("NoSuchVersion", status=404), SourceGone), (Refusal("AccessDenied", status=403), AccessDenied)],
    ids=["gone", "denied"],
)
def test_an_upload_that_fails_leaves_no_parts_behind(refusal: Refusal, error: type[Exception]) -> None:
    double = Bucket()
    double.refusals["upload_part_copy"] = [refusal]
    with pytest.raises(error):
        S3Objects(double.client()).copy_once(LARGE, "packages", "assets/model")
    assert [call["UploadId"] for call in double.made("abort_multipart_upload")] == ["u1"]


@pytest.mark.parametrize(
    ("refusal", "error", "words"),
    [
        (Refusal("SlowDown", status=503), Throttled, "slower pace"),
        (Refusal("InternalError", status=500), Throttled, "slower pace"),
        (Refusal("NoSuchVersion", status=404), SourceGone, r"s3://b/k \(version v\) does not exist"),
        (Refusal("MethodNotAllowed", status=405), SourceGone, "does not exist"),
        (Refusal("InvalidArgument", "Invalid version id specified", 400), SourceGone, "does not exist"),
        (Refusal("400", "Bad Request", 400), SourceGone, "does not exist"),
        (
            Refusal(
                "AccessDenied",
                "User: arn:aws:sts::111111111111:assumed-role/package/f is not authorized to perform: kms:Decrypt "
                "on resource: arn:aws:kms:us-east-1:111111111111:key/k",
                403,
            ),
            AccessDenied,
            "IAM refused kms:Decrypt to arn:aws:sts::111111111111:assumed-role/package/f: .*:key/k",
        ),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), Throttled, "the connection to s3 broke"),
        (FlexibleChecksumError(error_msg="crc32 differs"), Throttled, "the connection to s3 broke"),
    ],
    ids=[
        "slow down",
        "internal",
        "no version",
        "delete marker",
        "no version id",
        "no version id, of a HEAD",
        "key denied",
        "truncated",
        "corrupt",
    ],
)
def test_what_s3_answers_to_a_read_is_a_core_error(refusal: Exception, error: type[Exception], words: str) -> None:
    double = Bucket()
    double.refusals["get_object"] = [refusal]
    with pytest.raises(error, match=words):
        S3Objects(double.client()).read("b", "k", "v")


def test_a_refused_look_names_the_permission_that_it_takes() -> None:
    """A HEAD request is answered without a message."""
    double = Bucket()
    double.refusals["head_object"] = [Refusal("403", "Forbidden", 403)]
    with pytest.raises(AccessDenied, match="IAM refused s3:GetObject to the function's role"):
        S3Objects(double.client()).describe("b", "k")


def test_a_key_that_is_being_written_at_this_moment_is_tried_again() -> None:
    double = Bucket()
    double.refusals["put_object"] = [Refusal("ConditionalRequestConflict", status=409)]
    with pytest.raises(Throttled):
        S3Objects(double.client()).write_once("b", "k", b"data", "text/plain")


def test_a_write_never_overwrites() -> None:
    double = Bucket()
    double.done = True
    S3Objects(double.client()).write_once("b", "k", b"data", "text/plain")
    (call,) = double.made("put_object")
    assert (call["IfNoneMatch"], call["ChecksumAlgorithm"]) == ("*", "SHA256")
