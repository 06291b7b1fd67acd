"""Batch transform: the model's own container answers for every object of the input, as it would for an endpoint.

The model record's first container is started from its ``model.tar.gz`` with the permissions of the model's execution
role, which also reads the input and writes ``<key>.out`` (Amazon SageMaker Developer Guide, "Batch transform"). Of
``DataProcessing`` only what changes nothing is taken.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

from local.cloud.sagemaker import model_data, models
from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.jobs import access, storage
from local.cloud.sagemaker.jobs.lifecycle import Job, JobFailed, Kind
from local.cloud.sagemaker.served import NotServing, ServedModel

MEGABYTE = 1024 * 1024
DEFAULT_PAYLOAD_MB = 6


def role(account: str, region: str, fields: dict[str, Any]) -> str:
    """The execution role of the model: a transform job has none of its own."""
    return str(models.model(account, region, fields["ModelName"]).fields["ExecutionRoleArn"])


def check(fields: dict[str, Any]) -> None:
    """Rules across members; raises ApiError."""
    source = fields["TransformInput"]
    split, assembled = source.get("SplitType", "None"), fields["TransformOutput"].get("AssembleWith", "None")
    if assembled == "Line" and split == "None":
        raise ApiError("ValidationException", "AssembleWith can be Line only when SplitType is not None")
    if fields.get("BatchStrategy") == "MultiRecord" and split == "None":
        raise ApiError("ValidationException", "BatchStrategy can be MultiRecord only when SplitType is not None")
    if fields.get("MaxConcurrentTransforms", 1) * fields.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB) > 100:
        raise ApiError("ValidationException", "MaxConcurrentTransforms * MaxPayloadInMB must not exceed 100 MB")


def work(job: Job) -> dict[str, Any]:
    """Predict for every object."""
    source, target = job.fields["TransformInput"], job.fields["TransformOutput"]
    processing = job.fields.get("DataProcessing") or {}
    changed = {name: value for name, value in processing.items() if value not in ("$", "None")}
    if changed:
        raise JobFailed(f"ClientError: the embedded cloud runs no DataProcessing ({', '.join(sorted(changed))})")
    where = source["DataSource"]["S3DataSource"]
    objects = storage.listed(job.role, where["S3Uri"], where["S3DataType"])
    model = load(job, job.fields["ModelName"], job.fields.get("Environment") or {})
    try:
        for found in objects:
            job.run.look()
            data = storage.read(job.role, found.uri)
            if source.get("CompressionType") == "Gzip":
                data = gzip.decompress(data)
            answer = predictions(job, model, data, found.uri)
            uri = storage.join(target["S3OutputPath"], f"{found.relative}.out")
            storage.write(job.role, uri, answer, target.get("KmsKeyId", ""))
    finally:
        model.stop()
    return {}


def load(job: Job, name: str, environment: dict[str, str]) -> ServedModel:
    """Start a model's container; raises JobFailed."""
    try:
        model = models.model(job.account, job.region, name)
        container, role_arn = models.containers(model)[0], model.fields["ExecutionRoleArn"]
        access.pull(access.Role(role_arn, job.region), str(container.get("Image", "")))
        archive = model_data.read(model_data.location(container), role_arn, job.region)
        settings = {**(container.get("Environment") or {}), **environment}
        served = ServedModel(archive, settings, f"{job.kind.arn_kind} {job.record.name} of {job.account}")
    except ApiError as problem:
        raise JobFailed(f"ClientError: {problem}") from problem
    except model_data.Unreadable as problem:
        raise JobFailed(f"ClientError: {problem}") from problem
    except NotServing as problem:
        raise JobFailed(f"AlgorithmError: the model's container did not start ({problem})") from problem
    job.run.on_stop.append(served.stop)
    return served


def predictions(job: Job, model: ServedModel, data: bytes, uri: str) -> bytes:
    """The model's answers for one object, put together."""
    source, target = job.fields["TransformInput"], job.fields["TransformOutput"]
    line_wise = target.get("AssembleWith", "None") == "Line"
    limit = job.fields.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB) * MEGABYTE
    answers = []
    for body in payloads(data, source.get("SplitType", "None"), job.fields.get("BatchStrategy", "MultiRecord"), limit):
        if len(body) > limit > 0:
            raise JobFailed(f"ClientError: {uri}: a record exceeds MaxPayloadInMB={limit // MEGABYTE}")
        answer = model.predict(body, source.get("ContentType", ""), target.get("Accept", ""))
        job.run.look()
        if answer.status != 200:
            raise JobFailed(
                f"ClientError: See job logs for more information. {uri}: Bad HTTP status received from algorithm: "
                f"{answer.status}. {answer.message}".strip()
            )
        answers.append(answer.body.removesuffix(b"\n") if line_wise else answer.body)
    return b"".join(part + b"\n" for part in answers) if line_wise else b"".join(answers)


def payloads(data: bytes, split: str, strategy: str, limit: int) -> Iterator[bytes]:
    """What the container is asked: the whole object, a line at a time, or as many lines as a payload holds."""
    if split == "None":
        yield data
        return
    if split != "Line":
        raise JobFailed(f"ClientError: the embedded cloud does not split by {split}")
    batch: list[bytes] = []
    size = 0
    for line in data.splitlines():
        if not line.strip():
            continue
        if batch and (strategy == "SingleRecord" or (limit and size + len(line) + 1 > limit)):
            yield b"\n".join(batch)
            batch, size = [], 0
        batch.append(line)
        size += len(line) + 1
    if batch:
        yield b"\n".join(batch)


KIND = Kind(
    noun="TransformJob",
    arn_kind="transform-job",
    detail_type="SageMaker Transform Job State Change",
    work=work,
    role=role,
    check=check,
    passes=(),
)
