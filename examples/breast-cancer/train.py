"""Trains the example: a classifier of breast tumours, on the Wisconsin data set that comes with scikit-learn.

``python train.py --output FOLDER`` writes what a release needs: ``model.tar.gz`` as SageMaker expects it (model,
``code/inference.py``), one record to try the endpoint with, and the evaluation that approvers are shown. Two runs with
the same versions of Python, scikit-learn and zlib write the same bytes, so that training again is no new release.
"""

# mypy: disable-error-code="no-untyped-call, no-any-return"
# scikit-learn and joblib come without types.

from __future__ import annotations

import argparse
import gzip
import io
import json
import platform
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import joblib
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, fbeta_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).resolve().parent

SEED = 7
"""Of the split into training and test records."""

TEST_SHARE = 0.25


def main() -> None:
    """Train, evaluate, write the files and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=HERE / "build", help="folder of the files (default: build/)")
    output: Path = parser.parse_args().output
    training, test = records()
    model = train(*training)
    evaluation = evaluate(model, *test)
    output.mkdir(parents=True, exist_ok=True)
    (output / "model.tar.gz").write_bytes(archive(model))
    (output / "sample.csv").write_text(",".join(repr(float(value)) for value in test[0][0]) + "\n")
    (output / "evaluation.json").write_text(json.dumps(evaluation, indent=2) + "\n")
    print(f"{len(training[0])} records to train with, {len(test[0])} to test with; positive class: malignant")
    for name, metric in evaluation["binary_classification_metrics"].items():
        if "value" in metric:
            print(f"  {name:20} {metric['value']:.4f}")
    print(f"Written to {output}: model.tar.gz, sample.csv, evaluation.json")


def records() -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Records and classes (1 is malignant) to train with, and to test with; shapes (n, 30) and (n,)."""
    data = load_breast_cancer()
    malignant = (data.target == 0).astype(int)
    x_train, x_test, y_train, y_test = train_test_split(
        data.data, malignant, test_size=TEST_SHARE, random_state=SEED, stratify=malignant
    )
    return (x_train, y_train), (x_test, y_test)


def train(x: Any, y: Any) -> Pipeline:
    """A logistic regression on standardised measurements: exact, small, and the same on every run."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=1000)).fit(x, y)


def evaluate(model: Pipeline, x: Any, y: Any) -> dict[str, Any]:
    """Figures on records the model has not seen, in the shape of SageMaker's model-quality reports.

    Shape and names: "Model quality metrics" of the Amazon SageMaker Developer Guide. A standard deviation would need
    repeated sampling; ``NaN`` is what SageMaker writes in its place.
    """
    said = model.predict(x)
    (true_negative, false_positive), (false_negative, true_positive) = confusion_matrix(y, said).tolist()
    precision = true_positive / (true_positive + false_positive)
    recall = true_positive / (true_positive + false_negative)
    figures = {
        "accuracy": (true_positive + true_negative) / len(y),
        "precision": precision,
        "recall": recall,
        "f1": float(fbeta_score(y, said, beta=1)),
        "f2": float(fbeta_score(y, said, beta=2)),
        "auc": float(roc_auc_score(y, model.predict_proba(x)[:, 1])),
        "true_positive_rate": recall,
        "true_negative_rate": true_negative / (true_negative + false_positive),
    }
    return {
        "binary_classification_metrics": {
            "confusion_matrix": {
                "0": {"0": true_negative, "1": false_positive},
                "1": {"0": false_negative, "1": true_positive},
            },
            **{name: {"value": round(value, 6), "standard_deviation": "NaN"} for name, value in figures.items()},
        }
    }


def archive(model: Pipeline) -> bytes:
    """``model.tar.gz``: nothing in it tells when, where or by whom it was packed."""
    versions = {"python": platform.python_version(), "scikit-learn": sklearn.__version__}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.joblib"
        joblib.dump(model, file)
        stored = file.read_bytes()
    members = {
        "code/inference.py": (HERE / "code" / "inference.py").read_bytes(),
        "model.joblib": stored,
        "versions.json": (json.dumps(versions, indent=2) + "\n").encode(),
    }
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name, data in members.items():
            # A TarInfo's own defaults: time 0, user and group 0, mode 0644.
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return packed.getvalue()


if __name__ == "__main__":
    main()
