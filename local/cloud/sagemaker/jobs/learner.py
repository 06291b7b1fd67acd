"""The process that trains: run by path, no imports of ours, scikit-learn in place of SageMaker's built-in algorithms.

Reads one JSON request from standard input and writes a line of JSON for each trial:
``{"directory", "algorithm", "trials": [{"name", "hyperparameters"}]}`` → ``{"name", "metrics", "left_out"}`` or
``{"name", "error"}``. ``train.csv`` and, where there is one, ``validation.csv`` lie in the directory, without a header
and with the label in the first column; a trained model is left there as ``<name>.joblib``.

Gradient boosting stands for XGBoost, a linear model for Linear Learner. Hyperparameters that have an equivalent are
used, the names of the others are given back.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

XGBOOST, LINEAR = "xgboost", "linear-learner"


class Unusable(Exception):
    """The data or the hyperparameters cannot be used; the message says why."""


def main() -> int:
    """Train every trial."""
    request = json.load(sys.stdin)
    directory = Path(request["directory"])
    try:
        data = {name: load(directory / f"{name}.csv") for name in ("train", "validation")}
    except Unusable as problem:
        data, wrong = {}, str(problem)
    for trial in request["trials"]:
        try:
            if not data:
                raise Unusable(wrong)
            answer = train(request["algorithm"], trial, data, directory)
        except Unusable as problem:
            answer = {"error": f"ClientError: {problem}"}
        except ValueError as problem:
            answer = {"error": f"AlgorithmError: {problem}"}
        print(json.dumps({"name": trial["name"], **answer}), flush=True)
    return 0


def load(path: Path) -> Any:
    """A CSV file's rows as numbers, the label first; None when there is no file."""
    import numpy

    if not path.is_file():
        return None
    try:
        rows = numpy.genfromtxt(path, delimiter=",", dtype=float, ndmin=2)
    except ValueError as problem:
        raise Unusable(f"the CSV data of channel {path.stem} has rows of different lengths ({problem})") from problem
    if rows.size == 0 or rows.shape[1] < 2:
        raise Unusable(f"the CSV data of channel {path.stem} needs a label and at least one feature in each row")
    if numpy.isnan(rows[:, 0]).any():
        raise Unusable(
            f"the first column of channel {path.stem} is the label and must be a number in every row; "
            "a header line is not allowed"
        )
    return rows


