"""Somebody answers an approval in CodePipeline's own console, or ends the execution there: while people are
asked, before that, or a moment before the release ends otherwise.

CodePipeline has gone on by then, so nothing is left to refuse: what was done is recorded with who did it, marked as
outside the policy, and the state machine goes on with what is so. ``resume_deployment`` comes here by an event, the
sweeper without one, ``record_outcome`` at the end; the log field ``outside`` of all three raises an alarm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from orchestrator.core.people import IdentityKind, principal_name
from orchestrator.core.pipelines.progress import FAILED, SUCCEEDED, ActionRun, ended_words
from orchestrator.core.pipelines.template import workload_of
from orchestrator.core.ports import Accounts, Clock, Store, Tasks
from orchestrator.core.records import Approval, ApprovalStatus, Release, StageRecord, StageStatus, Verdict, Vote
from orchestrator.core.steps.answers import answer
from orchestrator.core.steps.pipeline_run import in_reach, stage_run
from orchestrator.core.steps.progress import (
    approval_of,
    find_release,
    find_stage,
    find_workload,
    move_stage,
    stage_of,
    stamp,
)

VIA = "codepipeline"
"""``Vote.via`` of an answer that was given in CodePipeline: no policy was asked about it."""


def look_outside(
    pipeline: str, execution_id: str, *, store: Store, accounts: Accounts, tasks: Tasks, now: Clock
) -> bool:
    """Whether somebody has answered past us in an execution of a running release, of which something has ended."""
    workload = find_workload(store, workload_of(pipeline)) if workload_of(pipeline) else None
    release = find_release(store, workload.running_release) if workload is not None else None
    if release is None or release.pipeline_execution != execution_id:
        return False
    record = find_stage(store, release.release_id, release.stage)
    asked = approval_of(store, record.approval_id) if record is not None and record.approval_id else None
    if asked is not None and asked.status is ApprovalStatus.PENDING:
        return note_outside(asked, store=store, accounts=accounts, tasks=tasks, now=now)
    return _answered_early(release, store, accounts)


def _answered_early(release: Release, store: Store, accounts: Accounts) -> bool:
    """Whether somebody has approved a stage about which nobody was asked yet.

    The release ends once it comes to that stage: until then this tells of it.
    """
    for stage in in_reach(release):
        record = find_stage(store, release.release_id, stage)
        if record is None or record.plan is None:
            found = accounts.pipelines().progress(stage_run(release, stage)).approve
            if found is not None and found.outside:
                return True
    return False


def told_at_the_end(release: Release, approved: Iterable[tuple[str, str]], store: Store, now: Clock) -> int:
    """Warn of stages that were approved in CodePipeline, and of which no question tells it; how many there are.

    Nothing takes that back: such a stage counts as touched, so that nobody believes it to have what it had.
    """
    told = []
    for stage, by in approved:
        record = stage_of(store, release.release_id, stage, now)
        asked = approval_of(store, record.approval_id) if record.approval_id else None
        if asked is not None and any(vote.via == VIA for vote in asked.votes):
            continue
        sentence = (
            f"{stage} was approved in CodePipeline by {by or 'somebody'}, outside the policy, and deployed there."
        )
        move_stage(store, record, now, partial(_deployed_outside, note=sentence))
        told.append(sentence)
    if told:
        store.update(Release, release.key(), partial(_warned, told=tuple(told)))
    return len(told)


def _warned(release: Release, told: tuple[str, ...]) -> Release:
    return replace(release, warnings=tuple(dict.fromkeys((*release.warnings, *told))))


def _deployed_outside(record: StageRecord, note: str) -> StageRecord:
    return replace(record, status=StageStatus.FAILED, note=note)


def note_outside(approval: Approval, *, store: Store, accounts: Accounts, tasks: Tasks, now: Clock) -> bool:
    """Look whether the question was answered in CodePipeline, or its execution ended; whether it was."""
    if not approval.in_pipeline:
        return False
    record = find_stage(store, approval.release_id, approval.stage)
    run = record.plan.pipeline if record is not None and record.plan is not None else None
    if run is None or record is None or record.approval_id != approval.approval_id:
        return False
    found = accounts.pipelines().progress(run)
    said = found.approve
    # An approval that has run out of time has failed too, by nobody.
    if said is not None and (said.status == SUCCEEDED or (said.status == FAILED and said.by)):
        after = store.update(Approval, approval.key(), lambda current: _decided(current, said, now))
        if after.votes == approval.votes:
            return False
        answer(after, store=store, tasks=tasks)
        return True
    if found.runs or approval.token is None:
        return False
    # The end of the release closes the question.
    return tasks.fail(approval.token, "DeploymentFailed", f"While people were asked, {ended_words(found)}.")


def _decided(current: Approval, said: ActionRun, now: Clock) -> Approval:
    """Settled by whoever answered in CodePipeline; unchanged where people have decided here before."""
    if current.status is not ApprovalStatus.PENDING:
        return current
    approved = said.status == SUCCEEDED
    vote = Vote(
        person=f"{IdentityKind.IAM}:{said.by}",
        display=f"{principal_name(said.by) or 'somebody'} (outside the policy)",
        verdict=Verdict.APPROVE if approved else Verdict.REJECT,
        at=stamp(now()),
        reason=said.summary,
        via=VIA,
    )
    status = ApprovalStatus.APPROVED if approved else ApprovalStatus.REJECTED
    return replace(current, votes=(*current.votes, vote), status=status, settled_at=stamp(now()))
