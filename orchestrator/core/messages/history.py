"""``/mlops history``: what was released of a workload, who asked, who decided and why, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Block, Message, context, message, section
from orchestrator.core.messages.facts import Facts
from orchestrator.core.messages.headlines import END_MARKS, headline, requester
from orchestrator.core.messages.mrkdwn import bold, code, date, joined, lines, quote, said
from orchestrator.core.messages.provenance import provenance
from orchestrator.core.messages.votes import vote_lines

NAMED = 10
"""Other workloads that are named where there is none of this name."""


def history_message(workload: str, releases: Sequence[Facts]) -> Message:
    """The answer, for one person."""
    count = len(releases)
    text = f"The latest {'release' if count == 1 else f'{count} releases'} of {said(workload, limits.NAME)}."
    return message(text, [section(text), *(block for facts in releases for block in _release(facts))])


def no_history(workload: str, others: Sequence[str]) -> Message:
    """There is none; which workloads there are."""
    known = [code(name, limits.NAME) for name in others[:NAMED]]
    text = f"There is no release of {code(workload, limits.NAME)}. Released were: {joined(known) or 'none'}."
    return message(text, [section(text)])


def _release(facts: Facts) -> list[Block]:
    release = facts.release
    mark = END_MARKS.get(release.status, ":hourglass_flowing_sand:")
    told = [f"{mark} {bold(headline(facts), limits.NAME * 2)}", code(release.release_id, limits.VALUE)]
    for name in release.stages:
        record = facts.stages.get(name)
        approval = facts.approvals.get(record.approval_id) if record and record.approval_id else None
        told += [f"{said(name, limits.NAME)}: {line}" for line in vote_lines(approval)] if approval else []
    reason = quote(release.reason, limits.COMMENT)
    asked = f"Asked for by {said(requester(facts), limits.NAME * 2)}, {date(release.created_at)}"
    return [
        section(lines([*told, *([reason] if reason else [])], limits.SECTION_TEXT)),
        context(asked, f":package: {provenance(release)}"),
    ]
