"""Where a template parameter comes from: every word of the vocabulary of ``workload.json``."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.core.sources import (
    FORMS,
    Condition,
    Facts,
    ModelPackage,
    NotPinned,
    PinnedAsset,
    Source,
    as_text,
    evaluate,
    lookup,
    render,
    split_location,
)
from orchestrator.core.workloads import parse_sources

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fraud:1"
ARN = "arn:aws:sagemaker:us-east-1:111122223333:model-package/fraud/3"
FACTS = Facts(
    names={"$stage": "prod", "$assets_bucket": "mlops-assets"},
    region="us-east-1",
    partition="aws",
    assets={"m.tar.gz": PinnedAsset("m.tar.gz", "mlops-assets", "v1", "pkg", "assets/h/m.tar.gz", "abc", 7)},
    model_packages={"group": ModelPackage(ARN, IMAGE, "models", "k/m.tar.gz")},
)
VALUES: dict[str, Any] = {
    "text": " Fraud ",
    "empty": "",
    "zero": 0,
    "off": False,
    "number": 3,
    "place": "bucket/a/b",
    "bare": "bucket",
    "asset": "m.tar.gz",
    "folder": "data/train",
    "object": {"b": 1, "a": {"deep": ["x", 2]}},
    "list": ["a", 1, True],
    "framework": "sklearn",
    "version": "1.2-1",
    "instance": "ml.m5.large",
    "image": IMAGE,
    "package": "group",
}
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ({"from": "text"}, " Fraud "),
        ({"from": "text", "as": "lower"}, "fraud"),
        ({"from": "number"}, "3"),
        ({"from": "number", "as": "raw"}, 3),
        ({"from": "zero"}, "0"),
        ({"from": "off"}, "false"),
        ({"from": "empty"}, None),
        ({"from": "missing"}, None),
        ({"from": "missing", "default": "d"}, "d"),
        ({"from": "missing", "default": 0}, "0"),
        ({"from": "object"}, '{"a":{"deep":["x",2]},"b":1}'),
        ({"from": "object", "as": "json"}, '{"a":{"deep":["x",2]},"b":1}'),
        ({"from": "text", "as": "json"}, " Fraud "),
        ({"from": "object.a.deep"}, '["x",2]'),
        ({"from": "object.a.none"}, None),
        ({"from": "text.a"}, None),
        ({"from": "list", "as": "list"}, "a,1,true"),
        ({"from": "text", "as": "list"}, " Fraud "),
        ({"from": "place", "as": "bucket"}, "bucket"),
        ({"from": "place", "as": "prefix"}, "a/b"),
        ({"from": "bare", "as": "prefix"}, ""),
        ({"from": "place", "as": "s3_uri"}, "s3://bucket/a/b"),
        ({"from": "place", "as": "s3_arn"}, "arn:aws:s3:::bucket/a/b"),
        ({"from": "asset", "as": "asset"}, "s3://pkg/assets/h/m.tar.gz"),
        ({"from": "asset", "as": "asset_bucket"}, "pkg"),
        ({"from": "asset", "as": "asset_key"}, "assets/h/m.tar.gz"),
        ({"from": "asset", "as": "asset_sha256"}, "abc"),
        ({"from": "asset", "as": "asset_or_prefix"}, "s3://pkg/assets/h/m.tar.gz"),
        ({"from": "folder", "as": "asset_or_prefix"}, "s3://mlops-assets/data/train"),
        ({"from": "folder", "as": "assets_uri"}, "s3://mlops-assets/data/train"),
        ({"from": "image", "as": "image"}, IMAGE),
        ({"from": "image", "as": "image_repository_arn"}, "arn:aws:ecr:us-east-1:111122223333:repository/fraud"),
        ({"from": "framework", "as": "image", "version": "version", "instance": "instance"}, SKLEARN),
        ({"from": "framework", "as": "image", "version": "version"}, SKLEARN),
        ({"from": "package", "as": "model_package"}, ARN),
        ({"from": "package", "as": "model_package_image"}, IMAGE),
        ({"from": "package", "as": "model_package_bucket"}, "models"),
        ({"from": "package", "as": "model_package_key"}, "k/m.tar.gz"),
        (
            {"from": "package", "as": "model_package_repository_arn"},
            "arn:aws:ecr:us-east-1:111122223333:repository/fraud",
        ),
        ({"from": "$stage"}, "prod"),
        ({"from": "$region"}, None),
        ({"value": "constant"}, "constant"),
        ({"value": 0}, 0),
        ({"value": [1]}, [1]),
        ([{"from": "missing"}, {"from": "number"}], "3"),
        ([{"from": "number", "when": {"key": "text", "is": ["other"]}}, {"value": "x"}], "x"),
        ([{"from": "number", "when": {"key": "number", "is": [3, 4]}}, {"value": "x"}], "3"),
        ({"from": "number", "when": {"key": "missing"}}, None),
        ({"from": "number", "when": {"key": "missing", "present": False}}, "3"),
        ({"from": "number", "when": {"key": "zero"}}, "3"),
    ],
    ids=str,
)
def test_every_form(raw: Any, value: Any) -> None:
    assert evaluate(parse_sources(raw), VALUES, FACTS) == value


def test_the_table_knows_every_word() -> None:
    marks = getattr(test_every_form, "pytestmark")  # noqa: B009 - mypy does not know the attribute
    raws = [raw for raw, _ in marks[0].args[1]]
    used = {source.get("as", "text") for raw in raws for source in (raw if isinstance(raw, list) else [raw])}
    assert used == FORMS


@pytest.mark.parametrize("form", ["asset", "asset_bucket", "asset_key", "asset_sha256"])
def test_what_was_not_pinned_is_a_fault_of_the_caller(form: str) -> None:
    with pytest.raises(NotPinned, match="data/train"):
        evaluate([Source("folder", form=form)], VALUES, FACTS)
    with pytest.raises(NotPinned, match="Fraud"):
        evaluate([Source("text", form="model_package")], VALUES, FACTS)


def test_documents_are_rendered() -> None:
    document = {
        "name": {"$source": {"from": "text", "as": "lower"}},
        "left out": {"$source": {"from": "missing"}},
        "null": None,
        "list": [{"$source": {"from": "number", "as": "raw"}}, {"$source": {"from": "missing"}}, None, "x"],
        "deep": {"flag": {"$source": {"from": "off", "as": "raw"}}},
    }
    assert render(document, VALUES, FACTS, parse_sources) == {
        "name": "fraud",
        "null": None,
        "list": [3, None, "x"],
        "deep": {"flag": False},
    }


def test_small_parts() -> None:
    assert lookup({"a": {"b": ""}}, "a.b") is None
    assert as_text(True) == "true"
    assert as_text({"ü": 1}) == '{"ü":1}'
    assert split_location("b/p/q") == ("b", "p/q")
    assert Condition("a").holds({"a": 0})
    assert not Condition("a").holds({"a": ""})
