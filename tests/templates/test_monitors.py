"""The four monitors: keys that depend on each other, schedules, and what the analyses are configured with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.config import CheckContext
from orchestrator.core.problems import BadConfiguration
from tests.templates.expansion import Expansion
from tests.templates.folders import GOLDEN, checked, package, template, workload_type

DATA, QUALITY, BIAS, EXPLAINABILITY = (
    f"byom_{kind}_monitor" for kind in ("data_quality", "model_quality", "model_bias", "model_explainability")
)
MONITORS = (DATA, QUALITY, BIAS, EXPLAINABILITY)
CLARIFY = (BIAS, EXPLAINABILITY)
PROBLEMS = ("Regression", "BinaryClassification", "MulticlassClassification")
MULTI, SINGLE = CheckContext("multi"), CheckContext("single")

COMMON: dict[str, Any] = {
    "model_name": "churn",
    "endpoint_name": "churn",
    "baseline_data": "churn/baseline.csv",
    "baseline_job_output_location": "bucket/baseline",
    "data_capture_location": "bucket/capture",
    "monitoring_output_location": "bucket/monitoring",
    "schedule_expression": "cron(0 * ? * * *)",
    "monitor_max_runtime_seconds": 1800,
    "instance_type": "ml.m5.large",
    "instance_volume_size": 20,
}
OWN: dict[str, dict[str, Any]] = {
    DATA: {},
    QUALITY: {
        "problem_type": "Regression",
        "monitor_inference_attribute": "0",
        "baseline_inference_attribute": "prediction",
        "baseline_ground_truth_attribute": "label",
        "monitor_ground_truth_input": "bucket/truth",
    },
    BIAS: {
        "problem_type": "Regression",
        "monitor_inference_attribute": "0",
        "bias_config": {"label_values_or_threshold": [100], "facet_name": "age"},
        "monitor_ground_truth_input": "bucket/truth",
    },
    EXPLAINABILITY: {
        "problem_type": "Regression",
        "monitor_inference_attribute": "0",
        "shap_config": {"baseline": [[1, 2]], "num_samples": 10, "agg_method": "mean_abs"},
    },
}


def body(name: str, **changes: Any) -> dict[str, Any]:
    """A configuration that is taken, changed; None removes a key."""
    values = {"pipeline_type": name, **COMMON, **OWN[name], **changes}
    return {key: value for key, value in values.items() if value is not None}


def told(values: Mapping[str, Any], context: CheckContext = MULTI) -> list[str]:
    """Every problem as its sentence; warnings in brackets."""
    try:
        warnings = checked(values, context).warnings
    except BadConfiguration as refused:
        return [problem.sentence for problem in refused.problems]
    return [f"({warning.sentence})" for warning in warnings]


@pytest.mark.parametrize("name", MONITORS)
def test_the_bodies_here_are_taken(name: str) -> None:
    assert told(body(name)) == []


BINARY = {"problem_type": "BinaryClassification", "monitor_inference_attribute": None}
NAMES_THE_COLUMN = "Name the column of the baseline data with what the model predicted."
PREDICTED = "Index or JMESPath of the predicted value in the model's answer. Needed for Regression and "
PREDICTED += "MulticlassClassification."
LABELLED = "Where the predicted label is in the model's answer (Clarify). Needed for BinaryClassification and "
LABELLED += "MulticlassClassification."
PROBABILITY = "Column of the baseline data with the predicted probability. Needed for BinaryClassification."
KNOWN_PROBLEMS = "Known: BinaryClassification, MulticlassClassification, Regression."

ISOLATED = {
    "subnets": ["subnet-0123456789abcdef0"],
    "security_groups": ["sg-0123456789abcdef0"],
    "network_isolation": "Yes",
}

CROSS_KEYS = [
    *(
        pytest.param(
            body(name, problem_type=problem, monitor_inference_attribute=None, model_predicted_label_config=label),
            [f'$.monitor_inference_attribute: is required with problem_type "{problem}". {PREDICTED}'],
            id=f"{name} {problem} without inference attribute",
        )
        for name in (QUALITY, BIAS, EXPLAINABILITY)
        for problem in ("Regression", "MulticlassClassification")
        for label in [{"label": 0} if name == BIAS else None]
    ),
    *(
        pytest.param(
            body(name, problem_type="Binary"),
            [f'$.problem_type: "Binary" is not allowed here. {KNOWN_PROBLEMS}'],
            id=f"{name} unknown problem",
        )
        for name in (QUALITY, BIAS, EXPLAINABILITY)
    ),
    pytest.param(
        body(QUALITY, problem_type="Regresion"),
        ['$.problem_type: "Regresion" is not allowed here. Did you mean "Regression"?'],
        id="misspelt problem",
    ),
    pytest.param(
        body(QUALITY, **BINARY),
        [f'$.baseline_probability_attribute: is required with problem_type "BinaryClassification". {PROBABILITY}'],
        id="binary without the baseline's probability",
    ),
    pytest.param(
        body(QUALITY, **BINARY, baseline_probability_attribute="p", baseline_inference_attribute=""),
        [
            "$.baseline_inference_attribute: is empty. Name the column with what the model predicted, or give "
            "probability_threshold_attribute."
        ],
        id="binary with neither prediction nor threshold",
    ),
    pytest.param(
        body(
            QUALITY,
            **BINARY,
            baseline_probability_attribute="p",
            baseline_inference_attribute="",
            probability_threshold_attribute="0.5",
        ),
        [],
        id="binary by probability and threshold",
    ),
    pytest.param(
        body(QUALITY, baseline_inference_attribute=""),
        [f"$.baseline_inference_attribute: is empty. {NAMES_THE_COLUMN}"],
        id="regression without a prediction in the baseline",
    ),
    pytest.param(
        body(QUALITY, monitor_probability_attribute="1", probability_threshold_attribute="0.5"),
        [],
        id="regression with a probability, which is without effect",
    ),
    pytest.param(
        body(QUALITY, baseline_ground_truth_attribute=""),
        ['$.baseline_ground_truth_attribute: is empty. For example "label".'],
        id="no truth in the baseline",
    ),
    *(
        pytest.param(
            body(BIAS, problem_type=problem),
            [f'$.model_predicted_label_config: is required with problem_type "{problem}". {LABELLED}'],
            id=f"bias {problem} without predicted label",
        )
        for problem in ("BinaryClassification", "MulticlassClassification")
    ),
    pytest.param(body(BIAS, **BINARY, model_predicted_label_config={}), [], id="bias, empty predicted label"),
    pytest.param(
        body(BIAS, model_predicted_label_config={"labels": 0, "probability_threshold": 2}),
        [
            '$.model_predicted_label_config.labels: there is no such key. Did you mean "label"?',
            "$.model_predicted_label_config.probability_threshold: 2 is too large, at most 1 is allowed.",
        ],
        id="predicted label misspelt",
    ),
    pytest.param(
        body(BIAS, bias_config={"facet_name": "age"}),
        [
            "$.bias_config.label_values_or_threshold: is required but missing. Label values that count as positive, "
            "or the threshold above which a number does."
        ],
        id="bias without positive labels",
    ),
    pytest.param(
        body(
            BIAS,
            bias_config={
                "label_values_or_threshold": [1],
                "facet_name": ["age", "sex"],
                "facet_values_or_threshold": [[40]],
            },
        ),
        [
            "$.bias_config.facet_values_or_threshold: has 1 entries, bias_config.facet_name has 2. Give each column "
            "its own list of values, or null."
        ],
        id="two facets, values for one",
    ),
    pytest.param(
        body(
            BIAS,
            bias_config={
                "label_values_or_threshold": [1],
                "facet_name": ["age", "sex"],
                "facet_values_or_threshold": [[40], "f"],
            },
        ),
        [
            '$.bias_config.facet_values_or_threshold[1]: must be a list or null, not "f". Several columns need a list '
            "of values each, or null."
        ],
        id="two facets, one value without a list",
    ),
    pytest.param(
        body(
            BIAS,
            bias_config={"label_values_or_threshold": [1], "facet_name": "age", "facet_values_or_threshold": [[40]]},
        ),
        [
            "$.bias_config.facet_values_or_threshold[0]: must be a number or text, not [40]. One column has one list "
            "of values."
        ],
        id="one facet, lists of values",
    ),
    pytest.param(
        body(EXPLAINABILITY, shap_config={"baseline": [[1]], "num_clusters": 3}),
        [
            "$.shap_config.num_clusters: has no place here. Give baseline, or the number of rows that Clarify makes "
            "one from."
        ],
        id="rows and number of rows",
    ),
    pytest.param(
        body(EXPLAINABILITY, shap_config={"baseline": [1, 2], "agg_method": "mean"}),
        [
            "$.shap_config.baseline[0]: must be a list or an object, not 1. Write a list of rows, such as [[0.5, 12, "
            '"a"]].',
            "$.shap_config.baseline[1]: must be a list or an object, not 2. Write a list of rows, such as [[0.5, 12, "
            '"a"]].',
            '$.shap_config.agg_method: "mean" is not allowed here. Did you mean "median"?',
        ],
        id="rows that are none",
    ),
    pytest.param(
        body(EXPLAINABILITY, shap_config={}),
        [
            '$.shap_config: needs at least 1 entry. For example {"baseline": "fraud/shap-baseline.csv", "num_samples": '
            '100, "agg_method": "mean_abs"}.'
        ],
        id="empty shap_config",
    ),
    pytest.param(
        body(EXPLAINABILITY, shap_config={"baseline": "s3://bucket/rows.csv"}),
        ["$.shap_config.baseline: is a URI. Write the key in the assets bucket, without s3:// and bucket."],
        id="rows by URI",
    ),
    pytest.param(
        body(QUALITY, probability_threshold_attribute="half"),
        [
            '$.probability_threshold_attribute: "half" does not have the right form. Write a probability from 0 to 1, '
            "such as 0.5."
        ],
        id="threshold in words",
    ),
    pytest.param(
        body(QUALITY, probability_threshold_attribute=1.5),
        [
            "$.probability_threshold_attribute: 1.5 is too large, at most 1 is allowed. Write a probability from 0 to "
            "1, such as 0.5."
        ],
        id="threshold above one",
    ),
    pytest.param(
        body(DATA, problem_type="Regression"),
        [
            "($.problem_type: is ignored by byom_data_quality_monitor: it is a key of byom_model_bias_monitor, "
            "byom_model_explainability_monitor, byom_model_quality_monitor and 1 more.)"
        ],
        id="problem type of a data quality monitor",
    ),
    pytest.param(
        body(
            DATA,
            vpc={
                "subnets": ["subnet-0123456789abcdef0"],
                "security_groups": ["sg-0123456789abcdef0"],
                "network_isolation": "Yes",
            },
        ),
        [],
        id="an isolated container",
    ),
    *(
        pytest.param(
            body(
                name,
                vpc={
                    "subnets": ["subnet-0123456789abcdef0"],
                    "security_groups": ["sg-0123456789abcdef0"],
                    "network_isolation": "Yes",
                },
            ),
            [
                "$.vpc.network_isolation: true is not allowed here. Clarify asks the model through an endpoint, which "
                "an isolated container cannot reach; leave it out."
            ],
            id=f"{name} in an isolated container",
        )
        for name in CLARIFY
    ),
    pytest.param(
        body(DATA, endpoint_name=""),
        [
            "$.endpoint_name: is empty. Use at most 63 letters, digits and hyphens, with a letter or digit first and "
            "last."
        ],
        id="no endpoint",
    ),
    pytest.param(body(BIAS, endpoint_name="e" * 63), [], id="an endpoint's name longer than the old product took"),
    pytest.param(
        body(DATA, monitor_max_runtime_seconds="86401", instance_volume_size=0, instance_count="x"),
        [
            "$.monitor_max_runtime_seconds: 86401 is too large, at most 86400 is allowed. Write a whole number from 1 "
            "to 86,400.",
            "$.instance_volume_size: 0 is too small, at least 1 is needed. Write a whole number from 1 to 16,384.",
            '$.instance_count: "x" does not have the right form. Write a whole number from 1 to 100.',
        ],
        id="numbers out of range",
    ),
    pytest.param(
        body(DATA, schedule_expression={"dev": "cron(0 * ? * * *)", "staging": "cron(0 0 ? * * *)"}),
        [
            '$.schedule_expression: has no value for the stage "prod". Add it, or write one value for all.',
        ],
        id="a stage without a schedule",
    ),
]


@pytest.mark.parametrize(("values", "sentences"), CROSS_KEYS)
def test_keys_that_depend_on_each_other(values: dict[str, Any], sentences: list[str]) -> None:
    assert told(values) == sentences


TAKEN = ["*", "0", "00", "9", "23", "0/2", "17/12", "00/24", "5/01"]
REFUSED_SCHEDULES = [
    "NOW",
    "rate(1 hour)",
    "cron(5 * ? * * *)",
    "cron(0 24 ? * * *)",
    "cron(0 0/25 ? * * *)",
    "cron(0 */6 ? * * *)",
    "cron(0 9-17 ? * * *)",
    "cron(0 9,17 ? * * *)",
    "cron(0 9 ? * MON *)",
    "cron(0 9 1 * ? *)",
    "cron(0 * * * ? *)",
    "cron(0  * ? * * *)",
    "0 * ? * * *",
]


@pytest.mark.parametrize("hours", TAKEN)
def test_schedules_that_sagemaker_takes(hours: str) -> None:
    """ "ScheduleConfig", Amazon SageMaker API Reference."""
    assert told(body(DATA, schedule_expression=f" cron(0 {hours} ? * * *) ")) == []


@pytest.mark.parametrize("expression", REFUSED_SCHEDULES)
def test_schedules_that_sagemaker_would_refuse(expression: str) -> None:
    (sentence,) = told(body(DATA, schedule_expression=expression))
    assert sentence.startswith(f"$.schedule_expression: {json.dumps(expression)} does not have the right form.")
    assert "NOW is not for a release" in sentence


@pytest.mark.parametrize("name", MONITORS)
def test_a_second_monitor_of_one_model_has_its_own_place(name: str) -> None:
    first, second = checked(body(name), MULTI), checked(body(name, pipeline_name="churn-eu"), MULTI)
    assert first.stack_name != second.stack_name
    places = [Expansion(template(name), package(one, MULTI).parameters("prod"), "s").outputs for one in (first, second)]
    for output in ("MonitoringScheduleName", "BaselineUri"):
        assert places[0][output]["Value"] != places[1][output]["Value"]


@pytest.mark.parametrize("name", MONITORS)
def test_a_schedules_name_fits_however_long_the_models_is(name: str) -> None:
    long, other = (checked(body(name, model_name="m" * 70 + end), MULTI) for end in ("a", "b"))
    schedules = [package(one, MULTI).parameters("prod")["MonitoringScheduleName"] for one in (long, other)]
    assert [len(schedule) <= 63 for schedule in schedules] == [True, True]
    assert len(set(schedules)) == 2


@pytest.mark.parametrize("name", MONITORS)
def test_stages_that_share_a_bucket_share_no_baseline(name: str) -> None:
    made = package(checked(body(name), MULTI), MULTI)
    places = {
        Expansion(template(name), made.parameters(stage), "s").outputs["BaselineUri"]["Value"]
        for stage in ("dev", "staging", "prod")
    }
    assert len(places) == 3


def test_scores_in_the_first_place_count() -> None:
    """The old product dropped the 0."""
    made = package(checked(body(EXPLAINABILITY, **BINARY, model_scores=0), MULTI), MULTI)
    analysis = documents(made, "prod")["baseline-analysis.json"]
    assert analysis["predictor"]["label"] == 0
    assert made.parameters("prod")["InferenceAttribute"] == "0"


def documents(made: Any, stage: str) -> dict[str, Any]:
    """The rendered documents by name."""
    return {key.rpartition("/")[2]: json.loads(data) for key, data in made.documents(stage).items()}


BY_PROBLEM: dict[str, dict[str, dict[str, Any]]] = {
    QUALITY: {
        "Regression": {},
        "MulticlassClassification": {"monitor_probability_attribute": "1", "probability_threshold_attribute": "0.5"},
        "BinaryClassification": {
            "baseline_probability_attribute": "probability",
            "monitor_probability_attribute": "1",
            "probability_threshold_attribute": "0.7",
        },
    },
    BIAS: {
        "Regression": {},
        "MulticlassClassification": {
            "model_predicted_label_config": {"label_headers": ["stays", "leaves"]},
            "bias_config": {
                "label_values_or_threshold": ["leaves"],
                "facet_name": ["age", "sex"],
                "facet_values_or_threshold": [[40], None],
                "group_name": "income",
            },
        },
        "BinaryClassification": {
            **BINARY,
            "model_predicted_label_config": {"probability": 0, "probability_threshold": 0.8, "label": None},
            "bias_config": {"label_values_or_threshold": [1], "facet_name": 2, "facet_values_or_threshold": [40]},
        },
    },
    EXPLAINABILITY: {
        "Regression": {},
        "MulticlassClassification": {
            "shap_config": {"num_clusters": 4, "use_logit": "Yes", "save_local_shap_values": "False"},
            "model_scores": "probabilities",
            "features_attribute": "features",
        },
        "BinaryClassification": {
            **BINARY,
            "shap_config": {"baseline": "churn/rows.csv", "num_samples": 5, "seed": 1, "features_to_explain": ["age"]},
            "model_scores": 1,
            "instance_count": 3,
        },
    },
}


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", [QUALITY, BIAS, EXPLAINABILITY])
def test_what_the_analyses_are_configured_with(name: str, problem: str, request: pytest.FixtureRequest) -> None:
    """As reviewed: ``make golden`` rewrites the files."""
    values = body(name, **{"problem_type": problem, **BY_PROBLEM[name][problem]})
    made = package(checked(values, SINGLE), SINGLE)
    found = documents(made, "prod")
    steps = found.pop("pipeline.json")["Steps"]
    definition = Expansion(template(name), made.parameters("prod"), "s").resources["JobDefinition"]["Properties"]
    text = {
        "environment of the baseline": steps[-1]["Arguments"].get("Environment"),
        "input of the monitor": next(value for key, value in definition.items() if key.endswith("JobInput")),
        **found,
    }
    made_text = json.dumps(text, indent=1, sort_keys=True) + "\n"
    path = GOLDEN / f"{name}.{problem}.json"
    if request.config.getoption("--refresh-golden"):
        path.write_text(made_text)
    assert made_text == path.read_text()


# -- the program that completes Clarify's configurations ---------------------------------------------------------


AWS = """
import pathlib

