"""Target of the FIFO queue: each queued request goes through the Bolt app as if Slack had sent it just now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slack_bolt import App, BoltRequest

from orchestrator.aws.clients import client
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.secrets import slack_secret
from orchestrator.aws.world import World
from slack_app.app import build_app, logger
from slack_app.desk import Desk
from slack_app.env import Env
from slack_app.front.replay import FORM, body_of


@step("slack_worker")
def handler(event: dict[str, Any]) -> dict[str, Any]:
    """Work on a batch; what failed is delivered again (ReportBatchItemFailures)."""
    env = load(Env)
    secret = slack_secret(client("secretsmanager"), env.slack_secret_arn)
    return replay_batch(event.get("Records", []), build_app(desk_of(env), secret.bot_token))


def desk_of(env: Env) -> Desk:
    """The listeners' collaborators in an installation."""
    return Desk(World(env.table_name, env.settings_parameter).reception(env))


def replay_batch(records: Sequence[Mapping[str, Any]], app: App) -> dict[str, Any]:
    """Replay a batch in order.

    Once a request of a group has failed, the later ones of that group fail with it, so that the queue keeps their
    order; other groups are other approvals and go on.
    """
    stopped: set[str] = set()
    failures: list[str] = []
    for record in records:
        group = str(record.get("attributes", {}).get("MessageGroupId", record["messageId"]))
        if group in stopped or not replay(str(record["body"]), app):
            stopped.add(group)
            failures.append(str(record["messageId"]))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failures]}


def replay(message: str, app: App) -> bool:
    """Whether a queued request is done with; one that no listener takes never will be, and counts as done."""
    try:
        request = BoltRequest(body=body_of(message), headers={"content-type": [FORM]})
    except ValueError:
        logger.error("a message that the front did not write was dropped")
        return True
    try:
        return app.dispatch(request).status < 500
    except Exception as error:  # one request must not take its batch along
        logger.error("a request failed: %s", type(error).__name__)
        return False
