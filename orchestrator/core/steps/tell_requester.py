"""Whoever asked for a release hears in a direct message what became of it: each thing once, not what he did himself.

It comes after the channel's message and never keeps that back. What Slack refuses for good is not tried again: the
channel has it, and so has the e-mail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.core.chat import Chat
from orchestrator.core.errors import ChatRefused
from orchestrator.core.messages.blocks import Message
from orchestrator.core.messages.facts import Facts
from orchestrator.core.messages.outcome_note import approved_note, end_note
from orchestrator.core.people import Identity, IdentityKind
from orchestrator.core.records import Approval, ApprovalStatus, Status, Verdict
from orchestrator.core.steps.message_links import message_link
from orchestrator.core.steps.progress import find_release
from orchestrator.core.steps.speaking import Speaker

TOLD_ENDS = frozenset({Status.SUCCEEDED, Status.REJECTED, Status.EXPIRED, Status.SUPERSEDED, Status.FAILED})
"""Ends that somebody waits for; an unchanged or refused one is answered where it was asked for, and in the channel."""

TOLD, NOT_TOLD = "told privately", "not told privately"


@dataclass(frozen=True)
class _News:
    """One thing to tell."""

    once: str
    """Under what it is noted as said."""
    approval: Approval | None = None
    """The approval that was given; None: the release's end."""


def tell_requester(facts: Facts, speaker: Speaker) -> list[str]:
    """Send what has not been sent yet; ``told privately`` for each, ``not told privately`` where Slack refuses.

    Raises ``ChatUnavailable``, to be called again.
    """
    chat = speaker.chat
    ids, email = addresses(facts.release.requester, facts)
    if chat is None or not facts.installation.direct_messages or not (ids or email):
        return []
    news = [one for one in _news(facts, speaker) if one.once not in speaker.row.announced]
    if not news:
        return []
    said: list[str] = []
    try:
        channel = chat.direct(ids, email, facts.installation.slack_team)
    except ChatRefused:
        channel, said = "", [NOT_TOLD]
    if not channel:
        for one in news:
            speaker.announce(one.once)
        return said
    link = message_link(facts.release.release_id, speaker.store, chat)
    return [_tell(one, _note(one, facts, link), channel, speaker, chat) for one in news]


def _tell(one: _News, note: Message, channel: str, speaker: Speaker, chat: Chat) -> str:
    told = TOLD
    # Of all releases of this person: the conversation is one.
    key = f"{one.once}:{speaker.row.release_id}"
    if speaker.begun(one.once, lambda since: chat.find(channel, key, since=since)) is None:
        try:
            chat.post(channel, note, key=key)
        except ChatRefused:
            told = NOT_TOLD
    speaker.announce(one.once)
    return told


def _note(one: _News, facts: Facts, link: str) -> Message:
    return end_note(facts, link) if one.approval is None else approved_note(facts, one.approval, link)


def _news(facts: Facts, speaker: Speaker) -> Iterator[_News]:
    """What has happened that is news to the requester; approvals only as long as nothing has come of them yet."""
    release = facts.release
    if release.status.ended:
        if release.status in TOLD_ENDS and not _own_deed(facts, speaker):
            yield _News(f"direct:{release.status}")
        return
    for name in release.stages:
        record = facts.stages.get(name)
        approval = facts.approvals.get(record.approval_id) if record and record.approval_id else None
        if approval is None or approval.status is not ApprovalStatus.APPROVED:
            continue
        if approval.votes and not _is_requester(approval.votes[-1].person, facts):
            yield _News(f"direct:approved:{approval.approval_id}", approval)


def _own_deed(facts: Facts, speaker: Speaker) -> bool:
    """Whether the requester himself has rejected the release, or has asked for the one that took its place."""
    release = facts.release
    if release.status is Status.REJECTED:
        votes = [vote for approval in facts.approvals.values() for vote in approval.votes]
        return any(vote.verdict is Verdict.REJECT and _is_requester(vote.person, facts) for vote in votes)
    if release.status is Status.SUPERSEDED and release.ended_by:
        newer = find_release(speaker.store, release.ended_by)
        return newer is not None and _is_requester(facts.installation.people.key(newer.requester), facts)
    return False


def _is_requester(key: str, facts: Facts) -> bool:
    return key == facts.installation.people.key(facts.release.requester)


def addresses(requester: Identity, facts: Facts) -> tuple[tuple[str, ...], str]:
    """Slack ids and e-mail address of whoever asked: those of the person, else what the identity itself is."""
    person = facts.installation.people.find(requester)
    if person is not None:
        return person.slack_ids, person.email
    match requester.kind:
        case IdentityKind.SLACK:
            return (requester.value,), ""
        case IdentityKind.EMAIL | IdentityKind.GIT:
            return (), requester.value
        case _:
            return (), ""
