"""SageMaker pipelines as they are defined: their API, and :func:`find` for what runs them.

A definition comes in the request or lies in S3; from there it is read with the caller's permissions, or with those of
the role that makes a stack. It is checked when the pipeline is created (``pipeline_definition``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from local.cloud.sagemaker import records

KIND = "pipeline"


@dataclass(frozen=True)
class Pipeline:
    """One pipeline."""

    name: str
    arn: str
    role_arn: str
    """The role that its steps run with unless they name another."""
    definition: dict[str, Any]
    """Parsed: ``Version``, ``Parameters``, ``Steps`` …"""
    max_parallel_steps: int | None = None


def find(account: str, region: str, name: str) -> Pipeline | None:
    """A pipeline by its name or ARN; None when there is none."""
    record = records.find(account, region, KIND, name)
    if record is None:
        return None
    return Pipeline(
        record.name,
        record.arn,
        record.fields["RoleArn"],
        json.loads(record.fields["PipelineDefinition"]),
        (record.fields.get("ParallelismConfiguration") or {}).get("MaxParallelExecutionSteps"),
    )
