"""Tell people how a release stands: one Slack message kept current, one ping for each question, one e-mail at the end.

Everything is rendered from the records; an event only says which release to look at. One call speaks for a release at a
time (a lease on its ``ChatMessage`` row), and looks at the records only after it has its turn, so whoever speaks last
says what is true. A post is noted before it is made: a call that finds one begun and not noted looks in Slack for it
instead of posting a second. E-mail goes first and never waits for Slack.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from orchestrator.core.disclosure import told_release, told_stages
from orchestrator.core.errors import ChatRefused, ChatUnavailable, Conflict, TryAgain
from orchestrator.core.installation import Installation
from orchestrator.core.messages.blocks import Message
from orchestrator.core.messages.facts import Facts, Waiting
from orchestrator.core.messages.mail import Letter, end_letter, question_letter
from orchestrator.core.messages.notice import notice_letter, notice_message
from orchestrator.core.messages.question import question_reply
from orchestrator.core.messages.release_message import brief_message, release_message
from orchestrator.core.notices import Notice
from orchestrator.core.ports import Chat, Clock, Mail, Posted, Store
from orchestrator.core.records import ChatMessage, Release, SourceKind, StageRecord, Status, Workload
from orchestrator.core.steps.progress import approval_of, find_workload, live_figures, read_stamp, release_of, stamp

Answer = TypeVar("Answer")

HOLD = timedelta(seconds=150)
"""Longer than the function's own time-out of two minutes: who holds a turn this long has died."""

WAIT_SECONDS = 0.5
WAITS = 20
"""How often a turn is waited for within one call; then the stream delivers the event again."""

NO_CHANNEL = frozenset(
    {
        "channel_not_found",
        "channel_is_archived",
        "is_archived",
        "not_in_channel",
        "no_permission",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_non_threadable_channel",
        "team_access_not_granted",
        "ekm_access_denied",
        "cannot_reply_to_message",
    }
)
"""Slack's codes for a channel that does not take the message (reference/methods/chat.postMessage, "Errors")."""

GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"})
"""Codes for a message that cannot be kept current any more; a new one takes its place."""

UNSHOWABLE = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long"})
"""Codes for a message that Slack finds wrong: the briefest form is tried."""

NOBODYS_NEWS = frozenset({SourceKind.COMMIT, SourceKind.ASSET})
"""What starts releases that nobody may have meant."""

THE_MESSAGE = "message"
NO_SLACK = "Slack is not set up for this installation, so nobody can be asked there."


@dataclass(frozen=True)
class Notified:
    """What one call did."""

    said: tuple[str, ...] = ()
    """``posted``, ``updated``, ``asked``, ``mailed``; nothing when everything was said already."""
    refusal: str = ""
    """Slack's code when it refuses for good; repeating would change nothing."""


@dataclass
class Speaker:
    """One call's turn at one release: its collaborators, and the row as it stands."""

    store: Store
    chat: Chat | None
    mail: Mail
    installation: Installation
    now: Clock
    row: ChatMessage

    def note(self, change: Callable[[ChatMessage], ChatMessage]) -> None:
        """Write the row; raises ``TryAgain`` when the turn was lost to somebody else."""
        holder = self.row.held_by

        def changed(current: ChatMessage) -> ChatMessage:
            if current.held_by != holder:
                raise TryAgain(f"another call speaks for {current.release_id} by now")
            return change(current)

        self.row = self.store.update(ChatMessage, self.row.key(), changed)


def notify_release(
    release_id: str,
    *,
    store: Store,
    chat: Chat | None,
    mail: Mail,
    installation: Installation,
    now: Clock,
    pause: Callable[[float], None],
    holder: str,
) -> Notified:
    """Bring the release's message, pings and e-mail up to date. ``chat`` is None where Slack is not set up.

    Raises ``ChatUnavailable`` (and what the mail raises) to be called again; what was said by then is not said twice.
    ``holder`` is unique to this call.
    """
    row = _take_turn(release_id, holder, store, now, pause)
    speaker = Speaker(store, chat, mail, installation, now, row)
    try:
        facts = gather(release_id, store, installation)
        if _nothing_to_say(facts.release, speaker):
            return Notified()
        return _speak(facts, speaker)
    finally:
        _end_turn(speaker, holder)


def gather(release_id: str, store: Store, installation: Installation) -> Facts:
    """The records of one release, as people may see them; raises ``UnknownRelease``."""
    release = release_of(store, release_id)
    stages = {record.stage: record for record in store.under(StageRecord, f"RELEASE#{release_id}")}
    found = [approval_of(store, record.approval_id) for record in stages.values() if record.approval_id]
    approvals = {approval.approval_id: approval for approval in found if approval}
    told = told_stages(stages, release, installation)
    # Only what uses the Model Registry has notices: the others are not asked for any.
    notices = store.under(Notice, f"RELEASE#{release_id}") if release.models else ()
    live = live_figures(store, release)
    return Facts(told_release(release, installation), installation, told, approvals, live, notices)


