"""The one Slack message of a release, from its request to its end.

A person must be able to judge it in ten seconds on a phone: first what is asked or how it ended, then how far it has
come; where people are asked, who wants it and why, what it opens, what would change with everything destroyed in plain
sight, how good the model is, how long it has run in the stage before, who still has to say yes to which digest, and the
buttons.
"""

from __future__ import annotations

from collections.abc import Container

from orchestrator.core.consoles import pipeline_page
from orchestrator.core.figures import MAX_FIGURES, side_by_side, told
from orchestrator.core.jobs import JobStatus
from orchestrator.core.messages import limits
from orchestrator.core.messages.access import access_blocks, widened
from orchestrator.core.messages.blocks import Block, Message, context, header, message, section
from orchestrator.core.messages.buttons import DIGEST_DIGITS, decision_buttons
from orchestrator.core.messages.changes import change_blocks, counted
from orchestrator.core.messages.details import rest_told
from orchestrator.core.messages.facts import Facts, Waiting
from orchestrator.core.messages.gates import broken, gate_blocks, gates_of
from orchestrator.core.messages.headlines import END_MARKS, MARKS, headline, left_behind, requester, sentence
from orchestrator.core.messages.jobs import coming_job, job_blocks
from orchestrator.core.messages.mrkdwn import ago, bold, code, date, escape, lines, link, quote, said
from orchestrator.core.messages.provenance import provenance
from orchestrator.core.messages.rollbacks import roll_back_button, rollback_blocks, worse_than_live
from orchestrator.core.messages.votes import vote_lines
from orchestrator.core.records import Approval, Release, Status
from orchestrator.core.routing import own_channel


def release_message(facts: Facts, *, refused_channel: str = "", buttons: bool = True, file: bool = True) -> Message:
    """The message as it should read now.

    ``refused_channel`` says why the release's own channel could not be used (Slack's error code), where the message
    stands in the installation's channel instead. Without ``buttons`` it is a copy that nobody keeps current. ``file``
    says whether what is too long for it is, or will be, a file in its thread.
    """
    waiting = facts.waiting
    blocks = [header(headline(facts)), section(_standing(facts)), *rollback_blocks(facts.release)]
    if waiting is not None:
        blocks += _question(facts, waiting, buttons, file and buttons)
    else:
        blocks += _metrics(facts)
        blocks += _end(facts) if facts.release.status.ended else []
    blocks += job_blocks(facts)
    blocks += _decisions(facts)
    blocks += _warnings(facts.release)
    if buttons and facts.back_to:
        blocks.append(roll_back_button(facts.release.release_id, facts.back_to, facts.release.workload))
    blocks += _about(facts, refused_channel)
    return message(_text(facts), blocks)


def brief_message(facts: Facts) -> Message:
    """The same in the fewest blocks: sent when Slack refuses the full one, so that a question is still asked."""
    waiting = facts.waiting
    told = said(sentence(facts), limits.DESCRIPTION)
    opened = widened(waiting.record.plan) if waiting is not None and waiting.record.plan is not None else ""
    blocks = [section(f"{told} :rotating_light: It {opened}." if opened else told)]
    if waiting is not None:
        blocks.append(decision_buttons(facts.release, waiting.approval))
    return message(_text(facts), blocks)


def _text(facts: Facts) -> str:
    """What a phone's notification and a screen reader say."""
    waiting = facts.waiting
    told = [said(sentence(facts), limits.DESCRIPTION)]
    if waiting is not None and waiting.record.plan is not None:
        opened = widened(waiting.record.plan)
        told += [f"It {opened}."] if opened else []
        told.append(f"It would mean {counted(waiting.record.plan)}.")
        coming = coming_job(facts, waiting.approval.stage)
        told += [said(coming, limits.DESCRIPTION)] if coming else []
        gates = broken(waiting.record.gates)
        told += [said(gates, limits.DESCRIPTION)] if gates else []
        figures = _figures(facts)
        told += [f"The model's figures: {', '.join(figures)}."] if figures else []
        needed = facts.needed(waiting.approval)
        told += [f"Still needed: {escape(needed)}."] if needed else []
    if facts.release.status.ended and facts.release.reason:
        reason = said(facts.release.reason, limits.DESCRIPTION)
        told.append(reason if reason.endswith((".", "!", "?", "…")) else f"{reason}.")
    told.append(f"Asked for by {said(requester(facts), limits.NAME * 2)}.")
    return " ".join(told)


