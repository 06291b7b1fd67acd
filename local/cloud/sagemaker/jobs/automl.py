"""Autopilot: a small search over scikit-learn models in place of SageMaker's, on the tabular data of the request.

As on AWS the target must be a column of the CSV's header, and there must be 500 rows. The best candidate's artefact
serves predictions here. ``GenerateCandidateDefinitionsOnly`` ends after the analysis, without a candidate.
"""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.jobs import candidates, channels, learning, predictor, storage, training, worker
from local.cloud.sagemaker.jobs.lifecycle import Job, JobFailed, Kind
from local.cloud.sagemaker.records import Record

MIN_ROWS = 500
"""Amazon SageMaker Developer Guide, "Autopilot datasets and problem types"."""

DEFAULT_CANDIDATES = 250
_LESS_IS_BETTER = frozenset({"MSE", "RMSE", "MAE"})


def role(account: str, region: str, fields: dict[str, Any]) -> str:
    """The job's own role."""
    return str(fields["RoleArn"])


def check(fields: dict[str, Any]) -> None:
    """Rules across members; raises ApiError."""
    kinds = fields["AutoMLProblemTypeConfig"]
    if len(kinds) != 1:
        raise ApiError("ValidationException", "Exactly one member of AutoMLProblemTypeConfig must be given")
    tabular = kinds.get("TabularJobConfig")
    if tabular is None:
        return
    objective = (fields.get("AutoMLJobObjective") or {}).get("MetricName")
    if bool(objective) != bool(tabular.get("ProblemType")):
        raise ApiError(
            "ValidationException", "ProblemType and AutoMLJobObjective must be given both, or neither of them"
        )
    criteria = tabular.get("CompletionCriteria") or {}
    whole, each = (criteria.get(name) for name in ("MaxAutoMLJobRuntimeInSeconds", "MaxRuntimePerTrainingJobInSeconds"))
    if whole is not None and each is not None and each > whole:
        raise ApiError(
            "ValidationException",
            "MaxRuntimePerTrainingJobInSeconds must not be greater than MaxAutoMLJobRuntimeInSeconds",
        )


def work(job: Job) -> dict[str, Any]:
    """Analyse, search, write the best."""
    tabular = job.fields["AutoMLProblemTypeConfig"].get("TabularJobConfig")
    if tabular is None:
        raise JobFailed("ClientError: the embedded cloud runs Autopilot for tabular data only")
    job.secondary("AnalyzingData")
    data = _data(job)
    _check_data(data, tabular["TargetAttributeName"])
    if tabular.get("GenerateCandidateDefinitionsOnly"):
        return _definitions(job)
    job.secondary("FeatureEngineering")
    script = Path(predictor.__file__).read_bytes()
    with learning.workshop({"train.csv": data, "predictor.py": script}) as place:
        job.secondary("ModelTuning")
        found = _searched(job, place, tabular)
        sign = 1 if found[0]["objective"] in _LESS_IS_BETTER else -1
        best = min(found, key=lambda each: sign * each["value"])
        archive = training.archived(
            {
                "model.joblib": place.model(best["name"]),
                "training.json": json.dumps({**best, "made_by": "the embedded cloud: scikit-learn"}).encode(),
                "code/inference.py": script,
            }
        )
    output = job.fields["OutputDataConfig"]
    shown = []
    for each in found:
        uri = storage.join(output["S3OutputPath"], job.record.name, "tuning", each["name"], "output", "model.tar.gz")
        if each is best:
            storage.write(job.role, uri, archive, output.get("KmsKeyId", ""))
        shown.append(_candidate(job, each, uri))
    job.record.state["candidates"] = shown
    job.secondary("MaxCandidatesReached")
    return {
        "BestCandidate": shown[found.index(best)],
        "ResolvedAttributes": {
            "AutoMLJobObjective": {"MetricName": best["objective"]},
            "AutoMLProblemTypeResolvedAttributes": {"TabularResolvedAttributes": {"ProblemType": best["problem"]}},
        },
    }


def _data(job: Job) -> bytes:
    """The training data; every channel is read."""
    found = b""
    for each in job.fields["AutoMLJobInputDataConfig"]:
        data = channels.content(job.role, {"ChannelName": each.get("ChannelType", "training"), **each})
        if each.get("ChannelType", "training") == "training":
            found = data
    return found


