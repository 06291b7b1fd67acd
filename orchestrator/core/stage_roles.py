"""The roles that every place of deployment has, and which functions assume each.

Feeds the roles' trust and the functions' own grants (``stacks``), and what ``mlops doctor`` compares them with.
"""

from __future__ import annotations

PATH = "/mlops/"
"""IAM path of every role of the product's own."""
FUNCTIONS_PATH = "/mlops/functions/"
"""IAM path of the functions' roles, in the orchestrator's account."""

DEPLOY = "mlops-deploy"
OBSERVE = "mlops-observe"
RUN_JOB = "mlops-run-job"
SERVICE = "mlops-cloudformation"
"""CloudFormation's own, handed to it with each stack."""
PIPELINE_ACTION = "mlops-pipeline-action"
"""Of a workload's pipeline, in each stage's account: makes and executes the change sets."""
PIPELINE = "mlops-pipeline"
"""Of the pipelines themselves, in the orchestrator's account."""
PIPELINE_STACKS = "mlops-pipeline-stacks"
"""CloudFormation's own for the stacks that make the pipelines, in the orchestrator's account."""

ASSUMED_BY: dict[str, tuple[str, ...]] = {
    DEPLOY: ("plan_stage", "deploy_stage", "record_outcome"),
    OBSERVE: ("deploy_stage", "verify_stage", "resume_deployment", "sweep_waits", "examine"),
    RUN_JOB: ("run_job", "resume_deployment", "sweep_waits"),
}
"""Stage role → the functions (by folder) that assume it."""


PIPELINE_ANSWERERS = ("plan_stage", "deploy_stage", "record_outcome")
"""Functions that answer approvals of workloads' pipelines: plan_stage rejects one whose change set is gone."""


def hyphened(function: str) -> str:
    """``plan_stage`` → ``plan-stage``."""
    return function.replace("_", "-")


def function_role_name(function: str) -> str:
    """Name of a function's role: never that of a stage role, which may stand in the same account."""
    return f"mlops-function-{hyphened(function)}"


def function_role_arn(partition: str, account: str, function: str) -> str:
    """ARN of a function's role in the orchestrator's account."""
    return f"arn:{partition}:iam::{account}:role{FUNCTIONS_PATH}{function_role_name(function)}"
