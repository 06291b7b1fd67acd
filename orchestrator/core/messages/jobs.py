"""The jobs that a release runs: which, how they stand, how long they took, and where to look at them in AWS."""

from __future__ import annotations

import re

from orchestrator.core.consoles import job_page
from orchestrator.core.jobs import JobRun, JobStatus, job_name, job_to_come
from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Block, section
from orchestrator.core.messages.facts import Facts
from orchestrator.core.messages.mrkdwn import clean, code, date, lines, said
from orchestrator.core.steps.progress import read_stamp

MARKS = {
    JobStatus.RUNNING: ":hourglass_flowing_sand:",
    JobStatus.SUCCEEDED: ":white_check_mark:",
    JobStatus.FAILED: ":x:",
    JobStatus.STOPPED: ":octagonal_sign:",
    JobStatus.ABSENT: ":x:",
}

WORDS = {
    JobStatus.RUNNING: "running",
    JobStatus.SUCCEEDED: "succeeded",
    JobStatus.FAILED: "failed",
    JobStatus.STOPPED: "was stopped",
    JobStatus.ABSENT: "was deleted",
}

LINK = 600
"""Characters of an address that is shown as a link."""

_ADDRESS = re.compile(r"https://[a-z0-9.-]+/[A-Za-z0-9/?=#%:._-]*")


def job_blocks(facts: Facts) -> list[Block]:
    """A line for each stage whose job has been started; no block where there is none."""
    shown = [_line(name, job) for name, job in facts.jobs]
    return [section(lines(["*Jobs*" if len(shown) > 1 else "*Job*", *shown], limits.SECTION_TEXT))] if shown else []


def coming_job(facts: Facts, stage: str) -> str:
    """What the stage runs once the plan that people are asked about is deployed; empty where nothing."""
    job = facts.release.job
    return job_to_come(job, stage) if job is not None and not facts.release.removes else ""


def job_lines(facts: Facts) -> list[str]:
    """The same for an e-mail."""
    told = []
    for name, job in facts.jobs:
        told.append(f"Job in {name}: {clean(job_name(job.arn))} {WORDS[job.status]}{_took(job)}.")
        if job.status not in {JobStatus.RUNNING, JobStatus.SUCCEEDED}:
            told.append(f"  Look at it in {job_page(job.kind, job.arn)}")
    return told


def took(job: JobRun) -> str:
    """How long a job that has ended ran, as people say it; empty while it runs."""
    if not job.ended_at:
        return ""
    seconds = max(0, round((read_stamp(job.ended_at) - read_stamp(job.started_at)).total_seconds()))
    minutes = round(seconds / 60)
    if seconds < 60:
        return f"{seconds} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _line(stage: str, job: JobRun) -> str:
    since = f" since {date(job.started_at)}" if job.status is JobStatus.RUNNING else _took(job)
    told = f"{MARKS[job.status]} {said(stage, limits.NAME)}: {code(job_name(job.arn), limits.VALUE)} "
    return f"{told}{WORDS[job.status]}{since}{_link(job)}"


def _took(job: JobRun) -> str:
    return f" after {took(job)}" if job.ended_at else ""


def _link(job: JobRun) -> str:
    address = job_page(job.kind, job.arn)
    fits = len(address) <= LINK and _ADDRESS.fullmatch(address)
    return f" · <{address}|AWS console>" if fits else ""
