"""Events in the shapes that AWS documents, written by hand.

Sources: "EventBridge event message structure" of the Amazon S3 User Guide; "CloudFormation events detail reference" of
the Amazon EventBridge Events Reference; "Amazon SageMaker AI events" of the same; "Build notifications input format
reference" of the AWS CodeBuild User Guide; "Monitoring CodeCommit events in Amazon EventBridge" of the AWS CodeCommit
User Guide. AWS documents no event of an AutoML job; its sample is made after those of
SageMaker's other jobs.
"""

from __future__ import annotations

from typing import Any

REGION = "us-east-1"

OURS = "fraud-0001-dev-1"
"""A client request token as ``steps/deploy_stage.py`` makes it."""


def event(source: str, detail_type: str, account: str, resources: list[str], detail: dict[str, Any]) -> dict[str, Any]:
    """EventBridge's envelope."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": "2026-03-01T12:00:00Z",
        "region": REGION,
        "resources": resources,
        "detail": detail,
    }


def object_created(
    bucket: str, key: str, version_id: str, sequencer: str = "0062E99A88DC407460", *, size: int = 512
) -> dict[str, Any]:
    """S3: one version of an object was written."""
    detail = {
        "version": "0",
        "bucket": {"name": bucket},
        "object": {
            "key": key,
            "size": size,
            "etag": "b1946ac92492d2347c6235b4d2611184",
            "version-id": version_id,
            "sequencer": sequencer,
        },
        "request-id": "N4N7GDK58NMKJ12R",
        "requester": "111111111111",
        "source-ip-address": "203.0.113.10",
        "reason": "PutObject",
    }
    return event("aws.s3", "Object Created", "111111111111", [f"arn:aws:s3:::{bucket}"], detail)


def stack_changed(stack_id: str, status: str, token: str = OURS, account: str = "222222222222") -> dict[str, Any]:
    """CloudFormation: a stack has another status."""
    detail = {
        "stack-id": stack_id,
        "status-details": {"status": status, "status-reason": ""},
        **({"client-request-token": token} if token else {}),
    }
    return event("aws.cloudformation", "CloudFormation Stack Status Change", account, [stack_id], detail)


def pipeline_changed(execution_arn: str, status: str, account: str = "222222222222") -> dict[str, Any]:
    """SageMaker: a pipeline execution has another status."""
    pipeline = execution_arn.rsplit("/execution/", 1)[0]
    detail = {
        "pipelineArn": pipeline,
        "pipelineExecutionArn": execution_arn,
        "pipelineExecutionDisplayName": "fraud-0001",
        "currentPipelineExecutionStatus": status,
        "previousPipelineExecutionStatus": "Executing",
        "executionStartTime": "2026-03-01T11:00:00Z",
        "executionEndTime": "2026-03-01T12:00:00Z",
        "pipelineExecutionDescription": "",
    }
    return event(
        "aws.sagemaker",
        "SageMaker Model Building Pipeline Execution Status Change",
        account,
        [pipeline, execution_arn],
        detail,
    )


def model_package_changed(
    arn: str,
    approval: str = "Approved",
    status: str = "Completed",
    *,
    changed: tuple[str, ...] = ("ModelApprovalStatus",),
    account: str = "111111111111",
) -> dict[str, Any]:
    """SageMaker: something about a version of a model package has changed."""
    name = arn.rpartition("model-package/")[2]
    detail = {
        "ModelPackageGroupName": name.partition("/")[0],
        "ModelPackageName": name,
        "ModelPackageArn": arn,
        "ModelPackageVersion": int(name.rpartition("/")[2]),
        "CreationTime": 1772362800000,
        "ModelPackageStatus": status,
        "ModelApprovalStatus": approval,
        "UpdatedModelPackageFields": list(changed),
    }
    return event("aws.sagemaker", "SageMaker Model Package State Change", account, [arn], detail)


def automl_changed(job_arn: str, status: str, account: str = "111111111111") -> dict[str, Any]:
    """SageMaker: an AutoML job has another status."""
    detail = {
        "AutoMLJobName": job_arn.rpartition("/")[2],
        "AutoMLJobArn": job_arn,
        "AutoMLJobStatus": status,
        "AutoMLJobSecondaryStatus": status,
        "CreationTime": 1772362800000,
        "LastModifiedTime": 1772366400000,
    }
    return event("aws.sagemaker", "SageMaker AutoML Job State Change", account, [job_arn], detail)


def build_changed(build_arn: str, status: str, account: str = "111111111111") -> dict[str, Any]:
    """CodeBuild: a build has another status."""
    project, _, number = build_arn.rpartition("build/")[2].partition(":")
    detail = {
        "build-status": status,
        "project-name": project,
        "build-id": build_arn,
        "additional-information": {
            "build-complete": True,
            "build-number": 1,
            "initiator": "mlops-run-job/fraud-0001",
            "build-start-time": "Mar 1, 2026 11:00:00 AM",
            "timeout-in-minutes": 60,
            "logs": {
                "group-name": f"/aws/codebuild/{project}",
                "stream-name": number,
                "deep-link": f"https://console.aws.amazon.com/cloudwatch/home?region={REGION}#logEvent:group=/aws/codebuild/{project};stream={number}",
            },
            "phases": [],
        },
        "current-phase": "COMPLETED",
        "current-phase-context": "[]",
        "version": "1",
    }
    return event("aws.codebuild", "CodeBuild Build State Change", account, [build_arn], detail)


def pipeline_execution_changed(
    pipeline: str, execution_id: str, state: str = "FAILED", account: str = "111111111111"
) -> dict[str, Any]:
    """CodePipeline: an execution has changed its state."""
    detail = {"pipeline": pipeline, "execution-id": execution_id, "state": state, "version": 1.0}
    arn = f"arn:aws:codepipeline:{REGION}:{account}:{pipeline}"
    return event("aws.codepipeline", "CodePipeline Pipeline Execution State Change", account, [arn], detail)


def repository_changed(
    event_name: str = "referenceUpdated",
    *,
    repository: str = "ml-models",
    account: str = "111111111111",
    **changes: str | None,
) -> dict[str, Any]:
    """CodeCommit: a reference was created, moved or deleted; a member of None is left out."""
    detail = {
        "event": event_name,
        "repositoryName": repository,
        "repositoryId": "12345678-1234-5678-abcd-12345678abcd",
        "referenceType": "branch",
        "referenceName": "main",
        "referenceFullName": f"refs/heads/{changes.get('referenceName', 'main')}",
        "commitId": "3e5983de0a4d8c1b6f0e7a1c2b3d4e5f60718293",
        "oldCommitId": "26a8f2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5",
        "callerUserArn": "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Engineer/ana",
        **changes,
    }
    kept = {name: value for name, value in detail.items() if value is not None}
    resource = f"arn:aws:codecommit:{REGION}:{account}:{repository}"
    return event("aws.codecommit", "CodeCommit Repository State Change", account, [resource], kept)
