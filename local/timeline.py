"""What happened, from the services' own records: the execution's history, the stacks, the e-mails sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from local.follow import Ended
from local.installation import Running
from local.settings import ORCHESTRATOR, REGION

Say = Callable[[str], None]

LINES_OF_MAIL = 6


def entered_states(running: Running, execution_arn: str) -> list[tuple[datetime, str]]:
    """Every state the execution entered, with its time: one state transition each."""
    machines = running.cloud.client("stepfunctions", ORCHESTRATOR, region=REGION)
    pages = machines.get_paginator("get_execution_history").paginate(executionArn=execution_arn)
    events: list[dict[str, Any]] = [event for page in pages for event in page["events"]]
    return [
        (event["timestamp"], event["stateEnteredEventDetails"]["name"])
        for event in events
        if "stateEnteredEventDetails" in event
    ]


def print_timeline(running: Running, ended: Ended, say: Say) -> None:
    """State by state, with seconds since the first; then each stage's endpoint."""
    states = entered_states(running, ended.execution_arn)
    say("")
    say(f"Time line of {ended.release_id} ({len(states)} state transitions)")
    if states:
        first = states[0][0]
        for at, name in states:
            say(f"  {(at - first).total_seconds():7.1f} s  {name}")
    for stage in ended.stages:
        endpoint = stage.outputs.get("EndpointName", "-")
        account = running.stages.get(stage.name, "")
        say(f"  {stage.name:8} account {account}  {stage.status:10} endpoint {endpoint}")


def print_mail(running: Running, say: Say) -> None:
    """Every e-mail that SNS sent."""
    for mail in running.cloud.mail():
        say(f"E-mail to {mail['address']}: {mail['subject']}")
        for line in mail["message"].splitlines()[:LINES_OF_MAIL]:
            say(f"  | {line}")
    say("")