def _standing(facts: Facts) -> str:
    release = facts.release
    mark = END_MARKS.get(release.status, "")
    told = f"{mark} {said(sentence(facts), limits.DESCRIPTION)}".strip()
    if not release.stages:
        return told
    steps = " → ".join(f"{_mark(name, facts)} {_stage(name, release)}" for name in release.stages)
    return f"{told}\n{steps}"


def _mark(name: str, facts: Facts) -> str:
    """A stage is not done while its job runs."""
    job = dict(facts.jobs).get(name)
    return ":gear:" if job is not None and job.status is JobStatus.RUNNING else MARKS[facts.stage_status(name)]


def _stage(name: str, release: Release) -> str:
    return bold(name, limits.NAME) if name == release.stage and not release.status.ended else said(name, limits.NAME)


def _metrics(facts: Facts) -> list[Block]:
    """The gates of the stage, and the other figures of the model's evaluation beside those of the release that is
    live."""
    gates = gates_of(facts)
    figures = _figures(facts, without={gate.metric for gate in gates})
    shown = [section(f":bar_chart: {' · '.join(figures)}")] if figures else []
    excused = worse_than_live(facts.release, facts.stages.get(facts.release.stage))
    return [*gate_blocks(gates), *([context(excused)] if excused else []), *shown]


def _figures(facts: Facts, without: Container[str] = ()) -> list[str]:
    compared = side_by_side(facts.release.metrics, facts.live)
    return [told(said(name, limits.NAME), value, live) for name, value, live in compared if name not in without][
        :MAX_FIGURES
    ]


def judged(facts: Facts, waiting: Waiting, *, whole: bool = False, file: bool = True) -> list[Block]:
    """What an approver has to judge: what the plan opens, changes and then runs, the quality gates, the figures.

    ``whole``: the changes to their last. ``file``: what is left out lies in the message's thread.
    """
    plan = waiting.record.plan
    blocks = [*access_blocks(plan, whole=whole), *change_blocks(plan, whole=whole)] if plan else []
    blocks += [section(rest)] if plan and not whole and (rest := rest_told(facts, plan, file)) else []
    coming = coming_job(facts, waiting.approval.stage)
    blocks += [section(f":gear: {said(coming, limits.DESCRIPTION)}")] if coming else []
    return [*blocks, *_metrics(facts)]


def _question(facts: Facts, waiting: Waiting, buttons: bool, file: bool) -> list[Block]:
    approval = waiting.approval
    blocks = [*_why(facts), *judged(facts, waiting, file=file), section(_decision(facts, approval))]
    if buttons:
        blocks.append(decision_buttons(facts.release, approval))
    return blocks


def _decision(facts: Facts, approval: Approval) -> str:
    needed = facts.needed(approval)
    told = [f"*Still needed:* {said(needed, limits.DESCRIPTION)}" if needed else "*Nothing more is needed.*"]
    told += vote_lines(approval)
    before = facts.stage_before
    end = []
    if before:
        since = facts.live_since[before]
        end.append(f":stopwatch: In {bold(before, limits.NAME)} since {date(since)} ({ago(since)})")
    end.append(f":hourglass: Expires {date(approval.expires_at)}")
    end.append(f":lock: What you approve has the digest {code(approval.digest[:DIGEST_DIGITS], 40)}")
    last = "\n".join(end)
    return f"{lines(told, limits.SECTION_TEXT - len(last) - 1)}\n{last}"


def _decisions(facts: Facts) -> list[Block]:
    """Who decided about the stages that are decided."""
    waiting = facts.waiting
    told: list[str] = []
    for name in facts.release.stages:
        record = facts.stages.get(name)
        approval = facts.approvals.get(record.approval_id) if record and record.approval_id else None
        if approval is not None and (waiting is None or approval != waiting.approval):
            told += [f"{said(name, limits.NAME)}: {line}" for line in vote_lines(approval)]
    return [section(lines(told, limits.SECTION_TEXT))] if told else []


