"""Tell people how a release stands: one Slack message kept current, one ping for each question, one e-mail at the end,
and whoever asked for it hears of each decision and of the end in a direct message.

Everything is rendered from the records; an event only says which release to look at. One call speaks for a release at a
time (``speaking``), and looks at the records only after it has its turn, so whoever speaks last says what is true.
E-mail goes first and never waits for Slack.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from orchestrator.core.chat import Chat, Posted
from orchestrator.core.disclosure import told_release, told_stages
from orchestrator.core.errors import ChatPutOff, ChatRefused, ChatUnavailable
from orchestrator.core.installation import Installation
from orchestrator.core.messages.blocks import Message
from orchestrator.core.messages.facts import Facts, Waiting
from orchestrator.core.messages.mail import end_letter, question_letter
from orchestrator.core.messages.question import question_reply
from orchestrator.core.messages.release_message import brief_message, release_message
from orchestrator.core.notices import Notice
from orchestrator.core.origins import SourceKind
from orchestrator.core.outbox import ChatMessage
from orchestrator.core.ports import Clock, Mail, Store
from orchestrator.core.records import Release, StageRecord, Status, Workload
from orchestrator.core.routing import own_channel
from orchestrator.core.steps.attach_plan import attach_plan, file_refused
from orchestrator.core.steps.notify_reminder import remind, remind_by_mail
from orchestrator.core.steps.progress import approval_of, find_workload, live_figures, live_since, release_of
from orchestrator.core.steps.sending import BRIEF
from orchestrator.core.steps.speaking import Speaker, end_turn, ended, take_turn
from orchestrator.core.steps.tell_comments import tell_comments
from orchestrator.core.steps.tell_notices import mail_notices, tell_notices
from orchestrator.core.steps.tell_requester import tell_requester
from orchestrator.core.steps.way_back import offered
from orchestrator.core.user_groups import UserGroups

Answer = TypeVar("Answer")

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
    """``posted``, ``updated``, ``commented``, ``asked``, ``reminded``, ``attached``, ``mailed``, ``told privately``;
    nothing when all was said."""
    refusal: str = ""
    """Slack's code when it refuses for good; repeating would change nothing."""


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
    groups: UserGroups | None = None,
) -> Notified:
    """Bring the release's message, pings and e-mail up to date. ``chat`` is None where Slack is not set up; ``groups``
    tells whom a reminder has to call one by one.

    Raises ``ChatUnavailable`` (and what the mail raises) to be called again; what was said by then is not said twice.
    ``holder`` is unique to this call.
    """
    row = take_turn(release_id, holder, store, now, pause)
    speaker = Speaker(store, chat, mail, installation, now, row, groups)
    try:
        facts = gather(release_id, store, installation)
        if _nothing_to_say(facts.release, speaker):
            return Notified()
        return _speak(facts, speaker)
    finally:
        end_turn(speaker, holder)


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
    shown = told_release(release, installation)
    since = {} if release.status.ended or not approvals else live_since(store, release)
    back_to = offered(release, find_workload(store, release.workload), store) if release.status.ended else ""
    return Facts(shown, installation, told, approvals, live, notices, since, back_to)


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
            said += speaker.send(f"mail:{facts.release.status}", end_letter(facts))
        said += mail_notices(facts.notices, speaker)
    except Exception as error:  # whatever SNS has, Slack must still hear of it
        trouble.append(error)
    try:
        said += _chat(facts, speaker)
    except ChatRefused as error:
        refusal = error.code
        said += _ask_by_mail(facts, speaker, f"Slack cannot show this question ({error.code}).")
        said += remind_by_mail(facts, speaker)
    except ChatPutOff as error:
        trouble.append(error)
        if error.seconds > BRIEF:
            said += _ask_by_mail(facts, speaker, "Slack takes no messages at the moment.")
    except ChatUnavailable as error:
        trouble.append(error)
        said += _ask_by_mail(facts, speaker, "Slack cannot be reached at the moment.")
    else:
        try:
            said += tell_requester(facts, speaker)
        except ChatUnavailable as error:
            trouble.append(error)
    if trouble:
        raise trouble[0]
    return Notified(tuple(said), refusal)


