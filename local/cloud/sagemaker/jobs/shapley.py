"""Shapley values by sampling permutations, a model-agnostic approximation as Kernel SHAP is one.

For a row and an order of its features, each feature's value is put in the baseline's place in turn; how the prediction
moves is that feature's contribution. The mean over orders estimates its Shapley value (Štrumbelj and Kononenko, 2014).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

Row = list[str]
Predict = Callable[[list[Row]], list[list[float]]]
"""Rows → for each row one score for each label."""

ROWS, ORDERS = 20, 4
"""How many rows of the data are explained, and with how many orders each: enough for a ranking, quick for a test."""


def explained(
    rows: Sequence[Row], baseline: Sequence[Row], predict: Predict, seed: int = 0
) -> tuple[list[list[list[float]]], list[float]]:
    """For each explained row and each feature a value for each label; and the mean prediction of the baseline."""
    chance = random.Random(seed)  # noqa: S311 - sampling
    expected = _mean(predict([list(row) for row in baseline]))
    features, labels = len(rows[0]), len(expected)
    found = []
    for row in rows[:ROWS]:
        asked: list[Row] = []
        orders = []
        for _ in range(ORDERS):
            order = list(range(features))
            chance.shuffle(order)
            orders.append(order)
            mixed = list(chance.choice(list(baseline)))
            asked.append(list(mixed))
            for feature in order:
                mixed[feature] = row[feature]
                asked.append(list(mixed))
        scores = predict(asked)
        values = [[0.0] * labels for _ in range(features)]
        for number, order in enumerate(orders):
            start = number * (features + 1)
            for step, feature in enumerate(order):
                for label in range(labels):
                    moved = scores[start + step + 1][label] - scores[start + step][label]
                    values[feature][label] += moved / ORDERS
        found.append(values)
    return found, expected


def aggregated(values: Sequence[Sequence[Sequence[float]]], feature: int, label: int, method: str) -> float:
    """A feature's global value: ``mean_abs``, ``mean_sq`` or ``median``."""
    column = sorted(abs(row[feature][label]) for row in values)
    if method == "mean_sq":
        return sum(value**2 for value in column) / len(column)
    if method == "median":
        middle = len(column) // 2
        return column[middle] if len(column) % 2 else (column[middle - 1] + column[middle]) / 2
    return sum(column) / len(column)


def _mean(scores: list[list[float]]) -> list[float]:
    return [sum(row[label] for row in scores) / len(scores) for label in range(len(scores[0]))]
