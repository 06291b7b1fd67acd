"""What we call of CodePipeline, and of CloudFormation for the pipelines themselves, in the orchestrator's account.

Every method may raise what those of ``orchestrator.core.ports`` may.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from orchestrator.core.pipelines.progress import Progress
from orchestrator.core.plans import PackageVersion, PipelineStage


class Pipelines(Protocol):
    """See the module."""

    def provision(self, name: str, template: str) -> None:
        """Make the pipeline by a stack of its name, or change it; returns when that is done.

        Raises ``StackBusy`` where it takes longer than a function may wait, ``PipelineFailed``.
        """
        ...

    def retire(self, name: str) -> None:
        """Have the pipeline's stack deleted; not waited for. Harmless where there is none."""
        ...

    def start(self, name: str, package: PackageVersion, request_token: str) -> str:
        """Start an execution with exactly this object version, and return its id; soon repeated, it is the same."""
        ...

    def clear(self, name: str, keep: str, reason: str) -> int:
        """Stop every execution that goes on but this one; how many there were."""
        ...

    def progress(self, run: PipelineStage) -> Progress:
        """How the stage stands in the execution."""
        ...

    def answer(self, run: PipelineStage, *, approved: bool, comment: str) -> bool:
        """Answer the stage's open approval; False where the execution asks for none in it (any more)."""
        ...

    def retry(self, run: PipelineStage, *, everything: bool) -> None:
        """Try the failed actions of the stage again, or all of it; harmless where it does not stand so any more."""
        ...

    def stop(self, run: PipelineStage, reason: str) -> bool:
        """Stop the execution and follow none of its actions any more; False where it had ended."""
        ...

    def state(self, name: str) -> Mapping[str, Any]:
        """CodePipeline's GetPipelineState, without the tokens of approvals, and times as text (ISO 8601); empty where
        the pipeline is gone."""
        ...
