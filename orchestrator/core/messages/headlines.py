"""How a release stands, in one line and in one sentence; the same words in Slack, in an e-mail and in a list."""

from __future__ import annotations

from orchestrator.core.errors import GatesFailed
from orchestrator.core.jobs import JobStatus
from orchestrator.core.messages import removals
from orchestrator.core.messages.facts import Facts, place
from orchestrator.core.messages.mrkdwn import clean
from orchestrator.core.model_cards import OPERATIONS
from orchestrator.core.people import IdentityKind
from orchestrator.core.records import ApprovalStatus, Release, StageStatus, Status

MARKS = {
    StageStatus.PENDING: ":white_large_square:",
    StageStatus.PLANNED: ":mag:",
    StageStatus.AWAITING_APPROVAL: ":hourglass_flowing_sand:",
    StageStatus.DEPLOYING: ":rocket:",
    StageStatus.DEPLOYED: ":white_check_mark:",
    StageStatus.UNCHANGED: ":white_check_mark:",
    StageStatus.VERIFIED: ":white_check_mark:",
    StageStatus.FAILED: ":x:",
    StageStatus.DISCARDED: ":no_entry_sign:",
    StageStatus.REMOVED: ":wastebasket:",
}
"""How a stage stands, at a glance."""

END_MARKS = {
    Status.SUCCEEDED: ":white_check_mark:",
    Status.UNCHANGED: ":heavy_equals_sign:",
    Status.REJECTED: ":no_entry_sign:",
    Status.EXPIRED: ":alarm_clock:",
    Status.SUPERSEDED: ":fast_forward:",
    Status.FAILED: ":x:",
    Status.REFUSED: ":x:",
}


def headline(facts: Facts) -> str:
    """Workload, and what is asked or how it ended; without markup, unescaped."""
    release, waiting = facts.release, facts.waiting
    if waiting is not None and release.removes:
        return f"{release.workload}: remove from {waiting.approval.stage}?"
    if waiting is not None and release.goes_back_to:
        return f"{release.workload}: roll back {waiting.approval.stage}?"
    if waiting is not None:
        return f"{release.workload}: approve {waiting.approval.stage}?"
    if release.status is Status.REFUSED and not release.workload_type:
        # What was refused could not be read as a workload: the file's name stands below, as other people's text.
        return f"{release.source.thing.capitalize()} refused"
    if release.is_of_nothing:
        return "Configuration deleted"
    if release.workload_type in OPERATIONS:
        return f"Model card {_card(release)}"
    return f"{release.workload}: {_how(facts)}"


def sentence(facts: Facts) -> str:
    """How the release stands, as a full sentence; without markup, unescaped."""
    release, waiting = facts.release, facts.waiting
    if waiting is not None and release.goes_back_to:
        return (
            f"The rollback of {release.workload} waits for approval to be deployed to {place(waiting.approval.stage)}."
        )
    if waiting is not None:
        done = "removed from" if release.removes else "deployed to"
        return f"{release.workload} waits for approval to be {done} {place(waiting.approval.stage)}."
    if release.workload_type in OPERATIONS:
        return f"The model card {_card(release)}."
    if release.status is Status.REFUSED:
        thing = release.source.thing
        named = f"in {release.workload}" if thing == "commit" else release.workload
        return f"The {thing} {named} was refused; nothing was deployed."
    if release.is_of_nothing:
        return f"The configuration {release.workload} was deleted."
    if not release.status.ended:
        return f"{release.workload} is {_how(facts)}."
    if release.status is Status.SUCCEEDED:
        return f"{release.workload} {_ended(facts)}."
    return f"The {kind(release)} of {release.workload} {_ended(facts)}."


def kind(release: Release) -> str:
    """What sort of release it is, as people call it."""
    return "removal" if release.removes else "rollback" if release.goes_back_to else "release"


def _card(release: Release) -> str:
    """A model-card operation ends at once: it was done, or not."""
    past = OPERATIONS[release.workload_type]
    did = "was" if release.status is Status.SUCCEEDED else "was not"
    if release.workload_type == "list_model_cards":
        return f"list {did} read"
    return f"{release.workload} {did} {past}"


def _how(facts: Facts) -> str:
    release = facts.release
    stage = place(release.stage)
    if release.removes and not release.status.ended:
        return removals.how(facts)
    match release.status:
        case Status.REQUESTED:
            return "about to start"
        case Status.PACKAGING:
            return "being packaged"
        case Status.PLANNING:
            return f"being planned for {stage}"
        case Status.AWAITING_APPROVAL:
            return _decided(facts)
        case Status.DEPLOYING if facts.job_status is JobStatus.RUNNING:
            return f"running its job in {stage}"
        case Status.DEPLOYING:
            return f"being deployed to {stage}"
        case Status.VERIFYING:
            return f"being checked in {stage}"
        case _:
            return _ended(facts).removeprefix("was ").removeprefix("has ")


def _decided(facts: Facts) -> str:
    """The question is answered, and the state machine has not moved on yet."""
    approval = facts.last_approval
    known = {
        ApprovalStatus.APPROVED: f"approved for {place(facts.release.stage)}",
        ApprovalStatus.REJECTED: f"rejected for {place(facts.release.stage)}",
        ApprovalStatus.EXPIRED: f"too late for {place(facts.release.stage)}",
        ApprovalStatus.SUPERSEDED: "giving way to a newer release",
    }
    waits = f"waiting for the approval of {place(facts.release.stage)}"
    return known.get(approval.status, waits) if approval else waits


def _ended(facts: Facts) -> str:
    release = facts.release
    stage = place(release.stage)
    if release.removes and (said := removals.ended(facts)):
        return said
    match release.status:
        case Status.SUCCEEDED if release.goes_back_to:
            return f"was rolled back to {release.goes_back_to}"
        case Status.SUCCEEDED:
            where = place(facts.reached or (release.stages[-1] if release.stages else "its stage"))
            return f"was released to {where}{', and its job has succeeded' if facts.job_status else ''}"
        case Status.UNCHANGED:
            return "has nothing to change"
        case Status.REJECTED:
            return f"was rejected for {stage}" if stage else "was rejected"
        case Status.EXPIRED:
            return f"has expired before {stage} was decided" if stage else "has expired"
        case Status.SUPERSEDED:
            return "was superseded by a newer one"
        case Status.FAILED if release.failure == GatesFailed.__name__:
            return f"was stopped before {stage} by its quality gates"
        case Status.FAILED if facts.job_failed:
            return f"has failed in {stage}: its job did not succeed"
        case Status.FAILED:
            return f"has failed in {stage}" if stage else "has failed"
        case _:
            return "was refused"


def left_behind(facts: Facts) -> str:
    """What a failed job, or a removal that ended half way, leaves behind, as a sentence; else empty."""
    if facts.release.removes:
        return removals.left_behind(facts)
    if facts.release.status is not Status.FAILED or not facts.job_failed:
        return ""
    return f"The stack is deployed in {place(facts.release.stage)} all the same; a new release runs the job again."


def outcome_word(release: Release) -> str:
    """One word or two for a list or a subject."""
    return release.status.value.replace("_", " ")


def requester(facts: Facts) -> str:
    """Who asked, and how certain that is; without markup, unescaped."""
    release = facts.release
    if release.requester.kind is IdentityKind.UNKNOWN:
        return "unknown (the upload does not say who made it)"
    shown = clean(facts.installation.people.display(release.requester))
    return f"{shown} (verified)" if release.requester.verified else shown