def _check_data(data: bytes, target: str) -> None:
    try:
        rows = csv.reader(io.StringIO(data.decode("utf-8-sig")))
        header = next(rows, [])
        count = sum(1 for row in rows if row)
    except (UnicodeDecodeError, csv.Error) as problem:
        raise JobFailed(f"ClientError: the dataset is no CSV ({problem})") from problem
    if target not in header:
        raise JobFailed(
            f"ClientError: Target attribute {target} is not a column of the dataset; its columns are "
            f"{', '.join(header)}"
        )
    if count < MIN_ROWS:
        raise JobFailed(f"ClientError: The dataset has {count} rows; at least {MIN_ROWS} rows are required")


def _searched(job: Job, place: learning.Workshop, tabular: dict[str, Any]) -> list[dict[str, Any]]:
    criteria = tabular.get("CompletionCriteria") or {}
    request = {
        "target": tabular["TargetAttributeName"],
        "problem": tabular.get("ProblemType", ""),
        "objective": (job.fields.get("AutoMLJobObjective") or {}).get("MetricName", ""),
        "candidates": criteria.get("MaxCandidates") or DEFAULT_CANDIDATES,
    }
    seconds = min(criteria.get("MaxAutoMLJobRuntimeInSeconds", training.HERE_SECONDS), training.HERE_SECONDS)
    found = []
    try:
        for answer in learning.learn(job.run, place, request, seconds, Path(candidates.__file__)):
            if "error" in answer:
                raise JobFailed(f"ClientError: {answer['error']}")
            found.append(answer)
            job.run.look()
    except learning.TooLong:
        # As on AWS the best so far is the answer when the time is up.
        if not found:
            raise worker.Stopped from None
    except learning.LearningFailed as problem:
        raise JobFailed(f"AlgorithmError: {problem}") from problem
    return found


def _candidate(job: Job, each: dict[str, Any], uri: str) -> dict[str, Any]:
    now = time.time()
    image = f"683313688378.dkr.ecr.{job.region}.amazonaws.com/sagemaker-sklearn-automl:2.5-1-cpu-py3"
    return {
        "CandidateName": f"{job.record.name}-{each['name']}",
        "FinalAutoMLJobObjectiveMetric": {
            "Type": "Minimize" if each["objective"] in _LESS_IS_BETTER else "Maximize",
            "MetricName": f"validation:{each['objective'].lower()}",
            "StandardMetricName": each["objective"],
            "Value": each["value"],
        },
        "ObjectiveStatus": "Succeeded",
        "CandidateSteps": [],
        "CandidateStatus": "Completed",
        "InferenceContainers": [{"Image": image, "ModelDataUrl": uri, "Environment": {}}],
        "CreationTime": job.record.created,
        "EndTime": now,
        "LastModifiedTime": now,
        "CandidateProperties": {
            "CandidateMetrics": [
                {"MetricName": name, "StandardMetricName": name, "Value": value, "Set": "Validation"}
                for name, value in each["metrics"].items()
            ]
        },
    }


def _definitions(job: Job) -> dict[str, Any]:
    """Write the two notebooks in which Autopilot explains what it would do."""
    output = job.fields["OutputDataConfig"]
    folder = storage.join(output["S3OutputPath"], job.record.name, "sagemaker-automl-candidates", "notebooks")
    note = "The embedded cloud writes no candidate definitions: this notebook stands where Autopilot's would."
    notebook = {
        "cells": [{"cell_type": "markdown", "metadata": {}, "source": [note]}],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    names = {
        "CandidateDefinitionNotebookLocation": "SageMakerAutopilotCandidateDefinitionNotebook.ipynb",
        "DataExplorationNotebookLocation": "SageMakerAutopilotDataExplorationNotebook.ipynb",
    }
    found = {member: storage.join(folder, name) for member, name in names.items()}
    for uri in found.values():
        storage.write(job.role, uri, json.dumps(notebook).encode(), output.get("KmsKeyId", ""))
    return {"AutoMLJobArtifacts": found}


def added(record: Record) -> dict[str, Any]:
    """What Describe shows beside the request."""
    (name,) = record.fields["AutoMLProblemTypeConfig"]
    return {"AutoMLProblemTypeConfigName": name.removesuffix("JobConfig")}


KIND = Kind(
    noun="AutoMLJob",
    arn_kind="automl-job",
    detail_type="SageMaker AutoML Job State Change",
    work=work,
    role=role,
    check=check,
    create="CreateAutoMLJobV2",
    secondary="AutoMLJobSecondaryStatus",
    added=added,
    times=("StartTime", "EndTime"),
)
