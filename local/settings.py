"""The settings of the local installation: the accounts and people of the embedded cloud and the local Slack page."""

from __future__ import annotations

import sys
from typing import Any, Literal

Mode = Literal["single", "multi"]

REGION = "us-east-1"
ORCHESTRATOR = "111111111111"
DEV = "222222222222"
STAGING = "333333333333"
PROD = "444444444444"

LATEST_RUNTIME = 14
"""Minor version of the latest Python that Lambda has."""

PEOPLE_ROLE = "mlops-local-people"
"""Role whose sessions are the people of the local installation."""

REPOSITORY = "ml-models"
"""A CodeCommit repository whose commits start releases."""
CONNECTED = "github-models"
"""What the installation calls a repository behind a connection."""
CONNECTED_REPOSITORY = "example/ml-models"
CONNECTION_ARN = f"arn:aws:codeconnections:{REGION}:{ORCHESTRATOR}:connection/0a1b2c3d-0000-1111-2222-333344445555"
BRANCH = "main"

USER_GROUP = "S0OWNERS"
"""Of the local Slack page: Ben and Dev are in it, until somebody changes it there."""

CHANNEL = "ml-releases"
TEAM_MAIL = "ml-team@example.com"


def session(person: str) -> str:
    """ARN of a person's session of the role that stands for an organisation's own (see ``local.people``)."""
    return f"arn:aws:sts::{ORCHESTRATOR}:assumed-role/{PEOPLE_ROLE}/{person}"


def stage_accounts(mode: Mode) -> dict[str, str]:
    """Stage → account number."""
    if mode == "single":
        return {"prod": ORCHESTRATOR}
    return {"dev": DEV, "staging": STAGING, "prod": PROD}


def settings(mode: Mode, slack_api_url: str, slack_channel: str) -> dict[str, Any]:
    """A settings file for ``cdk deploy -c settings=FILE``, as an organisation would write its own.

    An upload to S3 does not say for certain who made it, so each stage needs one approval more than is asked for here.
    """
    approvals: dict[str, Any] = {
        "staging": {"any_of": [{"ml-owner": 1}]},
        "prod": {"any_of": [{"risk": 1}]},
    }
    return {
        "mode": mode,
        "region": REGION,
        "orchestrator_account": ORCHESTRATOR,
        "stages": [{"name": name, "account": account} for name, account in stage_accounts(mode).items()],
        "external_id": "mlops-orchestrator-local",
        "people": [
            {
                "email": "ana@example.com",
                "name": "Ana Silva",
                "slack_ids": ["U0ANA"],
                "iam_principals": [session("ana")],
                "git_emails": ["ana@example.com"],
            },
            {
                "email": "ben@example.com",
                "name": "Ben Okafor",
                "slack_ids": ["U0BEN"],
                "iam_principals": [session("ben")],
            },
            {
                "email": "chloe@example.com",
                "name": "Chloé Martin",
                "slack_ids": ["U0CHLOE"],
                "iam_principals": [session("chloe")],
            },
            {
                "email": "dev@example.com",
                "name": "Dev Patel",
                "slack_ids": ["U0DEV"],
                "iam_principals": [session("dev")],
            },
        ],
        "roles": {
            "ml-owner": ["ben@example.com", "chloe@example.com", "dev@example.com"],
            "risk": ["ben@example.com", "chloe@example.com"],
            "on-duty": [USER_GROUP],
        },
        "approvals": {stage: policy for stage, policy in approvals.items() if stage in stage_accounts(mode)},
        "repositories": [
            {"name": REPOSITORY, "branch": BRANCH},
            {
                "name": CONNECTED,
                "branch": BRANCH,
                "provider": "connection",
                "connection_arn": CONNECTION_ARN,
                "repository": CONNECTED_REPOSITORY,
            },
        ],
        "notification_email": TEAM_MAIL,
        "slack_channel": slack_channel,
        "slack_api_url": slack_api_url,
        # The local page counts nobody's calls, and a release takes seconds here, not minutes.
        "slack_pace": 100,
        # The embedded cloud runs functions on this interpreter: of the same version, they come compiled.
        "runtime": f"python3.{min(sys.version_info.minor, LATEST_RUNTIME)}",
    }
