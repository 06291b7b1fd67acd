"""The SageMaker Model Registry of the orchestrator's own account as ``ports.ModelRegistry``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.aws.translated import code_of, message_of, translated
from orchestrator.core.facts import ModelContainer
from orchestrator.core.ports import ModelVersion

if TYPE_CHECKING:
    from types_boto3_sagemaker.client import SageMakerClient

_ABSENT = frozenset({"ResourceNotFound", "ResourceNotFoundException"})


class SageMakerModelRegistry:
    """See the module."""

    def __init__(self, client: SageMakerClient) -> None:
        self._client = client

    def version(self, arn: str) -> ModelVersion | None:
        """See ``ports.ModelRegistry``. SageMaker calls a missing one a ``ValidationException``."""
        with translated("sagemaker"):
            try:
                found: Mapping[str, Any] = self._client.describe_model_package(ModelPackageName=arn)
            except self._client.exceptions.ClientError as error:
                if code_of(error) in _ABSENT or "does not exist" in message_of(error):
                    return None
                raise
        quality = found.get("ModelMetrics", {}).get("ModelQuality", {})
        return ModelVersion(
            arn=found["ModelPackageArn"],
            approval=found.get("ModelApprovalStatus", ""),
            status=found["ModelPackageStatus"],
            containers=tuple(_container(raw) for raw in found.get("InferenceSpecification", {}).get("Containers", [])),
            metrics=quality.get("Statistics", {}).get("S3Uri", ""),
            modified=found["LastModifiedTime"].isoformat() if "LastModifiedTime" in found else "",
            modified_by=_person(found.get("LastModifiedBy", {})),
        )

    def latest_approved(self, group: str) -> str:
        """See ``ports.ModelRegistry``."""
        with translated("sagemaker"):
            pages = self._client.get_paginator("list_model_packages").paginate(
                ModelPackageGroupName=group,
                ModelApprovalStatus="Approved",
                ModelPackageType="Versioned",
                SortBy="CreationTime",
                SortOrder="Descending",
            )
            for page in pages:
                for one in page["ModelPackageSummaryList"]:
                    if one["ModelPackageStatus"] == "Completed":
                        return one["ModelPackageArn"]
        return ""


def _person(raw: Mapping[str, Any]) -> str:
    """Of a UserContext, which names an IAM identity only where there is no user profile of a Studio domain."""
    return str(raw.get("IamIdentity", {}).get("Arn", "") or raw.get("UserProfileName", ""))


def _container(raw: Mapping[str, Any]) -> ModelContainer:
    """A container's image, by its digest where SageMaker says it, and its data; a prefix ends in a slash."""
    source = raw.get("ModelDataSource", {}).get("S3DataSource", {})
    data = source.get("S3Uri") or raw.get("ModelDataUrl", "")
    if source.get("S3DataType") == "S3Prefix" and not data.endswith("/"):
        data += "/"
    return ModelContainer(raw["Image"], data)
