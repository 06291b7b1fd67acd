"""Model cards: what is taken, what is refused and where, and what SageMaker is given."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from orchestrator.core.errors import Refused, UnknownModelCard
from orchestrator.core.model_cards import OPERATIONS
from orchestrator.core.model_cards.metric_files import metric_groups
from orchestrator.core.model_cards.operations import perform
from orchestrator.core.model_cards.ports import Model, TrainingJob
from orchestrator.core.model_cards.request import check_model_card, is_model_card, schema
from orchestrator.core.problems import BadConfiguration
from tests.fakes.model_cards import PREFIX, FakeModelCards
from tests.fakes.storage import MemoryObjects

ASSETS = "mlops-assets"
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
ARTIFACT = "s3://mlops-assets/fraud/model.tar.gz"
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fraud:1"

FULL: dict[str, Any] = {
    "pipeline_type": "create_model_card",
    "name": "fraud-detector",
    "status": "PendingReview",
    "version": 1,
    "created_by": "DS",
    "model_overview": {
        "model_description": "Scores card payments.",
        "model_version": 2,
        "problem_type": "Binary Classification",
        "algorithm_type": "Gradient boosting",
        "model_creator": "payments",
        "model_owner": "payments",
        "model_artifact": [ARTIFACT],
        "inference_environment": [IMAGE],
    },
    "intended_uses": {"purpose_of_model": "Fraud", "intended_uses": "Cards", "risk_rating": "High"},
    "training_details": {
        "objective_function": {"function": "Maximize", "facet": "AUC", "condition": "hold-out", "notes": "n"},
        "training_observations": "none",
        "training_job_details": {
            "training_arn": f"{PREFIX}:training-job/fraud",
            "training_datasets": ["s3://mlops-assets/fraud/train.csv"],
            "training_environment": [IMAGE],
            "training_metrics": [{"name": "auc", "value": 0.97}],
            "user_provided_training_metrics": [{"name": "f1", "value": 0.9, "notes": "ours"}],
        },
    },
    "evaluation_details": [
        {
            "name": "hold-out",
            "evaluation_observation": "good",
            "evaluation_job_arn": "arn:evaluation-job/1",
            "datasets": ["s3://mlops-assets/fraud/test.csv"],
            "metadata": {"by": "ana"},
            "metric_groups": [
                {
                    "name": "quality",
                    "metric_data": [
                        {"name": "auc", "type": "number", "value": 0.97},
                        {"name": "roc", "type": "linear_graph", "value": [[0, 0], [1, 1]], "x_axis_name": "fpr"},
                        {"name": "cm", "type": "matrix", "value": [[90, 10], [5, 95]], "x_axis_name": ["0", "1"]},
                        {"name": "shap", "type": "bar_chart", "value": [0.2, 0.1], "x_axis_name": ["a", "b"]},
                        {"name": "calibrated", "type": "boolean", "value": True},
                        {"name": "verdict", "type": "string", "value": "ship it"},
                    ],
                }
            ],
        }
    ],
    "additional_information": {
        "ethical_considerations": "reviewed",
        "caveats_and_recommendations": "none",
        "custom_details": {"department": "payments"},
    },
}


@pytest.fixture
def cards() -> FakeModelCards:
    """SageMaker with a model and its training job."""
    job = TrainingJob(f"{PREFIX}:training-job/fraud-1", IMAGE, ("s3://mlops-assets/t.csv",), (("auc", 0.97),))
    model = Model(f"{PREFIX}:model/fraud", (IMAGE,), (ARTIFACT,))
    return FakeModelCards(models={"fraud": model}, jobs={"fraud-1": job}, made={ARTIFACT: "fraud-1"})


@pytest.fixture
def objects() -> MemoryObjects:
    """The assets bucket."""
    return MemoryObjects()


def done(values: dict[str, Any], cards: FakeModelCards, objects: MemoryObjects | None = None) -> Any:
    answer = perform(check_model_card(values), cards, objects or MemoryObjects(), ASSETS, NOW)
    assert set(answer) == {"message"}
    json.dumps(answer)
    return answer["message"]


def as_cloudformation(value: Any, free: bool = False) -> Any:
    """Content with CloudFormation's spelling of its keys, by which its resource schema can judge it."""
    if isinstance(value, dict):
        spell = {key: key if free else "".join(word.capitalize() for word in key.split("_")) for key in value}
        return {
            spell[key]: as_cloudformation(member, key in {"custom_details", "metadata"})
            for key, member in value.items()
        }
    return [as_cloudformation(member) for member in value] if isinstance(value, list) else value


