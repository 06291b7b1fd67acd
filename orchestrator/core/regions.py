"""AWS's regions and partitions, as far as SageMaker is there."""

from __future__ import annotations

from orchestrator.core import images
from orchestrator.core.problems import Problem, did_you_mean

_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"),
)
"""Start of a region's name → its partition (botocore's ``partitions.json``)."""


def partition_of(region: str) -> str:
    """``eu-central-1`` → ``aws``, ``cn-north-1`` → ``aws-cn``."""
    return next((partition for start, partition in _PARTITIONS if region.startswith(start)), "aws")


def region_fault(region: str, path: str) -> Problem | None:
    """Why a region cannot be the installation's: SageMaker has no image there, so it has no SageMaker; else None."""
    if region in images.regions():
        return None
    return Problem(path, f'there is no region "{region}" with SageMaker', did_you_mean(region, images.regions()))
