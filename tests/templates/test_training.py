"""Training, tuning, Autopilot and the image builder: what AWS is asked for, and what it is where nothing is given."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml  # type: ignore[import-untyped]
from botocore.validate import ParamValidator

from local.cloud.shapes import problem
from orchestrator.core.config import CheckContext, documents_for, parameters_for
from orchestrator.core.jobs import automl_name
from tests.templates.folders import NAMES, Body, bodies, checked, examples, resolved, stages_of, template

TRAINING, TUNER, AUTOPILOT = "model_training_builtin", "model_tuner_builtin", "model_autopilot_training"
BUILDER = "byom_image_builder"
MULTI = CheckContext("multi")
KEY = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::111111111111:role/mlops/workload/execution"
RELEASE = "-0a1b2c3d"
"""What RunJob appends to the name of an Autopilot job."""

OPERATIONS = {"Training": "CreateTrainingJob", "Tuning": "CreateHyperParameterTuningJob"}
MODEL = botocore.session.get_session().get_service_model("sagemaker")

LEAST: Mapping[str, Mapping[str, Any]] = {
    name: json.loads((Path(__file__).parent / "bodies" / name / "minimal.multi.json").read_bytes())
    for name in (TRAINING, TUNER, AUTOPILOT, BUILDER)
}


def document(values: Mapping[str, Any], context: CheckContext = MULTI, *, pinned: bool = True) -> dict[str, Any]:
    """The one document of the type, rendered; a key of the assets bucket is an object, or with ``pinned=False`` a
    prefix."""
    one = checked(values, context)
    assets = resolved(one)
    if not pinned:
        assets = type(assets)({})
    (made,) = documents_for(one, stages_of(one, context)[-1], assets, NAMES)
    found: dict[str, Any] = json.loads(made.data)
    return found


def arguments(values: Mapping[str, Any], *, pinned: bool = True) -> dict[str, Any]:
    """What the pipeline's step passes to SageMaker."""
    (step,) = document(values, pinned=pinned)["Steps"]
    found: dict[str, Any] = step["Arguments"]
    return found


def parameters(values: Mapping[str, Any]) -> dict[str, str]:
    one = checked(values, MULTI)
    return parameters_for(one, "orchestrator", resolved(one), NAMES)


def refused(operation: str, request: Mapping[str, Any]) -> str:
    """What SageMaker's own model says of a request: unknown and missing members, types, lengths, enums, patterns."""
    shape = MODEL.operation_model(operation).input_shape
    assert shape is not None
    unknown = ParamValidator().validate(request, shape).generate_report()
    return "; ".join(filter(None, [unknown, problem("sagemaker", operation, dict(request))]))


def known_at_run_time(value: Any) -> Any:
    """The arguments with the pipeline's parameter filled in."""
    if isinstance(value, dict):
        return ROLE if value == {"Get": "Parameters.RoleArn"} else {k: known_at_run_time(v) for k, v in value.items()}
    return [known_at_run_time(member) for member in value] if isinstance(value, list) else value


PIPELINES = [body for body in (*bodies(), *examples()) if body.type in {TRAINING, TUNER}]
SEARCHES = [body for body in (*bodies(), *examples()) if body.type == AUTOPILOT]


@pytest.mark.parametrize("body", PIPELINES, ids=lambda body: body.id)
def test_sagemaker_takes_the_jobs_of_the_pipeline(body: Body) -> None:
    (step,) = document(body.values, body.context)["Steps"]
    assert refused(OPERATIONS[step["Type"]], known_at_run_time(step["Arguments"])) == ""


@pytest.mark.parametrize("body", SEARCHES, ids=lambda body: body.id)
def test_sagemaker_takes_the_autopilot_job(body: Body) -> None:
    request = document(body.values, body.context) | {"RoleArn": ROLE}
    request["AutoMLJobName"] = request["AutoMLJobName"][: 32 - len(RELEASE)].rstrip("-") + RELEASE
    assert refused("CreateAutoMLJobV2", request) == ""


def test_a_wrong_request_would_be_found() -> None:
    request = known_at_run_time(arguments(LEAST[TRAINING]))
    assert "Unknown parameter" in refused("CreateTrainingJob", request | {"Nope": 1})
    assert "enum" in refused("CreateTrainingJob", request | {"AlgorithmSpecification": {"TrainingInputMode": "Tape"}})


