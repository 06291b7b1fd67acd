"""Source actions: an object in S3, and a commit behind a connection.

An object is fetched in the version that the execution was started with, by itself in the newest at that moment, and
its bytes are the artifact (AWS CodePipeline User Guide, "Amazon S3 source action reference"). Changes are never polled
for. Behind a connection there is no repository here: a test hands over the commit.
"""

from __future__ import annotations

from collections.abc import Mapping

from botocore.exceptions import ClientError

from local.cloud.codepipeline.executions import Revision
from local.cloud.codepipeline.sessions import SERVICE
from local.cloud.codepipeline.task import CONFIGURATION, JOB, PERMISSION, ActionFailed, Result, Task
from local.cloud.sagemaker.jobs.access import Refused, Role

OBJECT_VERSION, OBJECT_KEY, COMMIT = "S3_OBJECT_VERSION_ID", "S3_OBJECT_KEY", "COMMIT_ID"


def from_s3(task: Task) -> Result:
    """The object, as the artifact."""
    given = _overrides(task)
    bucket = task.configuration["S3Bucket"]
    key = given.get(OBJECT_KEY) or task.configuration["S3ObjectKey"]
    client = task.client("s3")
    try:
        if client.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
            raise ActionFailed(CONFIGURATION, f"The Amazon S3 bucket named {bucket} must have versioning enabled")
        version = given.get(OBJECT_VERSION) or client.head_object(Bucket=bucket, Key=key)["VersionId"]
        found = client.get_object(Bucket=bucket, Key=key, VersionId=version)
    except ClientError as error:
        raise _failed(bucket, key, error) from error
    etag = found["ETag"].strip('"')
    url = f"https://console.aws.amazon.com/s3/object/{bucket}/{key}?versionId={version}"
    summary = f"Amazon S3 version id: {version}"
    return Result(
        summary=summary,
        external_id=version,
        external_url=url,
        variables={"ETag": etag, "VersionId": version, "BucketName": bucket, "ObjectKey": key},
        output=found["Body"].read(),
        revision=Revision(version, etag, summary, url, found["LastModified"].timestamp()),
    )


def _overrides(task: Task) -> dict[str, str]:
    mine = [given for given in task.execution.overrides if given["actionName"] == task.run.name]
    return {given["revisionType"]: given["revisionValue"] for given in mine}


def _failed(bucket: str, key: str, error: ClientError) -> ActionFailed:
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    if code in {"AccessDenied", "403"}:
        return ActionFailed(
            PERMISSION,
            f"The service role or action role doesn't have the permissions required to access the Amazon S3 bucket "
            f"named {bucket}. Update the IAM role permissions, and then try again. "
            f"Error: Amazon S3:AccessDenied:{message}",
        )
    return ActionFailed(CONFIGURATION, f"The object with key '{key}' in bucket {bucket} cannot be read: {message}")


def from_connection(task: Task) -> Result:
    """The commit that was delivered."""
    given = task.configuration
    connection = given["ConnectionArn"]
    prefix = connection.split(":")[2]
    context = {f"{prefix}:fullrepositoryid": given["FullRepositoryId"], f"{prefix}:branchname": given["BranchName"]}
    role = Role(str(task.execution.declaration["roleArn"]), task.region, SERVICE, task.execution.id)
    try:
        role.need(f"{prefix}:UseConnection", connection, context)
    except Refused as refused:
        raise ActionFailed(PERMISSION, str(refused)) from refused
    if task.execution.delivery is None:
        raise ActionFailed(JOB, "No commit was delivered: there is no repository behind the connection")
    archive, variables = task.execution.delivery
    return Result(
        summary=variables.get("CommitMessage", ""),
        external_id=variables.get("CommitId", ""),
        variables=variables,
        output=archive,
        revision=_commit(variables, task.run.started),
    )


def _commit(variables: Mapping[str, str], when: float) -> Revision | None:
    identity = variables.get("CommitId")
    return Revision(identity, identity[:8], variables.get("CommitMessage", ""), "", when) if identity else None
