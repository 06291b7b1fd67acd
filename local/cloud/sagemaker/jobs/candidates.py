"""The process that searches a model for Autopilot: run by path, a few scikit-learn models compared on held-out rows.

Reads one JSON request from standard input and writes a line of JSON for each candidate:
``{"directory", "target", "problem", "objective", "candidates"}`` → ``{"name", "algorithm", "problem", "objective",
"value", "metrics"}`` or ``{"error"}``. ``train.csv`` with a header lies in the directory; models are left there as
``<name>.joblib``.
"""

from __future__ import annotations

import csv
import importlib
import json
import sys
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

REGRESSION, BINARY, MULTICLASS = "Regression", "BinaryClassification", "MulticlassClassification"
MANY = 20
"""Distinct numbers of a target above which it is a quantity and no class; values of a text that are told apart."""
HELD_OUT = 0.2

DEFAULT_OBJECTIVE = {REGRESSION: "MSE", BINARY: "F1", MULTICLASS: "Accuracy"}
"""Autopilot's own, by problem type (SageMaker API Reference, AutoMLJobObjective)."""


class Unusable(Exception):
    """The data cannot be used; the message says why."""


def main() -> int:
    """Compare every candidate."""
    request = json.load(sys.stdin)
    try:
        for answer in search(request, Path(request["directory"])):
            print(json.dumps(answer), flush=True)
    except Unusable as problem:
        print(json.dumps({"error": str(problem)}), flush=True)
    return 0


def search(request: dict[str, Any], directory: Path) -> Any:
    """One answer for each candidate, in the order in which they are tried."""
    import numpy

    joblib, selection = importlib.import_module("joblib"), importlib.import_module("sklearn.model_selection")
    # The serving script encodes rows; the same code must have encoded those that the model was fitted on.
    sys.path.append(str(directory))
    encoded = importlib.import_module("predictor").encoded
    names, rows = read(directory / "train.csv")
    place = names.index(request["target"])
    rows = [row for row in rows if row[place] != ""]
    target = [row[place] for row in rows]
    columns = [column(name, [row[index] for row in rows]) for index, name in enumerate(names) if index != place]
    features = numpy.array(encoded(columns, [[cell for at, cell in enumerate(row) if at != place] for row in rows]))
    problem = request["problem"] or problem_of(target)
    classes = sorted(set(target)) if problem != REGRESSION else []
    if problem == BINARY and len(classes) != 2:
        raise Unusable(f"The target has {len(classes)} classes; {BINARY} needs 2")
    try:
        labels = numpy.array([classes.index(cell) if classes else float(cell) for cell in target])
    except ValueError as wrong:
        raise Unusable(f"The target of a {REGRESSION} must be a number in every row ({wrong})") from wrong
    rarest = min(Counter(labels.tolist()).values())
    split = {"stratify": labels} if classes and rarest > 1 else {}
    fitted, held, known, wanted = selection.train_test_split(
        features, labels, test_size=HELD_OUT, random_state=0, **split
    )
    objective = request["objective"] or DEFAULT_OBJECTIVE[problem]
    for number, (algorithm, model) in enumerate(models(problem)[: request["candidates"]], start=1):
        model.fit(fitted, known)
        metrics = measured(problem, model, held, wanted)
        if objective not in metrics:
            raise Unusable(f"Objective {objective} does not fit {problem}; it is one of {', '.join(metrics)}")
        name = f"candidate-{number}"
        joblib.dump({"kind": problem, "model": model, "columns": columns, "classes": classes}, f"{name}.joblib")
        yield {
            "name": name,
            "algorithm": algorithm,
            "problem": problem,
            "objective": objective,
            "value": metrics[objective],
            "metrics": metrics,
        }


def read(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows."""
    with path.open(newline="", encoding="utf-8-sig") as lines:
        header, *rows = [row for row in csv.reader(lines) if row]
    if any(len(row) != len(header) for row in rows):
        raise Unusable("The rows of the dataset have different numbers of cells")
    return header, rows


def column(name: str, cells: list[str]) -> dict[str, Any]:
    """How a column becomes numbers: ``median`` for a missing one, or the ``values`` of a text."""
    try:
        numbers = [float(cell) for cell in cells if cell != ""]
    except ValueError:
        return {"name": name, "values": [value for value, _ in Counter(cells).most_common(MANY)]}
    return {"name": name, "median": median(numbers) if numbers else 0.0}


def problem_of(target: list[str]) -> str:
    """The problem type that the target suggests."""
    distinct = len(set(target))
    if distinct == 2:
        return BINARY
    return REGRESSION if "median" in column("target", target) and distinct > MANY else MULTICLASS


def models(problem: str) -> list[tuple[str, Any]]:
    """What is tried, in order."""
    ensemble, linear_model = (
        importlib.import_module("sklearn.ensemble"),
        importlib.import_module("sklearn.linear_model"),
    )
    scaler = importlib.import_module("sklearn.preprocessing").StandardScaler
    make_pipeline = importlib.import_module("sklearn.pipeline").make_pipeline
    if problem == REGRESSION:
        return [
            ("linear-learner", make_pipeline(scaler(), linear_model.Ridge())),
            ("xgboost", ensemble.HistGradientBoostingRegressor(random_state=0)),
            ("random-forest", ensemble.RandomForestRegressor(n_estimators=100, random_state=0)),
            ("extra-trees", ensemble.ExtraTreesRegressor(n_estimators=100, random_state=0)),
            ("xgboost", ensemble.HistGradientBoostingRegressor(random_state=0, max_depth=3, learning_rate=0.2)),
        ]
    return [
        ("linear-learner", make_pipeline(scaler(), linear_model.LogisticRegression(max_iter=500))),
        ("xgboost", ensemble.HistGradientBoostingClassifier(random_state=0)),
        ("random-forest", ensemble.RandomForestClassifier(n_estimators=100, random_state=0)),
        ("extra-trees", ensemble.ExtraTreesClassifier(n_estimators=100, random_state=0)),
        ("xgboost", ensemble.HistGradientBoostingClassifier(random_state=0, max_depth=3, learning_rate=0.2)),
    ]


def measured(problem: str, model: Any, rows: Any, labels: Any) -> dict[str, float]:
    """Figures on held-out rows, by Autopilot's names."""
    metrics = importlib.import_module("sklearn.metrics")
    guesses = model.predict(rows)
    if problem == REGRESSION:
        squared = float(metrics.mean_squared_error(labels, guesses))
        return {
            "MSE": squared,
            "RMSE": squared**0.5,
            "MAE": float(metrics.mean_absolute_error(labels, guesses)),
            "R2": float(metrics.r2_score(labels, guesses)),
        }
    found = {
        "Accuracy": float(metrics.accuracy_score(labels, guesses)),
        "BalancedAccuracy": float(metrics.balanced_accuracy_score(labels, guesses)),
    }
    if problem == BINARY:
        return found | {
            "F1": float(metrics.f1_score(labels, guesses, zero_division=0)),
            "AUC": float(metrics.roc_auc_score(labels, model.predict_proba(rows)[:, 1])),
        }
    return found | {"F1macro": float(metrics.f1_score(labels, guesses, average="macro", zero_division=0))}


if __name__ == "__main__":
    sys.exit(main())
