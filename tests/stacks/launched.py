"""Installations that use the launch options: what they are set to, and what their stacks give out."""

from __future__ import annotations

import json
from typing import Any

from stacks.assembly import STACK_SETS
from stacks.settings import Settings, load
from tests.stacks.templates import ROOT, Synthesised, of_type, settings_of

BUCKET = "example-corp-ml-assets"
KEY = "arn:aws:kms:us-east-1:111111111111:key/1a2b3c4d-0000-1111-2222-333344445555"
STATEMENTS = "PolicyStatements"


def organization_settings() -> Settings:
    """The example file: its own bucket and repository, a new group, stack sets by a delegated administrator."""
    return load(str(ROOT / "examples" / "settings" / "multi-organization.json"), ROOT)


def made_settings() -> Settings:
    """Made for the organisation what can be made; its own key; the management account rolls out prod alone."""
    return settings_of(
        "multi",
        existing_assets_bucket=BUCKET,
        existing_assets_bucket_key=KEY,
        ecr_repository={"name": "team/ml-images"},
        model_registry=True,
        stack_sets={"administration": "management", "account": "555555555555", "auto_deployment": True},
        stages=[
            {"name": "dev", "account": "222222222222"},
            {"name": "staging", "account": "333333333333"},
            {"name": "prod", "account": "444444444444", "organizational_units": ["ou-a1b2-prod0001", "r-a1b2"]},
        ],
    )


def alone_settings() -> Settings:
    """Everything in one account."""
    return settings_of(
        "single",
        existing_assets_bucket=BUCKET,
        ecr_repository={"name": "ml-images", "existing": True},
        model_registry=True,
        model_package_group="fraud-models",
        evaluation_buckets=["ml-evaluations"],
        detailed_error_messages=False,
    )


CHOSEN = {"organization": organization_settings, "made": made_settings, "alone": alone_settings}
"""Name of a fixture → its settings."""


def given_out(found: Synthesised) -> dict[str, list[dict[str, Any]]]:
    """Outputs with policy statements, parsed."""
    outputs = found.orchestrator["Outputs"]
    return {name: json.loads(output["Value"]) for name, output in outputs.items() if name.endswith(STATEMENTS)}


def bodies(found: Synthesised) -> dict[str, str]:
    """Name of each stack set → the template in it."""
    sets = of_type(found.templates[STACK_SETS], "AWS::CloudFormation::StackSet").values()
    return {properties["StackSetName"]: properties["TemplateBody"] for properties in sets}
