"""What one release costs: ``python -m bench.release [--mode multi|single] [--json]``.

Brings a local installation up, takes the example through it twice (a first release, then one with another instance
type), and prints for each: state transitions, AWS API calls by step, and how long the orchestrator itself takes between
an event and the next CloudFormation call. Times are the embedded cloud's on this machine: compare them within one run
(second release against first), not between machines.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from local import deciding
from local.follow import Ended, Follower
from local.installation import Running, down, up
from local.settings import REGION
from local.timeline import entered_states
from local.upload import Example, build_example, upload_example

CHANGED = {"inference_instance": "ml.m5.xlarge"}
CALLERS = ":assumed-role/"
"""Only calls of roles count: the product's functions, and the stage roles that they assume. CloudFormation's own calls
on behalf of a stack carry the service role and are left out."""

SERVICE_ROLE = "/mlops-cloudformation/"


@dataclass(frozen=True)
class Latency:
    """Seconds from something that happened to the CloudFormation call that follows from it."""

    after: str
    call: str
    seconds: float


@dataclass(frozen=True)
class Measured:
    """One release, measured."""

    release: str
    transitions: int
    calls: dict[str, dict[str, int]]
    """State → ``service:Action`` → number."""
    latencies: list[Latency]

    @property
    def total_calls(self) -> int:
        """All calls together."""
        return sum(sum(counted.values()) for counted in self.calls.values())


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 when both releases succeeded."""
    parser = argparse.ArgumentParser(prog="python -m bench.release", description=__doc__)
    parser.add_argument("--mode", choices=["multi", "single"], default="multi")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    options = parser.parse_args(arguments)

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        running = up(options.mode, home=home, say=say)
        try:
            example = build_example(Path(folder) / "example", options.mode)
            first = _measured(running, example, "first")
            values = {**example.values, **CHANGED}
            example.configuration.write_text(json.dumps(values))
            second = _measured(running, example, "changed instance type")
        finally:
            down(home=home, say=say)
    found = [first, second]
    print(json.dumps([asdict(one) for one in found], indent=2) if options.json else report(found))
    return 0


def _measured(running: Running, example: Example, name: str) -> Measured:
    follower = Follower(running, lambda text: None)
    known = frozenset(one["release_id"] for one in follower.releases())
    before = max((call["number"] for call in running.cloud.calls()), default=0)
    uploaded = datetime.now().timestamp()
    upload_example(running, example)
    release_id = follower.first_release(known)
    ended = follower.until_end(release_id, decide=lambda approval: deciding.approve(running.slack, approval))
    if ended.status != "succeeded":
        raise SystemExit(f"the release ended {ended.status}: {ended.reason}")
    calls = running.cloud.calls(before)
    states = entered_states(running, ended.execution_arn)
    return Measured(name, len(states), by_state(states, calls), latencies(running, ended, uploaded, calls))


def by_state(states: Sequence[tuple[datetime, str]], calls: Sequence[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Calls of the product's roles, counted in the state during which they were made."""
    marks = [(at.timestamp(), name) for at, name in states]
    counted: dict[str, Counter[str]] = {"(before)": Counter(), **{name: Counter() for _, name in marks}}
    for call in calls:
        if CALLERS not in call["principal"] or SERVICE_ROLE in call["principal"]:
            continue
        name = next((name for at, name in reversed(marks) if at <= call["time"]), "(before)")
        counted[name][f"{call['service']}:{call['action']}"] += 1
    return {name: dict(sorted(one.items())) for name, one in counted.items() if one}


def latencies(running: Running, ended: Ended, uploaded: float, calls: Sequence[dict[str, Any]]) -> list[Latency]:
    """From upload, from each decision and from each stack's end to the CloudFormation call that follows."""
    found = []
    happened = [("upload", "CreateChangeSet", uploaded)]
    happened += [("decision", "ExecuteChangeSet", at) for at in decided(calls)]
    happened += [(f"{stage} deployed", "CreateChangeSet", at) for stage, at in deployed(running, ended)[:-1]]
    for after, action, at in happened:
        following = [call["time"] for call in calls if call["action"] == action and call["time"] >= at]
        if following:
            found.append(Latency(after, action, round(min(following) - at, 3)))
    return found


def decided(calls: Sequence[dict[str, Any]]) -> list[float]:
    """When the worker of Slack's clicks answered the state machine."""
    return [
        call["time"] for call in calls if call["action"] == "SendTaskSuccess" and "slack-worker" in call["principal"]
    ]


def deployed(running: Running, ended: Ended) -> list[tuple[str, float]]:
    """Stage and time at which its stack had settled, by CloudFormation's own events."""
    found = []
    for stage in ended.stages:
        cloudformation = running.cloud.client("cloudformation", running.stages[stage.name], region=REGION)
        events = cloudformation.describe_stack_events(StackName=ended.stack_name)["StackEvents"]
        found.append((stage.name, events[0]["Timestamp"].timestamp()))
    return found


def report(found: Sequence[Measured]) -> str:
    """For people."""
    lines = []
    for one in found:
        lines.append(f"Release: {one.release}")
        lines.append(f"  {one.transitions} state transitions, {one.total_calls} AWS API calls by the product's roles")
        for state, counted in one.calls.items():
            told = ", ".join(f"{action} {count}" for action, count in counted.items())
            lines.append(f"    {state:24} {sum(counted.values()):3}  {told}")
        lines.append("  Seconds that the orchestrator adds")
        lines += [f"    {one_.after:20} → {one_.call:16} {one_.seconds:6.2f}" for one_ in one.latencies]
        lines.append("")
    first, second = found
    lines.append(f"second : first release, calls {second.total_calls / max(first.total_calls, 1):.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
