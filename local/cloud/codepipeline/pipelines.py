"""Pipelines as they are kept: declaration, stages, executions, tags."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.cloud import on_behalf
from local.cloud.codepipeline import structure
from local.cloud.codepipeline.executions import CHANGED, ActionRun, Execution, StageRun
from local.cloud.codepipeline.sessions import SERVICE
from local.cloud.principals import trusts

NOT_FOUND = "PipelineNotFoundException"


class ApiError(Exception):
    """A call is refused: CodePipeline's error code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Stage:
    """A stage of a pipeline, whichever execution is in it."""

    name: str
    holder: Execution | None = None
    """The execution that has locked it."""
    inbound: list[Execution] = field(default_factory=list)
    """Executions that wait in front of it, the first to enter first."""
    latest: StageRun | None = None
    actions: dict[str, ActionRun] = field(default_factory=dict)
    """The latest run of each action."""
    closed: str = ""
    """Why the transition into it is disabled; empty while it is enabled."""
    transition_by: str = ""
    transition_at: float = 0.0


@dataclass
class Pipeline:
    """One pipeline."""

    account: str
    region: str
    declaration: dict[str, Any]
    """In the API's spelling, with its version."""
    stages: dict[str, Stage]
    tags: dict[str, str] = field(default_factory=dict)
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    executions: dict[str, Execution] = field(default_factory=dict)
    """Id → execution, oldest first."""
    tokens: dict[str, str] = field(default_factory=dict)
    """Client request token → id of the execution that it started."""

    @property
    def name(self) -> str:
        """Unique in its account and region."""
        return str(self.declaration["name"])

    @property
    def arn(self) -> str:
        """``arn:aws:codepipeline:REGION:ACCOUNT:NAME``."""
        return f"arn:aws:codepipeline:{self.region}:{self.account}:{self.name}"

    def stage(self, name: str) -> Stage:
        """One of its stages; raises ApiError."""
        found = self.stages.get(name)
        if found is None:
            raise ApiError("StageNotFoundException", f"The pipeline {self.name} has no stage {name}")
        return found

    def execution(self, identity: str) -> Execution:
        """One of its executions; raises ApiError."""
        found = self.executions.get(identity)
        if found is None:
            raise ApiError(
                "PipelineExecutionNotFoundException",
                f"The pipeline {self.name} has no execution {identity}",
            )
        return found


_pipelines: dict[tuple[str, str, str], Pipeline] = {}


def reset() -> None:
    """Forget every pipeline."""
    with CHANGED:
        for pipeline in _pipelines.values():
            _forget(pipeline)
        _pipelines.clear()


def find(account: str, region: str, name: str) -> Pipeline:
    """A pipeline; raises ApiError."""
    found = _pipelines.get((account, region, name))
    if found is None:
        raise ApiError(NOT_FOUND, f"Account '{account}' does not have a pipeline with name '{name}'")
    return found


def listed(account: str, region: str) -> list[Pipeline]:
    """The pipelines of an account in a region, by name."""
    found = [pipeline for key, pipeline in _pipelines.items() if key[:2] == (account, region)]
    return sorted(found, key=lambda pipeline: pipeline.name)


def create(account: str, region: str, declaration: Mapping[str, Any], tags: Mapping[str, str]) -> Pipeline:
    """Make a pipeline; raises ApiError."""
    name = str(declaration["name"])
    if (account, region, name) in _pipelines:
        raise ApiError("PipelineNameInUseException", f"A pipeline with the name '{name}' already exists")
    kept = {**_checked(declaration, region), "version": 1}
    stages = {stage["name"]: Stage(stage["name"]) for stage in kept["stages"]}
    made = Pipeline(account, region, kept, stages, dict(tags))
    _pipelines[account, region, name] = made
    return made


def update(account: str, region: str, declaration: Mapping[str, Any]) -> Pipeline:
    """Change a pipeline; raises ApiError.

    Actions that run are completed, then their executions end as cancelled; so do executions that wait. ("Edit a
    pipeline in CodePipeline" of the User Guide, and the API Reference of PipelineExecution.)
    """
    found = find(account, region, str(declaration["name"]))
    kept = {**_checked(declaration, region), "version": found.declaration["version"] + 1}
    with CHANGED:
        found.declaration, found.updated = kept, time.time()
        found.stages = {
            stage["name"]: found.stages.get(stage["name"]) or Stage(stage["name"]) for stage in kept["stages"]
        }
        for execution in found.executions.values():
            execution.outdated = True
        CHANGED.notify_all()
    return found


def remove(account: str, region: str, name: str) -> None:
    """Forget a pipeline, if it is there; its executions leave no trace."""
    with CHANGED:
        found = _pipelines.pop((account, region, name), None)
        if found is not None:
            _forget(found)


def _forget(pipeline: Pipeline) -> None:
    for execution in pipeline.executions.values():
        execution.gone = True
    CHANGED.notify_all()


def _checked(declaration: Mapping[str, Any], region: str) -> dict[str, Any]:
    """With its defaults, by somebody who may pass the role; raises ApiError."""
    broken = structure.problem(declaration, region)
    if broken is not None:
        raise ApiError(*broken)
    role = str(declaration["roleArn"])
    passed = on_behalf.acting().may("iam:PassRole", role, {"iam:passedtoservice": SERVICE})
    if not passed.allowed:
        raise ApiError("AccessDeniedException", passed.message)
    if not trusts(role, SERVICE):
        raise ApiError(structure.STRUCTURE, f"CodePipeline is not authorized to perform AssumeRole on role {role}")
    return structure.filled(declaration)
