"""What Model Monitor's analyzer makes of predictions and labels: statistics.json and constraints.json.

Shapes: Amazon SageMaker Developer Guide, "Model quality metrics". Metrics are computed by their definitions; standard
deviations, which AWS estimates by resampling, are given as 0.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from local.cloud.sagemaker.jobs.tables import NoTable, Table, numbers, same

_LESS, _GREATER = "LessThanThreshold", "GreaterThanThreshold"

_WATCHED: dict[str, dict[str, str]] = {
    "Regression": {"mae": _GREATER, "mse": _GREATER, "rmse": _GREATER, "r2": _LESS},
    "BinaryClassification": {
        "recall": _LESS,
        "precision": _LESS,
        "accuracy": _LESS,
        "true_positive_rate": _LESS,
        "true_negative_rate": _LESS,
        "false_positive_rate": _GREATER,
        "false_negative_rate": _GREATER,
        "auc": _LESS,
        "f0_5": _LESS,
        "f1": _LESS,
        "f2": _LESS,
    },
    "MulticlassClassification": {
        "accuracy": _LESS,
        "weighted_recall": _LESS,
        "weighted_precision": _LESS,
        "weighted_f0_5": _LESS,
        "weighted_f1": _LESS,
        "weighted_f2": _LESS,
    },
}
_SECTION = {
    "Regression": "regression",
    "BinaryClassification": "binary_classification",
    "MulticlassClassification": "multiclass_classification",
}


def analysed(table: Table, environment: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """``statistics.json`` and ``constraints.json``; raises NoTable for data or settings that do not do."""
    problem = environment.get("problem_type", "")
    if problem not in _SECTION:
        raise NoTable(f"problem_type {problem!r} is not one of {', '.join(_SECTION)}")
    truth = table.column(_setting(environment, "ground_truth_attribute"))
    compute: Callable[[Table, list[str], dict[str, str]], dict[str, Any]] = {
        "Regression": _regression,
        "BinaryClassification": _binary,
        "MulticlassClassification": _multiclass,
    }[problem]
    figures = compute(table, truth, environment)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    dataset = {"item_count": table.rows, "start_time": now, "end_time": now, "evaluation_time": now}
    section = _SECTION[problem]
    measured = {"version": 0.0, "dataset": dataset, f"{section}_metrics": figures}
    limits = {
        name: {"threshold": figures[name]["value"], "comparison_operator": operator}
        for name, operator in _WATCHED[problem].items()
        if name in figures
    }
    return measured, {"version": 0.0, f"{section}_constraints": limits}


def _setting(environment: dict[str, str], name: str) -> str:
    found = environment.get(name, "")
    if not found:
        raise NoTable(f"{name} is required for {environment.get('problem_type')}")
    return found


def _figure(value: float) -> dict[str, float]:
    return {"value": value, "standard_deviation": 0.0}


def _regression(table: Table, truth: list[str], environment: dict[str, str]) -> dict[str, Any]:
    predicted = numbers(table.column(_setting(environment, "inference_attribute")))
    expected = numbers(truth)
    if predicted is None or expected is None or len(predicted) != len(expected):
        raise NoTable("predictions and ground truth of a regression must be numbers in every row")
    errors = [guess - value for guess, value in zip(predicted, expected, strict=True)]
    mean = sum(expected) / len(expected)
    squared, spread = sum(error**2 for error in errors), sum((value - mean) ** 2 for value in expected)
    mse = squared / len(errors)
    return {
        "mae": _figure(sum(map(abs, errors)) / len(errors)),
        "mse": _figure(mse),
        "rmse": _figure(mse**0.5),
        "r2": _figure(1 - squared / spread if spread else 0.0),
    }


def _binary(table: Table, truth: list[str], environment: dict[str, str]) -> dict[str, Any]:
    positive = _positive(truth)
    expected = [same(cell, positive) for cell in truth]
    scores: list[float] | None = None
    if environment.get("probability_attribute"):
        scores = numbers(table.column(environment["probability_attribute"]))
        if scores is None or len(scores) != table.rows:
            raise NoTable("probability_attribute must be a number in every row")
    if environment.get("inference_attribute"):
        predicted = [same(cell, positive) for cell in table.column(environment["inference_attribute"])]
    elif scores is not None:
        threshold = float(environment.get("probability_threshold_attribute") or 0.5)
        predicted = [score > threshold for score in scores]
    else:
        raise NoTable("BinaryClassification requires inference_attribute or probability_attribute")
    pairs = Counter(zip(expected, predicted, strict=True))
    right, missed = pairs[True, True], pairs[True, False]
    wrong, rejected = pairs[False, True], pairs[False, False]
    precision, recall = _share(right, right + wrong), _share(right, right + missed)
    figures: dict[str, Any] = {
        "confusion_matrix": {"0": {"0": rejected, "1": wrong}, "1": {"0": missed, "1": right}},
        "recall": _figure(recall),
        "precision": _figure(precision),
        "accuracy": _figure(_share(right + rejected, len(truth))),
        "true_positive_rate": _figure(recall),
        "true_negative_rate": _figure(_share(rejected, rejected + wrong)),
        "false_positive_rate": _figure(_share(wrong, rejected + wrong)),
        "false_negative_rate": _figure(_share(missed, right + missed)),
        **{name: _figure(_f_score(precision, recall, beta)) for name, beta in _F_SCORES.items()},
    }
    if scores is not None:
        figures["auc"] = _figure(_area(expected, scores))
    return figures


_F_SCORES = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}


def _positive(truth: list[str]) -> str:
    """The positive class: 1 or true, else the one that sorts last."""
    classes = sorted(set(truth))
    if len(classes) > 2:
        raise NoTable(f"the ground truth of a binary classification has {len(classes)} classes")
    named = [cell for cell in classes if same(cell, 1) or cell.lower() in {"true", "yes"}]
    return named[0] if named else classes[-1]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _f_score(precision: float, recall: float, beta: float) -> float:
    below = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / below if below else 0.0


def _area(expected: list[bool], scores: list[float]) -> float:
    """Area under the ROC curve by ranks; ties count half."""
    ordered = sorted(range(len(scores)), key=lambda index: scores[index])
    ranks = [0.0] * len(scores)
    start = 0
    while start < len(ordered):
        end = start
        while end + 1 < len(ordered) and scores[ordered[end + 1]] == scores[ordered[start]]:
            end += 1
        for index in ordered[start : end + 1]:
            ranks[index] = (start + end) / 2 + 1
        start = end + 1
    positives = sum(expected)
    negatives = len(expected) - positives
    if not positives or not negatives:
        return 0.0
    total = sum(rank for rank, is_positive in zip(ranks, expected, strict=True) if is_positive)
    return (total - positives * (positives + 1) / 2) / (positives * negatives)


def _multiclass(table: Table, truth: list[str], environment: dict[str, str]) -> dict[str, Any]:
    predicted = table.column(_setting(environment, "inference_attribute"))
    pairs = Counter(zip(truth, predicted, strict=True))
    classes = sorted(set(truth) | set(predicted))
    counts = Counter(truth)
    weighted: dict[str, float] = dict.fromkeys(("recall", "precision", *_F_SCORES), 0.0)
    for label in classes:
        weight = counts[label] / len(truth)
        recall = _share(pairs[label, label], counts[label])
        precision = _share(pairs[label, label], sum(pairs[other, label] for other in classes))
        weighted["recall"] += weight * recall
        weighted["precision"] += weight * precision
        for name, beta in _F_SCORES.items():
            weighted[name] += weight * _f_score(precision, recall, beta)
    hits = sum(pairs[label, label] for label in classes)
    matrix = {label: {other: pairs[label, other] for other in classes} for label in classes}
    return {
        "confusion_matrix": matrix,
        "accuracy": _figure(_share(hits, len(truth))),
        **{f"weighted_{name}": _figure(value) for name, value in weighted.items()},
    }
