"""What the stack tells this function."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Env:
    """See ``orchestrator.aws.environment``. A machine that the installation lacks is empty."""

    table_name: str
    settings_parameter: str
    assets_bucket: str
    packages_bucket: str
    multi_machine_arn: str
    single_machine_arn: str
    examine_function: str
    """Name of the function behind ``GET /doctor``."""
    slack_request_url: str
    slack_secret_arn: str
    """Readable where a role names a Slack user group, whose members vote by the API too."""
