"""What the stack tells the worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Env:
    """See ``orchestrator.aws.environment``. A machine that the installation lacks is empty."""

    table_name: str
    settings_parameter: str
    slack_secret_arn: str
    assets_bucket: str
    packages_bucket: str
    multi_machine_arn: str
    single_machine_arn: str
