"""Looks at the installation for ``mlops doctor``: the Slack secret, the app, the approvers, the stages, the e-mails.

It is called by the API, and answers findings. The secret is read here and used here; nothing of it is answered or
logged. It may change nothing.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from functions.examine.env import Env
from functions.examine.request_url import RequestUrl
from orchestrator.aws.clients import client
from orchestrator.aws.environment import endpoint_url, load
from orchestrator.aws.handling import step
from orchestrator.aws.secrets import secret_text
from orchestrator.aws.subscriptions import TopicSubscriptions
from orchestrator.aws.world import World
from orchestrator.core.examination.examine import Practice, examine
from orchestrator.core.examination.findings import Check, State
from orchestrator.core.examination.ports import Workspace

SECONDS = 20
"""Of an examination; the API waits a little longer, and API Gateway 29 seconds."""

CALL_SECONDS = 8
"""Of a call of AWS, which is sent once."""

WORKERS = 12


@step("examine", shows=("faults", "warnings"))
def handler(event: dict[str, Any]) -> dict[str, Any]:
    """Findings, and how many are faults and warnings."""
    from aws_lambda_powertools import Logger

    logger = Logger(service="examine")
    deadline = time.monotonic() + SECONDS
    env = load(Env)
    world = World("", env.settings_parameter, session_name="mlops-doctor")
    installation = world.installation

    def secret() -> str:
        secrets = client("secretsmanager", only_attempt_seconds=CALL_SECONDS)
        return secret_text(secrets, env.slack_secret_arn)

    def workspace(token: str) -> Workspace:
        from functions.examine.slack_workspace import SlackWorkspace

        return SlackWorkspace(token, installation.slack_api_url)

    def failed(check: Check, error: Exception) -> None:
        logger.error("a check failed", extra={"check": check.value, "error": type(error).__name__})

    pool = ThreadPoolExecutor(WORKERS)
    try:
        findings = examine(
            installation,
            Practice(
                secret=secret,
                workspace=workspace,
                front=RequestUrl(env.slack_request_url, endpoint_url("execute-api")),
                stages=world.accounts,
                subscriptions=TopicSubscriptions(client("sns"), env.topic_arn),
                pool=pool,
                seconds_left=lambda: deadline - time.monotonic(),
                failed=failed,
            ),
        )
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    states = [finding.state for finding in findings]
    return {
        "findings": [asdict(finding) for finding in findings],
        "faults": states.count(State.FAULT),
        "warnings": states.count(State.WARNING),
    }
