"""What happened, from the services' own records: the execution's history, the stacks, the e-mails sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from local.follow import Ended
from local.installation import Running
from local.settings import ORCHESTRATOR, REGION
from orchestrator.core.steps.progress import read_stamp

Say = Callable[[str], None]


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
    """Event, states, each stage's endpoint when its verification began, e-mails: with seconds since the event."""
    states = entered_states(running, ended.execution_arn)
    mails = [mail for mail in running.cloud.mail() if ended.release_id in mail["message"]]
    began = read_stamp(ended.created_at)
    happened = [(began, f"Event: {ended.source}"), *states]
    happened += [(read_stamp(mail["time"]), f"E-mail to {mail['address']}: {mail['subject']}") for mail in mails]
    say("")
    say(f"Time line of {ended.release_id} ({len(states)} state transitions)")
    for at, what in sorted(happened, key=lambda one: one[0]):
        say(f"  {max((at - began).total_seconds(), 0):7.1f} s  {what}{_endpoint(ended, what)}")
    say("")
    for stage in ended.stages:
        say(f"  {stage.name:8} account {running.stages.get(stage.name, '')}  {stage.status}")
    for mail in mails:
        say("")
        say(f"E-mail: {mail['subject']}")
        for line in mail["message"].splitlines():
            say(f"  | {line}")
    say("")


def print_pipeline(running: Running, name: str, say: Say) -> None:
    """The workload's pipeline as CodePipeline's GetPipelineState shows it: each stage and its actions."""
    state = running.cloud.client("codepipeline", ORCHESTRATOR, region=REGION).get_pipeline_state(name=name)
    say(f"CodePipeline {name}")
    for stage in state["stageStates"]:
        actions = [f"{one['actionName']} {_status(one)}" for one in stage["actionStates"]]
        say(f"  {stage['stageName']:15} {_status(stage):11} {' · '.join(actions)}")
    say("")


def _status(shown: dict[str, Any]) -> str:
    return str(shown.get("latestExecution", {}).get("status", "–"))


def _endpoint(ended: Ended, state: str) -> str:
    """What a verifying state looked at, to be shown beside it."""
    if not state.startswith("Verify"):
        return ""
    name = state.removeprefix("Verify").lower()
    found = [stage for stage in ended.stages if stage.name == (name or ended.stages[-1].name)]
    return f"  endpoint {found[0].outputs.get('EndpointName', '-')}" if found else ""
