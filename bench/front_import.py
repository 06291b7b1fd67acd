"""What a cold start of Slack's front costs beside a plain Bolt handler's: ``python -m bench.front_import [--runs N]``.

Slack gives up after three seconds, and a Lambda of 256 MB has a seventh of a processor, so what a handler imports
decides whether the first click of the morning is taken. Fresh interpreters without ``site`` import in turn: nothing,
the front, and what the examples of Bolt for AWS Lambda import (an ``App``, its Lambda adapter, and boto3's clients for
a queue and a secret, which the front calls as well). The processor time of a bare interpreter is taken off, and medians
are compared. Runs are interleaved, so that whatever else the machine does meets all of them; only the ratio means
anything on another machine.

Measured on two busy cores with Python 3.11: 128 modules to 581, processor time 1 to 5.8 (medians of 15 runs).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

BOLT = """
import boto3
from slack_bolt import App
from slack_bolt.adapter.aws_lambda import SlackRequestHandler
app = App(token="xoxb-1", signing_secret="x" * 32, token_verification_enabled=False, process_before_response=True)
handler = SlackRequestHandler(app)
queue = boto3.client("sqs", region_name="us-east-1")
secret = boto3.client("secretsmanager", region_name="us-east-1")
"""

IMPORTS = {"bare": "", "front": "import slack_app.front.handler", "bolt": BOLT}
"""What each interpreter does before it could take its first request."""

MEASURED = """
import sys, time
before = set(sys.modules)
began = time.process_time()
{imports}
print([time.process_time() - began, len(set(sys.modules) - before)])
"""


@dataclass
class Costs:
    """One of the candidates, run by run."""

    seconds: list[float] = field(default_factory=list)
    """Processor time of its imports."""
    modules: int = 0

    @property
    def median(self) -> float:
        """Milliseconds."""
        return statistics.median(self.seconds) * 1000


def measure(runs: int) -> dict[str, Costs]:
    """Import everything so often, in turn; the first time, which may compile, does not count."""
    found = {name: Costs() for name in IMPORTS}
    for number in range(runs + 1):
        for name, imports in IMPORTS.items():
            done = subprocess.run(  # noqa: S603 - this interpreter, our own text
                [sys.executable, "-S", "-c", MEASURED.format(imports=imports)],
                cwd=ROOT,
                env={"PYTHONPATH": sysconfig.get_paths()["purelib"]},
                capture_output=True,
                text=True,
                check=True,
            )
            seconds, modules = json.loads(done.stdout)
            found[name].modules = modules
            if number:
                found[name].seconds.append(seconds)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print medians and ratios."""
    parser = argparse.ArgumentParser(prog="python -m bench.front_import", description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args(arguments)
    found = measure(options.runs)
    bare = found["bare"].median
    print(f"{'':8}{'modules':>9}{'processor ms':>15}")
    for name in ("front", "bolt"):
        print(f"{name:8}{found[name].modules:>9}{found[name].median - bare:>15.1f}")
    ratio = (found["bolt"].median - bare) / (found["front"].median - bare)
    print(f"Bolt takes {ratio:.1f} times the front's, median of {options.runs} interleaved runs.")


if __name__ == "__main__":
    main()
