"""The CDK app: one stack for the orchestrator, one for each place that workloads are deployed to."""

from __future__ import annotations

import sys
from pathlib import Path

from aws_cdk import App

from orchestrator.core.problems import BadConfiguration
from stacks.names import places
from stacks.orchestrator_stack import OrchestratorStack
from stacks.settings import load
from stacks.stage_stack import StageStack

app = App(analytics_reporting=False)
try:
    settings = load(app.node.try_get_context("settings"), Path.cwd())
except BadConfiguration as error:
    sys.exit(f"The settings have mistakes; nothing was synthesised.\n{error}")
OrchestratorStack(app, "MlopsOrchestrator", settings=settings)
for stage in places(settings):
    StageStack(app, f"MlopsStage-{stage.name}", settings=settings, stage=stage)
app.synth()