def test_the_pipeline_asks_for_what_run_job_gives_it() -> None:
    for name in (TRAINING, TUNER):
        one = checked(LEAST[name], MULTI)
        made = document(LEAST[name])
        assert made["Parameters"] == [{"Name": "RoleArn", "Type": "String"}]
        assert one.type.job is not None
        assert list(one.type.job.inputs) == ["RoleArn"]


def test_what_is_not_given_is_as_the_old_product_had_it() -> None:
    made = arguments(LEAST[TRAINING])
    data = {
        "S3DataType": "S3Prefix",
        "S3Uri": resolved(checked(LEAST[TRAINING], MULTI)).pinned["churn/train/data.csv"].uri,
        "S3DataDistributionType": "FullyReplicated",
    }
    assert made == {
        "TrainingJobName": "churn-model-training",
        "AlgorithmSpecification": {
            "TrainingImage": "811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1",
            "TrainingInputMode": "File",
        },
        "RoleArn": {"Get": "Parameters.RoleArn"},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "csv",
                "InputMode": "File",
                "DataSource": {"S3DataSource": data},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://mlops-assets/churn/output"},
        "ResourceConfig": {"InstanceType": "ml.m4.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 20},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400, "MaxWaitTimeInSeconds": 172800},
        "EnableManagedSpotTraining": True,
        "EnableInterContainerTrafficEncryption": True,
        "HyperParameters": {
            "eval_metric": "auc",
            "objective": "binary:logistic",
            "eta": "0.1",
            "gamma": "4",
            "max_depth": "5",
            "min_child_weight": "6",
            "num_round": "50",
            "silent": "0",
        },
    }


def test_the_defaults_of_a_tuning_job() -> None:
    made = arguments(LEAST[TUNER])
    assert made["HyperParameterTuningJobName"] == "churn-model-tuner"
    assert made["HyperParameterTuningJobConfig"] == {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": {
            "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0", "MaxValue": "1", "ScalingType": "Auto"}]
        },
        "TrainingJobEarlyStoppingType": "Off",
    }
    definition = made["TrainingJobDefinition"]
    assert definition["ResourceConfig"] == arguments(LEAST[TRAINING])["ResourceConfig"]
    assert definition["StoppingCondition"] == arguments(LEAST[TRAINING])["StoppingCondition"]


def test_the_defaults_of_an_autopilot_job() -> None:
    made = document(LEAST[AUTOPILOT])
    assert made["AutoMLProblemTypeConfig"]["TabularJobConfig"] == {
        "TargetAttributeName": "churned",
        "GenerateCandidateDefinitionsOnly": False,
        "CompletionCriteria": {
            "MaxCandidates": 10,
            "MaxRuntimePerTrainingJobInSeconds": 86400,
            "MaxAutoMLJobRuntimeInSeconds": 2592000,
        },
    }
    assert made["SecurityConfig"] == {"EnableInterContainerTrafficEncryption": True}
    assert "AutoMLJobObjective" not in made
    assert {"Key": "mlops:workload", "Value": "churn-model-autopilot"} in made["Tags"]


def test_a_prefix_is_read_as_it_stands() -> None:
    values = {**LEAST[TRAINING], "training_data": "churn/train/"}
    (channel,) = arguments(values, pinned=False)["InputDataConfig"]
    assert channel["DataSource"]["S3DataSource"]["S3Uri"] == "s3://mlops-assets/churn/train/"
    one = checked(values, MULTI)
    given = parameters_for(one, "orchestrator", type(resolved(one))({}), NAMES)
    assert (given["TrainingDataBucket"], given["TrainingDataKey"]) == ("mlops-assets", "churn/train/")


def test_a_manifest_opens_the_bucket_whose_objects_it_lists() -> None:
    assert "ListedDataBucket" not in parameters(LEAST[TRAINING])
    assert parameters({**LEAST[TRAINING], "s3_data_type": "ManifestFile"})["ListedDataBucket"] == "mlops-assets"


