"""Target of the table's DynamoDB stream (NEW_IMAGE, ReportBatchItemFailures)."""

from __future__ import annotations

import time
import uuid
from typing import Any

from functions.notify.batch import notify_batch
from functions.notify.env import Env
from functions.notify.slack_chat import SlackChat
from orchestrator.aws.clients import client
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.mail import SnsMail
from orchestrator.aws.secrets import slack_secret
from orchestrator.aws.world import World
from orchestrator.core.errors import StepFailed
from orchestrator.core.installation import Installation
from orchestrator.core.steps.notify_release import Notified, notify_release
from orchestrator.core.steps.replaced import replaced_by


@step("notify")
def handler(event: dict[str, Any]) -> dict[str, Any]:
    """Keep each touched release's message current; what could not be said is delivered again."""
    from aws_lambda_powertools import Logger

    logger = Logger(service="notify")
    env = load(Env)
    world = World(env.table_name, env.settings_parameter)
    installation = world.installation
    chat = _chat(env, installation)
    mail = SnsMail(client("sns"), env.topic_arn)

    def notify(release_id: str) -> Notified:
        done = tell(release_id)
        for other in replaced_by(release_id, world.store):
            tell(other)
        return done

    def tell(release_id: str) -> Notified:
        done = notify_release(
            release_id,
            store=world.store,
            chat=chat,
            mail=mail,
            installation=installation,
            now=world.now,
            pause=time.sleep,
            holder=uuid.uuid4().hex,
        )
        logger.info("told", extra={"release_id": release_id, "said": done.said, "refusal": done.refusal})
        return done

    def failed(release_id: str, error: Exception) -> None:
        logger.warning("not told", extra={"release_id": release_id, "error": type(error).__name__, "why": str(error)})

    return notify_batch(event.get("Records", []), notify, failed)


def _chat(env: Env, installation: Installation) -> SlackChat | None:
    """Slack, or None where it is not set up, or its secret is out of reach: e-mail must go all the same."""
    try:
        secret = slack_secret(client("secretsmanager"), env.slack_secret_arn)
    except StepFailed:
        return None
    return SlackChat(secret.bot_token, installation.slack_api_url) if secret.configured else None
