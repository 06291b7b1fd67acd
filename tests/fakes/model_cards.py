"""SageMaker's model cards in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.core.errors import CallRefused
from orchestrator.core.model_cards.ports import Model, TrainingJob

PREFIX = "arn:aws:sagemaker:us-east-1:111111111111"


@dataclass
class FakeModelCards:
    """``model_cards.ports.ModelCards``: every version of every card."""

    versions: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Name → content and status of each version."""
    models: dict[str, Model] = field(default_factory=dict)
    jobs: dict[str, TrainingJob] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    """Artefact → the training job that wrote it."""
    exports: list[tuple[str, str, int | None, str]] = field(default_factory=list)

    def create(self, name: str, content: str, status: str) -> bool:
        """See ``ports.ModelCards``."""
        if name in self.versions:
            return False
        self.versions[name] = [(content, status)]
        return True

    def update_content(self, name: str, content: str) -> None:
        """See ``ports.ModelCards``; an archived card takes no content, as SageMaker says."""
        if self.versions[name][-1][1] == "Archived":
            raise CallRefused("sagemaker refused UpdateModelCard: Model Card is in Archived state")
        self.versions[name].append((content, self.versions[name][-1][1]))

    def update_status(self, name: str, status: str) -> None:
        """See ``ports.ModelCards``."""
        content, _ = self.versions[name][-1]
        self.versions[name][-1] = (content, status)

    def describe(self, name: str, version: int | None = None) -> Mapping[str, Any] | None:
        """See ``ports.ModelCards``."""
        known = self.versions.get(name, [])
        number = version or len(known)
        if not 0 < number <= len(known):
            return None
        content, status = known[number - 1]
        return {
            "ModelCardArn": f"{PREFIX}:model-card/{name}",
            "ModelCardName": name,
            "ModelCardVersion": number,
            "Content": content,
            "ModelCardStatus": status,
            "CreationTime": "2026-03-01T12:00:00+00:00",
        }

    def delete(self, name: str) -> bool:
        """See ``ports.ModelCards``."""
        return self.versions.pop(name, None) is not None

    def summaries(self) -> list[Mapping[str, Any]]:
        """See ``ports.ModelCards``."""
        return [{"ModelCardName": name, "ModelCardStatus": known[-1][1]} for name, known in self.versions.items()]

    def export(self, name: str, job: str, version: int | None, output: str) -> str:
        """See ``ports.ModelCards``."""
        self.exports.append((name, job, version, output))
        return f"{PREFIX}:model-card/{name}/export-job/{job}"

    def model(self, name: str) -> Model | None:
        """See ``ports.ModelCards``."""
        return self.models.get(name)

    def training_job(self, name: str) -> TrainingJob | None:
        """See ``ports.ModelCards``."""
        return self.jobs.get(name)

    def training_job_of(self, artifact: str) -> TrainingJob | None:
        """See ``ports.ModelCards``."""
        return self.jobs.get(self.made.get(artifact, ""))

    def content(self, name: str) -> dict[str, Any]:
        """The latest content, parsed."""
        found: dict[str, Any] = json.loads(self.versions[name][-1][0])
        return found
