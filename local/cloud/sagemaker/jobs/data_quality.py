"""What Model Monitor's analyzer makes of a baseline dataset: statistics.json and constraints.json.

Shapes: Amazon SageMaker Developer Guide, "Schema for Statistics" and "Schema for Constraints". The sketch holds the
values themselves rather than a KLL sketch of them: exact, and readable by the same readers.
"""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

from local.cloud.sagemaker.jobs.tables import Table, numbers, whole

BUCKETS = 10
SKETCHED = 2048
"""Values kept in the sketch; AWS's has the same parameter."""
MAX_DOMAIN = 20
"""Distinct texts up to which a column has a domain of allowed values."""


def measured(table: Table) -> dict[str, Any]:
    """``statistics.json``."""
    return {
        "version": 0.0,
        "dataset": {"item_count": table.rows},
        "features": [_feature(name, table.columns[name]) for name in table.names],
    }


def suggested(table: Table) -> dict[str, Any]:
    """``constraints.json``."""
    return {
        "version": 0.0,
        "features": [_constraint(name, table.columns[name]) for name in table.names],
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 1.0,
            "domain_content_threshold": 1.0,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": 0.1,
                "comparison_method": "Robust",
            },
        },
    }


def _kind(cells: list[str]) -> tuple[str, list[float]]:
    found = numbers(cells)
    if found is None:
        return "String", []
    if not found:
        return "Unknown", []
    return ("Integral" if whole(found) else "Fractional"), found


def _feature(name: str, cells: list[str]) -> dict[str, Any]:
    kind, values = _kind(cells)
    present = sum(cell != "" for cell in cells)
    common = {"num_present": present, "num_missing": len(cells) - present}
    if not values:
        counts = Counter(cell for cell in cells if cell)
        buckets = [{"value": value, "count": count} for value, count in counts.most_common()]
        return {
            "name": name,
            "inferred_type": kind,
            "string_statistics": {
                "common": common,
                "distinct_count": float(len(counts)),
                "distribution": {"categorical": {"buckets": buckets}},
            },
        }
    return {
        "name": name,
        "inferred_type": kind,
        "numerical_statistics": {
            "common": common,
            "mean": statistics.fmean(values),
            "sum": sum(values),
            "std_dev": statistics.pstdev(values),
            "min": min(values),
            "max": max(values),
            "distribution": {
                "kll": {
                    "buckets": _buckets(values),
                    "sketch": {"parameters": {"c": 0.64, "k": float(SKETCHED)}, "data": [values[:SKETCHED]]},
                }
            },
        },
    }


def _buckets(values: list[float]) -> list[dict[str, float]]:
    low, high = min(values), max(values)
    width = (high - low) / BUCKETS or 1.0
    counts = Counter(min(int((value - low) / width), BUCKETS - 1) for value in values)
    return [
        {
            "lower_bound": low + index * width,
            "upper_bound": low + (index + 1) * width,
            "count": float(counts[index]),
        }
        for index in range(BUCKETS)
    ]


def _constraint(name: str, cells: list[str]) -> dict[str, Any]:
    kind, values = _kind(cells)
    found: dict[str, Any] = {
        "name": name,
        "inferred_type": kind,
        "completeness": sum(cell != "" for cell in cells) / len(cells),
    }
    if values:
        found["num_constraints"] = {"is_non_negative": min(values) >= 0}
    elif kind == "String":
        domain = sorted({cell for cell in cells if cell})
        if len(domain) <= MAX_DOMAIN:
            found["string_constraints"] = {"domains": domain}
    return found
