"""A release's execution of its workload's CodePipeline: started, stopped, and tidied up after.

The execution's id is kept in the release's record; the release's id is the client request token of its start, so that
a step that died between the two finds the execution that it started.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.core.errors import OrchestratorError, TryAgain
from orchestrator.core.pipelines.template import CHANGE_SET, MAX_COMMENT, shortened, stage_name
from orchestrator.core.plans import PackageVersion, PipelineStage
from orchestrator.core.ports import Accounts, Store
from orchestrator.core.records import Approval, Release, Status, Verdict


def running_stage(release: Release, stage: str, *, store: Store, accounts: Accounts) -> PipelineStage | None:
    """The stage of the release's execution, which is started where none is; None where no pipeline deploys it."""
    if not release.pipeline or release.removes:
        return None
    if not release.pipeline_execution:
        accounts.stacks(stage).prepare(release.stack_name)
        package = PackageVersion(release.package_key, release.package_version)
        started = accounts.pipelines().start(release.pipeline, package, release.release_id)
        release = store.update(
            Release,
            release.key(),
            lambda found: found if found.pipeline_execution else replace(found, pipeline_execution=started),
        )
    return stage_run(release, stage)


def stage_run(release: Release, stage: str) -> PipelineStage:
    """One stage of the release's execution."""
    return PipelineStage(release.pipeline, release.pipeline_execution, stage_name(release.stages, stage))


def in_reach(release: Release) -> tuple[str, ...]:
    """The stages that the execution may have come to and the release has not left: a pipeline plans one stage ahead."""
    place = release.stages.index(release.stage) if release.stage in release.stages else -1
    return release.stages[max(place, 0) : place + 2]


@dataclass(frozen=True)
class EndedRun:
    """What is left of the execution of a release that has ended."""

    leftover: str = ""
    """What could not be done, as a sentence."""
    approved: tuple[tuple[str, str], ...] = ()
    """Stages that somebody has approved there past us, and who (ARN): nothing takes them back."""


def end_run(release: Release, outcome: Status, accounts: Accounts) -> EndedRun:
    """Stop an execution whose release has ended, and take away the change sets that it has made ahead, if any.

    Of a removal that has taken everything away, the pipeline goes too. What cannot be done is told instead of a
    failure; ``TryAgain`` passes.
    """
    approved: list[tuple[str, str]] = []
    try:
        if release.removes and release.pipeline and outcome is Status.SUCCEEDED:
            accounts.pipelines().retire(release.pipeline)
        if release.pipeline_execution:
            accounts.pipelines().stop(stage_run(release, release.stage), "The release has ended.")
            # It may end at a stage before it has looked at the plan that was made there: at a gate, for one.
            for stage in in_reach(release):
                found = accounts.pipelines().progress(stage_run(release, stage))
                if found.approve is not None and found.approve.outside:
                    approved.append((stage, found.approve.by))
                elif found.plan is not None and not found.approved:
                    accounts.stacks(stage).discard_made(release.stack_name, CHANGE_SET)
    except TryAgain:
        raise
    except OrchestratorError as error:
        return EndedRun(str(error), tuple(approved))
    return EndedRun(approved=tuple(approved))


def approval_comment(approval: Approval | None, stage: str) -> str:
    """What CodePipeline is told of an approval: who has given it, in at most 512 characters."""
    if approval is None:
        return f"No approval is asked for in {stage}."
    votes = [vote for vote in approval.votes if vote.verdict is Verdict.APPROVE]
    said = [f"{vote.display} ({vote.reason})" if vote.reason else vote.display for vote in votes]
    return shortened(f"Approved by {', '.join(said)}", MAX_COMMENT)
