"""SageMaker's model cards as ``core.model_cards.ports.ModelCards``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orchestrator.aws.translated import code_of, message_of, translated
from orchestrator.core.model_cards.ports import Model, TrainingJob

if TYPE_CHECKING:
    from types_boto3_sagemaker.client import SageMakerClient

MAX_IMAGES = 15
"""Of a card's environment."""


class SageMakerModelCards:
    """See the module."""

    def __init__(self, client: SageMakerClient) -> None:
        self._client = client

    def create(self, name: str, content: str, status: str) -> bool:
        """See ``ports.ModelCards``."""
        from botocore.exceptions import ClientError

        with translated("sagemaker"):
            try:
                self._client.create_model_card(ModelCardName=name, Content=content, ModelCardStatus=status)  # type: ignore[arg-type]
            except ClientError as error:
                if code_of(error) == "ConflictException":
                    return False
                raise
        return True

    def update_content(self, name: str, content: str) -> None:
        """See ``ports.ModelCards``."""
        with translated("sagemaker"):
            self._client.update_model_card(ModelCardName=name, Content=content)

    def update_status(self, name: str, status: str) -> None:
        """See ``ports.ModelCards``."""
        with translated("sagemaker"):
            self._client.update_model_card(ModelCardName=name, ModelCardStatus=status)  # type: ignore[arg-type]

    def describe(self, name: str, version: int | None = None) -> Mapping[str, Any] | None:
        """See ``ports.ModelCards``."""
        wanted: dict[str, Any] = {"ModelCardName": name}
        if version is not None:
            wanted["ModelCardVersion"] = version
        found = self._if_there(lambda: self._client.describe_model_card(**wanted))
        return None if found is None else _plain({key: found[key] for key in found if key != "ResponseMetadata"})

    def delete(self, name: str) -> bool:
        """See ``ports.ModelCards``."""
        return self._if_there(lambda: self._client.delete_model_card(ModelCardName=name) or {}) is not None

    def summaries(self) -> list[Mapping[str, Any]]:
        """See ``ports.ModelCards``."""
        with translated("sagemaker"):
            pages = self._client.get_paginator("list_model_cards").paginate()
            return [_plain(dict(summary)) for page in pages for summary in page["ModelCardSummaries"]]

    def export(self, name: str, job: str, version: int | None, output: str) -> str:
        """See ``ports.ModelCards``."""
        from botocore.exceptions import ClientError

        wanted: dict[str, Any] = {
            "ModelCardName": name,
            "ModelCardExportJobName": job,
            "OutputConfig": {"S3OutputPath": output},
        }
        if version is not None:
            wanted["ModelCardVersion"] = version
        with translated("sagemaker"):
            try:
                return self._client.create_model_card_export_job(**wanted)["ModelCardExportJobArn"]
            except ClientError as error:
                if code_of(error) != "ConflictException":
                    raise
            jobs = self._client.list_model_card_export_jobs(ModelCardName=name, ModelCardExportJobNameContains=job)
            found = [one for one in jobs["ModelCardExportJobSummaries"] if one["ModelCardExportJobName"] == job]
            return found[0]["ModelCardExportJobArn"] if found else ""

    def model(self, name: str) -> Model | None:
        """See ``ports.ModelCards``."""
        found = self._if_there(lambda: self._client.describe_model(ModelName=name))
        if found is None:
            return None
        containers = [found["PrimaryContainer"]] if found.get("PrimaryContainer") else found.get("Containers", [])
        images = [container["Image"] for container in containers if container.get("Image")]
        artifacts = [container["ModelDataUrl"] for container in containers if container.get("ModelDataUrl")]
        return Model(found["ModelArn"], tuple(images[:MAX_IMAGES]), tuple(artifacts[:MAX_IMAGES]))

    def training_job(self, name: str) -> TrainingJob | None:
        """See ``ports.ModelCards``."""
        found = self._if_there(lambda: self._client.describe_training_job(TrainingJobName=name))
        return None if found is None else _training_job(found)

    def training_job_of(self, artifact: str) -> TrainingJob | None:
        """See ``ports.ModelCards``."""
        with translated("sagemaker"):
            found = self._client.search(
                Resource="TrainingJob",
                SearchExpression={
                    "Filters": [{"Name": "ModelArtifacts.S3ModelArtifacts", "Operator": "Equals", "Value": artifact}]
                },
                SortBy="CreationTime",
                SortOrder="Descending",
                MaxResults=1,
            )["Results"]
        jobs = [dict(result["TrainingJob"]) for result in found if "TrainingJob" in result]
        return _training_job(jobs[0]) if jobs else None

    def _if_there(self, call: Any) -> Any:
        """The call's answer; None when SageMaker says that there is no such thing."""
        from botocore.exceptions import ClientError

        with translated("sagemaker"):
            try:
                return call()
            except ClientError as error:
                gone = code_of(error) in {"ResourceNotFound", "ResourceNotFoundException"}
                if gone or "could not find" in message_of(error).lower() or "not found" in message_of(error).lower():
                    return None
                raise


def _training_job(found: Mapping[str, Any]) -> TrainingJob:
    inputs = [channel["DataSource"].get("S3DataSource", {}) for channel in found.get("InputDataConfig", [])]
    metrics = [(metric["MetricName"], float(metric["Value"])) for metric in found.get("FinalMetricDataList", [])]
    return TrainingJob(
        arn=found["TrainingJobArn"],
        image=found.get("AlgorithmSpecification", {}).get("TrainingImage", ""),
        datasets=tuple(source["S3Uri"] for source in inputs if source.get("S3Uri"))[:MAX_IMAGES],
        metrics=tuple(metrics[:50]),
    )


def _plain(value: Any) -> Any:
    """The answer with times as ISO 8601 text, so that it is JSON."""
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value.isoformat() if isinstance(value, datetime) else value
