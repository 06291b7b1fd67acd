"""Files of results as groups of a model card's metrics.

Sources: "Model quality metrics" (regression, binary and multiclass classification), "Bias report" and "Feature
attributions" (SageMaker Clarify's ``analysis.json``), and "Model card JSON schema", all in the Amazon SageMaker
Developer Guide. A member that a file lacks is left out; a file with nothing of its kind is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from orchestrator.core.problems import BadConfiguration, Problem

Metrics = list[dict[str, Any]]

MAX_NAME = 63
"""Characters of a group's name."""

MAX_ROWS = 20
"""Of a matrix, each way."""


def metric_groups(results: object, kind: str, path: str) -> list[dict[str, Any]]:
    """``[{"name", "metric_data": […]}]`` of a parsed file; ``path`` names the place that names the file."""
    groups = list(_READERS[kind](results)) if isinstance(results, Mapping) else []
    groups = [(name, metrics) for name, metrics in groups if metrics]
    if not groups:
        raise BadConfiguration([Problem(path, f"the file has no results of the kind {kind}", _SHAPES[kind])])
    return [{"name": name[:MAX_NAME], "metric_data": metrics} for name, metrics in groups]


def _as_they_are(results: Mapping[str, Any]) -> Iterator[tuple[str, Metrics]]:
    for group in _objects(results.get("metric_groups")):
        if isinstance(group.get("metric_data"), list):
            yield str(group.get("name", "metrics")), group["metric_data"]


def _quality(section: str) -> Callable[[Mapping[str, Any]], Iterator[tuple[str, Metrics]]]:
    def read(results: Mapping[str, Any]) -> Iterator[tuple[str, Metrics]]:
        found = results.get(section)
        if not isinstance(found, Mapping):
            return
        metrics: Metrics = []
        for name, member in found.items():
            if isinstance(member, Mapping):
                metrics += _quality_metric(name, member)
        yield section, metrics

    return read


def _quality_metric(name: str, member: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    value, deviation = member.get("value"), member.get("standard_deviation")
    if _is_number(value):
        notes = {"notes": f"standard deviation {deviation}"} if _is_number(deviation) else {}
        yield {"name": name, "type": "number", "value": value, **notes}
        return
    if name == "confusion_matrix":
        yield from _matrix(name, member)
        return
    lists = [(label, points) for label, points in member.items() if isinstance(points, list) and points]
    if len(lists) == 2 and len(lists[0][1]) == len(lists[1][1]):
        (x_name, xs), (y_name, ys) = lists
        points = [[x, y] for x, y in zip(xs, ys, strict=True) if _is_number(x) and _is_number(y)]
        if points:
            yield {"name": name, "type": "linear_graph", "value": points, "x_axis_name": x_name, "y_axis_name": y_name}


def _matrix(name: str, member: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Labels outside, predictions inside: ``{"0": {"0": 90, "1": 10}, "1": {…}}``."""
    rows = {label: row for label, row in member.items() if isinstance(row, Mapping)}
    columns = list(dict.fromkeys(label for row in rows.values() for label in row))
    if rows and len(rows) <= MAX_ROWS and len(columns) <= MAX_ROWS:
        values = [[row.get(column, 0) for column in columns] for row in rows.values()]
        yield {"name": name, "type": "matrix", "value": values, "x_axis_name": columns, "y_axis_name": list(rows)}


def _bias(results: Mapping[str, Any]) -> Iterator[tuple[str, Metrics]]:
    for section in ("pre_training_bias_metrics", "post_training_bias_metrics"):
        found = results.get(section)
        facets = found.get("facets") if isinstance(found, Mapping) else None
        for facet, groups in facets.items() if isinstance(facets, Mapping) else ():
            for group in _objects(groups):
                threshold = group.get("value_or_threshold", "")
                metrics = [
                    {
                        "name": str(metric["name"]),
                        "type": "number",
                        "value": metric["value"],
                        "notes": str(metric.get("description", ""))[:1024],
                    }
                    for metric in _objects(group.get("metrics"))
                    if "name" in metric and _is_number(metric.get("value"))
                ]
                yield f"{section.removesuffix('_metrics')}: {facet} {threshold}".strip(), metrics


def _explanations(results: Mapping[str, Any]) -> Iterator[tuple[str, Metrics]]:
    explanations = results.get("explanations")
    shap = explanations.get("kernel_shap") if isinstance(explanations, Mapping) else None
    for label, found in shap.items() if isinstance(shap, Mapping) else ():
        values = found.get("global_shap_values") if isinstance(found, Mapping) else None
        given = values if isinstance(values, Mapping) else {}
        numbers = {name: value for name, value in given.items() if _is_number(value)}
        metrics: Metrics = []
        if numbers:
            metrics.append(
                {
                    "name": "global_shap_values",
                    "type": "bar_chart",
                    "value": list(numbers.values()),
                    "x_axis_name": list(numbers),
                    "y_axis_name": "SHAP value",
                }
            )
        expected = found.get("expected_value") if isinstance(found, Mapping) else None
        if _is_number(expected):
            metrics.append({"name": "expected_value", "type": "number", "value": expected})
        yield f"kernel_shap: {label}", metrics


def _objects(value: object) -> list[Mapping[str, Any]]:
    """The members of a list that are objects: a file may hold anything in their place."""
    return [member for member in value if isinstance(member, Mapping)] if isinstance(value, list) else []


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[tuple[str, Metrics]]]] = {
    "model_card_metric_schema": _as_they_are,
    "regression": _quality("regression_metrics"),
    "binary_classification": _quality("binary_classification_metrics"),
    "multiclass_classification": _quality("multiclass_classification_metrics"),
    "clarify_bias": _bias,
    "clarify_explainability": _explanations,
}

_SHAPES: Mapping[str, str] = {
    "model_card_metric_schema": 'It should hold {"metric_groups": [{"name", "metric_data": […]}]}.',
    "regression": 'It should hold {"regression_metrics": {"mae": {"value": 0.37}}}.',
    "binary_classification": 'It should hold {"binary_classification_metrics": {"auc": {"value": 0.97}}}.',
    "multiclass_classification": 'It should hold {"multiclass_classification_metrics": {"accuracy": {"value": 0.97}}}.',
    "clarify_bias": 'It should hold {"pre_training_bias_metrics": {"facets": {…}}}.',
    "clarify_explainability": 'It should hold {"explanations": {"kernel_shap": {…}}}.',
}
"""What a file of each kind looks like."""
