"""Where a template parameter comes from: every word of the vocabulary of ``workload.json``."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.core.sources import (
    FORMS,
    Condition,
    Facts,
    ModelContainer,
    ModelPackage,
    NotPinned,
    PinnedAsset,
    Source,
    as_text,
    document_sources,
    evaluate,
    finish,
    late,
    lookup,
    parse_sources,
    render,
    split_location,
)

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fraud:1"
ARN = "arn:aws:sagemaker:us-east-1:111122223333:model-package/fraud/3"
MODEL_PACKAGE = ModelPackage(
    ARN,
    (
        ModelContainer(IMAGE, "s3://models/k/m.tar.gz"),
        ModelContainer(IMAGE, "s3://models/parts/"),
        ModelContainer("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"),
    ),
)
FACTS = Facts(
    names={
        "$stage": "prod",
        "$assets_bucket": "mlops-assets",
        "$tags": {"team": "fraud", "cost": "7"},
        "$document:analysis.json": "s3://pkg/documents/abc/analysis.json",
    },
    region="us-east-1",
    partition="aws",
    assets={"m.tar.gz": PinnedAsset("m.tar.gz", "mlops-assets", "v1", "pkg", "assets/h/m.tar.gz", "abc", 7)},
    model_packages={"group": MODEL_PACKAGE},
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
    "parameters": {"eta": 0.3, "rounds": 100, "booster": "gbtree", "quiet": True, "checks": [1, "a"]},
    "ranges": {
        "eta": ["continuous", [0, 0.5]],
        "alpha": ["continuous", ["1e-3", 1, "Logarithmic"]],
        "rounds": ["integer", [10, 50]],
        "booster": ["categorical", ["gbtree", 7, True]],
    },
    "bias": {"facet_name": "age", "facet_values_or_threshold": [40]},
    "biases": {"facet_name": ["age", "sex", "town"], "facet_values_or_threshold": [[40], "f"]},
    "bare_bias": {"facet_name": 3},
}
MONITOR = "156813124566"
ANALYZER = "sagemaker-model-monitor-analyzer"
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
        ({"from": "list", "as": "asset_key"}, None),
        ({"from": "asset", "as": "asset_sha256"}, "abc"),
        ({"from": "asset", "as": "asset_or_prefix"}, "s3://pkg/assets/h/m.tar.gz"),
        ({"from": "folder", "as": "asset_or_prefix"}, "s3://mlops-assets/data/train"),
        ({"from": "folder", "as": "assets_uri"}, "s3://mlops-assets/data/train"),
        ({"from": "image", "as": "image"}, IMAGE),
        ({"from": "image", "as": "image_repository_arn"}, "arn:aws:ecr:us-east-1:111122223333:repository/fraud"),
        ({"from": "framework", "as": "image", "version": "version", "instance": "instance"}, SKLEARN),
        ({"from": "framework", "as": "image", "version": "version"}, SKLEARN),
        ({"from": "package", "as": "model_package"}, ARN),
        (
            {"from": "package", "as": "model_package_data_arns"},
            "arn:aws:s3:::models/k/m.tar.gz,arn:aws:s3:::models/parts/*",
        ),
        ({"from": "package", "as": "model_package_bucket_arns"}, "arn:aws:s3:::models"),
        (
            {"from": "package", "as": "model_package_repository_arns"},
            "arn:aws:ecr:us-east-1:111122223333:repository/fraud,"
            "arn:aws:ecr:us-east-1:683313688378:repository/sagemaker-scikit-learn",
        ),
        ({"from": "$document:analysis.json"}, "s3://pkg/documents/abc/analysis.json"),
        ({"from": "$document:analysis.json", "as": "uri_bucket"}, "pkg"),
        ({"from": "$document:analysis.json", "as": "uri_key"}, "documents/abc/analysis.json"),
        ({"from": "asset", "as": "asset_or_prefix_bucket"}, "pkg"),
        ({"from": "asset", "as": "asset_or_prefix_key"}, "assets/h/m.tar.gz"),
        ({"from": "folder", "as": "asset_or_prefix_bucket"}, "mlops-assets"),
        ({"from": "folder", "as": "asset_or_prefix_key"}, "data/train"),
        ({"from": "asset", "as": "asset_or_raw"}, "s3://pkg/assets/h/m.tar.gz"),
        ({"from": "list", "as": "asset_or_raw"}, ["a", 1, True]),
        ({"value": "model-monitor", "as": "aws_image"}, f"{MONITOR}.dkr.ecr.us-east-1.amazonaws.com/{ANALYZER}"),
        (
            {"value": "sklearn:1.2-1", "as": "aws_image"},
            "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
        ),
        (
            {"value": "model-monitor", "as": "aws_image_repository_arn"},
            f"arn:aws:ecr:us-east-1:{MONITOR}:repository/{ANALYZER}",
        ),
        (
            {"value": "clarify", "as": "aws_image"},
            "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0",
        ),
        (
            {"from": "parameters", "as": "hyperparameters"},
            {"eta": "0.3", "rounds": "100", "booster": "gbtree", "quiet": "True", "checks": '[1,"a"]'},
        ),
        (
            {"from": "parameters", "as": "hyperparameters", "without": "ranges"},
            {"quiet": "True", "checks": '[1,"a"]'},
        ),
        (
            {"from": "ranges", "as": "parameter_ranges"},
            {
                "ContinuousParameterRanges": [
                    {"Name": "eta", "MinValue": "0", "MaxValue": "0.5", "ScalingType": "Auto"},
                    {"Name": "alpha", "MinValue": "1e-3", "MaxValue": "1", "ScalingType": "Logarithmic"},
                ],
                "IntegerParameterRanges": [
                    {"Name": "rounds", "MinValue": "10", "MaxValue": "50", "ScalingType": "Auto"}
                ],
                "CategoricalParameterRanges": [{"Name": "booster", "Values": ["gbtree", "7", "True"]}],
            },
        ),
        (
            {"from": "$tags", "as": "tag_list"},
            [{"Key": "cost", "Value": "7"}, {"Key": "team", "Value": "fraud"}],
        ),
        ({"from": "bias", "as": "clarify_facets"}, [{"name_or_index": "age", "value_or_threshold": [40]}]),
        (
            {"from": "biases", "as": "clarify_facets"},
            [
                {"name_or_index": "age", "value_or_threshold": [40]},
                {"name_or_index": "sex", "value_or_threshold": ["f"]},
                {"name_or_index": "town"},
            ],
        ),
        ({"from": "bare_bias", "as": "clarify_facets"}, [{"name_or_index": 3}]),
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
        ({"from": "number", "as": "minutes_to_seconds"}, "180"),
        ({"from": "number", "when": {"key": "text", "matches": " ?Fr"}}, "3"),
        ({"from": "number", "when": {"key": "text", "matches": "aud"}}, None),
        ({"from": "number", "when": {"key": "missing", "matches": "x"}}, None),
        ({"from": "number", "when": {"key": "object.a.deep"}}, "3"),
        ({"from": "number", "when": {"key": "object.a.none"}}, None),
        ({"from": "number", "when": [{"key": "zero"}, {"key": "off", "is": [False]}]}, "3"),
        ({"from": "number", "when": [{"key": "zero"}, {"key": "off", "is": [True]}]}, None),
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
        "empty": {},
        "none": [],
    }
    assert render(document, VALUES, FACTS) == {
        "name": "fraud",
        "null": None,
        "list": [3, None, "x"],
        "deep": {"flag": False},
        "empty": {},
        "none": [],
    }


GONE = {"$source": {"from": "missing"}}


@pytest.mark.parametrize(
    ("document", "rendered"),
    [
        ({"Vpc": {"Subnets": GONE, "Groups": [GONE]}, "a": 1}, {"a": 1}),
        ({"Vpc": {"Subnets": GONE, "Groups": []}}, {"Vpc": {"Groups": []}}),
        ({"Vpc": {"Subnets": GONE}}, {}),
        ([{"$when": {"key": "zero"}, "Name": "train"}], [{"Name": "train"}]),
        ({"a": [{"$when": {"key": "missing"}, "Name": "validation"}, {"Name": "train"}]}, {"a": [{"Name": "train"}]}),
        ({"a": [{"$when": {"key": "missing"}, "Name": "validation"}]}, {}),
        ({"a": {"$when": {"key": "off", "is": [False]}, "Wait": 3}}, {"a": {"Wait": 3}}),
        ({"a": {"$when": [{"key": "off", "is": [False]}, {"key": "missing"}], "Wait": 3}, "b": 0}, {"b": 0}),
        ({"a": {"$when": {"key": "zero"}}}, {"a": {}}),
    ],
    ids=str,
)
def test_what_vanishes_from_a_document(document: Any, rendered: Any) -> None:
    assert render(document, VALUES, FACTS) == rendered


@pytest.mark.parametrize(
    ("document", "rendered"),
    [
        ({"$source": {"value": {"eta": "0.1"}, "as": "raw"}, "seed": "7"}, {"eta": "0.1", "seed": "7"}),
        ({"$source": {"value": {"eta": "0.1"}, "as": "raw"}, "eta": "0.2"}, {"eta": "0.2"}),
        ({"$source": {"value": {"eta": "0.1"}, "as": "raw"}, "seed": GONE}, {"eta": "0.1"}),
        ({"$source": {"from": "missing"}, "seed": "7"}, {"seed": "7"}),
        ({"a": {"$source": {"from": "missing"}, "seed": GONE}}, {}),
    ],
    ids=["added", "in its place", "nothing to add", "nothing to add to", "nothing at all"],
)
def test_members_beside_a_source_are_added_to_its_value(document: Any, rendered: Any) -> None:
    assert render(document, VALUES, FACTS) == rendered


def test_sources_beside_a_source_are_found() -> None:
    document = {"$source": {"from": "text"}, "seed": {"$source": {"from": "number"}}}
    assert [source.key for source in document_sources(document)] == ["text", "number"]


@pytest.mark.parametrize(
    ("raw", "entry", "value"),
    [
        ({"from": "number", "as": "raw"}, {"value": 3}, 3),
        ({"from": "missing"}, None, None),
        ({"from": "$release"}, {"from": "$release", "as": "text"}, "fraud-1"),
        ({"from": "$output:ExecutionRoleArn"}, {"from": "$output:ExecutionRoleArn", "as": "text"}, "arn:role"),
        ({"from": "$output:Place", "as": "uri_key"}, {"from": "$output:Place", "as": "uri_key"}, "k/x"),
        ([{"from": "missing"}, {"from": "$release"}, {"value": "x"}], {"from": "$release", "as": "text"}, "fraud-1"),
        ([{"from": "number"}, {"from": "$release"}], {"value": "3"}, "3"),
        ({"from": "$release", "most": 6}, {"from": "$release", "as": "text", "most": 6}, "fraud"),
        ({"from": "$release", "when": {"key": "missing"}}, None, None),
    ],
    ids=str,
)
def test_the_input_of_a_job(raw: Any, entry: Any, value: Any) -> None:
    """Package writes what it knows; RunJob knows the rest."""
    names = {"$release": "fraud-1", "$output:ExecutionRoleArn": "arn:role", "$output:Place": "s3://b/k/x"}
    written = late(parse_sources(raw), VALUES, FACTS)
    assert written == entry
    if written is not None:
        assert finish(written, names) == value


def test_an_output_that_the_stack_does_not_have() -> None:
    with pytest.raises(KeyError, match="Nope"):
        finish({"from": "$output:Nope", "as": "text"}, {"$release": "r"})


def test_small_parts() -> None:
    assert lookup({"a": {"b": ""}}, "a.b") is None
    assert lookup({"a": ["x", {"b": 7}]}, "a.1.b") == 7
    assert lookup({"a": ["x"]}, "a.1") is None
    assert lookup({"a": ["x"]}, "a.b") is None
    assert as_text(True) == "true"
    assert as_text({"ü": 1}) == '{"ü":1}'
    assert split_location("b/p/q") == ("b", "p/q")
    assert Condition("a").holds({"a": 0})
    assert not Condition("a").holds({"a": ""})


@pytest.mark.parametrize(
    ("most", "value"), [(99, "bucket/a/b"), (6, "bucket"), (7, "bucket/")], ids=["all of it", "cut", "one more"]
)
def test_a_text_is_cut(most: int, value: str) -> None:
    assert evaluate(parse_sources({"from": "place", "most": most}), VALUES, FACTS) == value


def test_what_is_cut_ends_in_no_hyphen() -> None:
    assert evaluate(parse_sources({"value": "fraud--detector", "most": 7}), VALUES, FACTS) == "fraud"
