"""E-mails: how a release ended, in plain text; and a question that Slack could not put.

An e-mail is read where nothing can be clicked, perhaps years later: it says everything that matters, every problem with
its path, and the command that shows the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.figures import side_by_side
from orchestrator.core.figures import told as in_words
from orchestrator.core.messages.changes import change_lines
from orchestrator.core.messages.facts import Facts, Waiting
from orchestrator.core.messages.gates import gate_lines
from orchestrator.core.messages.headlines import headline, left_behind, outcome_word, requester, sentence
from orchestrator.core.messages.jobs import coming_job, job_lines
from orchestrator.core.messages.mrkdwn import clean, joined, lapse
from orchestrator.core.messages.provenance import commit_lines
from orchestrator.core.messages.release_message import results
from orchestrator.core.messages.rollbacks import rollback_lines
from orchestrator.core.messages.votes import vote_texts
from orchestrator.core.records import Release, Status

SUBJECT = 100
"""ASCII characters of an SNS subject (docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""


@dataclass(frozen=True)
class Letter:
    """A subject of one ASCII line and a plain text."""

    subject: str
    text: str


def end_letter(facts: Facts) -> Letter:
    """How a release ended."""
    release = facts.release
    unread = release.status is Status.REFUSED or release.is_of_nothing
    about = release.source.thing if unread else release.workload
    told = [sentence(facts), *rollback_lines(release), "", *_because(release)]
    place = f" ({release.stage})" if release.stage and release.status is not Status.SUCCEEDED else ""
    left = left_behind(facts)
    if left:
        told.append(left)
    elif facts.partial:
        told.append(f"It stays deployed in {facts.reached}.")
    if release.status is Status.SUCCEEDED:
        told += [f"{stage} {name}: {value}" for stage, name, value in results(facts)]
    told += gate_lines(facts)
    told += job_lines(facts)
    told += ["", *_about(facts)]
    word = "deleted" if release.is_of_nothing else outcome_word(release)
    return letter(f"[{word}] {about}{place}", told)


def question_letter(facts: Facts, waiting: Waiting, why: str) -> Letter:
    """An approval is waited for and Slack cannot show it; ``why`` says so in a sentence."""
    release, approval = facts.release, waiting.approval
    told = [sentence(facts), *rollback_lines(release), why, ""]
    if waiting.record.plan is not None:
        told += change_lines(waiting.record.plan)
    coming = coming_job(facts, approval.stage)
    told += [coming] if coming else []
    told += gate_lines(facts)
    compared = side_by_side(release.metrics, facts.live)
    told += [f"Metrics: {', '.join(in_words(*figure) for figure in compared)}."] if compared else []
    before = facts.stage_before
    if before:
        since = facts.live_since[before]
        told.append(f"In {before} since {since}: {lapse(since, approval.asked_at)} when this was asked.")
    needed = facts.needed(approval)
    told += [f"Still needed: {needed}." if needed else "", f"The question expires at {approval.expires_at}.", ""]
    told += [f"To decide: mlops approve {release.release_id}", f"       or: mlops reject {release.release_id}", ""]
    told += _about(facts)
    return letter(f"[approval needed] {headline(facts)}", told)


def _because(release: Release) -> list[str]:
    reason, *rest = [line for line in release.reason.splitlines() if clean(line)] or [""]
    told: list[str] = []
    match release.status:
        case Status.REJECTED:
            told += [f"{clean(release.ended_by) or 'An approver'} said: {reason or '(no reason)'}", *rest]
        case Status.SUPERSEDED if release.ended_by:
            told.append(f"Release {release.ended_by} took its place.")
        case Status.FAILED:
            told += [f"Reason: {reason}", *rest]
        case _ if not release.problems:
            told += [reason, *rest]
    told += [f"- {problem}" for problem in release.problems]
    told += [f"Warning: {warning}" for warning in release.warnings]
    return told


def _about(facts: Facts) -> list[str]:
    release = facts.release
    votes = [
        f"{stage}: {told}"
        for stage, record in facts.stages.items()
        if (approval := facts.approvals.get(record.approval_id)) is not None
        for told in vote_texts(approval)
    ]
    return [
        *votes,
        f"Asked for by: {requester(facts)}, at {release.created_at}",
        f"From: {release.source}",
        *(commit_lines(release.commit) if release.commit else ()),
        *([f"Stages: {joined(release.stages)}"] if release.stages else []),
        f"Release: {release.release_id} (mlops status {release.release_id})",
    ]


def letter(subject: str, told: list[str]) -> Letter:
    """A letter. Every line of other people's text is one line, no two are empty in a row, and none is at the end."""
    kept: list[str] = []
    for line in told:
        shown = line[: len(line) - len(line.lstrip(" "))] + clean(line)
        if shown.strip() or (kept and kept[-1]):
            kept.append(shown.rstrip())
    plain = clean(subject).encode("ascii", "replace").decode()
    return Letter(plain[:SUBJECT].strip(), "\n".join(kept).rstrip())
