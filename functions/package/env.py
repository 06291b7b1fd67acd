"""What the stack tells this function."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Env:
    """See ``orchestrator.aws.environment``."""

    table_name: str
    settings_parameter: str
    assets_bucket: str
    packages_bucket: str
    packages_key_arn: str
    artifacts_bucket: str
    """Where pipelines hand packages on; empty, as its key, where no CodePipeline deploys."""
    artifacts_key_arn: str
