"""The quality gates of the stage that a release is at: a line for each, the broken ones first."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.gate_results import GateResult, GateStatus
from orchestrator.core.gate_words import compared, sentence, summary, verdict, worst_first
from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Block, section
from orchestrator.core.messages.facts import Facts
from orchestrator.core.messages.mrkdwn import bold, clean, lines, said

MARKS = {
    GateStatus.PASSED: ":white_check_mark:",
    GateStatus.WARNED: ":warning:",
    GateStatus.FAILED: ":x:",
}
WORDS = {GateStatus.PASSED: "passed", GateStatus.WARNED: "warning", GateStatus.FAILED: "FAILED"}


def gates_of(facts: Facts) -> tuple[GateResult, ...]:
    """Of the stage that waits for people, else of the one that is worked on, or was worked on last."""
    waiting = facts.waiting
    record = waiting.record if waiting is not None else facts.stages.get(facts.release.stage)
    return record.gates if record is not None else ()


def gate_blocks(results: Sequence[GateResult]) -> list[Block]:
    """One section; none where there are no gates."""
    if not results:
        return []
    shown = [f"*Quality gates*: {summary(results)}", *map(_line, worst_first(results))]
    return [section(lines(shown, limits.SECTION_TEXT))]


def gate_lines(facts: Facts) -> list[str]:
    """The same for an e-mail."""
    results = gates_of(facts)
    told = [f"  {WORDS[result.status]}: {clean(sentence(result))}" for result in worst_first(results)]
    return [f"Quality gates before {facts.release.stage}: {summary(results)}.", *told] if results else []


def broken(results: Sequence[GateResult]) -> str:
    """What is wrong, in a sentence for a notification; empty where every gate holds."""
    found = [sentence(result) for result in worst_first(results) if result.faults]
    if not found:
        return ""
    gates = "A quality gate does" if len(found) == 1 else f"{len(found)} quality gates do"
    return f"{gates} not hold: {'; '.join(found)}."


def _line(result: GateResult) -> str:
    told = verdict(result)
    shown = bold(told, limits.VALUE * 2) if result.faults else said(told, limits.VALUE * 2)
    return f"{MARKS[result.status]} {said(result.metric, limits.NAME)} {said(compared(result), limits.VALUE)}: {shown}"