def _nothing_to_say(release: Release, speaker: Speaker) -> bool:
    """Whether a release that nobody asked for by itself may still end Unchanged, or has, and nobody was told of it yet.

    A push brings along whatever lies in the repository: a configuration that was only moved, or written differently,
    is nobody's news. Nor is a model that is uploaded with its configuration, whose release has it already, or one that
    a newer upload has overtaken. So the message begins where it is certain that something changes.
    """
    if release.source.kind not in NOBODYS_NEWS or release.force or release.is_of_nothing or speaker.row.ts:
        return False
    if release.status is not Status.PACKAGING:
        overtaken = release.status is Status.SUPERSEDED and not release.ended_by
        return release.status in {Status.REQUESTED, Status.UNCHANGED} or overtaken
    workload = find_workload(speaker.store, release.workload) or Workload.named(release.workload)
    return release.digest in {"", workload.live_digest, workload.running_digest}


def _speak(facts: Facts, speaker: Speaker) -> Notified:
    said: list[str] = []
    trouble: list[Exception] = []
    refusal = ""
    try:
        if facts.release.status.ended:
            said += _mail(f"mail:{facts.release.status}", end_letter(facts), speaker)
        for notice in facts.notices:
            said += _mail(f"mail:{notice.notice_id}", notice_letter(notice), speaker)
    except Exception as error:  # whatever SNS has, Slack must still hear of it
        trouble.append(error)
    try:
        said += _chat(facts, speaker)
    except ChatRefused as error:
        refusal = error.code
        said += _ask_by_mail(facts, speaker, f"Slack cannot show this question ({error.code}).")
    except ChatUnavailable as error:
        trouble.append(error)
        said += _ask_by_mail(facts, speaker, "Slack cannot be reached at the moment.")
    if trouble:
        raise trouble[0]
    return Notified(tuple(said), refusal)


def _mail(once: str, letter: Letter, speaker: Speaker) -> list[str]:
    if once in speaker.row.announced:
        return []
    speaker.mail.send(letter.subject, letter.text)
    speaker.note(lambda row: replace(row, announced=(*row.announced, once)))
    return ["mailed"]


def _ask_by_mail(facts: Facts, speaker: Speaker, why: str) -> list[str]:
    waiting = facts.waiting
    if waiting is None:
        return []
    once = f"mailed:{waiting.approval.approval_id}"
    return _mail(once, question_letter(facts, waiting, why), speaker)


def _chat(facts: Facts, speaker: Speaker) -> list[str]:
    if speaker.chat is None:
        return _ask_by_mail(facts, speaker, NO_SLACK)
    said = _show(facts, speaker, speaker.chat)
    for notice in facts.notices:
        said += _tell(notice, speaker, speaker.chat)
    waiting = facts.waiting
    if waiting is not None:
        said += _ask(facts, waiting, speaker, speaker.chat)
    return said


def _show(facts: Facts, speaker: Speaker, chat: Chat) -> list[str]:
    """Post the message, or update it where it shows something else."""
    row = speaker.row
    shown = release_message(facts, refused_channel=row.refused_channel)
    if not row.ts:
        _post(facts, speaker, chat)
        return ["posted"]
    if row.rendered == shown.fingerprint:
        return []
    posted = Posted(row.channel, row.ts)
    try:
        _briefly_if_refused(lambda message: chat.update(posted, message), shown, facts)
    except ChatRefused as error:
        if error.code not in GONE | NO_CHANNEL:
            raise
        _post_anew(error, facts, speaker, chat)
        return ["posted"]
    speaker.note(lambda row: replace(row, rendered=shown.fingerprint))
    return ["updated"]


def _post_anew(error: ChatRefused, facts: Facts, speaker: Speaker, chat: Chat) -> None:
    """The message is gone, or its channel is: begin again, in the installation's channel if that is another one."""
    lost_channel = error.code in NO_CHANNEL
    if lost_channel and (not facts.release.channel or speaker.row.refused_channel):
        raise error
    speaker.note(
        lambda row: replace(
            row,
            channel="",
            ts="",
            rendered="",
            refused_channel=error.code if lost_channel else row.refused_channel,
            announced=tuple(once for once in row.announced if not once.startswith("asked:")),
        )
    )
    _post(facts, speaker, chat)


