"""The AWS adapters against moto, and against a double where moto is not faithful."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import boto3
import pytest
from moto import mock_aws
from types_boto3_dynamodb.client import DynamoDBClient
from types_boto3_s3.client import S3Client

from orchestrator.aws.objects import S3Objects
from orchestrator.aws.table import DynamoStore

REGION = "us-east-1"

_numbers = count(1)


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    """moto in place of AWS; a module shares one, a test makes its own tables and buckets."""
    with mock_aws():
        yield


@pytest.fixture(scope="module")
def dynamodb(aws: None) -> DynamoDBClient:
    """A client of moto's DynamoDB."""
    return boto3.client("dynamodb", region_name=REGION)


@pytest.fixture(scope="module")
def s3(aws: None) -> S3Client:
    """A client of moto's S3."""
    return boto3.client("s3", region_name=REGION)


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> DynamoStore:
    """The adapter over a new table, made as the stack makes it."""
    return DynamoStore(dynamodb, new_table(dynamodb))


@pytest.fixture
def bucket(s3: S3Client) -> str:
    """A new, versioned bucket."""
    return new_bucket(s3)


@pytest.fixture
def objects(s3: S3Client) -> S3Objects:
    """The adapter."""
    return S3Objects(s3)


def new_table(client: DynamoDBClient) -> str:
    """A table with the keys and the index that ``orchestrator/aws/table.py`` describes; its name."""
    name = f"mlops-records-{next(_numbers)}"
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": attribute, "AttributeType": "S"} for attribute in ("pk", "sk", "listing_pk", "listing_sk")
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "listing",
                "KeySchema": [
                    {"AttributeName": "listing_pk", "KeyType": "HASH"},
                    {"AttributeName": "listing_sk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    return name


def new_bucket(client: S3Client, *, versioned: bool = True) -> str:
    """A new bucket; its name."""
    name = f"mlops-bucket-{next(_numbers)}"
    client.create_bucket(Bucket=name)
    if versioned:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name
