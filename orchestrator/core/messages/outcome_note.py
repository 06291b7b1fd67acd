"""The direct message to whoever asked for a release: what became of it, and where the whole of it stands.

``address`` is that of the release's message; empty where it is not known.
"""

from __future__ import annotations

from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Block, Message, context, message, section
from orchestrator.core.messages.facts import Facts, place
from orchestrator.core.messages.headlines import END_MARKS, sentence
from orchestrator.core.messages.mrkdwn import bold, code, joined, link, quote, said
from orchestrator.core.records import Approval, Release, Status, Verdict


def approved_note(facts: Facts, approval: Approval, address: str) -> Message:
    """All needed approvals of a stage are given."""
    release, stage = facts.release, said(place(approval.stage), limits.NAME)
    names = [said(vote.display, limits.NAME) for vote in approval.votes if vote.verdict is Verdict.APPROVE]
    by = f" by {joined(names[: limits.VOTES])}" if names else ""
    done = f"removed from {stage}" if release.removes else f"deployed to {stage}"
    told = f"is approved to be {done}{by}."
    shown = f":white_check_mark: {bold(release.workload, limits.NAME)} {told}"
    return message(f"{said(release.workload, limits.NAME)} {told}", [section(shown), _foot(facts, address)])


def end_note(facts: Facts, address: str) -> Message:
    """The release has ended."""
    release = facts.release
    told = said(sentence(facts), limits.DESCRIPTION)
    blocks: list[Block] = [section(f"{END_MARKS.get(release.status, '')} {told}".strip())]
    if release.status is not Status.SUCCEEDED:
        blocks += _why(release)
    return message(told, [*blocks, _foot(facts, address)])


def _why(release: Release) -> list[Block]:
    """The rejecter's words with his name, or what else was the reason."""
    reason = quote(release.reason, limits.REASON)
    if release.status is Status.REJECTED and release.ended_by:
        who = bold(release.ended_by, limits.NAME)
        return [section(f"{who} said:\n{reason}" if reason else f"{who} gave no reason.")]
    return [section(reason)] if reason else []


def _foot(facts: Facts, address: str) -> Block:
    told = [link(address, "Open the release's message")] if address else []
    return context(*told, f"Release {code(facts.release.release_id, limits.VALUE)}")
