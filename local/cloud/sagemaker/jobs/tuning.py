"""Hyperparameter tuning: as many trainings as asked for, values drawn from the ranges, the best one by the objective.

Every training is a training job of its own that can be described. Values are drawn at random from a seed made of the
job's name, so that a test can be repeated, or enumerated for the strategy ``Grid``; other strategies draw as ``Random``
does. What cannot be trained here has no objective: the first job stands as the best, without a value.
"""

from __future__ import annotations

import itertools
import math
import random
import time
from typing import Any

from local.cloud.sagemaker import records
from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.jobs import access, channels, learning, lifecycle, training
from local.cloud.sagemaker.jobs.lifecycle import Job, JobFailed, Kind
from local.cloud.sagemaker.records import Record

_KINDS = ("IntegerParameterRanges", "ContinuousParameterRanges", "CategoricalParameterRanges")


def role(account: str, region: str, fields: dict[str, Any]) -> str:
    """The role of its training jobs."""
    return str(_definition(fields)["RoleArn"])


def check(fields: dict[str, Any]) -> None:
    """Rules across members; raises ApiError."""
    config, definition = fields["HyperParameterTuningJobConfig"], _definition(fields)
    if not definition:
        raise _refused("TrainingJobDefinition is required")
    limits = config["ResourceLimits"]
    most, together = limits.get("MaxNumberOfTrainingJobs", 1), limits["MaxParallelTrainingJobs"]
    ranges = config.get("ParameterRanges") or {}
    if together > most:
        raise _refused("MaxParallelTrainingJobs must not be greater than MaxNumberOfTrainingJobs")
    if config["Strategy"] == "Grid" and any(ranges.get(kind) for kind in _KINDS[:2]):
        raise _refused("The Grid strategy takes CategoricalParameterRanges only")
    if not any(ranges.get(kind) for kind in _KINDS) and not config.get("Autotune"):
        raise _refused("At least one hyperparameter range is required")
    for kind in _KINDS[:2]:
        for found in ranges.get(kind) or []:
            _check_range(found, whole=kind == _KINDS[0])
    named = [found["Name"] for kind in _KINDS for found in ranges.get(kind) or []]
    twice = sorted({name for name in named if named.count(name) > 1 or name in _static(definition)})
    if twice:
        raise _refused(f"Hyperparameters are given more than once: {', '.join(twice)}")
    if not (config.get("HyperParameterTuningJobObjective") or definition.get("TuningObjective")):
        raise _refused("HyperParameterTuningJobObjective is required")
    problem = training.spot_problem(definition) or training.channel_problem(definition.get("InputDataConfig") or [])
    if problem:
        raise _refused(problem)


def _check_range(found: dict[str, str], *, whole: bool) -> None:
    try:
        low, high = (int(found[end]) if whole else float(found[end]) for end in ("MinValue", "MaxValue"))
    except ValueError as problem:
        raise _refused(f"The range of {found['Name']} is not made of numbers ({problem})") from problem
    if low > high:
        raise _refused(f"The range of {found['Name']}: MinValue {low} is greater than MaxValue {high}")
    if found.get("ScalingType") in {"Logarithmic", "ReverseLogarithmic"} and low <= 0:
        raise _refused(f"The range of {found['Name']} is {found['ScalingType']} and must be above 0")


def work(job: Job) -> dict[str, Any]:
    """Train, compare, choose."""
    definition, config = _definition(job.fields), job.fields["HyperParameterTuningJobConfig"]
    image = access.pull(job.role, definition["AlgorithmSpecification"].get("TrainingImage", ""))
    given = definition.get("InputDataConfig") or []
    files = channels.csv_files(job.role, given)
    children = [_child(job, definition, values, number) for number, values in enumerate(drawn(job), start=1)]
    algorithm = training.equivalent(image, given)
    try:
        with learning.workshop(files) as place:
            if algorithm is None:
                for child in children:
                    _end(job, child, {}, training.untrained(image))
            else:
                _train(job, place, algorithm, children)
    finally:
        for child in children:
            if child.state["status"] == "InProgress" and not job.run.abandoned:
                lifecycle.finish(job.account, job.region, training.KIND, child, "Stopped", "", {})
    return _chosen(job, config, children, measured=algorithm is not None)


