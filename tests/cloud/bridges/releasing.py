"""A pipeline that releases packages: buckets, a key, roles on both sides, a stage for each account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local.cloud.client import EmbeddedCloud
from local.cloud.codepipeline.artifacts import zipped
from tests.cloud.accounts import (
    DEV,
    HUB,
    REGION,
    eventually,
    make_bucket,
    make_role,
    service_trust,
    settled,
    statement,
    trust,
    unique,
)

PACKAGE = "package.zip"
STACKS = [
    *("cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet", "cloudformation:DescribeChangeSet"),
    *("cloudformation:ExecuteChangeSet", "cloudformation:DescribeStacks"),
]
"""What the two change-set actions ask of CloudFormation."""
WHOLE_STACKS = ["cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:DeleteStack"]

TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Title"}}}
QUEUE = {"Type": "AWS::SQS::Queue"}
"""What the stacks' role may not make at first."""


def template(**resources: Any) -> dict[str, Any]:
    """A template with one parameter and one output."""
    return {
        "Parameters": {"Title": {"Type": "String"}},
        "Resources": resources or {"Topic": TOPIC},
        "Outputs": {"Name": {"Value": {"Ref": "Title"}}},
    }


def action(name: str, category: str, provider: str, configuration: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """An action as a template declares it."""
    kind = {"Category": category, "Owner": "AWS", "Provider": provider, "Version": "1"}
    return {"Name": name, "ActionTypeId": kind, "Configuration": dict(configuration), **more}


class Line:
    """See the module."""

    def __init__(self, cloud: EmbeddedCloud, *accounts: str) -> None:
        self.cloud, self.accounts = cloud, accounts or (DEV,)
        self.pipelines, self.name, self.stack = cloud.client("codepipeline", HUB), unique("line"), unique("workload")
        self.packages, self.artifacts = make_bucket(cloud, HUB), make_bucket(cloud, HUB)
        self.key = self._key()
        self.stack_roles = {
            account: make_role(cloud, account, service_trust("cloudformation"), statement("sns:*", "*"))
            for account in self.accounts
        }
        self.action_roles = {account: self._action_role(account) for account in self.accounts}
        objects = f"arn:aws:s3:::{self.artifacts}/{self.name[:20]}/*"
        self.rights = {
            "source": statement(["s3:GetObject", "s3:GetObjectVersion"], f"arn:aws:s3:::{self.packages}/{PACKAGE}"),
            "versioning": statement("s3:GetBucketVersioning", f"arn:aws:s3:::{self.packages}"),
            "artifacts": statement(["s3:GetObject", "s3:PutObject"], objects),
            "key": statement(["kms:Decrypt", "kms:GenerateDataKey"], self.key),
            "assume": statement("sts:AssumeRole", list(self.action_roles.values())),
        }
        self.role = make_role(cloud, HUB, service_trust("codepipeline"), *self.rights.values())
        self.template = unique("pipeline")

    def _abroad(self, actions: str | list[str], resource: str) -> dict[str, Any]:
        """Lets roles of the accounts in."""
        roles = [f"arn:aws:iam::{account}:role/mlops/*" for account in self.accounts]
        return statement(
            actions,
            resource,
            Principal={"AWS": [f"arn:aws:iam::{account}:root" for account in self.accounts]},
            Condition={"ArnLike": {"aws:PrincipalArn": roles}},
        )

    def _key(self) -> str:
        root = statement("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{HUB}:root"})
        text = json.dumps({"Statement": [root, self._abroad("kms:Decrypt", "*")]})
        found: str = self.cloud.client("kms", HUB).create_key(Policy=text)["KeyMetadata"]["Arn"]
        policy = {"Statement": [self._abroad("s3:GetObject", f"arn:aws:s3:::{self.artifacts}/*")]}
        self.cloud.client("s3", HUB).put_bucket_policy(Bucket=self.artifacts, Policy=json.dumps(policy))
        return found

    def _action_role(self, account: str) -> str:
        return make_role(
            self.cloud,
            account,
            trust({"AWS": f"arn:aws:iam::{HUB}:root"}),
            statement([*STACKS, *WHOLE_STACKS], f"arn:aws:cloudformation:{REGION}:{account}:stack/{self.stack}/*"),
            statement("s3:GetObject", f"arn:aws:s3:::{self.artifacts}/*"),
            statement("kms:Decrypt", self.key),
            statement("iam:PassRole", self.stack_roles[account]),
            path="/mlops/",
        )

    def package(self, title: str, **resources: Any) -> str:
        """Put a package; its version."""
        files = {"template.json": json.dumps(template(**resources)).encode()}
        for number, account in enumerate(self.accounts, start=1):
            settings = {"Parameters": {"Title": f"{title}-{account}"}, "Tags": {"stage": str(number)}}
            files[f"stage-{number}.json"] = json.dumps(settings).encode()
        answer = self.cloud.client("s3", HUB).put_object(Bucket=self.packages, Key=PACKAGE, Body=zipped(files))
        return str(answer["VersionId"])

    def source(self) -> dict[str, Any]:
        """The first stage's action."""
        configuration = {"S3Bucket": self.packages, "S3ObjectKey": PACKAGE, "PollForSourceChanges": "false"}
        more = {"OutputArtifacts": [{"Name": "Package"}], "Namespace": "Source"}
        return action("Fetch", "Source", "S3", configuration, **more)

    def deploy(self, mode: str, account: str, order: int = 1, **more: str) -> dict[str, Any]:
        """A CloudFormation action."""
        configuration = {"ActionMode": mode, "StackName": self.stack, "RoleArn": self.stack_roles[account]}
        reads = mode not in {"CHANGE_SET_EXECUTE", "DELETE_ONLY"}
        if reads:
            number = self.accounts.index(account) + 1
            configuration |= {"TemplatePath": "Package::template.json"}
            configuration |= {"TemplateConfiguration": f"Package::stage-{number}.json"}
        if mode.startswith("CHANGE_SET"):
            configuration["ChangeSetName"] = "release"
        names = {"CHANGE_SET_REPLACE": "Plan", "CHANGE_SET_EXECUTE": "Execute"}
        given = {"InputArtifacts": [{"Name": "Package"}]} if reads else {}
        return action(
            names.get(mode, "Deploy"),
            "Deploy",
            "CloudFormation",
            {**configuration, **more},
            RunOrder=order,
            RoleArn=self.action_roles[account],
            **given,
        )

    def stage(self, account: str, **approval: Any) -> dict[str, Any]:
        """Plan, Approve, Execute."""
        approve = action("Approve", "Approval", "Manual", approval.pop("configuration", {}), RunOrder=2, **approval)
        plan, execute = (
            self.deploy("CHANGE_SET_REPLACE", account),
            self.deploy("CHANGE_SET_EXECUTE", account, 3),
        )
        return {"Name": f"Stage{self.accounts.index(account) + 1}", "Actions": [plan, approve, execute]}

    def properties(
        self, *stages: dict[str, Any], mode: str = "SUPERSEDED", source: dict[str, Any] | None = None, **more: Any
    ) -> dict[str, Any]:
        """The resource's properties; by itself with Plan, Approve and Execute in every account."""
        first = {"Name": "Source", "Actions": [source or self.source()]}
        key = {"Id": self.key, "Type": "KMS"}
        return {
            "Name": self.name,
            "PipelineType": "V2",
            "ExecutionMode": mode,
            "RoleArn": self.role,
            "ArtifactStore": {"Type": "S3", "Location": self.artifacts, "EncryptionKey": key},
            "Stages": [first, *(stages or [self.stage(account) for account in self.accounts])],
            **more,
        }

    def provision(self, *stages: dict[str, Any], first: str = "Failed", **more: Any) -> dict[str, Any]:
        """Make or change the pipeline by its stack, and wait for the execution that making it starts to end.

        That one fails where no package is there yet.
        """
        client = self.cloud.client("cloudformation", HUB)
        known = {one["StackName"] for one in client.describe_stacks()["Stacks"]}
        body = json.dumps(
            {
                "Resources": {
                    "Pipeline": {"Type": "AWS::CodePipeline::Pipeline", "Properties": self.properties(*stages, **more)}
                }
            }
        )
        work = client.update_stack if self.template in known else client.create_stack
        work(StackName=self.template, TemplateBody=body)
        stack = settled(self.cloud, HUB, self.template)
        if first and self.template not in known:
            eventually(lambda: self.executions()[-1]["status"] == first)
        return stack

    def executions(self) -> list[dict[str, Any]]:
        """Newest first."""
        found: list[dict[str, Any]] = self.pipelines.list_pipeline_executions(pipelineName=self.name)[
            "pipelineExecutionSummaries"
        ]
        return found

    def start(self, version: str = "", **more: Any) -> str:
        """Start an execution with a version of the package; its id."""
        if version:
            revision = {"actionName": "Fetch", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": version}
            more["sourceRevisions"] = [revision]
        return str(self.pipelines.start_pipeline_execution(name=self.name, **more)["pipelineExecutionId"])

    def status(self, execution: str) -> str:
        """An execution's status."""
        answer = self.pipelines.get_pipeline_execution(pipelineName=self.name, pipelineExecutionId=execution)
        return str(answer["pipelineExecution"]["status"])

    def until(self, execution: str, status: str) -> None:
        """Wait for an execution's status."""
        eventually(lambda: self.status(execution) == status)

    def stage_state(self, number: int = 1) -> dict[str, Any]:
        """What GetPipelineState says of a stage; 0 is the source's."""
        found: dict[str, Any] = self.pipelines.get_pipeline_state(name=self.name)["stageStates"][number]
        return found

    def action_state(self, name: str, number: int = 1) -> dict[str, Any]:
        """What it says of an action's latest run."""
        states = {one["actionName"]: one.get("latestExecution", {}) for one in self.stage_state(number)["actionStates"]}
        return dict(states[name])

    def asked(self, execution: str, number: int = 1) -> str:
        """Wait until an execution asks for approval in a stage; the token."""

        def token() -> str:
            state = self.stage_state(number)
            if state.get("latestExecution", {}).get("pipelineExecutionId") != execution:
                return ""
            return str(self.action_state("Approve", number).get("token", ""))

        return eventually(token)

    def answer(self, token: str, status: str = "Approved", number: int = 1, summary: str = "seen") -> None:
        """Answer an approval."""
        self.pipelines.put_approval_result(
            pipelineName=self.name,
            stageName=f"Stage{number}",
            actionName="Approve",
            token=token,
            result={"status": status, "summary": summary},
        )

    def approve(self, execution: str, number: int = 1) -> None:
        """Wait for the question and approve."""
        self.answer(self.asked(execution, number), number=number)

    def runs(self, execution: str) -> list[dict[str, Any]]:
        """The execution's actions, oldest first."""
        found: list[dict[str, Any]] = self.pipelines.list_action_executions(
            pipelineName=self.name, filter={"pipelineExecutionId": execution}
        )["actionExecutionDetails"]
        return found[::-1]

    def failure(self, execution: str) -> str:
        """Wait until an execution has failed; what its failed action says."""
        self.until(execution, "Failed")
        failed = [run for run in self.runs(execution) if run["status"] == "Failed"]
        return str(failed[-1]["output"]["executionResult"]["errorDetails"]["message"])

    def workload(self, account: str = DEV) -> dict[str, Any]:
        """The stack that the pipeline deploys."""
        found: dict[str, Any] = self.cloud.client("cloudformation", account).describe_stacks(StackName=self.stack)[
            "Stacks"
        ][0]
        return found

    def grant(self, account: str, role: str, *statements: dict[str, Any]) -> None:
        """Give a role more."""
        self.cloud.client("iam", account).put_role_policy(
            RoleName=role.rpartition("/")[2],
            PolicyName=unique("more"),
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}),
        )

    def have(self, *names: str) -> None:
        """Leave the pipeline's role these of its rights."""
        self.cloud.client("iam", HUB).put_role_policy(
            RoleName=self.role.rpartition("/")[2],
            PolicyName="inline",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [self.rights[name] for name in names]}),
        )
