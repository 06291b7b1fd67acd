"""Scalable targets: what may be scaled between which limits. A SageMaker variant must be there and able to scale."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from local.cloud.sagemaker import hosting
from local.cloud.sagemaker.backend import ApiError

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"
LINKED_ROLE = (
    "arn:aws:iam::{account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)

Identity = tuple[str, str, str]
"""Service namespace, resource id, scalable dimension."""


@dataclass
class Target:
    """One scalable target."""

    account: str
    region: str
    fields: dict[str, Any]
    """Members of RegisterScalableTarget, without tags."""
    id: str = field(default_factory=lambda: secrets.token_hex(13))
    tags: dict[str, str] = field(default_factory=dict)
    created: float = field(default_factory=time.time)
    scheduled: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Scheduled actions by name."""

    @property
    def arn(self) -> str:
        """As tags and policies name it."""
        return f"arn:aws:application-autoscaling:{self.region}:{self.account}:scalable-target/{self.id}"


_targets: dict[tuple[str, str], dict[Identity, Target]] = {}
_lock = threading.RLock()


def identity(fields: dict[str, Any]) -> Identity:
    """What a request names its target by."""
    return fields["ServiceNamespace"], fields["ResourceId"], fields["ScalableDimension"]


def register(account: str, region: str, fields: dict[str, Any]) -> Target:
    """Make a target or change its limits; raises ApiError."""
    with _lock:
        known = _targets.setdefault((account, region), {})
        target = known.get(identity(fields))
        merged = {**(target.fields if target else {}), **{k: v for k, v in fields.items() if k != "Tags"}}
        if target is None and (merged.get("MinCapacity") is None or merged.get("MaxCapacity") is None):
            raise ApiError("ValidationException", "MinCapacity and MaxCapacity are required to register a new target.")
        if merged["MinCapacity"] > merged["MaxCapacity"]:
            raise ApiError("ValidationException", "Maximum capacity cannot be less than minimum capacity.")
        _check_resource(account, region, merged)
        if target is None:
            target = Target(account, region, merged, tags=dict(fields.get("Tags") or {}))
            known[identity(fields)] = target
        target.fields = merged
        return target


def find(account: str, region: str, wanted: Identity) -> Target:
    """A target; raises ApiError."""
    with _lock:
        found = _targets.get((account, region), {}).get(wanted)
    if found is None:
        namespace, resource, dimension = wanted
        raise ApiError(
            "ObjectNotFoundException",
            f"No scalable target registered for service namespace: {namespace}, resource ID: {resource}, "
            f"scalable dimension: {dimension}",
        )
    return found


def by_arn(arn: str) -> Target:
    """The target with an ARN; raises ApiError."""
    for found in everything():
        if found.arn == arn:
            return found
    raise ApiError("ResourceNotFoundException", f"No scalable target with ARN {arn}")


def deregister(account: str, region: str, wanted: Identity) -> None:
    """Forget a target; raises ApiError when there is none."""
    find(account, region, wanted)
    with _lock:
        _targets[account, region].pop(wanted, None)


def listed(account: str, region: str, namespace: str) -> list[Target]:
    """The targets of a namespace, oldest first."""
    with _lock:
        found = _targets.get((account, region), {}).values()
        return [target for target in found if target.fields["ServiceNamespace"] == namespace]


def everything() -> list[Target]:
    """Every target of every account."""
    with _lock:
        return [target for known in _targets.values() for target in known.values()]


def scaled_variants(account: str, region: str, endpoint: str) -> set[str]:
    """The variants of an endpoint that are scalable targets."""
    found = set()
    for target in listed(account, region, "sagemaker"):
        parts = target.fields["ResourceId"].split("/")
        if parts[1].lower() == endpoint.lower():
            found.add(parts[3])
    return found


def reset() -> None:
    """Forget everything."""
    with _lock:
        _targets.clear()


def _check_resource(account: str, region: str, fields: dict[str, Any]) -> None:
    namespace, resource, dimension = identity(fields)
    if namespace != "sagemaker":
        return
    parts = resource.split("/")
    if len(parts) != 4 or (parts[0], parts[2]) != ("endpoint", "variant"):
        raise ApiError("ValidationException", f"Unsupported service namespace, resource type or dimension: {resource}")
    variant = hosting.variant(account, region, parts[1], parts[3])
    if variant is None:
        raise ApiError("ValidationException", f"SageMaker endpoint or variant does not exist: {resource}")
    serverless = variant.get("ServerlessConfig") is not None
    if dimension not in {INSTANCES, CONCURRENCY} or serverless != (dimension == CONCURRENCY):
        raise ApiError(
            "ValidationException", f"The scalable dimension {dimension} does not fit the variant {resource}."
        )
    # Burstable instances do not scale (SageMaker Developer Guide, "Auto scaling prerequisites").
    if str(variant.get("InstanceType", "")).startswith("ml.t2."):
        raise ApiError("ValidationException", f"Autoscaling is not supported for {variant['InstanceType']}.")
