"""Addresses in the AWS console, which has a host of its own in each partition."""

from __future__ import annotations

from orchestrator.core.jobs import JobKind

_HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-cn": "console.amazonaws.cn",
}


def console(partition: str, region: str) -> str:
    """Where the console of a region begins; empty in a partition whose console is not known."""
    host = _HOSTS.get(partition)
    return f"https://{region}.{host}" if host else ""


def commit_page(partition: str, region: str, repository: str, commit_id: str) -> str:
    """CodeCommit's page of a commit; empty where the console is not known."""
    place = console(partition, region)
    return place and f"{place}/codesuite/codecommit/repositories/{repository}/commit/{commit_id}?region={region}"


def pipeline_page(partition: str, region: str, pipeline: str) -> str:
    """CodePipeline's page of a pipeline; empty where the console is not known."""
    place = console(partition, region)
    return place and f"{place}/codesuite/codepipeline/pipelines/{pipeline}/view?region={region}"


def job_page(kind: JobKind, arn: str) -> str:
    """The page where the job can be followed, or from where it can be found."""
    _, partition, _, region, account, resource = arn.split(":", 5)
    place = console(partition, region) or console("aws", region)
    if kind is JobKind.CODEBUILD:
        build = resource.removeprefix("build/")
        project = build.partition(":")[0]
        path = f"codesuite/codebuild/{account}/projects/{project}/build/{build.replace(':', '%3A')}"
        return f"{place}/{path}/?region={region}"
    return f"{place}/sagemaker/home?region={region}#/studio-landing"
