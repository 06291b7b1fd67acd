"""The CodePipeline of a workload: its names, and the template that makes it.

Every stage has three actions: Plan makes the change set, Approve stops, Execute executes that change set. There is an
approval in a stage that asks nobody as well: our own role answers it, so that the pipeline never runs ahead of what
the state machine has yet to verify. All that may happen early is the change set of the next stage.

Sources: "CodePipeline pipeline structure reference", "Amazon S3 source action reference" and "AWS CloudFormation
deploy action reference" of the AWS CodePipeline User Guide; "SourceRevisionOverride" of its API Reference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.core.installation import Installation
from orchestrator.core.plans import ArtifactStore
from orchestrator.core.stage_roles import PATH, PIPELINE, PIPELINE_ACTION, SERVICE

NAME_PREFIX = "mlops-deploy-"
"""Of pipelines and of the stacks that make them: never that of a workload's own stack."""

SOURCE_STAGE, SOURCE, PACKAGE = "Source", "Package", "Package"
"""First stage, its action, and the artifact that this hands on: the package, byte for byte."""
PLAN, APPROVE, EXECUTE = "Plan", "Approve", "Execute"
ONLY_STAGE = "DeployPipeline"
"""Name of the one stage of a release that is deployed in one account only."""

CHANGE_SET = "mlops-release"
"""Name of the change set, whatever the release: Plan replaces the former one of that name."""

NO_PACKAGE = "packages/only-mlops-orchestrator-starts-this-pipeline.zip"
"""The key that the source has by itself, where nothing lies: what CodePipeline shows then says why.

An execution that does not say which package it deploys (the one that CodePipeline starts when a pipeline is made, or
"Release change" in its console) ends in its source."""

APPROVAL_MINUTES = 86_400
"""60 days, the longest time-out of an approval ("Quotas in AWS CodePipeline")."""

MAX_COMMENT = 512
"""Characters of ``ApprovalResult.summary``."""
MAX_REASON = 200
"""Characters of StopPipelineExecution's reason."""


def pipeline_name(workload: str) -> str:
    """Name of a workload's pipeline, and of the stack that makes it: at most 76 of CodePipeline's 100 characters."""
    return f"{NAME_PREFIX}{workload}"


def workload_of(pipeline: str) -> str:
    """The inverse of ``pipeline_name``; empty for any other pipeline."""
    return pipeline.removeprefix(NAME_PREFIX) if pipeline.startswith(NAME_PREFIX) else ""


def stage_name(stages: Sequence[str], stage: str) -> str:
    """What the pipeline calls a stage, of all that the release goes through."""
    if len(stages) == 1:
        return ONLY_STAGE
    return "Deploy" + "".join(word.capitalize() for word in stage.split("-"))


def shortened(text: str, most: int) -> str:
    """One line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def template(
    installation: Installation,
    *,
    workload: str,
    stack_name: str,
    stages: Sequence[str],
    capabilities: Sequence[str],
    packages_bucket: str,
    artifacts: ArtifactStore,
    tags: Mapping[str, str],
) -> str:
    """The CloudFormation template (JSON) that makes a workload's pipeline: the same for every release of its like."""
    own = f"arn:{installation.partition}:iam::{installation.account}:role{PATH}{PIPELINE}"
    properties = {
        "Name": pipeline_name(workload),
        "RoleArn": own,
        "PipelineType": "V2",
        # In PARALLEL mode GetPipelineState shows no token of an approval; in SUPERSEDED mode an execution that
        # somebody starts by hand would overtake a release between two stages.
        "ExecutionMode": "QUEUED",
        "RestartExecutionOnUpdate": False,
        "ArtifactStore": {
            "Type": "S3",
            "Location": artifacts.bucket,
            "EncryptionKey": {"Id": artifacts.key_arn, "Type": "KMS"},
        },
        "Stages": [
            {"Name": SOURCE_STAGE, "Actions": [_source(packages_bucket)]},
            *(
                {
                    "Name": stage_name(stages, stage),
                    "Actions": _actions(installation, stage, stack_name, capabilities),
                }
                for stage in stages
            ),
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())],
    }
    document = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The pipeline that deploys {workload}",
        "Resources": {"Pipeline": {"Type": "AWS::CodePipeline::Pipeline", "Properties": properties}},
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _action(name: str, category: str, provider: str, configuration: Mapping[str, str], **more: Any) -> dict[str, Any]:
    kind = {"Category": category, "Owner": "AWS", "Provider": provider, "Version": "1"}
    return {"Name": name, "ActionTypeId": kind, "Configuration": dict(configuration), **more}


def _source(bucket: str) -> dict[str, Any]:
    configuration = {
        "S3Bucket": bucket,
        "S3ObjectKey": NO_PACKAGE,
        "AllowOverrideForS3ObjectKey": "true",
        "PollForSourceChanges": "false",
    }
    return _action(SOURCE, "Source", "S3", configuration, OutputArtifacts=[{"Name": PACKAGE}])


def _actions(
    installation: Installation, stage: str, stack_name: str, capabilities: Sequence[str]
) -> list[dict[str, Any]]:
    of_both = {"StackName": stack_name, "ChangeSetName": CHANGE_SET, "RoleArn": installation.role_arn(stage, SERVICE)}
    role = installation.role_arn(stage, PIPELINE_ACTION)
    plan = {
        **of_both,
        "ActionMode": "CHANGE_SET_REPLACE",
        "TemplatePath": f"{PACKAGE}::template.yaml",
        "TemplateConfiguration": f"{PACKAGE}::parameters/{stage}.json",
        **({"Capabilities": ",".join(capabilities)} if capabilities else {}),
    }
    asked = {"CustomData": "Answered by MLOps Orchestrator: decide in Slack, by its API or by the mlops command."}
    return [
        _action(PLAN, "Deploy", "CloudFormation", plan, RunOrder=1, RoleArn=role, InputArtifacts=[{"Name": PACKAGE}]),
        _action(APPROVE, "Approval", "Manual", asked, RunOrder=2, TimeoutInMinutes=APPROVAL_MINUTES),
        _action(
            EXECUTE,
            "Deploy",
            "CloudFormation",
            {**of_both, "ActionMode": "CHANGE_SET_EXECUTE"},
            RunOrder=3,
            RoleArn=role,
        ),
    ]
