"""Training: scikit-learn where that is honest, an artefact that says so where it is not.

The containers of SageMaker's algorithms do not run here. XGBoost and Linear Learner on CSV have an equivalent, which is
trained on the data of the channels ``train`` and ``validation`` (:mod:`~local.cloud.sagemaker.jobs.learner`); the
artefact serves it, as ``code/inference.py`` does for any endpoint here. For every other algorithm or format the inputs,
the image and the output are asked for as always, and the artefact holds a note in place of a model.
"""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.jobs import access, channels, learner, learning, predictor, storage, worker
from local.cloud.sagemaker.jobs.lifecycle import Job, JobFailed, Kind

MAX_RUNTIME_SECONDS = 28 * 24 * 3600
DEFAULT_RUNTIME_SECONDS = 24 * 3600
HERE_SECONDS = 600.0
"""A training process here gets no longer than this, whatever the job may take."""

_ALGORITHMS = {"xgboost": learner.XGBOOST, "sagemaker-xgboost": learner.XGBOOST, "linear-learner": learner.LINEAR}
"""Repository of the image → algorithm with an equivalent."""


def role(account: str, region: str, fields: dict[str, Any]) -> str:
    """The job's own role."""
    return str(fields["RoleArn"])


def check(fields: dict[str, Any]) -> None:
    """Rules across members, as CreateTrainingJob has them; raises ApiError."""
    algorithm = fields.get("AlgorithmSpecification") or {}
    problem = (
        spot_problem(fields)
        or channel_problem(fields.get("InputDataConfig") or [])
        or ("" if bool(algorithm.get("TrainingImage")) != bool(algorithm.get("AlgorithmName")) else _ONE_ALGORITHM)
        or ("" if fields.get("ResourceConfig") else "ResourceConfig is required")
        or ("" if fields.get("StoppingCondition") else "StoppingCondition is required")
    )
    if problem:
        raise ApiError("ValidationException", problem)


_ONE_ALGORITHM = "You must provide either AlgorithmName or TrainingImage in AlgorithmSpecification, and not both"


def spot_problem(fields: dict[str, Any]) -> str:
    """What is wrong with the limits of time; empty when nothing is."""
    condition = fields.get("StoppingCondition") or {}
    runtime = condition.get("MaxRuntimeInSeconds", DEFAULT_RUNTIME_SECONDS)
    wait = condition.get("MaxWaitTimeInSeconds")
    if runtime > MAX_RUNTIME_SECONDS:
        return f"Invalid MaxRuntimeInSeconds. It must not be above {MAX_RUNTIME_SECONDS}"
    if fields.get("EnableManagedSpotTraining"):
        if wait is None or wait < runtime:
            return (
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
            )
    elif wait is not None:
        return "MaxWaitTimeInSeconds is only supported when EnableManagedSpotTraining is set to true"
    return ""


def channel_problem(given: list[dict[str, Any]]) -> str:
    """What is wrong with the input channels; empty when nothing is."""
    names = [channel["ChannelName"] for channel in given]
    if len(set(names)) < len(names):
        return "The names of channels must be unique within a training job"
    for channel in given:
        source = channel["DataSource"].get("S3DataSource") or {}
        attributes = source.get("AttributeNames")
        augmented = source.get("S3DataType") == "AugmentedManifestFile"
        if augmented and not attributes:
            return f"AttributeNames are required for the AugmentedManifestFile of channel {channel['ChannelName']}"
        if attributes and not augmented:
            return f"AttributeNames of channel {channel['ChannelName']} are for an AugmentedManifestFile only"
        if augmented and channel.get("InputMode") == "FastFile":
            return f"FastFile mode reads no AugmentedManifestFile (channel {channel['ChannelName']})"
    return ""


