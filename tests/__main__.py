"""``python -m tests [--all]``: every suite in a process of its own, with its time; what ``make test`` runs.

Suites that start servers come after the quick ones, so that a plain mistake is told within a minute. The last line
counts the tests of all suites.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
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
    parts: tuple[str, ...] = ("",)
    """Marks (pytest's ``-m``) of what runs side by side, each in a process of its own; together they are all of it."""


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
SUITES = (
    Suite("unit", (*(f"--ignore=tests/{name}" for name in SEPARATE), "tests"), ("-n", "2")),
    Suite("stacks", ("tests/stacks",), ("-n", "2")),
    Suite("cloud", ("tests/cloud",), ("-n", "2", "--dist", "loadfile")),
    Suite("releases", ("tests/releases",), parts=("four_accounts", "not four_accounts")),
    Suite("browser", ("tests/browser",)),
)


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
    for suite in SUITES:
        if not options.suites or suite.name in options.suites:
            print(f"\n== {suite.name} ==", flush=True)
            outcomes.append(run(suite, long=options.all))
    report(outcomes)
    return 1 if any(outcome.status not in {0, NO_TESTS} for outcome in outcomes) else 0


def run(suite: Suite, *, long: bool) -> Outcome:
    """Run one suite."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        parts = [
            _begun(suite, marks, Path(folder) / f"results-{number}.xml", long=long)
            for number, marks in enumerate(suite.parts)
        ]
        statuses = [_ended(process, told) for process, told, _ in parts]
        passed, failed, skipped = (
            sum(found) for found in zip(*(counts(results) for *_, results in parts), strict=True)
        )
    status = next((one for one in statuses if one not in {0, NO_TESTS}), min(statuses))
    return Outcome(suite, status, time.monotonic() - started, passed, failed, skipped)


def _begun(suite: Suite, marks: str, results: Path, *, long: bool) -> tuple[subprocess.Popen[bytes], Path | None, Path]:
    """One part, as a process; what it tells goes to the terminal, or to a file where others run beside it."""
    command = [sys.executable, "-m", "pytest", "-q", *suite.options, f"--junitxml={results}", *suite.paths]
    wanted = " and ".join(filter(None, (marks and f"({marks})", "" if long else "not long")))
    command += ["-m", wanted] if wanted else []
    if len(suite.parts) == 1:
        return subprocess.Popen(command, cwd=ROOT), None, results  # noqa: S603 - our own arguments
    told = results.with_suffix(".txt")
    with told.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)  # noqa: S603 - our own arguments
    return process, told, results


def _ended(process: subprocess.Popen[bytes], told: Path | None) -> int:
    status = process.wait()
    if told is not None:
        print(told.read_text(errors="replace"), flush=True)
    return status


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