def _train(job: Job, place: learning.Workshop, algorithm: str, children: list[Record]) -> None:
    wanted = [{"name": child.name, "hyperparameters": child.fields["HyperParameters"]} for child in children]
    trained = training.trials(job.run, place, algorithm, wanted, training.HERE_SECONDS)
    for child, trial, result in zip(children, wanted, trained, strict=True):
        archive = b"" if "error" in result else training.artefact(place, trial, result, algorithm)
        _end(job, child, result, archive)
        job.run.look()


def drawn(job: Job) -> list[dict[str, str]]:
    """Values of the tuned hyperparameters, one set a training."""
    config = job.fields["HyperParameterTuningJobConfig"]
    ranges, most = config.get("ParameterRanges") or {}, config["ResourceLimits"].get("MaxNumberOfTrainingJobs", 1)
    if config["Strategy"] == "Grid":
        named = {found["Name"]: found["Values"] for found in ranges["CategoricalParameterRanges"]}
        sets = [dict(zip(named, values, strict=True)) for values in itertools.product(*named.values())]
        return sets[:most]
    chance = random.Random(job.record.name)  # noqa: S311 - hyperparameters are no secret
    return [_draw(chance, ranges) for _ in range(most)]


def _draw(chance: random.Random, ranges: dict[str, Any]) -> dict[str, str]:
    values = {}
    for found in ranges.get("IntegerParameterRanges") or []:
        values[found["Name"]] = str(chance.randint(int(found["MinValue"]), int(found["MaxValue"])))
    for found in ranges.get("ContinuousParameterRanges") or []:
        low, high = float(found["MinValue"]), float(found["MaxValue"])
        logarithmic = found.get("ScalingType") == "Logarithmic"
        value = math.exp(chance.uniform(math.log(low), math.log(high))) if logarithmic else chance.uniform(low, high)
        values[found["Name"]] = repr(value)
    for found in ranges.get("CategoricalParameterRanges") or []:
        values[found["Name"]] = chance.choice(found["Values"])
    return values


def _child(job: Job, definition: dict[str, Any], values: dict[str, str], number: int) -> Record:
    """The training job of one set of values."""
    suffix = f"{random.getrandbits(32):08x}"
    name = f"{job.record.name}-{number:03d}-{suffix}"
    hyperparameters = {**_static(definition), **values}
    fields = {
        **{key: value for key, value in definition.items() if key in _TRAINING_MEMBERS},
        "TrainingJobName": name,
        "HyperParameters": hyperparameters,
        "ResourceConfig": definition.get("ResourceConfig") or {},
        "Tags": job.record.tags,
    }
    record = records.create(job.account, job.region, training.KIND.arn_kind, name, fields)
    record.state |= {
        "status": "InProgress",
        "tuning": job.record.arn,
        "tuned": values,
        "started": time.time(),
        "extra": {"TuningJobArn": job.record.arn},
    }
    lifecycle.enter(record, "Training")
    job.record.state.setdefault("children", []).append(record)
    return record


def _end(job: Job, child: Record, result: dict[str, Any], archive: bytes) -> None:
    extra, status = {"TuningJobArn": job.record.arn}, "Failed" if "error" in result else "Completed"
    if archive:
        output = child.fields["OutputDataConfig"]
        extra |= training.stored(job.role, output, child.name, archive, result.get("metrics", {}))
    lifecycle.finish(job.account, job.region, training.KIND, child, status, result.get("error", ""), extra)