def _post(facts: Facts, speaker: Speaker, chat: Chat) -> None:
    own = facts.release.channel if not speaker.row.refused_channel else ""
    try:
        _post_in(own or speaker.installation.slack_channel, facts, speaker, chat)
    except ChatRefused as error:
        if not own or error.code not in NO_CHANNEL:
            raise
        code = error.code
        speaker.note(lambda row: replace(row, refused_channel=code))
        _post_in(speaker.installation.slack_channel, facts, speaker, chat)


def _post_in(channel: str, facts: Facts, speaker: Speaker, chat: Chat) -> None:
    shown = release_message(facts, refused_channel=speaker.row.refused_channel)
    key = f"{THE_MESSAGE}:{facts.release.release_id}"
    found = _begin(THE_MESSAGE, speaker, lambda since: chat.find(channel, key, since=since))
    if found is None:
        posted = _undone_if_refused(
            THE_MESSAGE,
            speaker,
            lambda: _briefly_if_refused(lambda message: chat.post(channel, message, key=key), shown, facts),
        )
    else:
        posted = found
        _briefly_if_refused(lambda message: chat.update(posted, message), shown, facts)
    speaker.note(
        lambda row: _noted(replace(row, channel=posted.channel, ts=posted.ts, rendered=shown.fingerprint), THE_MESSAGE)
    )


def _tell(notice: Notice, speaker: Speaker, chat: Chat) -> list[str]:
    """A message of its own beside the release's, once for each notice."""
    once = f"notice:{notice.notice_id}"
    row = speaker.row
    if once in row.announced:
        return []
    if _begin(once, speaker, lambda since: chat.find(row.channel, once, since=since)) is None:
        told = notice_message(notice)
        _undone_if_refused(once, speaker, lambda: chat.post(row.channel, told, key=once))
    speaker.note(lambda row: _noted(replace(row, announced=(*row.announced, once)), once))
    return ["told"]


def _ask(facts: Facts, waiting: Waiting, speaker: Speaker, chat: Chat) -> list[str]:
    """Call the approvers in the message's thread, once for each approval."""
    once = f"asked:{waiting.approval.approval_id}"
    row = speaker.row
    if once in row.announced:
        return []
    found = _begin(once, speaker, lambda since: chat.find(row.channel, once, since=since, thread=row.ts))
    if found is None:
        reply = question_reply(facts, waiting)
        _undone_if_refused(once, speaker, lambda: chat.post(row.channel, reply, key=once, thread=row.ts))
    speaker.note(lambda row: _noted(replace(row, announced=(*row.announced, once)), once))
    return ["asked"]


def _begin(what: str, speaker: Speaker, find: Callable[[str], Posted | None]) -> Posted | None:
    """Note that a post begins; where one was begun before, look for what became of it."""
    if what in speaker.row.begun:
        return find(speaker.row.begun_at)
    begun_at = stamp(speaker.now())
    speaker.note(lambda row: replace(row, begun=(*row.begun, what), begun_at=row.begun_at or begun_at))
    return None


def _noted(row: ChatMessage, what: str) -> ChatMessage:
    begun = tuple(other for other in row.begun if other != what)
    return replace(row, begun=begun, begun_at=row.begun_at if begun else "")


def _undone_if_refused(what: str, speaker: Speaker, post: Callable[[], Posted]) -> Posted:
    """A refused post did not happen: the next attempt need not look for it."""
    try:
        return post()
    except ChatRefused:
        speaker.note(lambda row: _noted(row, what))
        raise


def _briefly_if_refused(send: Callable[[Message], Answer], shown: Message, facts: Facts) -> Answer:
    """Send the message; where Slack finds it wrong, its briefest form."""
    try:
        return send(shown)
    except ChatRefused as error:
        if error.code not in UNSHOWABLE:
            raise
        return send(brief_message(facts))


def _take_turn(release_id: str, holder: str, store: Store, now: Clock, pause: Callable[[float], None]) -> ChatMessage:
    """Become the one who speaks for the release; raises ``TryAgain`` when somebody else does all the while."""
    fresh = ChatMessage(release_id)
    if store.get(ChatMessage, fresh.key()) is None:
        with suppress(Conflict):
            store.insert(fresh)

    def take(current: ChatMessage) -> ChatMessage:
        moment = now()
        if current.held_by and moment < read_stamp(current.held_until):
            return current
        return replace(current, held_by=holder, held_until=stamp(moment + HOLD))

    for attempt in range(WAITS + 1):
        if attempt:
            pause(WAIT_SECONDS)
        row = store.update(ChatMessage, fresh.key(), take)
        if row.held_by == holder:
            return row
    raise TryAgain(f"another call speaks for {release_id}")


def _end_turn(speaker: Speaker, holder: str) -> None:
    speaker.store.update(
        ChatMessage,
        speaker.row.key(),
        lambda row: replace(row, held_by="", held_until="") if row.held_by == holder else row,
    )
