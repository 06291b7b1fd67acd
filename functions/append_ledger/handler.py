"""Target of the table's stream (NEW_AND_OLD_IMAGES, ReportBatchItemFailures): the audit ledger's only writer."""

from __future__ import annotations

import time
from typing import Any

from functions.append_ledger.batch import append_batch
from functions.append_ledger.env import Env
from orchestrator.aws.environment import load
from orchestrator.aws.handling import step
from orchestrator.aws.world import World
from orchestrator.core.ledger.changes import Change
from orchestrator.core.steps.append_ledger import Noted, append_ledger, append_unreadable


@step("append_ledger")
def handler(event: dict[str, Any]) -> dict[str, Any]:
    """Append what each change tells; what could not be is delivered again.

    Each head is logged: an anchor that stands beside the table, for whoever doubts the table itself.
    """
    from aws_lambda_powertools import Logger

    logger = Logger(service="append_ledger")
    env = load(Env)
    world = World(env.table_name, env.settings_parameter)
    installation = world.installation

    def noted(change: Change, found: Noted) -> Noted:
        for head in found.heads:
            logger.info(
                "appended",
                extra={
                    "release_id": change.release_id,
                    "ledger": found.ledger,
                    "sequence": head.sequence,
                    "hash": head.hash,
                },
            )
        return found

    def append(change: Change) -> Noted:
        found = append_ledger(
            change,
            store=world.store,
            ledgers=world.ledgers,
            installation=installation,
            now=world.now,
            pause=time.sleep,
        )
        return noted(change, found)

    def unreadable(change: Change) -> Noted:
        return noted(
            change,
            append_unreadable(change, store=world.store, ledgers=world.ledgers, now=world.now, pause=time.sleep),
        )

    def failed(change: Change, error: Exception) -> None:
        about = {"release_id": change.release_id, "row": " ".join(change.key), "number": change.number}
        logger.error("not appended", extra=about | {"error": type(error).__name__, "why": str(error)})

    return append_batch(event.get("Records", []), append, unreadable, failed, world.now())