def _end(facts: Facts) -> list[Block]:
    release = facts.release
    blocks: list[Block] = []
    told = _because(release)
    if told:
        blocks.append(section(told))
    left = left_behind(facts)
    if left:
        blocks.append(section(said(left, limits.DESCRIPTION)))
    elif facts.partial:
        untouched = "" if release.status is Status.FAILED else " Later stages are as they were."
        blocks.append(section(f"It stays deployed in {bold(facts.reached, limits.NAME)}.{untouched}"))
    if release.problems:
        blocks.append(section(_problems(release)))
    found = results(facts)
    if found and release.status is Status.SUCCEEDED:
        shown = [f"• {said(stage, 40)} {said(name, 60)}: {code(value, 200)}" for stage, name, value in found]
        blocks.append(section(lines(["*Deployed*", *shown[: limits.ENDPOINTS]], limits.SECTION_TEXT, len(shown) + 1)))
    return blocks


def _because(release: Release) -> str:
    reason = quote(release.reason, limits.REASON)
    match release.status:
        case Status.SUCCEEDED if release.stages:
            return ""
        case Status.REJECTED:
            who = bold(release.ended_by, limits.NAME) if release.ended_by else "An approver"
            return f"{who} said:\n{reason}" if reason else f"{who} gave no reason."
        case Status.SUPERSEDED if release.ended_by:
            return f"Release {code(release.ended_by, limits.VALUE)} took its place."
        case _ if release.problems:
            return ""
        case _:
            return reason


def _problems(release: Release) -> str:
    shown = [f"• {said(problem, 400)}" for problem in release.problems[: limits.PROBLEMS]]
    return lines(shown, limits.SECTION_TEXT, len(release.problems), what="more (the e-mail has all of them)")


def _warnings(release: Release) -> list[Block]:
    if not release.warnings:
        return []
    shown = [f":warning: {said(warning, 300)}" for warning in release.warnings[: limits.PROBLEMS]]
    return [section(lines(shown, limits.SECTION_TEXT, len(release.warnings)))]


_RESULTS = ("url", "imageuri", "resultslocation", "schedulename")
"""Ends of the names of outputs that people look for, in lower case."""


def results(facts: Facts) -> list[tuple[str, str, str]]:
    """Stage, output name and value of what a release made: endpoints, addresses, images, places of results, schedules.

    The endpoint of a monitor is another workload's: it is watched, not made.
    """
    found = []
    for name in facts.release.stages:
        outputs = facts.stages[name].outputs if name in facts.stages else ()
        watches = any(output.lower().endswith("schedulename") for output, _ in outputs)
        for output, value in outputs:
            shown = output.lower().endswith(_RESULTS) or ("endpoint" in output.lower() and not watches)
            found += [(name, output, value)] if shown else []
    return found


def _about(facts: Facts, refused_channel: str) -> list[Block]:
    release = facts.release
    blocks, facts_shown = ([], []) if facts.waiting is not None else _origin(facts)
    facts_shown.append(f"Release {code(release.release_id, limits.VALUE)}{_pipeline(facts)}")
    if refused_channel:
        channel = own_channel(release, facts.installation)
        asked, why = code(channel, limits.NAME), code(refused_channel, 60)
        facts_shown.append(f":information_source: Shown here because Slack refused the channel {asked} ({why})")
    return [*blocks, context(*facts_shown)]


def _pipeline(facts: Facts) -> str:
    """Where else the release can be followed: all that tells its engine."""
    release, installation = facts.release, facts.installation
    if not release.pipeline_execution:
        return ""
    address = pipeline_page(installation.partition, installation.region, release.pipeline)
    return f" in CodePipeline {link(address, said(release.pipeline, limits.NAME))}"


def _why(facts: Facts) -> list[Block]:
    """Who asks, and why: where people decide, they read it before anything else."""
    blocks, shown = _origin(facts)
    return [*blocks, context(*shown)]


def _origin(facts: Facts) -> tuple[list[Block], list[str]]:
    release = facts.release
    # A description of control characters only has nothing to show.
    description = quote(release.description, limits.DESCRIPTION)
    who = f":bust_in_silhouette: Asked for by {said(requester(facts), limits.NAME * 2)}, {date(release.created_at)}"
    return [section(description)] if description else [], [who, f":package: {provenance(release)}"]