def assert_sagemaker_takes(content: dict[str, Any]) -> None:
    found = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", "AWS::SageMaker::ModelCard").schema
    part = {"definitions": found["definitions"], "$ref": "#/definitions/Content"}
    jsonschema.Draft7Validator(part).validate(as_cloudformation(content))


def test_a_card_is_created_with_everything_that_was_said(cards: FakeModelCards) -> None:
    message = done(FULL, cards)
    assert message["ModelCardName"] == "fraud-detector"
    assert message["ModelCardStatus"] == "PendingReview"
    content = cards.content("fraud-detector")
    assert_sagemaker_takes(content)
    assert content["model_overview"]["inference_environment"] == {"container_image": [IMAGE]}
    assert content["training_details"]["objective_function"] == {
        "function": {"function": "Maximize", "facet": "AUC", "condition": "hold-out"},
        "notes": "n",
    }
    assert content["additional_information"] == FULL["additional_information"]
    assert content["intended_uses"] == FULL["intended_uses"]
    groups = content["evaluation_details"][0]["metric_groups"]
    assert groups == FULL["evaluation_details"][0]["metric_groups"]


def test_a_card_needs_a_name_only_and_is_a_draft(cards: FakeModelCards) -> None:
    assert done({"pipeline_type": "create_model_card", "name": "bare"}, cards)["ModelCardStatus"] == "Draft"
    assert cards.content("bare") == {}


def test_what_sagemaker_knows_of_a_model_and_its_training_is_filled_in(cards: FakeModelCards) -> None:
    done(
        {
            "pipeline_type": "create_model_card",
            "name": "found",
            "model_overview": {"model_name": "fraud", "model_owner": "payments"},
            "training_details": {"model_name": "fraud", "training_observations": "seen"},
        },
        cards,
    )
    content = cards.content("found")
    assert_sagemaker_takes(content)
    assert content["model_overview"] == {
        "model_name": "fraud",
        "model_id": f"{PREFIX}:model/fraud",
        "model_artifact": [ARTIFACT],
        "inference_environment": {"container_image": [IMAGE]},
        "model_owner": "payments",
    }
    details = content["training_details"]
    assert details["training_observations"] == "seen"
    assert details["training_job_details"]["training_arn"] == f"{PREFIX}:training-job/fraud-1"
    assert details["training_job_details"]["training_metrics"] == [{"name": "auc", "value": 0.97}]


def test_a_training_job_is_found_by_its_name(cards: FakeModelCards) -> None:
    values = {"pipeline_type": "create_model_card", "name": "j", "training_details": {"training_job_name": "fraud-1"}}
    done(values, cards)
    environment = cards.content("j")["training_details"]["training_job_details"]["training_environment"]
    assert environment == {"container_image": [IMAGE]}


def test_the_same_card_twice_is_one_and_another_of_its_name_is_refused(cards: FakeModelCards) -> None:
    done(FULL, cards)
    assert done(FULL, cards)["ModelCardVersion"] == 1
    with pytest.raises(Refused, match="update_model_card"):
        done({**FULL, "status": "Draft"}, cards)


def test_an_update_keeps_what_it_does_not_name(cards: FakeModelCards) -> None:
    done(FULL, cards)
    change = {"pipeline_type": "update_model_card", "name": "fraud-detector"}
    message = done({**change, "intended_uses": {"purpose_of_model": "All fraud"}}, cards)
    assert message["ModelCardVersion"] == 2
    assert message["ModelCardStatus"] == "PendingReview", "an update without a status leaves it"
    content = cards.content("fraud-detector")
    assert content["intended_uses"] == {"purpose_of_model": "All fraud", "risk_rating": "Unknown"}
    assert content["model_overview"]["model_owner"] == "payments"
    assert done({**change, "status": "Approved"}, cards)["ModelCardStatus"] == "Approved"
    assert done(change, cards)["ModelCardVersion"] == 2, "nothing to change is no new version"