def work(job: Job) -> dict[str, Any]:
    """Train once."""
    fields = job.fields
    job.secondary("Downloading", "Downloading input data")
    image = access.pull(job.role, fields["AlgorithmSpecification"].get("TrainingImage", ""))
    given = fields.get("InputDataConfig") or []
    files = channels.csv_files(job.role, given)
    job.secondary("Training", "Training image download completed. Training in progress.")
    trial = {"name": job.record.name, "hyperparameters": fields.get("HyperParameters") or {}}
    algorithm = equivalent(image, given)
    with learning.workshop(files) as place:
        if algorithm is None:
            archive, metrics = untrained(image), {}
        else:
            (result,) = trials(job.run, place, algorithm, [trial], runtime(fields))
            if "error" in result:
                raise JobFailed(result["error"])
            archive, metrics = artefact(place, trial, result, algorithm), result["metrics"]
    job.secondary("Uploading", "Uploading generated training model")
    return stored(job.role, fields["OutputDataConfig"], job.record.name, archive, metrics)


def equivalent(image: access.Image | None, given: list[dict[str, Any]]) -> str | None:
    """The algorithm that can be trained here in place of the image's; None when there is none."""
    found = _ALGORITHMS.get(image.repository) if image else None
    return found if found and channels.are_csv(given) else None


def runtime(fields: dict[str, Any]) -> float:
    """Seconds that a training process gets."""
    asked = (fields.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", DEFAULT_RUNTIME_SECONDS)
    return float(min(asked, HERE_SECONDS))


def trials(
    run: worker.Run, place: learning.Workshop, algorithm: str, wanted: list[dict[str, Any]], seconds: float
) -> Iterator[dict[str, Any]]:
    """Train each trial; raises JobFailed, worker.Stopped."""
    if not (place.directory / "train.csv").is_file():
        raise JobFailed("ClientError: Unable to initialize the algorithm. Missing training channel: train")
    try:
        yield from learning.learn(run, place, {"algorithm": algorithm, "trials": wanted}, seconds)
    except learning.TooLong:
        raise worker.Stopped from None
    except learning.LearningFailed as problem:
        raise JobFailed(f"AlgorithmError: {problem}") from problem


def artefact(place: learning.Workshop, trial: dict[str, Any], result: dict[str, Any], algorithm: str) -> bytes:
    """``model.tar.gz`` of a trained model, with the script that serves it."""
    note = {
        "made_by": f"the embedded cloud: scikit-learn in place of {algorithm}",
        "hyperparameters": trial["hyperparameters"],
        "hyperparameters_without_equivalent": result.get("left_out", []),
        "metrics": result["metrics"],
    }
    return archived(
        {
            "model.joblib": place.model(trial["name"]),
            "training.json": json.dumps(note, indent=2).encode(),
            "code/inference.py": Path(predictor.__file__).read_bytes(),
        }
    )


def untrained(image: access.Image | None) -> bytes:
    """``model.tar.gz`` in place of a model that cannot be trained here."""
    named = image.repository if image else "this algorithm"
    note = (
        f"The embedded cloud does not run {named}: nothing was trained. It asked for the role's permissions, the\n"
        "image and the input data as SageMaker does, and wrote this note where SageMaker writes the model.\n"
    )
    return archived({"NOT-TRAINED.txt": note.encode()})


def archived(files: dict[str, bytes]) -> bytes:
    """A ``tar.gz`` of files."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as bundle:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), int(time.time())
            bundle.addfile(member, io.BytesIO(data))
    return archive.getvalue()


def stored(
    who: access.Role, output: dict[str, Any], name: str, archive: bytes, metrics: dict[str, float]
) -> dict[str, Any]:
    """Write the artefact; what Describe shows of it."""
    uri = storage.join(output["S3OutputPath"], name, "output", "model.tar.gz")
    storage.write(who, uri, archive, output.get("KmsKeyId", ""))
    now = time.time()
    return {
        "ModelArtifacts": {"S3ModelArtifacts": uri},
        "FinalMetricDataList": [
            {"MetricName": metric, "Value": value, "Timestamp": now} for metric, value in sorted(metrics.items())
        ],
    }


KIND = Kind(
    noun="TrainingJob",
    arn_kind="training-job",
    detail_type="SageMaker Training Job State Change",
    work=work,
    role=role,
    check=check,
    secondary="SecondaryStatus",
)
