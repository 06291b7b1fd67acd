"""The short reply in the message's thread that calls the approvers, once for each approval.

An edited message notifies nobody, so the question needs a message of its own; it says little, because the message above
it has everything and is kept current.
"""

from __future__ import annotations

from orchestrator.core.approvals import Rules, eligible, identify
from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Message, message, section
from orchestrator.core.messages.facts import Facts, Waiting
from orchestrator.core.messages.mrkdwn import bold, joined, said
from orchestrator.core.people import Identity, IdentityKind


def question_reply(facts: Facts, waiting: Waiting) -> Message:
    """Who is asked, about what, and what is needed."""
    rules = facts.rules(waiting.approval.stage)
    called, unreachable = approvers(rules, facts.release.requester) if rules else ((), ())
    stage, workload = waiting.approval.stage, facts.release.workload
    about = "its removal from " if facts.release.removes else "its rollback in " if facts.release.goes_back_to else ""
    needed = facts.needed(waiting.approval)
    pings = " ".join(f"<@{user}>" for user in called[: limits.MENTIONS])
    ask = f"{bold(workload, limits.NAME)} waits for your decision about {about}{bold(stage, limits.NAME)}."
    told = f"{pings} {ask}".strip()
    if needed:
        told += f" Needed: {said(needed, limits.DESCRIPTION)}."
    gates = [gate for gate in waiting.record.gates if gate.faults]
    if gates:
        does = "does" if len(gates) == 1 else "do"
        told += f" :warning: {len(gates)} of {len(waiting.record.gates)} quality gates {does} not hold."
    if unreachable:
        names = joined(said(name, limits.NAME) for name in unreachable[: limits.MENTIONS])
        told += f" (Not known to Slack: {names}.)"
    text = f"{said(workload, limits.NAME)} waits for your decision about {about}{said(stage, limits.NAME)}."
    return message(f"{pings} {text}".strip(), [section(told)])


def approvers(rules: Rules, requester: Identity) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Slack ids of those who may decide, and the names of those who have none; a requester who may not is left out."""
    named = {member for role in _asked_roles(rules) for member in rules.roles.get(role, ())}
    called: set[str] = set()
    unreachable: set[str] = set()
    for member in named:
        identity = identify(member)
        if not eligible(rules, requester, identity).allowed:
            continue
        person = rules.people.find(identity)
        if person is not None and person.slack_ids:
            called.add(person.slack_ids[0])
        elif identity.kind is IdentityKind.SLACK:
            called.add(identity.value)
        else:
            unreachable.add(person.name if person else rules.people.display(identity))
    return tuple(sorted(called)), tuple(sorted(unreachable))


def _asked_roles(rules: Rules) -> set[str]:
    return {role for policy in rules.policies for alternative in policy.any_of for role, _ in alternative}