def _ask_by_mail(facts: Facts, speaker: Speaker, why: str) -> list[str]:
    """Ask by e-mail what has not been asked in Slack."""
    waiting = facts.waiting
    if waiting is None or f"asked:{waiting.approval.approval_id}" in speaker.row.announced:
        return []
    once = f"mailed:{waiting.approval.approval_id}"
    return speaker.send(once, question_letter(facts, waiting, why))


def _chat(facts: Facts, speaker: Speaker) -> list[str]:
    if speaker.chat is None:
        return [*_ask_by_mail(facts, speaker, NO_SLACK), *remind_by_mail(facts, speaker)]
    said = _show(facts, speaker, speaker.chat)
    said += tell_notices(facts.notices, speaker, speaker.chat)
    said += tell_comments(facts, speaker, speaker.chat)
    waiting = facts.waiting
    if waiting is not None:
        said += _ask(facts, waiting, speaker, speaker.chat)
        said += remind(facts, waiting, speaker, speaker.chat)
        said += attach_plan(facts, waiting, speaker, speaker.chat)
        if file_refused(facts, speaker.row):
            said += _show(facts, speaker, speaker.chat)
    return said


def _view(facts: Facts, row: ChatMessage) -> Message:
    """The message as it should read, with what is known of where it stands."""
    return release_message(facts, refused_channel=row.refused_channel, file=not file_refused(facts, row))


def _show(facts: Facts, speaker: Speaker, chat: Chat) -> list[str]:
    """Post the message, or update it where it shows something else."""
    row = speaker.row
    shown = _view(facts, row)
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
    if lost_channel and (not own_channel(facts.release, facts.installation) or speaker.row.refused_channel):
        raise error
    speaker.note(
        lambda row: replace(
            row,
            channel="",
            ts="",
            rendered="",
            refused_channel=error.code if lost_channel else row.refused_channel,
            announced=tuple(once for once in row.announced if not once.startswith(("asked:", "file:"))),
        )
    )
    _post(facts, speaker, chat)


def _post(facts: Facts, speaker: Speaker, chat: Chat) -> None:
    own = own_channel(facts.release, facts.installation) if not speaker.row.refused_channel else ""
    try:
        _post_in(own or speaker.installation.slack_channel, facts, speaker, chat)
    except ChatRefused as error:
        if not own or error.code not in NO_CHANNEL:
            raise
        code = error.code
        speaker.note(lambda row: replace(row, refused_channel=code))
        _post_in(speaker.installation.slack_channel, facts, speaker, chat)


def _post_in(channel: str, facts: Facts, speaker: Speaker, chat: Chat) -> None:
    shown = _view(facts, speaker.row)
    key = f"{THE_MESSAGE}:{facts.release.release_id}"
    found = speaker.begun(THE_MESSAGE, lambda since: chat.find(channel, key, since=since))
    if found is None:
        posted = speaker.undone_if_refused(
            THE_MESSAGE,
            lambda: _briefly_if_refused(lambda message: chat.post(channel, message, key=key), shown, facts),
        )
    else:
        posted = found
        _briefly_if_refused(lambda message: chat.update(posted, message), shown, facts)
    speaker.note(
        lambda row: ended(replace(row, channel=posted.channel, ts=posted.ts, rendered=shown.fingerprint), THE_MESSAGE)
    )


def _ask(facts: Facts, waiting: Waiting, speaker: Speaker, chat: Chat) -> list[str]:
    """Call the approvers in the message's thread, once for each approval."""
    once = f"asked:{waiting.approval.approval_id}"
    row = speaker.row
    if once in row.announced:
        return []
    found = speaker.begun(once, lambda since: chat.find(row.channel, once, since=since, thread=row.ts))
    if found is None:
        reply = question_reply(facts, waiting)
        speaker.undone_if_refused(once, lambda: chat.post(row.channel, reply, key=once, thread=row.ts))
    speaker.announce(once)
    return ["asked"]


def _briefly_if_refused(send: Callable[[Message], Answer], shown: Message, facts: Facts) -> Answer:
    """Send the message; where Slack finds it wrong, its briefest form."""
    try:
        return send(shown)
    except ChatRefused as error:
        if error.code not in UNSHOWABLE:
            raise
        return send(brief_message(facts))
