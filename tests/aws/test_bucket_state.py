"""What S3 says of a bucket, read from moto; what moto does not say, from a client that answers as S3 does."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from types_boto3_s3.client import S3Client

from orchestrator.aws.bucket_state import read_state
from orchestrator.core.assets_bucket import BucketState
from orchestrator.core.errors import AccessDenied, SourceGone
from tests.aws.conftest import new_bucket

OWNER = "123456789012"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1a2b3c4d-0000-1111-2222-333344445555"


def encrypted_with(s3: S3Client, bucket: str, key: str) -> None:
    by_default: Any = {"SSEAlgorithm": "aws:kms", **({"KMSMasterKeyID": key} if key else {})}
    rules: Any = {"Rules": [{"ApplyServerSideEncryptionByDefault": by_default}]}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=rules)


def test_a_versioned_bucket(s3: S3Client) -> None:
    assert read_state(s3, new_bucket(s3), OWNER) == BucketState("us-east-1", "Enabled", False)


def test_a_bucket_as_it_is_made(s3: S3Client) -> None:
    assert read_state(s3, new_bucket(s3, versioned=False), OWNER) == BucketState("us-east-1", "", False)


def test_versioning_that_was_turned_off(s3: S3Client) -> None:
    bucket = new_bucket(s3)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})

    assert read_state(s3, bucket, OWNER).versioning == "Suspended"


@pytest.mark.parametrize(
    ("key", "told"),
    [
        pytest.param(KEY, KEY, id="own"),
        pytest.param("", "", id="AWS's"),
        pytest.param("arn:aws:kms:us-east-1:123456789012:alias/aws/s3", "", id="AWS's by its alias"),
    ],
)
def test_a_key_of_the_organisation(s3: S3Client, key: str, told: str) -> None:
    bucket = new_bucket(s3)
    encrypted_with(s3, bucket, key)

    assert read_state(s3, bucket, OWNER).key == told


@pytest.mark.parametrize("region", ["eu-central-1", "ap-south-1"])
def test_a_bucket_elsewhere(aws: None, s3: S3Client, region: str) -> None:
    bucket = f"elsewhere-{region}"
    boto3.client("s3", region_name=region).create_bucket(
        Bucket=bucket,
        CreateBucketConfiguration={"LocationConstraint": region},  # type: ignore[typeddict-item]
    )

    assert read_state(s3, bucket, OWNER).region == region


def test_there_is_none(s3: S3Client) -> None:
    with pytest.raises(SourceGone, match="no bucket nowhere"):
        read_state(s3, "nowhere", OWNER)


class Answering:
    """An S3 client whose answers are given; an answer that is a code is raised."""

    class exceptions:
        ClientError = ClientError

    def __init__(self, **answers: Any) -> None:
        self._answers = answers
        self.owners: list[str] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.owners.append(arguments["ExpectedBucketOwner"])
            answer = self._answers.get(operation, {})
            if isinstance(answer, str):
                raise ClientError({"Error": {"Code": answer, "Message": "no"}}, operation)
            return answer

        return call


def test_a_bucket_of_another_account_is_not_shown() -> None:
    """S3 answers so where ExpectedBucketOwner is not the owner; moto does not look at it."""
    client: Any = Answering(get_bucket_location="AccessDenied")

    with pytest.raises(AccessDenied):
        read_state(client, "theirs", OWNER)
    assert client.owners == [OWNER]


@pytest.mark.parametrize(
    ("constraint", "region"), [(None, "us-east-1"), ("EU", "eu-west-1"), ("sa-east-1", "sa-east-1")]
)
def test_old_names_of_regions(constraint: str | None, region: str) -> None:
    client: Any = Answering(
        get_bucket_location={"LocationConstraint": constraint},
        get_bucket_encryption="ServerSideEncryptionConfigurationNotFoundError",
    )

    assert read_state(client, "old", OWNER) == BucketState(region, "", False)
    assert set(client.owners) == {OWNER}
