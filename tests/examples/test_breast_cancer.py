"""The example: trains the same every time, and the archive predicts what scikit-learn predicts."""

from __future__ import annotations

import importlib.util
import json
import math
import tarfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from local.inference import ask_model
from local.model_archive import unpack
from local.upload import EXAMPLE, Example, TrainingFailed, build_example, upload_example
from orchestrator.core.config import CheckContext, check_file
from tests.fakes.memory_world import catalogue


def module(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


TRAIN = module(EXAMPLE / "train.py")
INFERENCE = module(EXAMPLE / "code" / "inference.py")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    """Trained by its own script in a process of its own."""
    return build_example(tmp_path_factory.mktemp("example"))


@pytest.fixture
def unpacked(example: Example, tmp_path: Path) -> Path:
    """The archive, as SageMaker unpacks it into /opt/ml/model."""
    with tarfile.open(example.model) as archive:
        unpack(archive, tmp_path)
    return tmp_path


def test_training_again_gives_the_same_bytes(example: Example, tmp_path: Path) -> None:
    again = build_example(tmp_path)
    for key, file in example.assets.items():
        assert again.assets[key].read_bytes() == file.read_bytes(), key


def test_the_archive_tells_nothing_of_who_packed_it(example: Example) -> None:
    with tarfile.open(example.model) as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == ["code/inference.py", "model.joblib", "versions.json"]
    assert {(member.mtime, member.uid, member.gid, member.uname, member.mode) for member in members} == {
        (0, 0, 0, "", 0o644)
    }
    assert example.model.read_bytes()[4:8] == b"\0\0\0\0", "gzip's own time"


def test_the_archive_predicts_what_scikit_learn_predicts(unpacked: Path) -> None:
    (x_train, y_train), (x_test, _) = TRAIN.records()
    expected = TRAIN.train(x_train, y_train)
    body = "\n".join(",".join(repr(float(value)) for value in row) for row in x_test)
    model = INFERENCE.model_fn(str(unpacked))
    answer, content_type = INFERENCE.output_fn(INFERENCE.predict_fn(INFERENCE.input_fn(body, "text/csv"), model), "*/*")
    assert content_type == "application/json"
    predictions = json.loads(answer)["predictions"]
    assert [said["label"] for said in predictions] == [
        ("benign", "malignant")[label] for label in expected.predict(x_test)
    ]
    for said, probability in zip(predictions, expected.predict_proba(x_test)[:, 1], strict=True):
        assert math.isclose(said["probability_malignant"], probability, abs_tol=1e-6)


def test_a_caller_that_wants_csv_gets_a_probability_for_each_record() -> None:
    """As SageMaker Clarify asks."""
    predictions = [
        {"label": "malignant", "probability_malignant": 0.96875},
        {"label": "benign", "probability_malignant": 0.0},
    ]
    assert INFERENCE.output_fn(predictions, "text/csv; charset=utf-8") == ("0.96875\n0.0\n", "text/csv")


def test_json_and_csv_are_the_same_records() -> None:
    row = [float(number) for number in range(30)]
    csv = ",".join(map(str, row)).encode()
    assert INFERENCE.input_fn(csv + b"\n\n", "text/csv; charset=utf-8") == [row]
    assert INFERENCE.input_fn(json.dumps({"instances": [row]}), "application/json") == [row]


@pytest.mark.parametrize(
    ("body", "content_type", "why"),
    [
        (b"1,2,3", "text/csv", "record 1 has 3 values, 30 are expected"),
        (b"", "text/csv", "the request has no record"),
        (b"x", "application/x-npy", "not application/x-npy"),
    ],
)
def test_bad_requests(body: bytes, content_type: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        INFERENCE.input_fn(body, content_type)


def test_a_model_of_another_scikit_learn_is_not_loaded(unpacked: Path) -> None:
    (unpacked / "versions.json").write_text(json.dumps({"scikit-learn": "0.1.0"}))
    with pytest.raises(RuntimeError, match=r"trained with scikit-learn 0\.1\.0"):
        INFERENCE.model_fn(str(unpacked))


def test_the_evaluation_is_about_records_the_model_has_not_seen(example: Example) -> None:
    evaluation = json.loads(example.assets["breast-cancer/evaluation.json"].read_text())
    metrics = evaluation["binary_classification_metrics"]
    matrix = metrics["confusion_matrix"]
    right = matrix["0"]["0"] + matrix["1"]["1"]
    total = sum(count for row in matrix.values() for count in row.values())
    assert total == len(TRAIN.records()[1][0])
    assert math.isclose(metrics["accuracy"]["value"], right / total, abs_tol=1e-6)
    assert metrics["auc"]["value"] > 0.95
    assert all(set(metric) == {"value", "standard_deviation"} for name, metric in metrics.items() if "_" not in name)


@pytest.mark.parametrize(
    ("file", "context"),
    [
        ("mlops-config.json", CheckContext("multi")),
        ("single-account/mlops-config.json", CheckContext("single")),
    ],
    ids=["multi", "single"],
)
def test_the_configurations_are_valid_without_a_warning(file: str, context: CheckContext) -> None:
    (checked,) = check_file((EXAMPLE / file).read_bytes(), catalogue(), context)
    assert checked.warnings == ()
    assert checked.verify is not None
    assert {asset.key for asset in checked.assets} == {
        "breast-cancer/model.tar.gz",
        "breast-cancer/sample.csv",
        "breast-cancer/evaluation.json",
    }


def test_the_single_account_configuration_says_what_prod_has(tmp_path: Path) -> None:
    multi = json.loads((EXAMPLE / "mlops-config.json").read_text())
    single = json.loads((EXAMPLE / "single-account" / "mlops-config.json").read_text())
    staged = {key for key, value in multi.items() if isinstance(value, Mapping) and "prod" in value}
    assert {key: value for key, value in single.items() if key not in staged} == {
        key: value for key, value in multi.items() if key not in staged
    }
    assert set(single) == set(multi)


def test_the_model_answers_its_sample(example: Example) -> None:
    prediction = ask_model(example)
    (said,) = prediction.value["predictions"]
    assert said["label"] == "benign"
    assert 0 <= said["probability_malignant"] < 0.5


class Cloud:
    """Keeps what is uploaded, in order."""

    def __init__(self) -> None:
        self.uploads: list[dict[str, Any]] = []

    def client(self, service: str, account: str, region: str) -> Cloud:
        assert (service, account) == ("s3", "111111111111")
        return self

    def put_object(self, **request: Any) -> None:
        self.uploads.append(request)


def test_the_configuration_is_uploaded_last_with_its_uploader(example: Example) -> None:
    class Running:
        outputs: Mapping[str, str] = {"AssetsBucketName": "assets"}
        cloud = Cloud()

    upload_example(Running(), example)  # type: ignore[arg-type]
    *assets, last = Running.cloud.uploads
    assert {upload["Key"] for upload in assets} == set(example.assets)
    assert last["Key"] == "breast-cancer/mlops-config.json"
    assert last["Metadata"] == {"requester": "ana@example.com"}
    assert {upload["Bucket"] for upload in Running.cloud.uploads} == {"assets"}


def test_a_failed_training_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.py").write_text("raise SystemExit('no data')")
    monkeypatch.setattr("local.upload.EXAMPLE", tmp_path)
    with pytest.raises(TrainingFailed, match="no data"):
        build_example(tmp_path / "out")