def train(algorithm: str, trial: dict[str, Any], data: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Fit one model, measure it, leave it in the directory."""
    joblib = importlib.import_module("joblib")
    given = {name: str(value) for name, value in trial["hyperparameters"].items()}
    kind, model, used = (xgboost if algorithm == XGBOOST else linear)(given)
    rows = data["train"]
    model.fit(rows[:, 1:], rows[:, 0])
    names = xgboost_metrics if algorithm == XGBOOST else linear_metrics
    metrics = {
        f"{channel}:{name}": value
        for channel, held in data.items()
        if held is not None
        for name, value in names(kind, measured(kind, model, held)).items()
    }
    joblib.dump({"kind": kind, "model": model}, directory / f"{trial['name']}.joblib")
    return {"metrics": metrics, "left_out": sorted(given.keys() - used)}


def number(given: dict[str, str], name: str, default: float | None, low: float, high: float) -> float:
    """A hyperparameter within its range; raises Unusable."""
    if name not in given:
        if default is None:
            raise Unusable(f"Hyperparameter {name} is required")
        return default
    try:
        value = float(given[name])
    except ValueError as problem:
        raise Unusable(f"Hyperparameter {name}: {given[name]} is no number") from problem
    if not low <= value <= high:
        raise Unusable(f"Hyperparameter {name}: {given[name]} is not between {low:g} and {high:g}")
    return value


def xgboost(given: dict[str, str]) -> tuple[str, Any, set[str]]:
    """Gradient boosting with XGBoost's names: kind, model, the hyperparameters that were used."""
    ensemble = importlib.import_module("sklearn.ensemble")
    objective = given.get("objective", "reg:squarederror")
    family = objective.partition(":")[0]
    settings = {
        "max_iter": int(number(given, "num_round", None, 1, 1_000_000)),
        "learning_rate": number(given, "eta", 0.3, 1e-9, 1),
        "max_depth": int(number(given, "max_depth", 6, 0, 10_000)) or None,
        "l2_regularization": number(given, "lambda", 1, 0, 1e12),
        "min_samples_leaf": max(1, round(number(given, "min_child_weight", 1, 0, 1e9))),
        "random_state": int(number(given, "seed", 0, 0, 2**31)),
        "early_stopping": False,
    }
    used = {"objective", "num_round", "eta", "max_depth", "lambda", "min_child_weight", "seed"}
    if family in {"reg", "count"}:
        return "regression", ensemble.HistGradientBoostingRegressor(**settings), used
    if family == "binary":
        return "binary", ensemble.HistGradientBoostingClassifier(**settings), used
    if family == "multi":
        number(given, "num_class", None, 2, 1_000_000)
        kind = "multiclass" if objective == "multi:softmax" else "multiclass-probabilities"
        return kind, ensemble.HistGradientBoostingClassifier(**settings), used | {"num_class"}
    raise Unusable(f"Hyperparameter objective: the embedded cloud has no equivalent of {objective}")


def linear(given: dict[str, str]) -> tuple[str, Any, set[str]]:
    """A linear model with Linear Learner's names."""
    linear_model = importlib.import_module("sklearn.linear_model")
    predictor = given.get("predictor_type")
    decay = number(given, "wd", 1e-4, 0, 1e7) or 1e-12
    rounds = int(number(given, "epochs", 100, 1, 1_000_000))
    used = {"predictor_type", "wd", "epochs"}
    if predictor == "regressor":
        return "regression", _scaled(linear_model.Ridge(alpha=decay)), used
    classifier = _scaled(linear_model.LogisticRegression(C=1 / decay, max_iter=max(rounds, 10)))
    if predictor == "binary_classifier":
        return "binary", classifier, used
    if predictor == "multiclass_classifier":
        number(given, "num_classes", None, 3, 1_000_000)
        return "multiclass", classifier, used | {"num_classes"}
    raise Unusable("Hyperparameter predictor_type is one of binary_classifier, multiclass_classifier, regressor")


def _scaled(model: Any) -> Any:
    """The model, given features of one scale."""
    scaler = importlib.import_module("sklearn.preprocessing").StandardScaler()
    return importlib.import_module("sklearn.pipeline").make_pipeline(scaler, model)


def measured(kind: str, model: Any, rows: Any) -> dict[str, float]:
    """Figures of a model on rows."""
    metrics = importlib.import_module("sklearn.metrics")
    labels, predicted = rows[:, 0], model.predict(rows[:, 1:])
    if kind == "regression":
        squared = float(metrics.mean_squared_error(labels, predicted))
        return {
            "mse": squared,
            "rmse": squared**0.5,
            "mae": float(metrics.mean_absolute_error(labels, predicted)),
            "r2": float(metrics.r2_score(labels, predicted)) if len(labels) > 1 else 0.0,
        }
    known = list(model.classes_)
    shares = model.predict_proba(rows[:, 1:])
    found = {"accuracy": float(metrics.accuracy_score(labels, predicted))}
    if set(labels) <= set(known):
        found["logloss"] = float(metrics.log_loss(labels, shares, labels=known))
    average = "binary" if kind == "binary" and known == [0.0, 1.0] else "macro"
    found["f1"] = float(metrics.f1_score(labels, predicted, average=average, zero_division=0))
    if kind == "binary" and len(set(labels)) == 2:
        found["auc"] = float(metrics.roc_auc_score(labels, shares[:, 1]))
    return found


def xgboost_metrics(kind: str, found: dict[str, float]) -> dict[str, float]:
    """By XGBoost's names."""
    if kind == "regression":
        return found
    many = "m" if kind != "binary" else ""
    named = {f"{many}error": 1 - found["accuracy"], "accuracy": found["accuracy"], "f1": found["f1"]}
    named |= {f"{many}{name}": found[name] for name in ("logloss",) if name in found}
    return named | ({"auc": found["auc"]} if "auc" in found else {})


def linear_metrics(kind: str, found: dict[str, float]) -> dict[str, float]:
    """By Linear Learner's names."""
    if kind == "regression":
        return {
            "objective_loss": found["mse"],
            "mse": found["mse"],
            "rmse": found["rmse"],
            "absolute_loss": found["mae"],
        }
    share = "binary_classification_accuracy" if kind == "binary" else "multiclass_accuracy"
    named = {share: found["accuracy"]}
    named |= {"objective_loss": found["logloss"]} if "logloss" in found else {}
    return named | ({"roc_auc_score": found["auc"]} if "auc" in found else {})


if __name__ == "__main__":
    sys.exit(main())
