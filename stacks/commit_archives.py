"""The bucket of commits from elsewhere: artifacts of the pipelines that fetch them, and the archives they deliver."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.buckets import encrypted_bucket, notify_event_bridge

DAYS = 30
"""How long an archive is kept: a release has its configuration in the packages bucket."""


class CommitArchives(Construct):
    """See the module."""

    def __init__(self, scope: Construct, id: str, *, key: kms.IKey, access_logs: s3.IBucket) -> None:
        super().__init__(scope, id)
        self.bucket = encrypted_bucket(
            self,
            "Bucket",
            versioned=True,
            key=key,
            access_logs=access_logs,
            logged_as="commits/",
            expiry=s3.LifecycleRule(
                expiration=Duration.days(DAYS),
                noncurrent_version_expiration=Duration.days(1),
                abort_incomplete_multipart_upload_after=Duration.days(1),
            ),
        )
        notify_event_bridge(self.bucket)