@pytest.mark.parametrize("name", [TRAINING, TUNER])
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"training_code": "churn/code.tar.gz", "training_program": "train.py"}, ("mlops-packages", "code.tar.gz")),
        (
            {
                "algo_hyperparamaters": {
                    "sagemaker_program": "train.py",
                    "sagemaker_submit_directory": "s3://code/churn/code.tar.gz",
                }
            },
            ("code", "churn/code.tar.gz"),
        ),
    ],
    ids=["a built-in algorithm", "pinned code", "as the old product's users did it"],
)
def test_a_framework_finds_its_program(name: str, changes: dict[str, Any], code: tuple[str, str] | None) -> None:
    """As hyperparameters: the containers' toolkit (aws/sagemaker-training-toolkit, environment.py) takes the place of
    the code from them alone, and overlooks an environment variable of that name."""
    values = {**LEAST[name], **changes}
    given, made = parameters(values), arguments(values)
    told = made["HyperParameters"] if name == TRAINING else made["TrainingJobDefinition"]["StaticHyperParameters"]
    program = {key: value for key, value in told.items() if key.startswith("sagemaker_")}
    if code is None:
        assert "CodeBucket" not in given
        assert program == {}
    else:
        assert given["CodeBucket"] == code[0]
        assert given["CodeKey"].endswith(code[1])
        uri = f"s3://{given['CodeBucket']}/{given['CodeKey']}"
        assert program == {"sagemaker_program": "train.py", "sagemaker_submit_directory": uri}


@pytest.mark.parametrize(
    "changes", [{}, {"job_name": "Churn-With-A-Name-Longer-Than-Counts"}], ids=["the workload's name", "one of its own"]
)
def test_autopilot_may_ask_the_endpoint_of_its_search(changes: dict[str, Any]) -> None:
    """Its explanation of the best model asks it through an endpoint that is named after the job; ARNs of endpoints are
    in lower case."""
    values = {**LEAST[AUTOPILOT], **changes}
    job = automl_name(document(values)["AutoMLJobName"], "churn-1", "orchestrator")
    prefix = parameters(values)["JobNamePrefix"]
    assert job.lower().startswith(prefix)
    assert len(prefix) > 10
    (policy,) = template(AUTOPILOT)["Resources"]["ExecutionRole"]["Properties"]["Policies"]
    (asks,) = [one for one in policy["PolicyDocument"]["Statement"] if one.get("Sid") == "AskModelOfTheSearch"]
    assert "sagemaker:InvokeEndpoint" in asks["Action"]
    assert {arn["Fn::Sub"].rpartition(":")[2] for arn in asks["Resource"]} == {
        "endpoint/${JobNamePrefix}*",
        "endpoint-config/${JobNamePrefix}*",
    }


def test_a_build_may_identify_the_bucket_of_its_source() -> None:
    """The policy that the AWS CodeBuild User Guide calls the least ("Allow CodeBuild to interact with other AWS
    services") has these for a source in S3."""
    (policy,) = template(BUILDER)["Resources"]["BuildRole"]["Properties"]["Policies"]
    (identifies,) = [one for one in policy["PolicyDocument"]["Statement"] if one.get("Sid") == "IdentifySource"]
    assert set(identifies["Action"]) == {"s3:GetBucketAcl", "s3:GetBucketLocation"}
    assert identifies["Resource"] == {"Fn::Sub": "arn:${AWS::Partition}:s3:::${SourceBucket}"}


def test_what_is_tuned_is_not_fixed_too() -> None:
    """As the SageMaker Python SDK, by which the old product tuned, left it out."""
    values = {**LEAST[TUNER], "algo_hyperparamaters": {"eta": 0.3, "num_round": 50}}
    made = arguments(values)
    assert made["TrainingJobDefinition"]["StaticHyperParameters"] == {"num_round": "50"}
    (warning,) = checked(values, MULTI).warnings
    assert warning.sentence.startswith("$.hyperparamaters_ranges.eta: is in algo_hyperparamaters too.")


def test_a_grid_has_as_many_jobs_as_combinations() -> None:
    values = {
        **LEAST[TUNER],
        "tuner_configs": {"objective_metric_name": "auc", "strategy": "Grid", "max_parallel_jobs": 3},
        "hyperparamaters_ranges": {"booster": ["categorical", ["gbtree", "dart"]]},
    }
    limits = arguments(values)["HyperParameterTuningJobConfig"]["ResourceLimits"]
    assert limits == {"MaxParallelTrainingJobs": 3}


@pytest.mark.parametrize("name", [TRAINING, TUNER])
def test_the_spelling_of_people_who_spell_is_taken(name: str) -> None:
    well = {key.replace("hyperparamaters", "hyperparameters"): value for key, value in LEAST[name].items()}
    assert well != LEAST[name]
    assert checked(well, MULTI).configuration == checked(LEAST[name], MULTI).configuration


