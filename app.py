"""The CDK app: one stack for the orchestrator, one for each place that workloads are deployed to."""

from __future__ import annotations

import sys
from pathlib import Path

from aws_cdk import App

from orchestrator.core.problems import BadConfiguration
from stacks.assembly import make_stacks
from stacks.settings import load

app = App(analytics_reporting=False)
try:
    settings = load(app.node.try_get_context("settings"), Path.cwd())
    make_stacks(app, settings)
except BadConfiguration as error:
    sys.exit(f"The settings have mistakes; nothing was synthesised.\n{error}")
app.synth()
