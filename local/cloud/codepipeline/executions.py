"""Executions of pipelines: what is known of one, its stages and its actions."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.cloud.codepipeline.artifacts import Artifact
from local.cloud.sagemaker.jobs import worker

CHANGED = threading.Condition()
"""Held to read or change what more than one thread knows of pipelines; notified at every change."""

IN_PROGRESS, SUCCEEDED, FAILED, STOPPING, STOPPED = "InProgress", "Succeeded", "Failed", "Stopping", "Stopped"
SUPERSEDED, CANCELLED, ABANDONED = "Superseded", "Cancelled", "Abandoned"


@dataclass(frozen=True)
class Revision:
    """What a source action has fetched."""

    id: str
    change_id: str
    """An ETag, for S3."""
    summary: str
    url: str
    created: float


@dataclass
class ActionRun:
    """One run of an action."""

    stage: str
    declared: Mapping[str, Any]
    """The action's declaration, in the API's spelling."""
    configuration: Mapping[str, str] = field(default_factory=dict)
    """With variables resolved."""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = IN_PROGRESS
    started: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    summary: str = ""
    external_id: str = ""
    external_url: str = ""
    error_code: str = ""
    error: str = ""
    token: str = ""
    """Of an approval, known to whoever may ask for the pipeline's state."""
    approved: bool | None = None
    """The answer to an approval."""
    expired: bool = False
    """The time for an answer is over."""
    updated_by: str = ""
    inputs: list[Artifact] = field(default_factory=list)
    outputs: list[Artifact] = field(default_factory=list)
    variables: Mapping[str, str] = field(default_factory=dict)
    revision: Revision | None = None

    @property
    def name(self) -> str:
        """The action's name."""
        return str(self.declared["name"])


@dataclass
class StageRun:
    """One run of a stage."""

    execution: str
    status: str = IN_PROGRESS


@dataclass
class Execution:
    """One execution of a pipeline. It keeps to the version of the pipeline that it was started with."""

    account: str
    region: str
    declaration: Mapping[str, Any]
    """The pipeline's, in the API's spelling; with its version."""
    number: int
    """Counts up with each execution of the pipeline."""
    trigger: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[Mapping[str, str], ...] = ()
    """Source revisions given when it was started."""
    delivery: tuple[bytes, Mapping[str, str]] | None = None
    """A commit's zip and variables, for a source behind a connection."""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = IN_PROGRESS
    started: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    attempt: int = 1
    stop_reason: str | None = None
    stopping: bool = False
    """No further action starts."""
    abandoning: bool = False
    """Actions in progress are given up."""
    superseded: bool = False
    outdated: bool = False
    """The pipeline was changed; no further action starts."""
    gone: bool = False
    """The pipeline was deleted; it leaves no record and sends no event any more."""
    stages: dict[str, StageRun] = field(default_factory=dict)
    actions: list[ActionRun] = field(default_factory=list)
    """Oldest first."""
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    known: dict[tuple[str, str], str] = field(default_factory=dict)
    """Namespace and name → value of a variable."""
    run: worker.Run | None = None

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return str(self.declaration["name"])

    @property
    def version(self) -> int:
        """Of the pipeline."""
        return int(self.declaration["version"])

    @property
    def mode(self) -> str:
        """QUEUED, SUPERSEDED or PARALLEL."""
        return str(self.declaration["executionMode"])

    @property
    def forgotten(self) -> bool:
        """Whether nobody wants to know of it any more."""
        return self.gone or (self.run is not None and self.run.abandoned)

    @property
    def halting(self) -> bool:
        """Whether no further action starts."""
        return self.stopping or self.outdated or self.forgotten

    def latest(self, stage: str, action: str) -> ActionRun | None:
        """The latest run of an action in this execution."""
        return next((run for run in reversed(self.actions) if (run.stage, run.name) == (stage, action)), None)