def test_an_archived_card_is_taken_out_first(cards: FakeModelCards) -> None:
    done({**FULL, "status": "Archived"}, cards)
    change = {"pipeline_type": "update_model_card", "name": "fraud-detector", "status": "Draft"}
    done({**change, "additional_information": {"ethical_considerations": "none"}}, cards)
    assert cards.content("fraud-detector")["additional_information"] == {"ethical_considerations": "none"}


def test_describe_delete_list_export(cards: FakeModelCards) -> None:
    done(FULL, cards)
    done({"pipeline_type": "update_model_card", "name": "fraud-detector", "intended_uses": {}}, cards)
    by_name = {"name": "fraud-detector"}
    assert done({"pipeline_type": "describe_model_card", **by_name}, cards)["ModelCardVersion"] == 2
    assert done({"pipeline_type": "describe_model_card", **by_name, "version": "1"}, cards)["ModelCardVersion"] == 1
    listed = done({"pipeline_type": "list_model_cards"}, cards)
    assert [card["ModelCardName"] for card in listed["ModelCardSummaries"]] == ["fraud-detector"]
    told = done({"pipeline_type": "export_model_card", **by_name, "model_card_version": 1}, cards)
    assert "s3://mlops-assets/model_card_exports" in told
    assert cards.exports == [
        ("fraud-detector", "fraud-detector-20260301120000", 1, f"s3://{ASSETS}/model_card_exports")
    ]
    done({"pipeline_type": "export_model_card", **by_name, "export_job_name": "mine"}, cards)
    assert cards.exports[-1][1] == "mine"
    assert "has been deleted" in done({"pipeline_type": "delete_model_card", **by_name}, cards)
    assert cards.versions == {}


@pytest.mark.parametrize(
    "operation", ["describe_model_card", "delete_model_card", "update_model_card", "export_model_card"]
)
def test_a_card_that_is_not_there_is_told(operation: str, cards: FakeModelCards) -> None:
    with pytest.raises(UnknownModelCard, match='no model card "gone"'):
        done({"pipeline_type": operation, "name": "gone"}, cards)


def refused(values: dict[str, Any], cards: FakeModelCards | None = None) -> list[tuple[str, str]]:
    with pytest.raises(BadConfiguration) as error:
        done(values, cards or FakeModelCards())
    return [(one.path, one.sentence) for one in error.value.problems if one.severity == "error"]


def created(**changes: Any) -> dict[str, Any]:
    return {"pipeline_type": "create_model_card", "name": "card", **changes}


EVALUATION = {"name": "e"}


