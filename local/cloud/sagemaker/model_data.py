"""A model's ``model.tar.gz``, read as SageMaker reads it: with the permissions of the model's execution role."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlparse

from local.cloud.contract import Seam
from local.cloud.principals import decide, trusts

SEAMS = (
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.services.s3", "_bucket_owner_account", ("name",)),
    Seam("ministack.services.s3", "_buckets.get_scoped"),
    Seam("ministack.services.s3", "_get_object_data", ("bucket_name", "key")),
    Seam("ministack.services.s3", "_stored_sse_headers", ("obj",)),
)

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
    from ministack.core import responses
    from ministack.services import s3

    parsed = urlparse(url)
    bucket, key = parsed.netloc, parsed.path.lstrip("/")
    refused = (
        f'Could not access model data at {url}. Please ensure that the role "{role_arn}" exists and that its trust '
        f'relationship policy allows the action "sts:AssumeRole" for the service principal "{SERVICE}". Also ensure '
        f'that the role has "s3:GetObject" permissions and that the object is located in {region}.'
    )
    owner = s3._bucket_owner_account(bucket)
    if not trusts(role_arn, SERVICE) or owner is None:
        raise Unreadable(refused)
    if not decide(role_arn, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", session="SageMaker").allowed:
        raise Unreadable(refused)
    with responses.request_scope(owner, region):
        record = s3._buckets.get_scoped(owner, None, bucket)["objects"].get(key)
        if record is None:
            raise Unreadable(f"Could not find model data at {url}.")
        encryption = s3._stored_sse_headers(record)
        data = s3._get_object_data(bucket, key)
    key_id = encryption.get("x-amz-server-side-encryption-aws-kms-key-id", "")
    if key_id.startswith("arn:") and not decide(role_arn, "kms:Decrypt", key_id, session="SageMaker").allowed:
        raise Unreadable(f"{refused} The role may not decrypt with the key {key_id}.")
    return bytes(data or b"")
