"""Processing jobs: inputs from S3, AWS's own analyses computed, outputs to S3.

The containers do not run here. Model Monitor's analyzer and Clarify are done by this package, and a Python program for
AWS's scikit-learn image runs in a process (``programs``); for any other image every output gets a note that nothing was
run. What the container would see as its file system is a dictionary of paths.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.jobs import access, baselines, clarify, programs, storage
from local.cloud.sagemaker.jobs.lifecycle import Job, JobFailed, Kind
from local.cloud.sagemaker.jobs.tables import NoTable

ROOT = "/opt/ml/processing/"

Files = dict[str, bytes]
"""Path within the container → content."""

_ANALYSES: dict[str, Callable[[Job, Files], Files]] = {
    "sagemaker-model-monitor-analyzer": baselines.analyse,
    "sagemaker-clarify-processing": clarify.analyse,
}
"""Repository of the image → what it does."""


def role(account: str, region: str, fields: dict[str, Any]) -> str:
    """The job's own role."""
    return str(fields["RoleArn"])


def check(fields: dict[str, Any]) -> None:
    """Rules across members; raises ApiError."""
    inputs, outputs = fields.get("ProcessingInputs") or [], _outputs(fields)
    for name, found in (("InputName", inputs), ("OutputName", outputs)):
        given = [each[name] for each in found]
        if len(set(given)) < len(given):
            raise ApiError("ValidationException", f"{name} must be unique within a processing job")
    paths = [
        *((each["InputName"], (each.get("S3Input") or {}).get("LocalPath")) for each in inputs),
        *((each["OutputName"], (each.get("S3Output") or {}).get("LocalPath")) for each in outputs),
    ]
    for name, path in paths:
        if path is not None and not path.startswith(ROOT.rstrip("/")):
            raise ApiError("ValidationException", f"LocalPath of {name} must begin with {ROOT}, not {path}")
    for each in inputs:
        if bool(each.get("S3Input")) == bool(each.get("DatasetDefinition")):
            raise ApiError(
                "ValidationException", f"{each['InputName']}: one of S3Input and DatasetDefinition, not both"
            )


def work(job: Job) -> dict[str, Any]:
    """Read, analyse, write."""
    image = access.pull(job.role, job.fields["AppSpecification"]["ImageUri"])
    files: Files = {}
    for each in job.fields.get("ProcessingInputs") or []:
        files |= _input(job, each)
    job.run.look()
    analysis = _ANALYSES.get(image.repository) if image else None
    try:
        if analysis:
            made = analysis(job, files)
        elif programs.runs(job.fields, image):
            made = programs.run(job, files, _places(job.fields))
        else:
            made = _not_run(job, image)
    except NoTable as problem:
        raise JobFailed(f"AlgorithmError: {problem}, exit code: 255") from problem
    job.run.look()
    for output in _outputs(job.fields):
        _output(job, output, made)
    return {"ExitMessage": "Completed: Job completed successfully."}


def _outputs(fields: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (fields.get("ProcessingOutputConfig") or {}).get("Outputs") or []
    return found


def _places(fields: dict[str, Any]) -> list[str]:
    """Folders of the outputs within the container."""
    return [(output.get("S3Output") or {}).get("LocalPath", "").rstrip("/") for output in _outputs(fields)]


def _input(job: Job, each: dict[str, Any]) -> Files:
    source = each.get("S3Input")
    if source is None:
        raise JobFailed(f"ClientError: the embedded cloud reads {each['InputName']} from S3 only")
    local = source.get("LocalPath", ROOT + "input").rstrip("/")
    objects = storage.listed(job.role, source["S3Uri"], source["S3DataType"])
    return {f"{local}/{found.relative}": storage.read(job.role, found.uri) for found in objects}


def _output(job: Job, output: dict[str, Any], made: Files) -> None:
    target = output.get("S3Output") or {}
    local = str(target.get("LocalPath", "")).rstrip("/") + "/"
    key = (job.fields.get("ProcessingOutputConfig") or {}).get("KmsKeyId", "")
    for path, content in made.items():
        if path.startswith(local):
            storage.write(job.role, storage.join(target["S3Uri"], path.removeprefix(local)), content, key)


def _not_run(job: Job, image: access.Image | None) -> Files:
    note = f"The embedded cloud does not run {image.repository if image else 'this image'}: nothing was processed.\n"
    return {f"{place}/NOT-RUN.txt": note.encode() for place in _places(job.fields)}


KIND = Kind(
    noun="ProcessingJob",
    arn_kind="processing-job",
    detail_type="SageMaker Processing Job State Change",
    work=work,
    role=role,
    check=check,
    times=("ProcessingStartTime", "ProcessingEndTime"),
)
