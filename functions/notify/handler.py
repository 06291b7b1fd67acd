"""Target of the table's DynamoDB stream (NEW_IMAGE, ReportBatchItemFailures), and of a schedule, every minute.

The stream's records are noted in the outbox, which is all that can fail of them; then the outbox is emptied, as far as
Slack lets it be. The schedule does the second alone, for what Slack had no time for.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from functools import cache
from typing import Any

from functions.notify.batch import note_batch
from functions.notify.env import Env
from functions.notify.slack_chat import SlackChat
from orchestrator.aws.clients import client
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.mail import SnsMail
from orchestrator.aws.secrets import slack_secret
from orchestrator.aws.world import World
from orchestrator.core.errors import OrchestratorError, StepFailed
from orchestrator.core.steps.notify_release import Notified, notify_release
from orchestrator.core.steps.replaced import note_changed
from orchestrator.core.steps.send_unsaid import send_unsaid
from orchestrator.core.steps.sending import Sending

WOKEN_SECONDS = 10
"""How long a call of the stream sends at most: the stream's next records wait for it to be noted."""

SWEEP_SECONDS = 50
"""How long the schedule's call sends, which it is followed by after a minute."""

SECRET_SECONDS = 50
"""For how long Slack is not called when its secret cannot be read: until the schedule's next call."""


@step("notify")
def handler(event: dict[str, Any]) -> dict[str, Any]:
    """Note what has changed, and say what is unsaid; what could not be noted is delivered again."""
    from aws_lambda_powertools import Logger

    logger = Logger(service="notify")
    env = load(Env)
    world = World(env.table_name, env.settings_parameter)

    def failed(release_id: str, error: Exception) -> None:
        logger.warning("not told", extra={"release_id": release_id, "error": type(error).__name__, "why": str(error)})

    def note(release_id: str) -> None:
        note_changed(release_id, store=world.store, now=world.now)

    records = event.get("Records", [])
    noted = note_batch(records, note, failed)
    sending = Sending(
        store=world.store,
        now=world.now,
        pause=time.sleep,
        holder=uuid.uuid4().hex,
        pace=world.installation.slack_pace,
    )
    left = send_unsaid(
        _telling(env, world, sending, logger.info),
        sending=sending,
        store=world.store,
        now=world.now,
        failed=failed,
        seconds=WOKEN_SECONDS if "Records" in event else SWEEP_SECONDS,
    )
    if left is not None:
        # The stack makes metrics of these fields, see docs/operations.md.
        logger.info(
            "outbox",
            extra={"unsaid": left.unsaid, "oldest_unsaid_seconds": left.oldest_seconds, "refused": left.refused},
        )
    try:
        _wake_homes(records, world, env)
    except OrchestratorError as error:
        # A Home is drawn anew with the next change, or when it is opened: nothing is repeated for it.
        logger.warning("homes not woken", extra={"error": type(error).__name__, "why": str(error)})
    return noted


def _telling(env: Env, world: World, sending: Sending, log: Callable[..., None]) -> Callable[[str], Notified]:
    """``notify_release`` with its collaborators, made when there is something to say."""

    @cache
    def chat() -> SlackChat | None:
        return _chat(env, world.installation.slack_api_url, sending)

    def notify(release_id: str) -> Notified:
        done = notify_release(
            release_id,
            store=world.store,
            chat=chat(),
            mail=SnsMail(client("sns"), env.topic_arn),
            installation=world.installation,
            now=world.now,
            pause=time.sleep,
            holder=uuid.uuid4().hex,
            groups=chat(),
        )
        log("told", extra={"release_id": release_id, "said": done.said, "refusal": done.refusal})
        return done

    return notify


def _wake_homes(records: list[dict[str, Any]], world: World, env: Env) -> None:
    """After everything else: whoever waits for a message does not wait for these modules."""
    from functions.notify.homes import wake_homes
    from orchestrator.aws.fifo_queue import FifoQueue

    def send(*message: str) -> None:
        FifoQueue(client("sqs"), env.slack_queue_url).send(*message)

    wake_homes(records, world.store, send, world.now)


def _chat(env: Env, api_url: str, sending: Sending) -> SlackChat | None:
    """Slack, or None where it is not set up. Without its secret it is out of reach, and e-mail goes all the same."""
    try:
        secret = slack_secret(client("secretsmanager"), env.slack_secret_arn)
    except StepFailed:
        sending.put_off(SECRET_SECONDS)
        return SlackChat("", api_url, sending)
    return SlackChat(secret.bot_token, api_url, sending) if secret.configured else None
