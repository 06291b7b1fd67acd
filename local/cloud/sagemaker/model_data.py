"""A model's ``model.tar.gz``, read as SageMaker reads it: with the permissions of the model's execution role."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlparse

from local.cloud import s3_objects
from local.cloud.on_behalf import Role
from local.cloud.principals import trusts

SERVICE = "sagemaker.amazonaws.com"


class Unreadable(Exception):
    """The model data is not there, or the role may not read it; the message is SageMaker's."""


def containers(model: dict[str, Any]) -> list[dict[str, Any]]:
    """A model's containers."""
    primary = model.get("PrimaryContainer")
    return [primary] if primary else list(model.get("Containers") or [])


def location(container: dict[str, Any]) -> str:
    """Where a container's model data is; empty when it has none."""
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    return str(container.get("ModelDataUrl") or source.get("S3Uri") or "")


def read(url: str, role_arn: str, region: str) -> bytes:
    """The bytes of ``s3://bucket/key``; raises Unreadable."""
    parsed = urlparse(url)
    bucket, key = parsed.netloc, parsed.path.lstrip("/")
    refused = (
        f'Could not access model data at {url}. Please ensure that the role "{role_arn}" exists and that its trust '
        f'relationship policy allows the action "sts:AssumeRole" for the service principal "{SERVICE}". Also ensure '
        f'that the role has "s3:GetObject" permissions and that the object is located in {region}.'
    )
    if not trusts(role_arn, SERVICE):
        raise Unreadable(refused)
    try:
        return s3_objects.read(Role(role_arn, "SageMaker"), bucket, key, region)
    except s3_objects.Denied as problem:
        raise Unreadable(f"{refused} {problem}") from problem
    except s3_objects.Absent as problem:
        raise Unreadable(f"Could not find model data at {url}.") from problem
