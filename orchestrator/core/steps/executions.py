"""The execution of a release: which machine runs it, and under which name."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.ports import Tasks
from orchestrator.core.records import Release


@dataclass(frozen=True)
class Machines:
    """ARNs of the state machines; one that the installation lacks is empty."""

    multi: str
    """Through several stages."""
    single: str

    def of(self, release: Release) -> str:
        """The machine that runs this release."""
        return self.multi if len(release.stages) > 1 else self.single

    def execution(self, release: Release) -> str:
        """ARN of the release's execution, whether or not it was noted; an execution is named by its release."""
        return release.execution_arn or execution_arn(self.of(release), release.release_id)


def execution_arn(machine_arn: str, name: str) -> str:
    """ARN of the machine's execution of this name."""
    return f"{machine_arn.replace('stateMachine', 'execution', 1)}:{name}"


def start_execution(release: Release, machines: Machines, tasks: Tasks) -> str:
    """Start the release's execution, or adopt the one there is; its ARN."""
    payload = {"release_id": release.release_id, "stage": release.stages[0]}
    return tasks.start(machines.of(release), release.release_id, payload)
