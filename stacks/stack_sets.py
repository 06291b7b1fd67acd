"""Stage stacks rolled out by CloudFormation in the organisation: one service-managed stack set for each stage.

The stack stands in the management account or in a delegated administrator's, and nobody needs credentials for the
stages' accounts. A stack set targets organizational units; the filter limits it to the one account that the settings
name, since a unit may hold others. The stage's template goes into the stack set itself: a stage has no assets, so its
account needs no bucket.
"""

from __future__ import annotations

import json
import tempfile

from aws_cdk import App, CfnStackSet, Environment, RemovalPolicy, Stack
from constructs import Construct

from orchestrator.core.installation import StageSettings
from stacks.settings import Settings
from stacks.settings_options import StackSets
from stacks.stage_stack import StageStack

MAX_TEMPLATE = 51_200
"""Bytes of a ``TemplateBody`` (AWS::CloudFormation::StackSet)."""


class StackSetsStack(Stack):
    """See the module."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, stack_sets: StackSets) -> None:
        region = settings.installation.region
        super().__init__(
            scope,
            id,
            description="MLOps Orchestrator: rolls the stacks of the stages out in the organisation",
            env=Environment(account=stack_sets.account, region=region),
            termination_protection=True,
        )
        for stage in settings.installation.stages:
            units = stack_sets.units.get(stage.name)
            if units is None:
                continue
            stack_set = CfnStackSet(
                self,
                f"Stage{stage.name.title().replace('-', '')}",
                stack_set_name=f"MlopsStage-{stage.name}",
                description=f"What the orchestrator may do in {stage.name}",
                permission_model="SERVICE_MANAGED",
                call_as="DELEGATED_ADMIN" if stack_sets.delegated else "SELF",
                # The roles of a stage have fixed names, which the orchestrator's policies hold.
                capabilities=["CAPABILITY_NAMED_IAM"],
                auto_deployment=CfnStackSet.AutoDeploymentProperty(
                    enabled=stack_sets.auto_deployment,
                    # An account that leaves the unit keeps its roles until somebody decides otherwise: workloads run.
                    retain_stacks_on_account_removal=True if stack_sets.auto_deployment else None,
                ),
                managed_execution={"Active": True},
                operation_preferences=CfnStackSet.OperationPreferencesProperty(
                    failure_tolerance_count=0, max_concurrent_count=1
                ),
                stack_instances_group=[
                    CfnStackSet.StackInstancesProperty(
                        deployment_targets=CfnStackSet.DeploymentTargetsProperty(
                            organizational_unit_ids=list(units),
                            accounts=[stage.account],
                            account_filter_type="INTERSECTION",
                        ),
                        regions=[region],
                    )
                ],
                template_body=stage_template(self, settings, stage),
            )
            # Deleted with this stack, it would take the stages' roles along, under what is deployed there.
            stack_set.apply_removal_policy(RemovalPolicy.RETAIN)


def stage_template(scope: Construct, settings: Settings, stage: StageSettings) -> str:
    """The template that ``cdk deploy MlopsStage-<stage>`` would deploy, without white space.

    Synthesised in an app of its own, so that the command line never offers it as a stack beside the stack set.
    """
    with tempfile.TemporaryDirectory() as folder:
        app = App(context=scope.node.get_all_context(), analytics_reporting=False, outdir=folder)
        StageStack(app, f"MlopsStage-{stage.name}", settings=settings, stage=stage)
        template = app.synth().get_stack_by_name(f"MlopsStage-{stage.name}").template
    body = json.dumps(template, separators=(",", ":"), ensure_ascii=False)
    size = len(body.encode())
    if size > MAX_TEMPLATE:
        raise ValueError(f"the template of {stage.name} has {size:,} bytes; a stack set takes {MAX_TEMPLATE:,}")
    return body
