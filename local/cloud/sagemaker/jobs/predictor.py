"""The script that serves what the embedded cloud trained: copied into ``model.tar.gz`` as ``code/inference.py``.

Takes CSV without a label and answers one prediction a row: the probability of the positive class, the class, or the
value; the probabilities of all classes where the algorithm gives those.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
from pathlib import Path
from typing import Any


def model_fn(model_dir: str) -> Any:
    """Load the model."""
    return importlib.import_module("joblib").load(Path(model_dir, "model.joblib"))


def input_fn(body: Any, content_type: str) -> list[list[Any]]:
    """Rows of CSV, or of JSON's ``instances``."""
    if content_type.split(";")[0].strip() == "application/json":
        rows: list[list[Any]] = [entry.get("features", entry) for entry in json.loads(body)["instances"]]
        return rows
    text = body.decode() if isinstance(body, bytes) else body
    return [row for row in csv.reader(io.StringIO(text)) if row]


def predict_fn(rows: list[list[Any]], held: dict[str, Any]) -> list[Any]:
    """One prediction a row."""
    kind, model = held["kind"], held["model"]
    if "columns" in held:
        return [_decoded(held, value) for value in model.predict(encoded(held["columns"], rows))]
    numbers = [[float(cell) if cell not in ("", None) else float("nan") for cell in row] for row in rows]
    if kind == "binary":
        return [float(shares[1]) for shares in model.predict_proba(numbers)]
    if kind == "multiclass-probabilities":
        return [[float(share) for share in shares] for shares in model.predict_proba(numbers)]
    return [float(value) for value in model.predict(numbers)]


def encoded(columns: list[dict[str, Any]], rows: list[list[Any]]) -> list[list[float]]:
    """Numbers of rows with numbers and texts: a missing number is the column's median, a text one of its values."""
    found = []
    for row in rows:
        cells: list[float] = []
        for column, cell in zip(columns, row, strict=True):
            if "median" in column:
                cells.append(float(cell) if cell not in ("", None) else column["median"])
            else:
                cells += [1.0 if str(cell) == value else 0.0 for value in column["values"]]
        found.append(cells)
    return found


def _decoded(held: dict[str, Any], value: Any) -> Any:
    return float(value) if held["kind"] == "Regression" else held["classes"][int(value)]


def output_fn(predictions: list[Any], accept: str) -> tuple[str, str]:
    """Lines of CSV, or JSON."""
    if accept.split(";")[0].strip() == "application/json":
        return json.dumps({"predictions": [{"score": score} for score in predictions]}), "application/json"
    lines = [",".join(map(str, each)) if isinstance(each, list) else str(each) for each in predictions]
    return "\n".join(lines) + "\n", "text/csv"