@pytest.mark.parametrize(
    ("values", "path", "words"),
    [
        ({"pipeline_type": "create_model_card"}, "$.name", "is required"),
        (created(name="no good"), "$.name", "63 letters"),
        (created(name="a" * 64), "$.name", "63"),
        (created(status="draft"), "$.status", 'Did you mean "Draft"?'),
        (created(statsu="Draft"), "$.statsu", 'Did you mean "status"?'),
        (created(model_overview=[]), "$.model_overview", "must be an object"),
        (created(model_overview={"model_ownr": "x"}), "$.model_overview.model_ownr", 'Did you mean "model_owner"?'),
        (created(model_overview={"model_version": "2"}), "$.model_overview.model_version", "must be a number"),
        (created(model_overview={"model_artifact": ["s"] * 16}), "$.model_overview.model_artifact", "15 are allowed"),
        (created(model_overview={"model_name": "gone"}), "$.model_overview.model_name", 'no model "gone"'),
        (created(intended_uses={"risk_rating": "Hgih"}), "$.intended_uses.risk_rating", 'Did you mean "High"?'),
        (created(intended_uses={"purpose_of_model": "x" * 2049}), "$.intended_uses.purpose_of_model", "2048"),
        (
            created(training_details={"objective_function": {"function": "Max"}}),
            "$.training_details.objective_function.function",
            "Known: Maximize, Minimize",
        ),
        (
            created(training_details={"training_job_name": "gone"}),
            "$.training_details.training_job_name",
            'no training job "gone"',
        ),
        (
            created(training_details={"training_job_details": {"training_metrics": [{"name": "x", "value": "1"}]}}),
            "$.training_details.training_job_details.training_metrics[0].value",
            "must be a number",
        ),
        (created(evaluation_details={}), "$.evaluation_details", "must be a list"),
        (created(evaluation_details=[{}]), "$.evaluation_details[0].name", "is required"),
        (
            created(evaluation_details=[{**EVALUATION, "metric_file_s3_url": "s3://mlops-assets/x"}]),
            "$.evaluation_details[0].metric_type",
            "is required with metric_file_s3_url",
        ),
        (
            created(evaluation_details=[{**EVALUATION, "metric_file_s3_url": "x", "metric_type": "regresion"}]),
            "$.evaluation_details[0].metric_type",
            'Did you mean "regression"?',
        ),
        (
            created(
                evaluation_details=[{**EVALUATION, "metric_file_s3_url": "s3://other/x", "metric_type": "regression"}]
            ),
            "$.evaluation_details[0].metric_file_s3_url",
            "not the assets bucket",
        ),
        (
            created(
                evaluation_details=[{**EVALUATION, "metric_file_s3_url": "gone.json", "metric_type": "regression"}]
            ),
            "$.evaluation_details[0].metric_file_s3_url",
            'no object "gone.json"',
        ),
        (
            created(
                evaluation_details=[
                    {
                        **EVALUATION,
                        "metric_groups": [
                            {"name": "g", "metric_data": [{"name": "m", "type": "linear_graph", "value": [1, 2]}]}
                        ],
                    }
                ]
            ),
            "$.evaluation_details[0].metric_groups[0].metric_data[0].value",
            "a list of points",
        ),
        (
            created(additional_information={"custom_details": {"a": 1}}),
            "$.additional_information.custom_details.a",
            "text",
        ),
        ({"pipeline_type": "describe_model_card", "name": "c", "version": 0}, "$.version", "at least 1"),
        ({"pipeline_type": "export_model_card", "name": "c", "export_job_name": "a_b"}, "$.export_job_name", "letters"),
        (created(additional_information={"custom_details": {f"k{n}": "x" * 1000 for n in range(120)}}), "$", "100,000"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(values: dict[str, Any], path: str, words: str) -> None:
    (problem,) = refused(values)
    assert problem[0] == path
    assert words in problem[1]


def test_all_problems_are_told_at_once() -> None:
    found = refused(created(name="", status="x", model_overview={"model_ownr": "x"}, evaluation_details=[{}]))
    assert {path for path, _ in found} == {
        "$.name",
        "$.status",
        "$.model_overview.model_ownr",
        "$.evaluation_details[0].name",
    }


def test_what_is_ignored_is_warned_of() -> None:
    request = check_model_card({**FULL, "export_job_name": "x", "colour": "blue"})
    assert {warning.path for warning in request.warnings} == {
        "$.version",
        "$.created_by",
        "$.export_job_name",
        "$.colour",
    }


def test_comments_are_skipped() -> None:
    assert check_model_card({"// name": "of the card", **created()}).warnings == ()


@pytest.mark.parametrize(
    ("kind", "results", "names"),
    [
        (
            "binary_classification",
            {
                "binary_classification_metrics": {
                    "confusion_matrix": {"0": {"0": 90, "1": 10}, "1": {"0": 5, "1": 95}},
                    "recall": {"value": 0.95, "standard_deviation": 0.01},
                    "auc": {"value": "NaN", "standard_deviation": "NaN"},
                    "receiver_operating_characteristic_curve": {
                        "false_positive_rates": [0.0, 0.1, 1.0],
                        "true_positive_rates": [0.0, 0.9, 1.0],
                    },
                }
            },
            ["confusion_matrix", "recall", "receiver_operating_characteristic_curve"],
        ),
        ("regression", {"regression_metrics": {"mae": {"value": 0.3}, "r2": {"value": 0.9}}}, ["mae", "r2"]),
        (
            "multiclass_classification",
            {"multiclass_classification_metrics": {"accuracy": {"value": 0.9}, "weighted_f1": {"value": 0.8}}},
            ["accuracy", "weighted_f1"],
        ),
        (
            "clarify_bias",
            {
                "pre_training_bias_metrics": {
                    "facets": {
                        "sex": [
                            {
                                "value_or_threshold": "1",
                                "metrics": [
                                    {"name": "CI", "description": "Class Imbalance (CI)", "value": 0.4},
                                    {"name": "DPL", "value": None},
                                ],
                            }
                        ]
                    }
                }
            },
            ["CI"],
        ),
        (
            "clarify_explainability",
            {
                "explanations": {
                    "kernel_shap": {"label0": {"global_shap_values": {"age": 0.2, "sum": 0.1}, "expected_value": 0.5}}
                }
            },
            ["global_shap_values", "expected_value"],
        ),
        (
            "model_card_metric_schema",
            {"metric_groups": [{"name": "g", "metric_data": [{"name": "m", "type": "number", "value": 1}]}]},
            ["m"],
        ),
    ],
)
def test_results_of_a_file_become_metrics_of_the_card(
    kind: str, results: dict[str, Any], names: list[str], cards: FakeModelCards, objects: MemoryObjects
) -> None:
    objects.put(ASSETS, "fraud/evaluation.json", json.dumps(results).encode())
    for url in ("s3://mlops-assets/fraud/evaluation.json", "fraud/evaluation.json"):
        card = {"name": f"card-{len(cards.versions)}", "pipeline_type": "create_model_card"}
        evaluation = {"name": "e", "metric_file_s3_url": url, "metric_type": kind}
        done({**card, "evaluation_details": [evaluation]}, cards, objects)
        content = cards.content(card["name"])
        assert_sagemaker_takes(content)
        (found,) = content["evaluation_details"]
        assert [metric["name"] for group in found["metric_groups"] for metric in group["metric_data"]] == names


@pytest.mark.parametrize(
    "kind", schema()["properties"]["evaluation_details"]["items"]["properties"]["metric_type"]["enum"]
)
@pytest.mark.parametrize(
    "results", [[], "x", None, {}, {"regression_metrics": []}, {"explanations": {"kernel_shap": {"label0": 1}}}]
)
def test_a_file_without_results_of_its_kind_is_refused_with_what_it_should_hold(kind: str, results: Any) -> None:
    with pytest.raises(BadConfiguration, match="It should hold"):
        metric_groups(results, kind, "$.x")


JUNK: list[Any] = [None, True, 0, "x", [], [1], ["a"], [[]], [{}], {}, {"a": 1}, [None]]
FILES: dict[str, Any] = {
    "regression": {"regression_metrics": {"mae": {"value": 1}, "roc": {"x": [1], "y": [2]}}},
    "binary_classification": {"binary_classification_metrics": {"confusion_matrix": {"0": {"0": 1}}}},
    "clarify_bias": {
        "pre_training_bias_metrics": {
            "facets": {
                "sex": [{"value_or_threshold": "1", "metrics": [{"name": "CI", "value": 1, "description": "d"}]}]
            }
        }
    },
    "clarify_explainability": {
        "explanations": {"kernel_shap": {"label0": {"global_shap_values": {"a": 1}, "expected_value": 1}}}
    },
    "model_card_metric_schema": {
        "metric_groups": [{"name": "a", "metric_data": [{"name": "x", "type": "number", "value": 1}]}]
    },
}


def spoiled(value: Any) -> Iterator[Any]:
    """The value with junk in the place of each of its parts, one at a time."""
    yield from JUNK
    if isinstance(value, dict):
        for name, member in value.items():
            for bad in spoiled(member):
                yield {**value, name: bad}
            yield {other: kept for other, kept in value.items() if other != name}
    elif isinstance(value, list):
        for index, member in enumerate(value):
            for bad in spoiled(member):
                yield [*value[:index], bad, *value[index + 1 :]]


@pytest.mark.parametrize("kind", FILES)
def test_whatever_a_file_holds_it_is_read_or_refused(kind: str) -> None:
    assert metric_groups(FILES[kind], kind, "$.x")
    for results in spoiled(FILES[kind]):
        with suppress(BadConfiguration):
            metric_groups(results, kind, "$.x")


def test_every_key_has_words_and_every_operation_a_past() -> None:
    properties = schema()["properties"]
    assert set(properties["pipeline_type"]["enum"]) == set(OPERATIONS)
    for key, described in properties.items():
        assert described["title"], key
        assert described["description"], key
    assert all(re.fullmatch(r"[a-z]+ed", past) for past in OPERATIONS.values())


@pytest.mark.parametrize("values", [{"pipeline_type": "byom_realtime_builtin"}, [], None, {"pipeline_type": ["x"]}])
def test_other_things_are_no_model_cards(values: Any) -> None:
    assert not is_model_card(values)
