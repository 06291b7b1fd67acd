"""What is wrong with the configuration of a training, tuning or Autopilot job or an image: sentence and path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.core.problems import BadConfiguration
from tests.templates.folders import checked
from tests.templates.test_training import AUTOPILOT, BUILDER, KEY, LEAST, MULTI, TRAINING, TUNER

CODE = {"training_code": "c.tar.gz", "training_program": "train.py"}
SKLEARN = {"model_framework": "sklearn", "model_framework_version": "1.2-1"}

WRONG: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        TRAINING,
        {"max_runtime_per_job": 200000},
        [
            "$.max_runtime_per_job: 200000 is more than max_wait_time_spot_instances, which is 172800 where it is not "
            "given. With spot instances the wait includes the run: raise max_wait_time_spot_instances, lower "
            "max_runtime_per_job, or set use_spot_instances to false."
        ],
    ),
    (TRAINING, {"max_runtime_per_job": 200000, "use_spot_instances": "False"}, []),
    (
        TRAINING,
        {"max_runtime_per_job": 3600, "max_wait_time_spot_instances": "600"},
        ["$.max_wait_time_spot_instances: 600 is less than max_runtime_per_job (3600)."],
    ),
    (TRAINING, {"max_runtime_per_job": 599}, ["$.max_runtime_per_job: 599 is too small, at least 600 is needed."]),
    (TRAINING, {"max_runtime_per_job": "1 day"}, ['$.max_runtime_per_job: "1 day" does not have the right form.']),
    (TRAINING, {"instance_volume_size": 0}, ["$.instance_volume_size: 0 is too small, at least 1 is needed."]),
    (TRAINING, {"algo_hyperparamaters": {}}, ["$.algo_hyperparamaters: needs at least 1 entry."]),
    (TRAINING, {"algo_hyperparamaters": '{"eta": 1}'}, ["$.algo_hyperparamaters: must be an object"]),
    (TRAINING, {"algo_hyperparamaters": {"eta": None}}, ["$.algo_hyperparamaters.eta: must be text"]),
    (TRAINING, {"algo_hyperparamaters": {"x": "y" * 2501}}, ["$.algo_hyperparamaters.x: has 2501 characters"]),
    (
        TRAINING,
        {"algo_hyperparameters": {"eta": 1}},
        ['$.algo_hyperparameters: says the same as "algo_hyperparamaters".'],
    ),
    (
        TRAINING,
        {"s3_data_type": "S3prefix"},
        ['$.s3_data_type: "S3prefix" is not allowed here. Did you mean "S3Prefix"?'],
    ),
    (
        TRAINING,
        {"data_input_mode": "Stream"},
        ['$.data_input_mode: "Stream" is not allowed here. Known: FastFile, File, Pipe.'],
    ),
    (TRAINING, {"compression_type": "gzip"}, ['$.compression_type: "gzip" is not allowed here. Did you mean "Gzip"?']),
    (
        TRAINING,
        {"s3_data_type": "AugmentedManifestFile"},
        [
            '$.attribute_names: is required with s3_data_type "AugmentedManifestFile".',
            '$.data_input_mode: is required with s3_data_type "AugmentedManifestFile".',
        ],
    ),
    (
        TRAINING,
        {"s3_data_type": "AugmentedManifestFile", "attribute_names": "[]", "data_input_mode": "File"},
        [
            "$.attribute_names: needs at least 1 entry. Name the members of each JSON line that are read.",
            '$.data_input_mode: "File" is not allowed here. Known: Pipe.',
        ],
    ),
    (
        TRAINING,
        {"attribute_names": ["a"]},
        ["($.attribute_names: has no effect. Attributes are those of an AugmentedManifestFile: set s3_data_type,"],
    ),
    (
        TRAINING,
        {"use_spot_instances": False, "max_wait_time_spot_instances": 600},
        ["($.max_wait_time_spot_instances: has no effect. The job uses no spot instances.)"],
    ),
    (TRAINING, {"attribute_names": "source-ref"}, ['$.attribute_names: "source-ref" does not have the right form.']),
    (TRAINING, {"attribute_names": "[1]"}, ["$.attribute_names[0]: must be text, not 1."]),
    (TRAINING, {"training_code": "c.tar.gz"}, ['$.training_program: is required with training_code "c.tar.gz".']),
    (TRAINING, {"training_program": "t.py"}, ['$.training_code: is required with training_program "t.py".']),
    (TRAINING, {"training_data": "s3://b/train.csv"}, ["$.training_data: is a URI."]),
    (TRAINING, {"training_data": "x" * 129}, ["$.training_data: has 129 characters, 128 are allowed."]),
    (
        TRAINING,
        {"job_output_location": "s3://b/out"},
        ['$.job_output_location: "s3://b/out" does not have the right form.'],
    ),
    (TRAINING, {"job_output_location": "/"}, ["$.job_output_location: is empty."]),
    (TRAINING, {"job_name": "fraud_training"}, ['$.job_name: "fraud_training" does not have the right form.']),
    (TRAINING, {"job_name": "x" * 64}, ["$.job_name: has 64 characters, 63 are allowed."]),
    (
        TRAINING,
        {"model_framework": "xgbost"},
        ['$.model_framework: AWS has no image for "xgbost". Did you mean "xgboost"?'],
    ),
    (TRAINING, {"model_framework_version": "99"}, ['$.model_framework_version: there is no image for xgboost "99".']),
    (
        TRAINING,
        SKLEARN,
        ["($.algo_hyperparamaters.sagemaker_program: is not given. A framework's container runs a script:"],
    ),
    (
        TRAINING,
        SKLEARN | CODE,
        [],
    ),
    (
        TRAINING,
        {"model_framework": "pytorch-smp", "model_framework_version": "2.4.1", **CODE},
        ['$.instance_type: is required with model_framework "pytorch-smp".'],
    ),
    (TRAINING, {"instance_type": {"dev": "ml.m5.large"}}, ["$.instance_type: cannot differ by stage."]),
    (TRAINING, {"kms_key_arn": KEY.replace("us-east-1", "eu-west-1")}, ["$.kms_key_arn: is in eu-west-1,"]),
    (TRAINING, {"vpc": {"subnets": ["subnet-0a1b2c3d"]}}, ["$.vpc.security_groups: is required but missing."]),
    (
        TRAINING,
        {"target_attribute": "y"},
        ["($.target_attribute: is ignored by model_training_builtin: it is a key of model_autopilot_training.)"],
    ),
    (TUNER, {"tuner_configs": {}}, ["$.tuner_configs.objective_metric_name: is required but missing."]),
    (
        TUNER,
        {"tuner_configs": {"objective_metric_name": "auc", "max_job": 3}},
        ['$.tuner_configs.max_job: there is no such key. Did you mean "max_jobs"?'],
    ),
    (
        TUNER,
        {"tuner_configs": {"objective_metric_name": "auc", "strategy": "bayesian"}},
        ['$.tuner_configs.strategy: "bayesian" is not allowed here. Did you mean "Bayesian"?'],
    ),
    (
        TUNER,
        {"tuner_configs": {"objective_metric_name": "auc", "objective_type": "Max"}},
        ['$.tuner_configs.objective_type: "Max" is not allowed here.'],
    ),
    (
        TUNER,
        {"tuner_configs": {"objective_metric_name": "auc", "max_jobs": 2, "max_parallel_jobs": 3}},
        ["$.tuner_configs.max_parallel_jobs: 3 is more than tuner_configs.max_jobs (2)."],
    ),
    (
        TUNER,
        {"tuner_configs": {"objective_metric_name": "auc", "max_parallel_jobs": 2}},
        ["$.tuner_configs.max_parallel_jobs: 2 is more than tuner_configs.max_jobs (1)."],
    ),
    (
        TUNER,
        {"tuner_configs": {"objective_metric_name": "auc", "strategy": "Hyperband", "early_stopping_type": "Auto"}},
        ['$.tuner_configs.early_stopping_type: "Auto" is not allowed here. Known: Off.'],
    ),
    (
        TUNER,
        SKLEARN | CODE,
        ["$.tuner_configs.metric_definitions: is required but missing. A framework's container logs its metrics:"],
    ),
    (TUNER, {"hyperparamaters_ranges": {}}, ["$.hyperparamaters_ranges: needs at least 1 entry."]),
    (
        TUNER,
        {"hyperparamaters_ranges": {"eta": ["continous", [0, 1]]}},
        ['$.hyperparamaters_ranges.eta[0]: "continous" is not allowed here. Did you mean "continuous"?'],
    ),
    (TUNER, {"hyperparamaters_ranges": {"eta": [0, [1]]}}, ["$.hyperparamaters_ranges.eta[0]: 0 is not allowed here."]),
    (
        TUNER,
        {"hyperparamaters_ranges": {"eta": ["continuous"]}},
        ["$.hyperparamaters_ranges.eta: needs at least 2 entries. Write a kind and its values"],
    ),
    (
        TUNER,
        {"hyperparamaters_ranges": {"eta": ["continuous", [0]]}},
        ["$.hyperparamaters_ranges.eta[1]: needs at least 2 entries. Write [smallest, largest]"],
    ),
    (
        TUNER,
        {"hyperparamaters_ranges": {"eta": ["continuous", ["low", 1]]}},
        ['$.hyperparamaters_ranges.eta[1][0]: "low" does not have the right form. Write a number.'],
    ),
    (
        TUNER,
        {"hyperparamaters_ranges": {"depth": ["integer", [1, 2.5]]}},
        ["$.hyperparamaters_ranges.depth[1][1]: must be a whole number or text, not 2.5. Write a whole number."],
    ),
    (
        TUNER,
        {"hyperparamaters_ranges": {"eta": ["continuous", [1, 0.5]]}},
        ["$.hyperparamaters_ranges.eta[1]: goes from 1 down to 0.5. Write the smaller bound first."],
    ),
    (
        TUNER,
        {"hyperparameters_ranges": {"eta": ["continuous", [1, 0.5]]}, "hyperparamaters_ranges": None},
        ["$.hyperparameters_ranges.eta[1]: goes from 1 down to 0.5. Write the smaller bound first."],
    ),
    (
        TUNER,
        {"hyperparamaters_ranges": {"eta": ["continuous", [0.1, 1, "Log"]]}},
        ['$.hyperparamaters_ranges.eta[1][2]: "Log" is not allowed here.'],
    ),
    (
        TUNER,
        {"hyperparamaters_ranges": {"booster": ["categorical", []]}},
        ["$.hyperparamaters_ranges.booster[1]: needs at least 1 entry."],
    ),
    (AUTOPILOT, {"problem_type": "Regression"}, ['$.job_objective: is required with problem_type "Regression".']),
    (AUTOPILOT, {"job_objective": "MSE"}, ['$.problem_type: is required with job_objective "MSE".']),
    (AUTOPILOT, {"problem_type": "", "job_objective": ""}, []),
    (
        AUTOPILOT,
        {"problem_type": "Regression", "job_objective": "AUC"},
        ['$.job_objective: "AUC" is not allowed here. Known: MSE.'],
    ),
    (
        AUTOPILOT,
        {"problem_type": "MulticlassClassification", "job_objective": "F1"},
        ['$.job_objective: "F1" is not allowed here.'],
    ),
    (
        AUTOPILOT,
        {"problem_type": "regression", "job_objective": "MSE"},
        ['$.problem_type: "regression" is not allowed here. Did you mean "Regression"?'],
    ),
    (AUTOPILOT, {"total_max_runtime": 3599}, ["$.total_max_runtime: 3599 is too small, at least 3600 is needed."]),
    (AUTOPILOT, {"job_max_candidates": 0}, ["$.job_max_candidates: 0 is too small, at least 1 is needed."]),
    (AUTOPILOT, {"target_attribute": "x" * 129}, ["$.target_attribute: has 129 characters, 128 are allowed."]),
    (AUTOPILOT, {"target_attribute": None}, ["$.target_attribute: is required but missing."]),
    (BUILDER, {"ecr_repo_name": "ML-Images"}, ['$.ecr_repo_name: "ML-Images" does not have the right form.']),
    (BUILDER, {"ecr_repo_name": "x"}, ['$.ecr_repo_name: "x" is shorter than 2 characters.']),
    (BUILDER, {"ecr_repo_name": "images/"}, ['$.ecr_repo_name: "images/" does not have the right form.']),
    (BUILDER, {"image_tag": ""}, ["$.image_tag: is empty."]),
    (BUILDER, {"image_tag": ".hidden"}, ['$.image_tag: ".hidden" does not have the right form.']),
    (BUILDER, {"image_tag": "a b"}, ['$.image_tag: "a b" does not have the right form.']),
    (BUILDER, {"image_tag": "x" * 129}, ["$.image_tag: has 129 characters, 128 are allowed."]),
    (BUILDER, {"custom_algorithm_docker": "s3://b/c.zip"}, ["$.custom_algorithm_docker: is a URI."]),
    (BUILDER, {"model_name": "fraud"}, ["($.model_name: is ignored by byom_image_builder: "]),
]


@pytest.mark.parametrize(
    ("name", "changes", "expected"), WRONG, ids=[f"{name}-{json.dumps(changes)[:70]}" for name, changes, _ in WRONG]
)
def test_what_is_wrong_is_told(name: str, changes: dict[str, Any], expected: list[str]) -> None:
    """A value of None takes the key away; what stands in parentheses is a warning."""
    given = {key: value for key, value in {**LEAST[name], **changes}.items() if value is not None}
    try:
        told = [f"({warning.sentence})" for warning in checked(given, MULTI).warnings]
    except BadConfiguration as wrong:
        told = [one.sentence if one.severity == "error" else f"({one.sentence})" for one in wrong.problems]
    assert [start for start, sentence in zip(expected, told, strict=False) if not sentence.startswith(start)] == []
    assert len(told) == len(expected), told
