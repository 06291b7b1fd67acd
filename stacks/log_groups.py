"""Log groups with the retention of the settings."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.settings import Settings


def log_group(scope: Construct, name: str, settings: Settings, *, id: str = "Log") -> logs.LogGroup:
    """A log group; it goes with the stack, since what must be kept is in the table."""
    group = logs.LogGroup(scope, id, log_group_name=name, removal_policy=RemovalPolicy.DESTROY)
    cfn = group.node.default_child
    assert isinstance(cfn, logs.CfnLogGroup)  # noqa: S101 - for the type checker
    cfn.retention_in_days = settings.log_retention_days
    return group
