"""The short reply in the message's thread that calls the approvers, once for each approval.

An edited message notifies nobody, so the question needs a message of its own; it says little, because the message above
it has everything and is kept current.
"""

from __future__ import annotations

from orchestrator.core.calling import Called, called_first
from orchestrator.core.messages import limits
from orchestrator.core.messages.access import widened
from orchestrator.core.messages.blocks import Message, message, section
from orchestrator.core.messages.facts import Facts, Waiting
from orchestrator.core.messages.mrkdwn import bold, joined, said


def question_reply(facts: Facts, waiting: Waiting) -> Message:
    """Who is asked, about what, and what is needed."""
    rules = facts.rules(waiting.approval.stage)
    called = called_first(rules, facts.release.requester) if rules else Called()
    stage, workload = waiting.approval.stage, facts.release.workload
    about = "its removal from " if facts.release.removes else "its rollback in " if facts.release.goes_back_to else ""
    needed = facts.needed(waiting.approval)
    pings = " ".join(called.mentions[: limits.MENTIONS])
    ask = f"{bold(workload, limits.NAME)} waits for your decision about {about}{bold(stage, limits.NAME)}."
    told = f"{pings} {ask}".strip()
    if needed:
        told += f" Needed: {said(needed, limits.DESCRIPTION)}."
    opened = widened(waiting.record.plan) if waiting.record.plan else ""
    if opened:
        told += f" :rotating_light: It {opened}."
    gates = [gate for gate in waiting.record.gates if gate.faults]
    if gates:
        does = "does" if len(gates) == 1 else "do"
        told += f" :warning: {len(gates)} of {len(waiting.record.gates)} quality gates {does} not hold."
    told += others(called)
    text = f"{said(workload, limits.NAME)} waits for your decision about {about}{said(stage, limits.NAME)}."
    return message(f"{pings} {text}".strip(), [section(told)])


def others(called: Called) -> str:
    """Who may decide as well and is not called; begins with a blank, empty where nobody is."""
    told = ""
    for what, names in (("Not known to Slack", called.unreachable), ("May decide too, not called", called.quiet)):
        if names:
            told += f" ({what}: {joined(said(name, limits.NAME) for name in names[: limits.MENTIONS])}.)"
    return told
