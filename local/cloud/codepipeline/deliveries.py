"""The S3 deploy action: the input artifact as one object.

"Amazon S3 deploy action reference" of the AWS CodePipeline User Guide; with ``Extract`` ``false`` only.
"""

from __future__ import annotations

from typing import Any

from local.cloud.codepipeline.task import CONFIGURATION, ActionFailed, Result, Task


def to_s3(task: Task) -> Result:
    """Put the artifact."""
    given = task.configuration
    if given["Extract"] != "false":
        raise ActionFailed(CONFIGURATION, "The embedded cloud does not extract what it deploys")
    if not given.get("ObjectKey"):
        raise ActionFailed(CONFIGURATION, "ObjectKey is required where nothing is extracted")
    (named,) = task.declared["inputArtifacts"]
    archive = task.archive(named["name"])
    sealed: dict[str, Any] = {}
    if given.get("KMSEncryptionKeyARN"):
        sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": given["KMSEncryptionKeyARN"]}
    task.client("s3").put_object(Bucket=given["BucketName"], Key=given["ObjectKey"], Body=archive, **sealed)
    return Result(summary="Deployment Succeeded", external_id=f"{given['BucketName']}/{given['ObjectKey']}")