def test_texts_and_booleans_are_one_configuration() -> None:
    texts = {"use_spot_instances": "False", "encrypt_inner_traffic": "True", "max_runtime_per_job": "3600"}
    plain = {"use_spot_instances": False, "encrypt_inner_traffic": True, "max_runtime_per_job": 3600}
    first, second = ({**LEAST[TRAINING], **changes} for changes in (texts, plain))
    assert checked(first, MULTI).configuration == checked(second, MULTI).configuration
    assert arguments(first)["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}


@pytest.mark.parametrize(
    ("instance", "encrypted"),
    [
        (None, True),
        *((f"ml.{family}.2xlarge", True) for family in ("m5", "c5n", "p3", "inf2", "r6i", "t3")),
        *(
            (f"ml.{family}.8xlarge", False)
            for family in ("m5d", "c6id", "g4dn", "g5", "g6e", "p3dn", "p4d", "p5", "trn1")
        ),
    ],
)
def test_a_key_is_asked_for_where_sagemaker_takes_one(instance: str | None, encrypted: bool) -> None:
    """Not for disks inside an instance ("ResourceConfig", Amazon SageMaker API Reference); for results always."""
    values = {**LEAST[TRAINING], "kms_key_arn": KEY} | ({"instance_type": instance} if instance else {})
    made = arguments(values)
    assert made["ResourceConfig"].get("VolumeKmsKeyId") == (KEY if encrypted else None)
    assert made["OutputDataConfig"]["KmsKeyId"] == KEY


def test_whole_bounds_are_written_whole() -> None:
    values = {
        **LEAST[TUNER],
        "hyperparamaters_ranges": {"depth": ["integer", [1.0, "9"]], "eta": ["continuous", [0.0, 1e-05]]},
    }
    found = arguments(values)["HyperParameterTuningJobConfig"]["ParameterRanges"]
    (depth,), (eta,) = found["IntegerParameterRanges"], found["ContinuousParameterRanges"]
    assert (depth["MinValue"], depth["MaxValue"]) == ("1", "9")
    assert (eta["MinValue"], eta["MaxValue"]) == ("0.0", "1e-05")


def test_names_that_aws_limits_are_cut() -> None:
    long = "a-name-of-more-than-thirty-two--characters"
    values = {**LEAST[TUNER], "job_name": long}
    assert arguments(values)["HyperParameterTuningJobName"] == "a-name-of-more-than-thirty-two"
    assert arguments({**LEAST[TRAINING], "job_name": long})["TrainingJobName"] == long[:30]


@pytest.mark.parametrize(
    ("tag", "stack", "workload"),
    [
        ("latest", "mlops-pipeline-latest-byompipelineimagebuilder", "latest-image"),
        ("v1.0", "mlops-pipeline-v1-0-fa8b919c-byompipelineimagebuilder", "v1-0-image-"),
        ("_x" * 64, "mlops-pipeline-x-x-", "x-x-"),
    ],
)
def test_an_image_tag_stays_as_it_is_and_names_are_made_to_fit(tag: str, stack: str, workload: str) -> None:
    one = checked({**LEAST[BUILDER], "image_tag": tag}, MULTI)
    assert parameters_for(one, "orchestrator", resolved(one), NAMES)["ImageTag"] == tag
    assert one.stack_name.startswith(stack)
    assert one.workload_name.startswith(workload)


def test_the_build_commands_are_a_buildspec() -> None:
    """After "Build specification reference for CodeBuild", AWS CodeBuild User Guide."""
    project = template(BUILDER)["Resources"]["Project"]["Properties"]
    spec = yaml.safe_load(project["Source"]["BuildSpec"])
    assert spec["version"] == 0.2
    assert list(spec["phases"]) == ["pre_build", "build", "post_build"]
    commands = [command for phase in spec["phases"].values() for command in phase["commands"]]
    assert all(isinstance(command, str) for command in commands)
    given = {variable["Name"] for variable in project["Environment"]["EnvironmentVariables"]}
    asked = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", "\n".join(commands)))
    assert asked - given == {"AWS_DEFAULT_REGION", "CODEBUILD_BUILD_SUCCEEDING", "RELEASE"}
