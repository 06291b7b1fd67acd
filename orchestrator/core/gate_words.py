"""What came of the quality gates, in words: the same in Slack, in an e-mail, in the API and on the command line.

Numbers are rounded as figures are elsewhere, but never so far that a broken limit seems kept: 0.94996 under a limit of
0.95 is not told as 0.95.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction

from orchestrator.core.figures import DIGITS, rounded
from orchestrator.core.gate_results import Fault, GateResult, GateStatus
from orchestrator.core.gates import number

MOST_CHARACTERS = 1_800
"""Of the reason of a release that gates have stopped: within what is kept of a reason (``record_outcome``)."""

MOST_DIGITS = 17
"""Significant digits that tell any two doubles apart."""


def summary(results: Sequence[GateResult]) -> str:
    """``1 failed, 2 passed``; where every gate holds, ``all 3 passed``."""
    words = ((GateStatus.FAILED, "failed"), (GateStatus.WARNED, "not met (warning)"), (GateStatus.PASSED, "passed"))
    counts = [(sum(result.status is status for result in results), word) for status, word in words]
    told = [f"{count} {word}" for count, word in counts if count]
    alone = len(told) == 1 and told[0].endswith("passed") and len(results) > 1
    return f"all {told[0]}" if alone else ", ".join(told)


def worst_first(results: Sequence[GateResult]) -> list[GateResult]:
    """The same, those that stop before those that warn, and both before those that hold."""
    ranks = {GateStatus.FAILED: 0, GateStatus.WARNED: 1, GateStatus.PASSED: 2}
    return sorted(results, key=lambda result: ranks[result.status])


def compared(result: GateResult) -> str:
    """The figure and the live one: ``0.972 (live 0.965)``; ``not measured`` where there is none."""
    value = shown(result.value, result) if result.value else "not measured"
    return f"{value} (live {shown(result.live, result)})" if result.live else value


def verdict(result: GateResult) -> str:
    """What was wrong, or the limits that were kept."""
    if result.faults:
        return ", ".join(_fault(fault, result) for fault in result.faults)
    kept = [f"at least {exact(result.at_least)}"] if result.at_least else []
    kept += [f"at most {exact(result.at_most)}"] if result.at_most else []
    kept += [_comparison(result)] if result.not_worse_than_live_by else []
    return ", ".join(kept)


def sentence(result: GateResult) -> str:
    """One gate in a line: ``auc 0.91 (live 0.965): below 0.95``."""
    return f"{result.metric} {compared(result)}: {verdict(result)}"


def stopped(stage: str, results: Sequence[GateResult]) -> str:
    """Why the release ends, with every gate that stops it, as far as there is room."""
    gates = "a quality gate" if len(results) == 1 else f"{len(results)} quality gates"
    told = f"Stopped before {stage} by {gates}: "
    kept: list[str] = []
    for result in results:
        one = sentence(result)
        if kept and len(told) + sum(len(other) + 2 for other in kept) + len(one) > MOST_CHARACTERS:
            return f"{told}{'; '.join(kept)}; and {len(results) - len(kept)} more."
        kept.append(one)
    return f"{told}{'; '.join(kept)}."


def exact(text: str) -> str:
    """A limit as it was written, without an exponent where it reads well without one."""
    if number(text) is None:
        return "an unknown limit"
    short = rounded(json.loads(text))
    if number(short) == number(text) or len(text) > MOST_DIGITS + 8:
        return short
    return text


def shown(text: str, result: GateResult) -> str:
    """A figure with as few digits as leave it on its side of every limit, and of the live figure."""
    true = number(text)
    if true is None:
        return text
    beside = map(number, (result.at_least, result.at_most, result.value, result.live))
    others = [other for other in beside if other is not None and other != true]
    for digits in range(DIGITS, MOST_DIGITS):
        short = rounded(json.loads(text), digits)
        if all(_side(Fraction(short), other) == _side(true, other) for other in others):
            return short
    return text


def _side(one: Fraction, other: Fraction) -> int:
    return (one > other) - (one < other)


def _fault(fault: Fault, result: GateResult) -> str:
    if fault is Fault.NOT_MEASURED:
        return "the evaluation has no such figure"
    if fault is Fault.TOO_LOW:
        return f"below {exact(result.at_least)}"
    if fault is Fault.TOO_HIGH:
        return f"above {exact(result.at_most)}"
    return f"worse than live by {_loss(result)}, allowed is {exact(result.not_worse_than_live_by)}"


def _loss(result: GateResult) -> str:
    value, live = number(result.value), number(result.live)
    if value is None or live is None:
        return "an unknown loss"
    try:
        loss = float(abs(value - live))
    except OverflowError:
        return "more than a double can hold"
    return shown(json.dumps(loss), GateResult("", result.status, at_most=result.not_worse_than_live_by))


def _comparison(result: GateResult) -> str:
    if not result.live_release:
        return "nothing is live yet to compare with"
    if not result.live:
        return f"not compared: the live release {result.live_release} has no such figure"
    return f"not worse than live by more than {exact(result.not_worse_than_live_by)}"
