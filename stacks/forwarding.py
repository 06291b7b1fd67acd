"""Rules of a stage's account that forward status events of workloads to the orchestrator's bus."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from orchestrator.core.events import (
    AUTOML_ENDS,
    AUTOML_STATUS_CHANGE,
    BUILD_ENDS,
    BUILD_STATUS_CHANGE,
    CLOUDFORMATION_SOURCE,
    CODEBUILD_SOURCE,
    MANAGED_STACK_PREFIX,
    PIPELINE_ENDS,
    PIPELINE_STATUS_CHANGE,
    SAGEMAKER_SOURCE,
    STACK_STATUS_CHANGE,
)
from orchestrator.core.installation import StageSettings
from stacks import names
from stacks.names import Names
from stacks.settings import Settings

RULES = {
    "StackSettled": "mlops-stack-settled",
    "PipelineEnded": "mlops-pipeline-ended",
    "AutomlJobEnded": "mlops-automl-job-ended",
    "BuildEnded": "mlops-build-ended",
}
"""Construct id → name of the rule."""


class Forwarding(Construct):
    """The rules, with one role."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, stage: StageSettings) -> None:
        super().__init__(scope, id)
        fixed = Names(settings)
        prefix = f"arn:{fixed.partition}:events:{fixed.region}:{stage.account}:rule"
        role = iam.Role(
            self,
            "Role",
            role_name=names.FORWARD,
            path=names.PATH,
            description="EventBridge forwards status events of workloads as this role",
            assumed_by=iam.ServicePrincipal(
                "events.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stage.account},
                    "ArnLike": {"aws:SourceArn": [f"{prefix}/{name}" for name in RULES.values()]},
                },
            ),
        )
        role.add_to_policy(iam.PolicyStatement(actions=["events:PutEvents"], resources=[fixed.event_bus_arn]))
        patterns = {
            "StackSettled": stack_settled(fixed, stage.account),
            "PipelineEnded": pipeline_ended(fixed, stage.account),
            "AutomlJobEnded": automl_job_ended(),
            "BuildEnded": build_ended(),
        }
        for rule, pattern in patterns.items():
            events.CfnRule(
                self,
                rule,
                name=RULES[rule],
                description="Forwards to the orchestrator",
                event_pattern=pattern,
                state="ENABLED",
                targets=[
                    events.CfnRule.TargetProperty(id="Orchestrator", arn=fixed.event_bus_arn, role_arn=role.role_arn)
                ],
            )


def stack_settled(fixed: Names, account: str) -> dict[str, Any]:
    """A stack of a workload has come to rest, well or badly."""
    stacks = f"arn:{fixed.partition}:cloudformation:{fixed.region}:{account}:stack/{MANAGED_STACK_PREFIX}"
    return {
        "source": [CLOUDFORMATION_SOURCE],
        "detail-type": [STACK_STATUS_CHANGE],
        "detail": {
            "stack-id": [{"prefix": stacks}],
            "status-details": {"status": [{"suffix": "_COMPLETE"}, {"suffix": "_FAILED"}]},
        },
    }


def pipeline_ended(fixed: Names, account: str) -> dict[str, Any]:
    """An execution of a workload's pipeline has ended."""
    pipelines = f"arn:{fixed.partition}:sagemaker:{fixed.region}:{account}:pipeline/{MANAGED_STACK_PREFIX}"
    return {
        "source": [SAGEMAKER_SOURCE],
        "detail-type": [PIPELINE_STATUS_CHANGE],
        "detail": {
            "pipelineArn": [{"prefix": pipelines}],
            "currentPipelineExecutionStatus": list(PIPELINE_ENDS),
        },
    }


def automl_job_ended() -> dict[str, Any]:
    """An AutoML job has ended; its name is a workload's own, so whose it was the orchestrator finds out."""
    return {
        "source": [SAGEMAKER_SOURCE],
        "detail-type": [AUTOML_STATUS_CHANGE],
        "detail": {"AutoMLJobStatus": list(AUTOML_ENDS)},
    }


def build_ended() -> dict[str, Any]:
    """A build of a workload's project has ended."""
    return {
        "source": [CODEBUILD_SOURCE],
        "detail-type": [BUILD_STATUS_CHANGE],
        "detail": {
            "project-name": [{"prefix": MANAGED_STACK_PREFIX}],
            "build-status": list(BUILD_ENDS),
        },
    }
