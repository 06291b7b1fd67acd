"""Serves the model in AWS's scikit-learn container: the four functions that SageMaker's inference toolkit calls.

The container brings everything this file needs (scikit-learn, joblib, NumPy), so that the archive has no
``code/requirements.txt``. A model that needs more lists it there, and the container installs it when it starts.
"""

# mypy: disable-error-code="no-untyped-call"
# joblib comes without types.

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import joblib
import sklearn

FEATURES = 30
"""Measurements of one record."""

LABELS = ("benign", "malignant")
"""By class of the model."""

DIGITS = 6
"""Of a probability: what matters, and the same on every processor."""


def model_fn(model_dir: str) -> Any:
    """The trained pipeline; raises RuntimeError where another scikit-learn has trained it.

    joblib reads a pickle, and reading a pickle runs what is in it. That is meant here: this very file comes out of the
    same archive, and whoever may write the archive may run code in the container anyway. What guards both is the
    release: it deploys the exact object version that was packaged, and approvers see its SHA-256.
    """
    folder = Path(model_dir)
    trained_with = json.loads((folder / "versions.json").read_text())["scikit-learn"]
    if _series(trained_with) != _series(sklearn.__version__):
        # scikit-learn only warns, and may then predict something else.
        raise RuntimeError(
            f"the model was trained with scikit-learn {trained_with}, but this container has {sklearn.__version__}; "
            f"train it with scikit-learn {_series(sklearn.__version__)}"
        )
    return joblib.load(folder / "model.joblib")


def input_fn(body: bytes | str, content_type: str) -> list[list[float]]:
    """The records of a request: ``text/csv`` without a header, or ``application/json`` as ``{"instances": [[…], …]}``.

    Raises ValueError for another content type, or a record without exactly 30 numbers.
    """
    text = body.decode() if isinstance(body, bytes | bytearray) else body
    kind = content_type.split(";")[0].strip().lower()
    if kind == "text/csv":
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
    elif kind == "application/json":
        rows = json.loads(text)["instances"]
    else:
        raise ValueError(f"send text/csv or application/json, not {content_type}")
    records = [[float(value) for value in row] for row in rows]
    for number, record in enumerate(records, start=1):
        if len(record) != FEATURES:
            raise ValueError(f"record {number} has {len(record)} values, {FEATURES} are expected")
    if not records:
        raise ValueError("the request has no record")
    return records


def predict_fn(records: list[list[float]], model: Any) -> list[dict[str, object]]:
    """Label of each record, and the probability that it is malignant."""
    labels, probabilities = model.predict(records), model.predict_proba(records)[:, 1]
    return [
        {"label": LABELS[int(label)], "probability_malignant": round(float(probability), DIGITS)}
        for label, probability in zip(labels, probabilities, strict=True)
    ]


def output_fn(predictions: list[dict[str, object]], accept: str) -> tuple[str, str]:
    """The answer and its content type: JSON, or the probabilities alone, one a line, for a caller that wants CSV.

    SageMaker Clarify is such a caller: it asks with ``text/csv`` for numbers that it can explain.
    """
    if accept.split(";")[0].strip().lower() == "text/csv":
        return "".join(f"{prediction['probability_malignant']}\n" for prediction in predictions), "text/csv"
    return json.dumps({"predictions": predictions}), "application/json"


def _series(version: str) -> str:
    return ".".join(version.split(".")[:2])
