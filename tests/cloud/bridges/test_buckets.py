"""S3: across accounts, what the product's object adapter needs, and the events of uploads."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import (
    DEV,
    HUB,
    REGION,
    make_bucket,
    make_role,
    receive,
    statement,
    trust,
    unique,
    watch_events,
)

pytestmark = pytest.mark.cloud


def let_in(cloud: EmbeddedCloud, bucket: str, **extra: Any) -> None:
    """Let roles of DEV below /mlops/ read the bucket, as the product's policies are written."""
    condition = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{DEV}:role/mlops/*"}}
    allowed = statement(
        ["s3:GetObject", "s3:ListBucket"],
        [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        Principal={"AWS": f"arn:aws:iam::{DEV}:root"},
        Condition=condition,
    )
    statements = [allowed, *([extra] if extra else [])]
    cloud.client("s3", HUB).put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": statements}))


def reader(cloud: EmbeddedCloud, path: str) -> Any:
    anything = statement("s3:*", "*")
    role = make_role(cloud, DEV, trust({"AWS": f"arn:aws:iam::{DEV}:root"}), anything, path=path)
    return cloud.client_as("s3", role, DEV)


def test_a_role_of_the_right_path_reads_another_accounts_bucket_and_nobody_else(cloud: EmbeddedCloud) -> None:
    bucket = make_bucket(cloud, HUB)
    cloud.client("s3", HUB).put_object(Bucket=bucket, Key="k", Body=b"data")
    right, wrong = reader(cloud, "/mlops/"), reader(cloud, "/other/")
    with pytest.raises(ClientError, match="AccessDenied"):
        right.get_object(Bucket=bucket, Key="k")
    let_in(cloud, bucket)
    assert right.get_object(Bucket=bucket, Key="k")["Body"].read() == b"data"
    for denied in (wrong, cloud.client("s3", DEV)):
        with pytest.raises(ClientError, match="AccessDenied"):
            denied.get_object(Bucket=bucket, Key="k")
    with pytest.raises(ClientError, match="AccessDenied"):
        right.put_object(Bucket=bucket, Key="k", Body=b"other")


def test_a_deny_of_the_bucket_policy_names_the_principal_too(cloud: EmbeddedCloud) -> None:
    bucket = make_bucket(cloud, HUB)
    cloud.client("s3", HUB).put_object(Bucket=bucket, Key="k", Body=b"data")
    role = make_role(cloud, DEV, trust({"AWS": f"arn:aws:iam::{DEV}:root"}), statement("s3:*", "*"), path="/mlops/")
    not_this_one = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": role}},
    }
    let_in(cloud, bucket, **not_this_one)
    assert reader(cloud, "/mlops/").get_object(Bucket=bucket, Key="k")["Body"].read() == b"data"
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client_as("s3", role, DEV).get_object(Bucket=bucket, Key="k")


def test_a_tls_only_policy_lets_the_local_client_in(cloud: EmbeddedCloud) -> None:
    bucket = make_bucket(cloud, HUB)
    tls_only = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3 = cloud.client("s3", HUB)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [tls_only]}))
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]


def test_a_copy_of_a_version_has_the_sha256_of_its_bytes(cloud: EmbeddedCloud) -> None:
    s3 = cloud.client("s3", HUB)
    source, target = make_bucket(cloud, HUB), make_bucket(cloud, HUB)
    first = s3.put_object(Bucket=source, Key="model.tar.gz", Body=b"first")["VersionId"]
    s3.put_object(Bucket=source, Key="model.tar.gz", Body=b"second")
    s3.copy_object(
        Bucket=target,
        Key="assets/a",
        CopySource={"Bucket": source, "Key": "model.tar.gz", "VersionId": first},
        ChecksumAlgorithm="SHA256",
        MetadataDirective="REPLACE",
    )
    head = s3.head_object(Bucket=target, Key="assets/a", ChecksumMode="ENABLED")
    assert base64.b64decode(head["ChecksumSHA256"]) == hashlib.sha256(b"first").digest()
    assert head["VersionId"]


def test_a_multipart_copy_has_a_composite_checksum(cloud: EmbeddedCloud) -> None:
    s3 = cloud.client("s3", HUB)
    source, target = make_bucket(cloud, HUB), make_bucket(cloud, HUB)
    s3.put_object(Bucket=source, Key="big", Body=b"x" * (6 * 1024**2))
    upload = s3.create_multipart_upload(Bucket=target, Key="big", ChecksumAlgorithm="SHA256")["UploadId"]
    parts = []
    for number, (start, end) in enumerate([(0, 5 * 1024**2 - 1), (5 * 1024**2, 6 * 1024**2 - 1)], start=1):
        copied = s3.upload_part_copy(
            Bucket=target,
            Key="big",
            UploadId=upload,
            PartNumber=number,
            CopySource={"Bucket": source, "Key": "big"},
            CopySourceRange=f"bytes={start}-{end}",
        )["CopyPartResult"]
        parts.append({"PartNumber": number, "ETag": copied["ETag"], "ChecksumSHA256": copied["ChecksumSHA256"]})
    s3.complete_multipart_upload(Bucket=target, Key="big", UploadId=upload, MultipartUpload={"Parts": parts})
    head = s3.head_object(Bucket=target, Key="big", ChecksumMode="ENABLED")
    assert head["ContentLength"] == 6 * 1024**2
    assert head["ChecksumSHA256"].endswith("-2")


def test_an_object_written_once_is_not_written_twice(cloud: EmbeddedCloud) -> None:
    s3 = cloud.client("s3", HUB)
    bucket = make_bucket(cloud, HUB)
    s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*", ChecksumAlgorithm="SHA256")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*", ChecksumAlgorithm="SHA256")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"1"


def test_a_bucket_with_a_customer_managed_key_takes_and_gives_objects(cloud: EmbeddedCloud) -> None:
    s3, bucket = cloud.client("s3", HUB), make_bucket(cloud, HUB)
    key = cloud.client("kms", HUB).create_key()["KeyMetadata"]["Arn"]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket=bucket, Key="k", Body=b"secret")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert (got["Body"].read(), got["ServerSideEncryption"], got["SSEKMSKeyId"]) == (b"secret", "aws:kms", key)


def encrypted_bucket(cloud: EmbeddedCloud) -> tuple[str, str]:
    """A bucket of the hub whose policy, and whose key's, let roles of DEV below /mlops/ in."""
    bucket, kms = make_bucket(cloud, HUB), cloud.client("kms", HUB)
    root = statement("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{HUB}:root"})
    condition = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{DEV}:role/mlops/*"}}
    foreign = statement("kms:Decrypt", "*", Principal={"AWS": f"arn:aws:iam::{DEV}:root"}, Condition=condition)
    key = kms.create_key(Policy=json.dumps({"Statement": [root, foreign]}))["KeyMetadata"]["Arn"]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3 = cloud.client("s3", HUB)
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket=bucket, Key="k", Body=b"secret")
    let_in(cloud, bucket)
    return bucket, key


def test_reading_under_a_key_needs_the_readers_permission_to_decrypt_and_the_key_policys(cloud: EmbeddedCloud) -> None:
    bucket, key = encrypted_bucket(cloud)
    trusted, reading = trust({"AWS": f"arn:aws:iam::{DEV}:root"}), statement("s3:GetObject", "*")

    def read(*statements: dict[str, Any], path: str = "/mlops/") -> bytes:
        role = make_role(cloud, DEV, trusted, reading, *statements, path=path)
        data: bytes = cloud.client_as("s3", role, DEV).get_object(Bucket=bucket, Key="k")["Body"].read()
        return data

    assert read(statement("kms:Decrypt", key)) == b"secret"
    with pytest.raises(ClientError, match=r"AccessDenied.*kms:Decrypt"):
        read()
    cloud.client("kms", HUB).put_key_policy(
        KeyId=key,
        PolicyName="default",
        Policy=json.dumps({"Statement": [statement("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{HUB}:root"})]}),
    )
    with pytest.raises(ClientError, match=r"AccessDenied.*kms:Decrypt"):
        read(statement("kms:Decrypt", key))


@pytest.mark.parametrize(("bucket_named", "reads"), [("", True), ("another", False)])
def test_a_right_to_decrypt_for_one_buckets_objects_holds_for_no_others(
    cloud: EmbeddedCloud, bucket_named: str, reads: bool
) -> None:
    bucket, key = encrypted_bucket(cloud)
    of = f"arn:aws:s3:::{bucket_named or bucket}"
    decrypts = statement(
        "kms:Decrypt", key, Condition={"StringLike": {"kms:EncryptionContext:aws:s3:arn": [of, f"{of}/*"]}}
    )
    trusted, reading = trust({"AWS": f"arn:aws:iam::{HUB}:root"}), statement("s3:GetObject", "*")
    reader = cloud.client_as("s3", make_role(cloud, HUB, trusted, reading, decrypts), HUB)
    if reads:
        assert reader.get_object(Bucket=bucket, Key="k")["Body"].read() == b"secret"
    else:
        with pytest.raises(ClientError, match=r"AccessDenied.*kms:Decrypt"):
            reader.get_object(Bucket=bucket, Key="k")


def test_writing_under_a_key_needs_a_data_key(cloud: EmbeddedCloud) -> None:
    bucket, key = encrypted_bucket(cloud)
    trusted = trust({"AWS": f"arn:aws:iam::{HUB}:root"})
    without = make_role(cloud, HUB, trusted, statement("s3:PutObject", "*"))
    with pytest.raises(ClientError, match=r"AccessDenied.*kms:GenerateDataKey"):
        cloud.client_as("s3", without, HUB).put_object(Bucket=bucket, Key="n", Body=b"x")
    allowed = make_role(cloud, HUB, trusted, statement("s3:PutObject", "*"), statement("kms:GenerateDataKey", key))
    assert cloud.client_as("s3", allowed, HUB).put_object(Bucket=bucket, Key="n", Body=b"x")["SSEKMSKeyId"] == key


def test_an_upload_is_an_event_with_version_and_sequencer(cloud: EmbeddedCloud) -> None:
    bucket = make_bucket(cloud, HUB, events=True)
    url = watch_events(cloud, HUB, {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}})
    key = "a folder/ü+%.json"
    versions = [
        cloud.client("s3", HUB).put_object(Bucket=bucket, Key=key, Body=body)["VersionId"] for body in (b"1", b"22")
    ]
    events = sorted(
        (json.loads(receive(cloud, HUB, url)["Body"]) for _ in versions),
        key=lambda event: str(event["detail"]["object"]["sequencer"]),
    )
    assert [event["detail"]["object"]["version-id"] for event in events] == versions
    assert [event["detail"]["object"]["size"] for event in events] == [1, 2]
    assert {event["detail"]["object"]["key"] for event in events} == {key}
    assert {(event["detail-type"], event["account"], event["region"]) for event in events} == {
        ("Object Created", HUB, REGION)
    }


def test_the_requester_of_an_upload_from_another_account_is_that_account(cloud: EmbeddedCloud) -> None:
    bucket = make_bucket(cloud, HUB, events=True)
    open_to = statement("s3:PutObject", f"arn:aws:s3:::{bucket}/*", Principal={"AWS": f"arn:aws:iam::{DEV}:root"})
    cloud.client("s3", HUB).put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [open_to]}))
    url = watch_events(cloud, HUB, {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}})
    cloud.client("s3", DEV).put_object(Bucket=bucket, Key=unique("k"), Body=b"x")
    event = json.loads(receive(cloud, HUB, url)["Body"])
    assert (event["account"], event["detail"]["requester"]) == (HUB, DEV)
