"""What S3 says of a bucket: its region, versioning, events and encryption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.aws.translated import code_of, translated
from orchestrator.core.assets_bucket import BucketState
from orchestrator.core.errors import SourceGone

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_OLD_REGIONS = {"": "us-east-1", "EU": "eu-west-1"}
"""What GetBucketLocation answers for the two oldest regions (S3 API Reference)."""

_NO_ENCRYPTION = "ServerSideEncryptionConfigurationNotFoundError"
_AWS_OWN = "alias/aws/s3"


def read_state(client: S3Client, bucket: str, owner: str) -> BucketState:
    """The state of a bucket of the account ``owner``.

    Raises ``SourceGone`` where there is none of this name, ``AccessDenied`` where S3 does not tell: for want of rights,
    or because the bucket is another account's.
    """
    with translated("s3"):
        try:
            location = client.get_bucket_location(Bucket=bucket, ExpectedBucketOwner=owner)
        except client.exceptions.ClientError as error:
            if code_of(error) == "NoSuchBucket":
                raise SourceGone(f"there is no bucket {bucket}") from error
            raise
        versioning = client.get_bucket_versioning(Bucket=bucket, ExpectedBucketOwner=owner)
        notifications = client.get_bucket_notification_configuration(Bucket=bucket, ExpectedBucketOwner=owner)
        key = _key(client, bucket, owner)
    region = str(location.get("LocationConstraint") or "")
    return BucketState(
        region=_OLD_REGIONS.get(region, region),
        versioning=versioning.get("Status", ""),
        notifies_event_bridge="EventBridgeConfiguration" in notifications,
        key=key,
    )


def _key(client: S3Client, bucket: str, owner: str) -> str:
    """The organisation's own KMS key of the default encryption; empty where there is none."""
    try:
        found = client.get_bucket_encryption(Bucket=bucket, ExpectedBucketOwner=owner)
    except client.exceptions.ClientError as error:
        if code_of(error) == _NO_ENCRYPTION:
            return ""
        raise
    for rule in found["ServerSideEncryptionConfiguration"]["Rules"]:
        key = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID", "")
        if key and not key.endswith(_AWS_OWN):
            return key
    return ""
