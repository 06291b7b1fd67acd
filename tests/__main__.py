"""``python -m tests [--all]``: every suite in a process of its own, with its time; what ``make test`` runs.

Suites that start servers come after the quick ones, so that a plain mistake is told within a minute. ``releases`` has
the tests that release through four accounts, ``others`` those of all other installations. The last line counts the
tests of all suites.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NO_TESTS = 5
"""pytest's exit status for a suite without tests."""


@dataclass(frozen=True)
class Suite:
    """Some tests that run together."""

    name: str
    paths: tuple[str, ...]
    options: tuple[str, ...] = ()
    marks: str = ""
    """pytest's ``-m``: which of them."""


@dataclass(frozen=True)
class Outcome:
    """What came of a suite."""

    suite: Suite
    status: int
    seconds: float
    passed: int
    failed: int
    skipped: int


SEPARATE = ("stacks", "cloud", "releases", "browser")
STEPS = (
    ((Suite("unit", (*(f"--ignore=tests/{name}" for name in SEPARATE), "tests"), ("-n", "3")),),),
    ((Suite("stacks", ("tests/stacks",), ("-n", "2")),),),
    ((Suite("cloud", ("tests/cloud",), ("-n", "3", "--dist", "loadfile")),),),
    (
        (Suite("releases", ("tests/releases",), marks="four_accounts"),),
        (Suite("others", ("tests/releases",), marks="not four_accounts"), Suite("browser", ("tests/browser",))),
    ),
)
"""One step after another; the lanes of a step side by side, each of suites that run one after another."""

SUITES = tuple(suite for step in STEPS for lane in step for suite in lane)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suites; 0 when no test failed."""
    parser = argparse.ArgumentParser(prog="python -m tests", description=__doc__)
    parser.add_argument("--all", action="store_true", help="the long tests too")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(suite.name for suite in SUITES)}")
    options = parser.parse_args(arguments)
    unknown = set(options.suites) - {suite.name for suite in SUITES}
    if unknown:
        parser.error(f"there is no suite {', '.join(sorted(unknown))}")
    outcomes = []
    for step in STEPS:
        lanes = [[one for one in lane if not options.suites or one.name in options.suites] for lane in step]
        lanes = [lane for lane in lanes if lane]
        with ThreadPoolExecutor(max_workers=len(lanes) or 1) as pool:
            running = [pool.submit(walk, lane, long=options.all, alone=len(lanes) == 1) for lane in lanes]
            outcomes += [outcome for future in running for outcome in future.result()]
    report(outcomes)
    return 1 if any(outcome.status not in {0, NO_TESTS} for outcome in outcomes) else 0


def walk(lane: Sequence[Suite], *, long: bool, alone: bool) -> list[Outcome]:
    """Run suites one after another."""
    return [run(suite, long=long, alone=alone) for suite in lane]


def run(suite: Suite, *, long: bool, alone: bool) -> Outcome:
    """Run one suite; where it is not alone, what it tells is shown at its end."""
    started = time.monotonic()
    title = f"\n== {suite.name} =="
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        command = [sys.executable, "-m", "pytest", "-q", *suite.options, f"--junitxml={results}", *suite.paths]
        wanted = " and ".join(filter(None, (suite.marks and f"({suite.marks})", "" if long else "not long")))
        command += ["-m", wanted] if wanted else []
        if alone:
            print(title, flush=True)
            status = subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - our own arguments
        else:
            told = subprocess.run(  # noqa: S603 - our own arguments
                command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            print(f"{title}\n{told.stdout.decode(errors='replace')}", flush=True)
            status = told.returncode
        passed, failed, skipped = counts(results)
    return Outcome(suite, status, time.monotonic() - started, passed, failed, skipped)


def counts(results: Path) -> tuple[int, int, int]:
    """Passed, failed and skipped tests of a JUnit file; a run that died before writing it counts as one failure."""
    if not results.is_file():
        return 0, 1, 0
    suites = ElementTree.parse(results).getroot().iter("testsuite")  # noqa: S314 - pytest has just written it
    total = failed = skipped = 0
    for found in suites:
        total += int(found.get("tests", "0"))
        failed += int(found.get("failures", "0")) + int(found.get("errors", "0"))
        skipped += int(found.get("skipped", "0"))
    return total - failed - skipped, failed, skipped


def report(outcomes: Sequence[Outcome]) -> None:
    """A line a suite, then the sum in a form that machines read."""
    print()
    for outcome in outcomes:
        told = f"{outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped"
        print(f"{outcome.suite.name:8} {outcome.seconds:6.0f} s  {told}")
    passed, failed, skipped = (sum(getattr(outcome, name) for outcome in outcomes) for name in COUNTED)
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)


COUNTED = ("passed", "failed", "skipped")

if __name__ == "__main__":
    sys.exit(main())