class Failed(Exception):
    pass

class SageMaker:
    class exceptions:
        ClientError = Failed

    def describe_endpoint(self, EndpointName):
        if EndpointName != "churn":
            raise Failed(f"Could not find endpoint {EndpointName}")
        return {"EndpointConfigName": "config"}

    def describe_endpoint_config(self, EndpointConfigName):
        return {"ProductionVariants": [{MODEL}]}

def client(name):
    assert name == "sagemaker"
    return SageMaker()
"""


def prepare(
    name: str, folder: Path, data: bytes, *, endpoint: str = "churn", model: str = '"ModelName": "m-1"'
) -> subprocess.CompletedProcess[str]:
    """Run the program of the pipeline's first step as its container would, ``/opt/ml`` being a folder here."""
    found = documents(package(checked(body(name, endpoint_name=endpoint), SINGLE), SINGLE), "prod")
    application = found["pipeline.json"]["Steps"][0]["Arguments"]["AppSpecification"]
    root = folder / "ml"
    inputs = root / "processing/input"
    for job in ("baseline", "monitor"):
        (inputs / job).mkdir(parents=True)
        (inputs / job / f"{job}-analysis.json").write_text(json.dumps(found[f"{job}-analysis.json"]))
    (inputs / "data").mkdir()
    (inputs / "data/baseline.csv").write_bytes(data)
    (folder / "boto3.py").write_text(AWS.replace("MODEL", model))
    words = [*application["ContainerEntrypoint"][1:], *application["ContainerArguments"]]
    assert max(map(len, words)) <= 256
    assert len(words) <= 100
    return subprocess.run(  # noqa: S603 - the template's own program
        [sys.executable, *(word.replace("/opt/ml", str(root)) for word in words)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", CLARIFY)
@pytest.mark.parametrize(
    "data",
    [b'leaves,age,"net, income"\n1,2,3\n', b'\xef\xbb\xbfleaves,age,"net, income"\r\n1,2,3\r\n'],
    ids=["plain", "with a byte-order mark"],
)
def test_configurations_get_the_columns_and_the_model(name: str, data: bytes, tmp_path: Path) -> None:
    done = prepare(name, tmp_path, data)
    assert done.returncode == 0, done.stderr
    baseline, monitor = (
        json.loads((tmp_path / f"ml/processing/output/{job}/analysis_config.json").read_text())
        for job in ("baseline", "monitor")
    )
    columns = ["leaves", "age", "net, income"]
    assert baseline["label"] == "leaves"
    assert "headers" not in baseline
    assert baseline["predictor"]["model_name"] == "m-1"
    if name == BIAS:
        assert (monitor["headers"], monitor["label"]) == (columns, "leaves")
    else:
        assert monitor["headers"] == columns[1:]
        assert monitor["predictor"] == {
            "accept_type": "text/csv",
            "initial_instance_count": 1,
            "instance_type": "ml.m5.large",
            "model_name": "m-1",
        }


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"data": b"1\n2\n"}, "The first line of the baseline data must name every column"),
        ({"data": b"a,,c\n"}, "The first line of the baseline data must name every column"),
        ({"data": b"a,b,a\n"}, "The first line of the baseline data must name every column"),
        ({"data": b""}, "The first line of the baseline data must name every column"),
        ({"endpoint": "absent"}, "The endpoint absent cannot be described: Could not find endpoint absent"),
        ({"model": '"InitialInstanceCount": 1'}, "serves inference components, which Clarify cannot ask"),
    ],
    ids=str,
)
def test_what_cannot_be_completed_fails_with_its_reason(changes: dict[str, Any], why: str, tmp_path: Path) -> None:
    done = prepare(BIAS, tmp_path, **{"data": b"a,b\n1,2\n", **changes})
    assert done.returncode == 1
    assert why in done.stderr
    assert why in (tmp_path / "ml/output/message").read_text()
    assert not (tmp_path / "ml/processing/output").exists()


@pytest.mark.parametrize("name", CLARIFY)
def test_the_program_is_python_that_reads_well(name: str) -> None:
    """Lines of the program stand in ``pipeline.json``; a fault in its syntax would show only in a release."""
    (step, _) = workload_type(name).document_sources["pipeline.json"]["Steps"]
    lines = step["Arguments"]["AppSpecification"]["ContainerArguments"]
    compile("\n".join(lines), "prepare", "exec")
    assert all(line == line.rstrip() and len(line) <= 120 for line in lines)
