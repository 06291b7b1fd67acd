"""``/mlops why``: what a release waits for, and who could decide; of one that waits for nobody, how it stands."""

from __future__ import annotations

from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Block, Message, context, message, section
from orchestrator.core.messages.facts import Facts, Waiting
from orchestrator.core.messages.gates import broken, gates_of
from orchestrator.core.messages.headlines import sentence
from orchestrator.core.messages.mrkdwn import code, date, lines, quote, said
from orchestrator.core.messages.votes import vote_lines
from orchestrator.core.requirement_words import sentences
from orchestrator.core.requirements import explain


def why_message(facts: Facts) -> Message:
    """The answer, for one person."""
    release, waiting = facts.release, facts.waiting
    head = said(sentence(facts), limits.DESCRIPTION)
    named = context(f"Release {code(release.release_id, limits.VALUE)}")
    if waiting is None:
        reason = quote(release.reason, limits.REASON)
        return message(head, [section(f"{head}\n{reason}" if reason else head), named])
    told = _told(facts, waiting)
    return message(f"{head} {' '.join(told)}", [section(head), *_needed(told), *_rest(facts, waiting), named])


def _told(facts: Facts, waiting: Waiting) -> list[str]:
    rules = facts.rules(waiting.approval.stage)
    found = sentences(explain(rules, facts.release.requester, waiting.approval.votes)) if rules else []
    return [said(one, limits.CONTEXT_TEXT) for one in found]


def _needed(told: list[str]) -> list[Block]:
    return [section(lines([f"• {one}" for one in told], limits.SECTION_TEXT))] if told else []


def _rest(facts: Facts, waiting: Waiting) -> list[Block]:
    votes = vote_lines(waiting.approval)
    shown = [section(lines(votes, limits.SECTION_TEXT))] if votes else []
    gates = broken(gates_of(facts))
    warned = [section(f":warning: {said(gates, limits.DESCRIPTION)}")] if gates else []
    return [*shown, *warned, context(f":hourglass: Expires {date(waiting.approval.expires_at)}")]
