"""Bias metrics by their definitions (Amazon SageMaker Developer Guide, "Pre-training Data and Model Bias Metrics").

The facet that a configuration names is the disadvantaged one, ``d``; the rest of the data is ``a``. Metrics that are
not computed here are listed with an error in place of a value, as Clarify lists what it could not compute.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from local.cloud.sagemaker.jobs.tables import NoTable, numbers, same


@dataclass(frozen=True)
class Rows:
    """What a metric looks at, a value a row."""

    facet: list[bool]
    """Whether the row is of the disadvantaged facet."""
    labels: list[str]
    positive: list[bool]
    """Whether the label is the positive outcome."""
    predicted: list[bool]
    """Whether the prediction is; empty without a model."""

    def share(self, of: Sequence[bool], facet: bool) -> float:
        """Share of true values within a facet."""
        chosen = [value for value, inside in zip(of, self.facet, strict=True) if inside is facet]
        return sum(chosen) / len(chosen) if chosen else 0.0

    def given(self, of: Sequence[bool], facet: bool, condition: Sequence[bool], wanted: bool) -> float:
        """Share of true values within a facet where a condition holds."""
        chosen = [
            value
            for value, inside, holds in zip(of, self.facet, condition, strict=True)
            if inside is facet and holds is wanted
        ]
        return sum(chosen) / len(chosen) if chosen else 0.0

    def distributions(self) -> tuple[dict[str, float], dict[str, float]]:
        """Distributions of the labels in a and d."""
        found = []
        for facet in (False, True):
            labels = [label for label, inside in zip(self.labels, self.facet, strict=True) if inside is facet]
            counts = Counter(labels)
            found.append({label: counts[label] / max(len(labels), 1) for label in set(self.labels)})
        return found[0], found[1]


def _imbalance(rows: Rows) -> float:
    disadvantaged = sum(rows.facet)
    return (len(rows.facet) - 2 * disadvantaged) / len(rows.facet)


def _kl(rows: Rows) -> float:
    return _divergence(*rows.distributions())


def _divergence(one: dict[str, float], other: dict[str, float]) -> float:
    pairs = [(share, other[label]) for label, share in one.items() if share]
    return sum(share * math.log(share / against) if against else math.inf for share, against in pairs)


def _js(rows: Rows) -> float:
    one, other = rows.distributions()
    middle = {label: (share + other[label]) / 2 for label, share in one.items()}
    return (_divergence(one, middle) + _divergence(other, middle)) / 2


def _norm(power: float) -> Callable[[Rows], float]:
    def found(rows: Rows) -> float:
        one, other = rows.distributions()
        return float(sum(abs(share - other[label]) ** power for label, share in one.items()) ** (1 / power))

    return found


def _largest(rows: Rows) -> float:
    one, other = rows.distributions()
    return max(abs(share - other[label]) for label, share in one.items())


def _accuracy_difference(rows: Rows) -> float:
    right = [guess is value for guess, value in zip(rows.predicted, rows.positive, strict=True)]
    return rows.share(right, False) - rows.share(right, True)


def _impact(rows: Rows) -> float:
    favoured = rows.share(rows.predicted, False)
    return rows.share(rows.predicted, True) / favoured if favoured else math.inf


def _treatment(rows: Rows) -> float:
    def ratio(facet: bool) -> float:
        missed = sum(_of(rows, facet, positive=True, predicted=False))
        wrong = sum(_of(rows, facet, positive=False, predicted=True))
        return missed / wrong if wrong else math.inf

    difference = ratio(True) - ratio(False)
    return difference if not math.isnan(difference) else math.inf


def _of(rows: Rows, facet: bool, *, positive: bool, predicted: bool) -> list[bool]:
    return [
        inside is facet and value is positive and guess is predicted
        for inside, value, guess in zip(rows.facet, rows.positive, rows.predicted, strict=True)
    ]


_Metric = tuple[str, Callable[[Rows], float] | None]

PRE_TRAINING: dict[str, _Metric] = {
    "CDDL": ("Conditional Demographic Disparity in Labels (CDDL)", None),
    "CI": ("Class Imbalance (CI)", _imbalance),
    "DPL": (
        "Difference in Positive Proportions in Labels (DPL)",
        lambda rows: rows.share(rows.positive, False) - rows.share(rows.positive, True),
    ),
    "JS": ("Jensen-Shannon Divergence (JS)", _js),
    "KL": ("Kullback-Liebler Divergence (KL)", _kl),
    "KS": ("Kolmogorov-Smirnov Distance (KS)", _largest),
    "LP": ("L-p Norm (LP)", _norm(2)),
    "TVD": ("Total Variation Distance (TVD)", lambda rows: _norm(1)(rows) / 2),
}
POST_TRAINING: dict[str, _Metric] = {
    "AD": ("Accuracy Difference (AD)", _accuracy_difference),
    "CDDPL": ("Conditional Demographic Disparity in Predicted Labels (CDDPL)", None),
    "DAR": (
        "Difference in Acceptance Rates (DAR)",
        lambda rows: (
            rows.given(rows.positive, False, rows.predicted, True)
            - rows.given(rows.positive, True, rows.predicted, True)
        ),
    ),
    "DCA": ("Difference in Conditional Acceptance (DCA)", None),
    "DCR": ("Difference in Conditional Rejection (DCR)", None),
    "DI": ("Disparate Impact (DI)", _impact),
    "DPPL": (
        "Difference in Positive Proportions in Predicted Labels (DPPL)",
        lambda rows: rows.share(rows.predicted, False) - rows.share(rows.predicted, True),
    ),
    "DRR": ("Difference in Rejection Rates (DRR)", None),
    "FT": ("Flip Test (FT)", None),
    "GE": ("Generalized Entropy (GE)", None),
    "RD": (
        "Recall Difference (RD)",
        lambda rows: (
            rows.given(rows.predicted, False, rows.positive, True)
            - rows.given(rows.predicted, True, rows.positive, True)
        ),
    ),
    "SD": (
        "Specificity Difference (SD)",
        lambda rows: (
            rows.given(rows.predicted, False, rows.positive, False)
            - rows.given(rows.predicted, True, rows.positive, False)
        ),
    ),
    "TE": ("Treatment Equality (TE)", _treatment),
}
"""Name → description and computation; without one the metric is listed with an error."""


def measured(metrics: dict[str, _Metric], wanted: Any, rows: Rows) -> list[dict[str, Any]]:
    """The metrics that a configuration asks for: a list of names, or ``all``; raises NoTable for an unknown name."""
    names = list(metrics) if wanted in ("all", None) else list(wanted)
    unknown = [name for name in names if name not in metrics]
    if unknown:
        raise NoTable(f"unknown bias metrics: {', '.join(unknown)}; known are {', '.join(metrics)}")
    found = []
    for name in names:
        description, compute = metrics[name]
        entry: dict[str, Any] = {"name": name, "description": description, "value": None}
        if compute is None:
            entry["error"] = "The embedded cloud does not compute this metric"
        else:
            value = compute(rows)
            # JSON has no infinity; Clarify writes null where a metric is not defined.
            entry["value"] = value if math.isfinite(value) else None
        found.append(entry)
    return found


def chosen(cells: Sequence[str], wanted: Sequence[Any] | None) -> list[bool]:
    """Rows with one of the values, or above the threshold where the column is one of many numbers."""
    if not wanted:
        # Without a value Clarify takes each; the highest stands for the positive one here.
        highest = sorted(set(cells))[-1]
        return [cell == highest for cell in cells]
    values = numbers(cells)
    threshold = len(wanted) == 1 and values is not None and len(set(values)) > 2
    if threshold and values is not None and len(values) == len(cells):
        return [value > float(wanted[0]) for value in values]
    return [any(same(cell, value) for value in wanted) for cell in cells]
