"""SageMaker's pipelines and AutoML jobs and CodeBuild's builds, as far as the jobs of releases need them.

Sources of what is refused and answered: StartPipelineExecution, CreateAutoMLJobV2, DescribeAutoMLJobV2 of the Amazon
SageMaker API Reference; StartBuild, BatchGetBuilds, ListBuildsForProject of the AWS CodeBuild API Reference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.aws.service_double import Refusal, ServiceDouble

ACCOUNT = "222222222222"


class SageMakerDouble(ServiceDouble):
    """One pipeline ``fraud``, and AutoML jobs."""

    service = "sagemaker"

    def __init__(self) -> None:
        super().__init__()
        self.executions: dict[str, dict[str, Any]] = {}
        self.by_token: dict[str, str] = {}
        self.steps: list[dict[str, Any]] = []
        self.automl: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, list[dict[str, str]]] = {}

    def start_pipeline_execution(self, **given: Any) -> dict[str, Any]:
        token = given["ClientRequestToken"]
        if token not in self.by_token:
            number = len(self.executions) + 1
            arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/{given['PipelineName']}/execution/{number:012d}"
            self.by_token[token] = arn
            self.executions[arn] = {"PipelineExecutionArn": arn, "PipelineExecutionStatus": "Executing"}
        return {"PipelineExecutionArn": self.by_token[token]}

    def describe_pipeline_execution(self, **given: Any) -> dict[str, Any]:
        arn = given["PipelineExecutionArn"]
        if arn not in self.executions:
            raise Refusal("ResourceNotFound", f"Pipeline execution {arn} does not exist")
        return self.executions[arn]

    def list_pipeline_execution_steps(self, **given: Any) -> dict[str, Any]:
        """One step a page."""
        at = int(given.get("NextToken", "0"))
        page = {"PipelineExecutionSteps": self.steps[at : at + 1]}
        return page | ({"NextToken": str(at + 1)} if at + 1 < len(self.steps) else {})

    def create_auto_ml_job_v2(self, **given: Any) -> dict[str, Any]:
        name = given["AutoMLJobName"]
        if name in self.automl:
            raise Refusal("ResourceInUse", f"AutoMLJob {name} already exists")
        arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:automl-job/{name}"
        self.automl[name] = {"AutoMLJobName": name, "AutoMLJobArn": arn, "AutoMLJobStatus": "InProgress"}
        self.tags[arn] = given.get("Tags", [])
        return {"AutoMLJobArn": arn}

    def describe_auto_ml_job_v2(self, **given: Any) -> dict[str, Any]:
        name = given["AutoMLJobName"]
        if name not in self.automl:
            raise Refusal("ResourceNotFound", f"AutoMLJob {name} does not exist")
        return self.automl[name]

    def list_tags(self, **given: Any) -> dict[str, Any]:
        return {"Tags": self.tags[given["ResourceArn"]]}


@dataclass
class Build:
    """One build."""

    number: int
    project: str
    variables: list[dict[str, str]]
    status: str = "IN_PROGRESS"
    phases: list[dict[str, Any]] = field(default_factory=list)

    @property
    def id(self) -> str:
        """As ListBuildsForProject has it."""
        return f"{self.project}:{self.number:08d}-c340"

    def described(self) -> dict[str, Any]:
        """As BatchGetBuilds has it."""
        return {
            "id": self.id,
            "arn": f"arn:aws:codebuild:us-east-1:{ACCOUNT}:build/{self.id}",
            "buildStatus": self.status,
            "projectName": self.project,
            "phases": self.phases,
            "environment": {
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
                "environmentVariables": self.variables,
            },
            "logs": {"deepLink": f"https://console.aws.amazon.com/log/{self.number}"},
        }


class CodeBuildDouble(ServiceDouble):
    """Build projects; ``five_minutes_pass`` forgets the idempotency tokens, ``lagging`` hides builds from the list."""

    service = "codebuild"

    def __init__(self) -> None:
        super().__init__()
        self.builds: list[Build] = []
        self.tokens: dict[str, Build] = {}
        self.lagging = False

    def five_minutes_pass(self) -> None:
        """Idempotency tokens live no longer."""
        self.tokens.clear()

    def start_build(self, **given: Any) -> dict[str, Any]:
        token = given["idempotencyToken"]
        if token not in self.tokens:
            build = Build(len(self.builds) + 1, given["projectName"], given["environmentVariablesOverride"])
            self.builds.append(build)
            self.tokens[token] = build
        return {"build": self.tokens[token].described()}

    def list_builds_for_project(self, **given: Any) -> dict[str, Any]:
        found = [build.id for build in self.builds if build.project == given["projectName"] and not self.lagging]
        return {"ids": found[::-1]}

    def batch_get_builds(self, **given: Any) -> dict[str, Any]:
        known = {build.id: build.described() for build in self.builds}
        return {
            "builds": [known[name] for name in given["ids"] if name in known],
            "buildsNotFound": [name for name in given["ids"] if name not in known],
        }
