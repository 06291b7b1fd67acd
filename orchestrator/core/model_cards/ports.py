"""What model-card operations need from SageMaker, as a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Model:
    """A SageMaker model, as far as a card tells of it."""

    arn: str
    images: tuple[str, ...]
    artifacts: tuple[str, ...]
    """``s3://`` URIs."""


@dataclass(frozen=True)
class TrainingJob:
    """A SageMaker training job, as far as a card tells of it."""

    arn: str
    image: str
    datasets: tuple[str, ...]
    metrics: tuple[tuple[str, float], ...]


class ModelCards(Protocol):
    """SageMaker's model cards in the orchestrator's account.

    Methods raise ``Throttled``, ``AccessDenied``, ``CallRefused``; others are named.
    """

    def create(self, name: str, content: str, status: str) -> bool:
        """Create a card; False when there is one of this name already."""
        ...

    def update_content(self, name: str, content: str) -> None:
        """Replace a card's content: a new version of it."""
        ...

    def update_status(self, name: str, status: str) -> None:
        """Change a card's status."""
        ...

    def describe(self, name: str, version: int | None = None) -> Mapping[str, Any] | None:
        """DescribeModelCard's answer with times as ISO 8601 text; None when there is no such card or version."""
        ...

    def delete(self, name: str) -> bool:
        """Delete a card; False when there is none."""
        ...

    def summaries(self) -> list[Mapping[str, Any]]:
        """ListModelCards' summaries, all pages, times as ISO 8601 text."""
        ...

    def export(self, name: str, job: str, version: int | None, output: str) -> str:
        """Start an export to PDF below ``output`` (an ``s3://`` URI); the export job's ARN.

        An export job of this name that exists already is adopted.
        """
        ...

    def model(self, name: str) -> Model | None:
        """A model by name; None when there is none."""
        ...

    def training_job(self, name: str) -> TrainingJob | None:
        """A training job by name; None when there is none."""
        ...

    def training_job_of(self, artifact: str) -> TrainingJob | None:
        """The training job that wrote this ``model.tar.gz``; None when none is known."""
        ...
