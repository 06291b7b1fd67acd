"""The Model Registry behind a real client, and one suite for it and its fake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.aws.model_registry import SageMakerModelRegistry
from orchestrator.core.errors import AccessDenied, CallRefused
from orchestrator.core.facts import ModelContainer
from orchestrator.core.ports import ModelRegistry, ModelVersion
from tests.aws.service_double import Refusal, ServiceDouble
from tests.fakes.services import FakeModelRegistry

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


def arn(number: int, group: str = "fraud") -> str:
    """ARN of a version."""
    return f"arn:aws:sagemaker:us-east-1:111111111111:model-package/{group}/{number}"


class Registry(ServiceDouble):
    """Versions in the order in which they were registered; two a page."""

    service = "sagemaker"

    def __init__(self) -> None:
        super().__init__()
        self.versions: list[dict[str, Any]] = []

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:
        for one in self.versions:
            if one["ModelPackageArn"] == ModelPackageName:
                return one
        raise Refusal("ValidationException", f"ModelPackage {ModelPackageName} does not exist.")

    def list_model_packages(self, **given: Any) -> dict[str, Any]:
        mark = f":model-package/{given['ModelPackageGroupName']}/"
        found = [one for one in self.versions if mark in one["ModelPackageArn"]]
        found = [one for one in found if one["ModelApprovalStatus"] == given["ModelApprovalStatus"]][::-1]
        assert (given["SortBy"], given["SortOrder"]) == ("CreationTime", "Descending")
        at = int(given.get("NextToken", "0"))
        return {
            "ModelPackageSummaryList": found[at : at + 2],
            **({"NextToken": str(at + 2)} if at + 2 < len(found) else {}),
        }


@dataclass
class Cloud:
    """One of the two, and how a version is registered there."""

    registry: ModelRegistry
    add: Callable[[int, str, str], None]


def in_memory() -> Cloud:
    fake = FakeModelRegistry()

    def add(number: int, approval: str, status: str) -> None:
        fake.add(ModelVersion(arn(number), approval, status, (ModelContainer(IMAGE, f"s3://models/{number}.tar.gz"),)))

    return Cloud(fake, add)


def described(number: int, approval: str, status: str) -> dict[str, Any]:
    """As DescribeModelPackage has it."""
    return {
        "ModelPackageName": "fraud",
        "ModelPackageGroupName": "fraud",
        "ModelPackageVersion": number,
        "ModelPackageArn": arn(number),
        "ModelPackageStatus": status,
        "ModelApprovalStatus": approval,
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://models/{number}.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    }


def behind_a_client() -> Cloud:
    double = Registry()

    def add(number: int, approval: str, status: str) -> None:
        double.versions.append(described(number, approval, status))

    return Cloud(SageMakerModelRegistry(double.client()), add)


@pytest.fixture(params=[in_memory, behind_a_client], ids=["fake", "adapter"])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    make: Callable[[], Cloud] = request.param
    return make()


def test_a_version_is_described(cloud: Cloud) -> None:
    cloud.add(1, "Approved", "Completed")
    assert cloud.registry.version(arn(1)) == ModelVersion(
        arn(1), "Approved", "Completed", (ModelContainer(IMAGE, "s3://models/1.tar.gz"),)
    )


def test_a_version_that_is_not_there_is_none(cloud: Cloud) -> None:
    assert cloud.registry.version(arn(9)) is None


@pytest.mark.parametrize(
    ("versions", "latest"),
    [
        ([], ""),
        ([("Approved", "Completed")], arn(1)),
        ([("Approved", "Completed"), ("PendingManualApproval", "Completed")], arn(1)),
        ([("Approved", "Completed"), ("Approved", "Completed"), ("Rejected", "Completed")], arn(2)),
        ([("Approved", "Completed"), *[("Approved", "Failed")] * 3], arn(1)),
        ([("Rejected", "Completed")], ""),
    ],
    ids=["none", "one", "a newer one pending", "two", "newer ones failed", "rejected"],
)
def test_the_latest_approved_version_of_a_group(cloud: Cloud, versions: list[tuple[str, str]], latest: str) -> None:
    for number, (approval, status) in enumerate(versions, 1):
        cloud.add(number, approval, status)
    assert cloud.registry.latest_approved("fraud") == latest


@pytest.mark.parametrize(
    ("raw", "container"),
    [
        ({"Image": IMAGE}, ModelContainer(IMAGE)),
        ({"Image": IMAGE, "ModelDataUrl": "s3://m/model.tar.gz"}, ModelContainer(IMAGE, "s3://m/model.tar.gz")),
        (
            {
                "Image": IMAGE,
                "ModelDataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://m/parts", "CompressionType": "None"}
                },
            },
            ModelContainer(IMAGE, "s3://m/parts/"),
        ),
        (
            {
                "Image": IMAGE,
                "ModelDataSource": {
                    "S3DataSource": {"S3DataType": "S3Object", "S3Uri": "s3://m/one", "CompressionType": "Gzip"}
                },
            },
            ModelContainer(IMAGE, "s3://m/one"),
        ),
    ],
    ids=["no data", "archive", "prefix", "object"],
)
def test_where_the_data_of_a_container_is(raw: dict[str, Any], container: ModelContainer) -> None:
    double = Registry()
    version = described(1, "Approved", "Completed")
    version["InferenceSpecification"]["Containers"] = [raw]
    version["ModelMetrics"] = {
        "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://m/statistics.json"}}
    }
    double.versions.append(version)
    found = SageMakerModelRegistry(double.client()).version(arn(1))
    assert found is not None
    assert found.containers == (container,)
    assert found.metrics == "s3://m/statistics.json"


def test_a_package_without_versions_has_no_approval() -> None:
    double = Registry()
    version = described(1, "", "Completed")
    del version["ModelApprovalStatus"], version["InferenceSpecification"]
    double.versions.append(version)
    found = SageMakerModelRegistry(double.client()).version(arn(1))
    assert found is not None
    assert (found.approval, found.containers) == ("", ())


def test_what_sagemaker_refuses_is_a_core_error() -> None:
    double = Registry()
    double.refusals["describe_model_package"] = [Refusal("AccessDeniedException", "no", 403)]
    with pytest.raises(AccessDenied):
        SageMakerModelRegistry(double.client()).version(arn(1))
    double.refusals["list_model_packages"] = [Refusal("ValidationException", "ModelPackageGroup x does not exist.")]
    with pytest.raises(CallRefused):
        SageMakerModelRegistry(double.client()).latest_approved("x")


@pytest.mark.parametrize(
    ("by", "who"),
    [
        ({"IamIdentity": {"Arn": "arn:aws:iam::111111111111:user/ben"}}, "arn:aws:iam::111111111111:user/ben"),
        ({"UserProfileName": "ben", "DomainId": "d-1"}, "ben"),
        ({}, ""),
    ],
    ids=["IAM", "Studio", "untold"],
)
def test_who_changed_a_version_and_when(by: dict[str, Any], who: str) -> None:
    double = Registry()
    moment = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    double.versions.append(described(1, "Approved", "Completed") | {"LastModifiedTime": moment, "LastModifiedBy": by})
    found = SageMakerModelRegistry(double.client()).version(arn(1))
    assert found is not None
    assert datetime.fromisoformat(found.modified) == moment
    assert found.modified_by == who
