"""Processing: baselines of Model Monitor and analyses of Clarify, computed from the data in S3."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import REGION, statement
from tests.cloud.bridges.running import Workplace, job_name

pytestmark = pytest.mark.cloud

ANALYZER = f"156813124566.dkr.ecr.{REGION}.amazonaws.com/sagemaker-model-monitor-analyzer"
CLARIFY = f"205585389593.dkr.ecr.{REGION}.amazonaws.com/sagemaker-clarify-processing:1.0"
ROOT = "/opt/ml/processing"

SUMS = """
def model_fn(model_dir):
    return None

def input_fn(body, content_type):
    return [[float(cell) for cell in line.split(",")] for line in body.splitlines() if line]

def predict_fn(rows, model):
    return [min(1.0, 0.6 * row[0] + 0.1 * row[1]) for row in rows]

def output_fn(values, accept):
    return "".join(f"{value}\\n" for value in values), "text/csv"
"""


@pytest.fixture
def place(cloud: EmbeddedCloud) -> Workplace:
    return Workplace(cloud)


def processing(place: Workplace, image: str, inputs: dict[str, str], output: str, **more: Any) -> dict[str, Any]:
    """A processing step; an input's URI by its name."""
    found = [
        {
            "InputName": name,
            "S3Input": {
                "S3Uri": uri,
                "LocalPath": f"{ROOT}/input/{name}",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
        for name, uri in inputs.items()
    ]
    target = {"S3Uri": place.uri("out"), "LocalPath": f"{ROOT}/output", "S3UploadMode": "EndOfJob"}
    arguments = {
        "AppSpecification": {"ImageUri": image},
        "RoleArn": place.job_role,
        "ProcessingInputs": found,
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": output, "S3Output": target}]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 1800},
        **more,
    }
    return {"Name": "Baseline", "Type": "Processing", "Arguments": arguments}


def baseline(place: Workplace, data: str, **environment: str) -> dict[str, Any]:
    """A step with the analyzer's image."""
    settings = {
        "dataset_format": json.dumps({"csv": {"header": True}}),
        "dataset_source": f"{ROOT}/input/baseline_dataset_input",
        "output_path": f"{ROOT}/output",
        "publish_cloudwatch_metrics": "Disabled",
        **environment,
    }
    uri = place.put("data/baseline.csv", data)
    return processing(
        place,
        ANALYZER,
        {"baseline_dataset_input": uri},
        "monitoring_output",
        Environment={name: value for name, value in settings.items() if value},
    )


def failed(place: Workplace, step: dict[str, Any]) -> str:
    """Run a step that fails; its reason."""
    execution, steps = place.run(step)
    assert execution["PipelineExecutionStatus"] == "Failed"
    reason: str = steps[0]["FailureReason"]
    return reason


def test_a_data_quality_baseline_has_the_columns_statistics_and_constraints(place: Workplace) -> None:
    execution, steps = place.run(baseline(place, "age,income,town\n20,1.5,Ulm\n30,,Ulm\n40,-2.5,Bonn\n50,1,Bonn\n"))
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    found = place.json(place.uri("out/statistics.json"))
    age, income, town = found["features"]
    assert found["dataset"]["item_count"] == 4
    assert (age["name"], age["inferred_type"]) == ("age", "Integral")
    figures = age["numerical_statistics"]
    assert (figures["mean"], figures["min"], figures["max"], figures["sum"]) == (35.0, 20.0, 50.0, 140.0)
    assert sum(bucket["count"] for bucket in figures["distribution"]["kll"]["buckets"]) == 4
    assert income["numerical_statistics"]["common"] == {"num_present": 3, "num_missing": 1}
    assert town["string_statistics"]["distinct_count"] == 2.0
    limits = place.json(place.uri("out/constraints.json"))
    by_name = {each["name"]: each for each in limits["features"]}
    assert by_name["age"]["num_constraints"] == {"is_non_negative": True}
    assert by_name["income"]["num_constraints"] == {"is_non_negative": False}
    assert (by_name["income"]["completeness"], by_name["income"]["inferred_type"]) == (0.75, "Fractional")
    assert by_name["town"]["string_constraints"] == {"domains": ["Bonn", "Ulm"]}
    assert limits["monitoring_config"]["distribution_constraints"]["comparison_threshold"] == 0.1
    job = place.sagemaker.describe_processing_job(ProcessingJobName=job_name(steps[0]))
    assert (job["ProcessingJobStatus"], job["RoleArn"]) == ("Completed", place.job_role)


QUALITY = [
    pytest.param(
        "BinaryClassification",
        {"probability_attribute": "share", "probability_threshold_attribute": "0.5"},
        "share,label\n0.9,1\n0.8,1\n0.7,0\n0.2,0\n0.4,1\n",
        "binary_classification",
        {"accuracy": 0.6, "recall": 2 / 3, "auc": 5 / 6},
        ("recall", "LessThanThreshold"),
        id="binary by probability",
    ),
    pytest.param(
        "BinaryClassification",
        {"inference_attribute": "guess"},
        "guess,label\n1,1\n0,1\n0,0\n",
        "binary_classification",
        {"accuracy": 2 / 3, "precision": 1.0},
        ("false_positive_rate", "GreaterThanThreshold"),
        id="binary by label",
    ),
    pytest.param(
        "Regression",
        {"inference_attribute": "guess"},
        "guess,label\n1,2\n3,3\n6,4\n",
        "regression",
        {"mae": 1.0, "mse": 5 / 3},
        ("r2", "LessThanThreshold"),
        id="regression",
    ),
    pytest.param(
        "MulticlassClassification",
        {"inference_attribute": "guess"},
        "guess,label\na,a\nb,b\nc,a\nc,c\n",
        "multiclass_classification",
        {"accuracy": 0.75, "weighted_recall": 0.75},
        ("weighted_f1", "LessThanThreshold"),
        id="many classes",
    ),
]


@pytest.mark.parametrize(("problem", "attributes", "data", "section", "expected", "limit"), QUALITY)
def test_a_model_quality_baseline_compares_predictions_with_labels(
    place: Workplace,
    problem: str,
    attributes: dict[str, str],
    data: str,
    section: str,
    expected: dict[str, float],
    limit: tuple[str, str],
) -> None:
    settings = {"analysis_type": "MODEL_QUALITY", "problem_type": problem, "ground_truth_attribute": "label"}
    execution, steps = place.run(baseline(place, data, **settings, **attributes))
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    figures = place.json(place.uri("out/statistics.json"))[f"{section}_metrics"]
    assert {name: figures[name]["value"] for name in expected} == pytest.approx(expected)
    limits = place.json(place.uri("out/constraints.json"))[f"{section}_constraints"]
    assert limits[limit[0]] == {"threshold": figures[limit[0]]["value"], "comparison_operator": limit[1]}


UNUSABLE = [
    pytest.param({"dataset_format": ""}, "dataset_format are required", id="no format"),
    pytest.param({"dataset_source": f"{ROOT}/input/elsewhere"}, "no data in dataset_source", id="elsewhere"),
    pytest.param({"dataset_format": '{"parquet": {}}'}, "analyses CSV only", id="parquet"),
    pytest.param({"analysis_type": "MODEL_QUALITY", "problem_type": "Guess"}, "'Guess' is not one of", id="problem"),
    pytest.param(
        {"analysis_type": "MODEL_QUALITY", "problem_type": "Regression", "ground_truth_attribute": "b"},
        "inference_attribute is required for Regression",
        id="no predictions",
    ),
    pytest.param(
        {"analysis_type": "MODEL_QUALITY", "problem_type": "Regression", "ground_truth_attribute": "nobody"},
        "there is no column nobody; the columns are a, b",
        id="no such column",
    ),
]


@pytest.mark.parametrize(("environment", "words"), UNUSABLE)
def test_what_the_analyzer_cannot_use_fails_the_job(place: Workplace, environment: dict[str, str], words: str) -> None:
    reason = failed(place, baseline(place, "a,b\n1,2\n", **environment))
    assert words in reason
    assert reason.startswith("AlgorithmError: ")


PEOPLE = "bought,age,member\n" + "1,0.9,1\n1,0.8,0\n0,0.1,0\n1,0.9,0\n0,0.2,1\n0,0.3,1\n"


def analysis(place: Workplace, changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A step with Clarify's image."""
    config = {
        "version": "1.0",
        "dataset_type": "text/csv",
        "label": "bought",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "member", "value_or_threshold": [1]}],
        "methods": {"pre_training_bias": {"methods": "all"}},
        **changes,
    }
    inputs = {
        "analysis_config": place.put("analysis/bias.json", json.dumps(config)),
        "dataset": place.put("data/people.csv", PEOPLE),
    }
    return processing(place, CLARIFY, inputs, "analysis_result", **more)


def predictor(place: Workplace) -> dict[str, Any]:
    return {
        "model_name": place.model(SUMS),
        "instance_type": "ml.m5.large",
        "initial_instance_count": 1,
        "content_type": "text/csv",
        "accept_type": "text/csv",
        "probability": 0,
    }


def clarifier(place: Workplace) -> str:
    """A role that may have Clarify make its shadow endpoint."""
    name = place.pipeline_role.rpartition("/")[2]
    role = place.role(
        *place.data_statements,
        statement(
            [
                "sagemaker:DescribeModel",
                "sagemaker:CreateEndpointConfig",
                "sagemaker:CreateEndpoint",
                "sagemaker:DescribeEndpoint",
                "sagemaker:InvokeEndpoint",
                "sagemaker:DeleteEndpoint",
                "sagemaker:DeleteEndpointConfig",
            ],
            "*",
        ),
    )
    document = json.dumps({"Statement": [statement("iam:PassRole", role)]})
    iam = place.cloud.client("iam", role.split(":")[4])
    iam.put_role_policy(RoleName=name, PolicyName="clarifier", PolicyDocument=document)
    return role


def test_bias_of_the_data_is_measured_by_its_definitions(place: Workplace) -> None:
    execution, steps = place.run(analysis(place, {}))
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    found = place.json(place.uri("out/analysis.json"))["pre_training_bias_metrics"]
    (member,) = found["facets"]["member"]
    values = {metric["name"]: metric["value"] for metric in member["metrics"]}
    assert (found["label"], found["label_value_or_threshold"], member["value_or_threshold"]) == ("bought", "1", "1")
    # Three of six rows are of the facet; one of these and two of the others bought.
    assert values["CI"] == 0.0
    assert values["DPL"] == pytest.approx(1 / 3)
    assert values["TVD"] == pytest.approx(1 / 3)
    (disparity,) = [metric for metric in member["metrics"] if metric["name"] == "CDDL"]
    assert disparity["value"] is None
    assert "does not compute" in disparity["error"]


def test_bias_of_the_model_and_its_explanation_come_from_its_predictions(place: Workplace) -> None:
    methods = {
        "post_training_bias": {"methods": ["DPPL", "AD"]},
        "shap": {"baseline": [[0.0, 0.0]], "num_samples": 10, "agg_method": "mean_abs"},
    }
    changes = {"methods": methods, "predictor": predictor(place), "probability_threshold": 0.5}
    execution, steps = place.run(analysis(place, changes, RoleArn=clarifier(place)))
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    found = place.json(place.uri("out/analysis.json"))
    (member,) = found["post_training_bias_metrics"]["facets"]["member"]
    assert [metric["name"] for metric in member["metrics"]] == ["DPPL", "AD"]
    shares = found["explanations"]["kernel_shap"]["label0"]
    assert shares["expected_value"] == 0.0
    # The model is a sum, so that its Shapley values are exact whatever the order.
    assert shares["global_shap_values"]["age"] == pytest.approx(0.6 * (0.9 + 0.8 + 0.1 + 0.9 + 0.2 + 0.3) / 6)
    assert shares["global_shap_values"]["member"] == pytest.approx(0.1 * 3 / 6)


def test_clarify_needs_the_permissions_for_its_endpoint(place: Workplace) -> None:
    changes = {"methods": {"shap": {"num_samples": 5}}, "predictor": predictor(place)}
    assert "sagemaker:DescribeModel" in failed(place, analysis(place, changes))


REFUSED: list[Any] = [
    pytest.param({"lable": "bought"}, "unknown keys: lable", id="misspelt key"),
    pytest.param({"methods": {"pre_training_bias": {"methods": ["XY"]}}}, "unknown bias metrics: XY", id="metric"),
    pytest.param({"methods": {"bias": {}}}, "methods has unknown keys: bias", id="method"),
    pytest.param({"label": "sold"}, "there is no column sold", id="no such label"),
    pytest.param({"facet": []}, "pre_training_bias requires facet", id="no facet"),
    pytest.param({"methods": {"shap": {}}}, "predictor.model_name is required", id="no model"),
    pytest.param({"methods": {}}, "names no analysis", id="nothing to do"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED)
def test_a_wrong_analysis_configuration_fails_the_job(place: Workplace, changes: dict[str, Any], words: str) -> None:
    assert words in failed(place, analysis(place, changes))


def test_an_image_that_is_not_run_leaves_a_note(place: Workplace) -> None:
    image = f"683313688378.dkr.ecr.{REGION}.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    place.run(processing(place, image, {"data": place.put("data/x.csv", "1\n")}, "result"))
    assert b"does not run sagemaker-scikit-learn" in place.get(place.uri("out/NOT-RUN.txt"))