def _chosen(job: Job, config: dict[str, Any], children: list[Record], *, measured: bool) -> dict[str, Any]:
    objective = objective_of(job.fields)
    for child in children:
        figures = {figure["MetricName"]: figure["Value"] for figure in metrics_of(child)}
        child.state["objective"] = figures.get(objective["MetricName"])
    scored = [child for child in children if child.state["objective"] is not None]
    if measured and not scored:
        reasons = sorted({child.state["reason"] for child in children if child.state.get("reason")})
        raise JobFailed(
            "ClientError: No training job succeeded, or none reported the objective metric "
            f"{objective['MetricName']}. {' '.join(reasons)}".strip()
        )
    sign = -1 if objective["Type"] == "Maximize" else 1
    best = min(scored, key=lambda child: sign * child.state["objective"]) if scored else children[0]
    for rank, child in enumerate(sorted(scored, key=lambda child: sign * child.state["objective"]), start=1):
        child.state["rank"] = rank
    return {"BestTrainingJob": summary(job.fields, best)}


def metrics_of(child: Record) -> list[dict[str, Any]]:
    """A training job's final metrics."""
    found: list[dict[str, Any]] = child.state.get("extra", {}).get("FinalMetricDataList") or []
    return found


def objective_of(fields: dict[str, Any]) -> dict[str, Any]:
    """The metric that is tuned, and in which direction."""
    config = fields["HyperParameterTuningJobConfig"]
    found: dict[str, Any] = (
        config.get("HyperParameterTuningJobObjective") or _definition(fields).get("TuningObjective") or {}
    )
    return found


def summary(fields: dict[str, Any], child: Record) -> dict[str, Any]:
    """A training job as the tuning job's answers show it."""
    state = child.state
    found = {
        "TrainingJobName": child.name,
        "TrainingJobArn": child.arn,
        "TrainingJobStatus": state["status"],
        "CreationTime": child.created,
        "TunedHyperParameters": state["tuned"],
    }
    found |= {
        name: state[key]
        for name, key in (("TrainingStartTime", "started"), ("TrainingEndTime", "ended"))
        if key in state
    }
    if state.get("reason"):
        found["FailureReason"] = state["reason"]
    if state.get("objective") is not None:
        objective = objective_of(fields)
        found |= {
            "ObjectiveStatus": "Succeeded",
            "FinalHyperParameterTuningJobObjectiveMetric": {
                "Type": objective["Type"],
                "MetricName": objective["MetricName"],
                "Value": state["objective"],
            },
        }
    return found


def counters(record: Record) -> dict[str, Any]:
    """What DescribeHyperParameterTuningJob counts."""
    statuses = [child.state["status"] for child in record.state.get("children", [])]
    scored = sum(child.state.get("objective") is not None for child in record.state.get("children", []))
    return {
        "TrainingJobStatusCounters": {
            "Completed": statuses.count("Completed"),
            "InProgress": statuses.count("InProgress"),
            "RetryableError": 0,
            "NonRetryableError": statuses.count("Failed"),
            "Stopped": statuses.count("Stopped"),
        },
        "ObjectiveStatusCounters": {
            "Succeeded": scored,
            "Pending": statuses.count("InProgress"),
            "Failed": statuses.count("Failed"),
        },
    }


_TRAINING_MEMBERS = frozenset(
    {
        "AlgorithmSpecification",
        "RoleArn",
        "InputDataConfig",
        "OutputDataConfig",
        "VpcConfig",
        "StoppingCondition",
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining",
        "CheckpointConfig",
        "Environment",
        "RetryStrategy",
    }
)


def _definition(fields: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = fields.get("TrainingJobDefinition") or (fields.get("TrainingJobDefinitions") or [{}])[0]
    return found


def _static(definition: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = definition.get("StaticHyperParameters") or {}
    return found


def _refused(message: str) -> ApiError:
    return ApiError("ValidationException", message)


KIND = Kind(
    noun="HyperParameterTuningJob",
    arn_kind="hyper-parameter-tuning-job",
    detail_type="SageMaker HyperParameter Tuning Job State Change",
    work=work,
    role=role,
    check=check,
    times=("HyperParameterTuningStartTime", "HyperParameterTuningEndTime"),
    added=counters,
)
