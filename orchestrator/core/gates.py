"""May this model go into a stage? Limits that the configuration sets to its figures; one pure function compares.

``judge`` is asked when a stage is planned, before people are, with the figures of what is live in that stage then. It
fails closed: a figure that was not measured breaks its gate. Only where there is nothing to compare with (nothing is
live in the stage, or what is live has no such figure) does a comparison hold, and the result says so. The results stand
in the stage's record, and ``bound`` makes them part of what an approval is bound to.

Numbers are text as JSON writes it, since the table has no floating-point numbers, and are compared exactly: with a loss
of 0.01 allowed, 0.96 is not worse than 0.97 by too much, whatever binary fractions make of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any

from orchestrator.core.gate_results import Fault, GateResult, GateStatus

STOP, WARN = "stop", "warn"
"""What a broken gate does: end the release before the stage is touched, or tell those who decide."""

MORE_IS_BETTER = frozenset(
    {
        *("accuracy", "auc", "precision", "recall", "f0_5", "f1", "f2", "r2"),
        *("weighted_precision", "weighted_recall", "weighted_f0_5", "weighted_f1", "weighted_f2"),
        *("true_positive_rate", "true_negative_rate"),
    }
)
LESS_IS_BETTER = frozenset({"mae", "mse", "rmse", "false_positive_rate", "false_negative_rate"})
"""The scalars of SageMaker's model-quality reports ("Model quality metrics", Amazon SageMaker Developer Guide), whose
direction nobody has to write down."""


@dataclass(frozen=True)
class Gate:
    """The limits of one figure. Numbers are JSON; empty where the limit is not set."""

    metric: str
    at_least: str = ""
    at_most: str = ""
    not_worse_than_live_by: str = ""
    higher_is_better: bool = True
    """Counts for ``not_worse_than_live_by`` only."""
    stages: tuple[str, ...] = ()
    """Those that it guards; empty for all."""
    warns_in: tuple[str, ...] = ()
    """Stages in which a broken gate warns."""
    warns: bool = False
    """Whether it warns in every stage."""

    def guards(self, stage: str) -> bool:
        """Whether the stage is one that it guards."""
        return not self.stages or stage in self.stages

    def stops(self, stage: str) -> bool:
        """Whether a release that breaks it goes no further than before this stage."""
        return not self.warns and stage not in self.warns_in


@dataclass(frozen=True)
class LiveFigures:
    """What is live in a stage: its release (empty for none) and its figures, name to number as JSON writes it."""

    release_id: str = ""
    figures: tuple[tuple[str, str], ...] = ()


def gates_of(configuration: Mapping[str, Any]) -> tuple[Gate, ...]:
    """The gates of a checked configuration, in its order."""
    return tuple(_gate(raw) for raw in configuration.get("gates", ()))


def metrics_of(configuration: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the figures that the gates of a checked configuration look at."""
    return tuple(dict.fromkeys(gate.metric for gate in gates_of(configuration)))


def direction(raw: Mapping[str, Any]) -> bool | None:
    """Whether more of the figure is better: what the gate says, else what its only limit and the figure's name say.

    None where nothing says so, or where limit and name disagree.
    """
    if "higher_is_better" in raw:
        return bool(raw["higher_is_better"])
    hints = set()
    if ("at_least" in raw) != ("at_most" in raw):
        hints.add("at_least" in raw)
    name = str(raw["metric"]).rsplit(".", 1)[-1].lower()
    if name in MORE_IS_BETTER | LESS_IS_BETTER:
        hints.add(name in MORE_IS_BETTER)
    return hints.pop() if len(hints) == 1 else None


def judge(gates: Sequence[Gate], stage: str, figures: Mapping[str, str], live: LiveFigures) -> tuple[GateResult, ...]:
    """The result of every gate that guards the stage, in their order; ``figures`` are this release's."""
    beside = dict(live.figures)
    return tuple(
        _result(gate, stage, figures.get(gate.metric, ""), beside.get(gate.metric, ""), live.release_id)
        for gate in gates
        if gate.guards(stage)
    )


def stopping(results: Sequence[GateResult]) -> tuple[GateResult, ...]:
    """Those that let the release go no further."""
    return tuple(result for result in results if result.status is GateStatus.FAILED)


def excused(result: GateResult) -> GateResult:
    """The same for a rollback: that a model is worse than what is live only warns. Whoever goes back may do so because
    those figures were not the whole truth; its own limits the model has met once, and meets again."""
    only_worse = result.status is GateStatus.FAILED and result.faults == (Fault.WORSE_THAN_LIVE,)
    return replace(result, status=GateStatus.WARNED) if only_worse else result


def bound(content_digest: str, results: Sequence[GateResult]) -> str:
    """What a plan's digest is made over beside the change set: the content, and what its gates have come to.

    Without gates it is the content's digest itself.
    """
    if not results:
        return content_digest
    told = json.dumps([content_digest, [asdict(result) for result in results]], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def number(text: str) -> Fraction | None:
    """The exact number in a JSON text; None for an empty one and for what is no finite number."""
    try:
        return Fraction(text)
    except ValueError:
        return None


def _gate(raw: Mapping[str, Any]) -> Gate:
    on_failure = raw.get("on_failure", STOP)
    by_stage: Mapping[str, str] = on_failure if isinstance(on_failure, Mapping) else {}
    limits = {name: json.dumps(raw[name]) for name in ("at_least", "at_most", "not_worse_than_live_by") if name in raw}
    return Gate(
        metric=raw["metric"],
        **limits,
        higher_is_better=direction(raw) is not False,
        stages=tuple(raw.get("stages", ())),
        warns_in=tuple(sorted(stage for stage, does in by_stage.items() if does == WARN)),
        warns=on_failure == WARN,
    )


def _result(gate: Gate, stage: str, value: str, live: str, live_release: str) -> GateResult:
    faults = tuple(_faults(gate, number(value), number(live)))
    broken = GateStatus.FAILED if gate.stops(stage) else GateStatus.WARNED
    return GateResult(
        metric=gate.metric,
        status=broken if faults else GateStatus.PASSED,
        faults=faults,
        value=value,
        live=live,
        live_release=live_release,
        at_least=gate.at_least,
        at_most=gate.at_most,
        not_worse_than_live_by=gate.not_worse_than_live_by,
        higher_is_better=gate.higher_is_better,
    )


def _faults(gate: Gate, value: Fraction | None, live: Fraction | None) -> list[Fault]:
    if value is None:
        return [Fault.NOT_MEASURED]
    found = []
    low, high, loss = number(gate.at_least), number(gate.at_most), number(gate.not_worse_than_live_by)
    if low is not None and value < low:
        found.append(Fault.TOO_LOW)
    if high is not None and value > high:
        found.append(Fault.TOO_HIGH)
    if loss is not None and live is not None and loss < (live - value if gate.higher_is_better else value - live):
        found.append(Fault.WORSE_THAN_LIVE)
    return found
