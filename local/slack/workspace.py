"""The workspace's state: conversations and messages in memory, and a log of events that only grows.

Everything the page shows can be rebuilt from `snapshot(user)` plus the events after its `seq`; the page asks for the
first once and receives the second as they happen. One lock guards all of it: traffic is a few people's.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from local.slack.people import Kind, Person, Usergroup, WorkspaceSpec
from local.slack.redraw import escape_ampersands, redraw
from local.slack.schema import Json

SLACKBOT = Person("USLACKBOT", "slackbot", "Local Slack page", colour="#475569", kind=Kind.BOT)


class SlackError(Exception):
    """A refusal in Slack's words: `code` such as channel_not_found, and the sentences of response_metadata."""

    def __init__(self, code: str, *sentences: str) -> None:
        self.code = code
        self.sentences = sentences
        super().__init__(code)


@dataclass
class Conversation:
    """A channel (C…), a direct message with the app (D…) or a group message (G…)."""

    id: str
    name: str
    members: tuple[str, ...]
    topic: str = ""
    private: bool = False
    archived: bool = False

    @property
    def is_im(self) -> bool:
        return self.id.startswith("D")


@dataclass
class Message:
    """One message. `ephemeral_to` is the only person who sees it; `past` keeps the blocks of earlier versions."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    ephemeral_to: str | None = None
    edited_ts: str | None = None
    metadata: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    past: list[list[Json]] = field(default_factory=list)
    files: list[Json] = field(default_factory=list)


@dataclass(frozen=True)
class Event:
    """Something the page shows. Seen by `user` only if set, else by those who are in `channel`."""

    seq: int
    kind: str
    data: Json
    user: str | None = None
    channel: str | None = None


class Workspace:
    """Conversations, messages and events. `now` gives the time in seconds since 1970."""

    def __init__(self, spec: WorkspaceSpec, now: Callable[[], float] = time.time) -> None:
        self.spec = spec
        self.now = now
        self.changed = threading.Condition(threading.RLock())
        self.people = {person.id: person for person in (*spec.people, SLACKBOT)}
        self.usergroups = {group.id: group for group in spec.usergroups}
        self.conversations = {c.id: Conversation(c.id, c.name, c.members, c.topic, c.private) for c in spec.channels}
        self.messages: dict[str, list[Message]] = {channel: [] for channel in self.conversations}
        self.events: list[Event] = []
        self.epoch = secrets.token_hex(4)  # tells this server's events from those of one before it
        self._last_ts = 0

    # -- ids and events ------------------------------------------------------------------------------------------

    def stamp(self) -> str:
        """A timestamp in Slack's form, never twice the same."""
        with self.changed:
            self._last_ts = max(self._last_ts + 1, int(self.now() * 1_000_000))
            return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    @staticmethod
    def new_id(prefix: str = "", size: int = 5) -> str:
        return prefix + "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(size))

    def emit(self, kind: str, data: Json, *, user: str | None = None, channel: str | None = None) -> None:
        with self.changed:
            self.events.append(Event(len(self.events) + 1, kind, data, user, channel))
            self.changed.notify_all()

    def sees(self, user: str, event: Event) -> bool:
        if event.user is not None:
            return event.user == user
        return event.channel is None or user in self.conversations[event.channel].members

    def events_after(self, seq: int, user: str, timeout: float) -> tuple[list[Event], int]:
        """Events after `seq` that `user` sees and the last seq looked at; waits up to `timeout` seconds for one."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.events) > seq, timeout)
            fresh = self.events[seq:]
            return [event for event in fresh if self.sees(user, event)], seq + len(fresh)

    # -- people and conversations --------------------------------------------------------------------------------

    def person(self, user: str) -> Person:
        if user not in self.people:
            raise SlackError("user_not_found")
        return self.people[user]

    def regroup(self, group: str, users: tuple[str, ...]) -> Usergroup:
        """Let a user group have these members, and no others."""
        with self.changed:
            if group not in self.usergroups:
                raise SlackError("no_such_subteam")
            kept = tuple(dict.fromkeys(self.person(user).id for user in users))
            changed = self.usergroups[group] = replace(self.usergroups[group], users=kept)
            self.emit("usergroup", vars(changed))
            return changed

    def conversation(self, channel: str) -> Conversation:
        if channel not in self.conversations:
            raise SlackError("channel_not_found")
        return self.conversations[channel]

    def room(self, channel: str) -> Conversation:
        """A conversation by its id, a channel also by its name, with or without #."""
        if channel in self.conversations:
            return self.conversations[channel]
        name = channel.removeprefix("#")
        for conversation in self.conversations.values():
            if conversation.name == name and conversation.id[0] in "CG":
                return conversation
        raise SlackError("channel_not_found")

    def direct(self, *users: str) -> Conversation:
        """The conversation of the app with one person (D…) or several (G…), made at first use."""
        with self.changed:
            for user in users:
                if self.person(user).kind is Kind.BOT:
                    raise SlackError("cannot_dm_bot")
                if self.person(user).kind is Kind.DELETED:
                    raise SlackError("user_disabled")
            everybody = {*users, self.spec.bot.id}
            for known in self.conversations.values():
                if known.id[0] in "DG" and set(known.members) == everybody and (known.is_im or len(users) > 1):
                    return known
            name = "directmessage" if len(users) == 1 else "mpdm-" + "--".join(self.people[u].name for u in users)
            made = Conversation(
                self.new_id("D" if len(users) == 1 else "G", 8), name, tuple(sorted(everybody)), private=True
            )
            self.conversations[made.id], self.messages[made.id] = made, []
            self.emit("channel", self.channel_json(made), channel=made.id)
            return made

    def archive(self, channel: str, archived: bool) -> None:
        with self.changed:
            self.conversation(channel).archived = archived
            self.emit("channel", self.channel_json(self.conversations[channel]), channel=channel)

    # -- messages ------------------------------------------------------------------------------------------------

    def find(self, channel: str, ts: str, viewer: str | None = None) -> Message:
        """The message, if it is there and, being ephemeral, is the viewer's own."""
        self.conversation(channel)
        for message in self.messages[channel]:
            if message.ts == ts and message.ephemeral_to in (None, viewer):
                return message
        raise SlackError("message_not_found")

    def replies(self, message: Message) -> list[Message]:
        thread = self.messages[message.channel]
        return [m for m in thread if m.thread_ts == message.ts and m.ts != message.ts and m.ephemeral_to is None]

    def post(
        self,
        channel: str,
        user: str,
        text: str,
        blocks: list[Json] | None = None,
        *,
        attachments: list[Json] | None = None,
        thread_ts: str | None = None,
        ephemeral_to: str | None = None,
        metadata: Json | None = None,
        files: list[Json] | None = None,
    ) -> Message:
        """Add a message; the caller has checked text and blocks."""
        with self.changed:
            parent = self.find(channel, thread_ts) if thread_ts else None
            message = Message(
                channel,
                self.stamp(),
                user,
                escape_ampersands(text),
                redraw(blocks or [], self.new_id),
                self._attachments(attachments or []),
                (parent.thread_ts or parent.ts) if parent else None,
                ephemeral_to,
                metadata=metadata,
                files=list(files or []),
            )
            self.messages[channel].append(message)
            self.emit("message", self.message_json(message), user=ephemeral_to, channel=channel)
            self._parent_changed(message)
            return message

    def update(
        self,
        message: Message,
        text: str | None,
        blocks: list[Json] | None,
        attachments: list[Json] | None = None,
        metadata: Json | None = None,
    ) -> None:
        """Rewrite a message as chat.update does: text without blocks drops the blocks; only then it shows as edited."""
        with self.changed:
            message.past.append(message.blocks)
            if blocks is not None or text is not None:
                message.blocks = redraw(blocks or [], self.new_id)
            if text is not None:
                message.text = escape_ampersands(text)
            if attachments is not None:
                message.attachments = self._attachments(attachments)
            message.metadata = metadata or message.metadata
            message.edited_ts = message.edited_ts if blocks else self.stamp()
            self.emit("changed", self.message_json(message), user=message.ephemeral_to, channel=message.channel)

    def delete(self, message: Message) -> None:
        with self.changed:
            self.messages[message.channel].remove(message)
            gone = {"channel": message.channel, "ts": message.ts}
            self.emit("deleted", gone, user=message.ephemeral_to, channel=message.channel)
            self._parent_changed(message)

    def react(self, message: Message, user: str, name: str) -> None:
        with self.changed:
            users = message.reactions.setdefault(name, [])
            if user in users:
                raise SlackError("already_reacted")
            users.append(user)
            self.emit("changed", self.message_json(message), channel=message.channel)

    def _parent_changed(self, message: Message) -> None:
        if message.thread_ts and message.ephemeral_to is None:
            for parent in self.messages[message.channel]:
                if parent.ts == message.thread_ts:
                    self.emit("changed", self.message_json(parent), channel=message.channel)

    def _attachments(self, attachments: list[Json]) -> list[Json]:
        numbered = enumerate(attachments, start=1)
        return [{"id": n, **each, "blocks": redraw(each.get("blocks") or [], self.new_id)} for n, each in numbered]

    # -- shapes --------------------------------------------------------------------------------------------------

    def slack_message(self, message: Message) -> Json:
        """The message as Slack's Web API and payloads show it."""
        out: Json = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
        author = self.people[message.user]
        out["team"] = author.team_id or self.spec.team_id
        if author.kind is Kind.BOT:
            out |= {"bot_id": self.spec.bot_id, "app_id": self.spec.app_id}
        if message.blocks:
            out["blocks"] = message.blocks
        if message.attachments:
            out["attachments"] = message.attachments
        if message.edited_ts:
            out["edited"] = {"user": message.user, "ts": message.edited_ts}
        if message.metadata:
            out["metadata"] = message.metadata
        if message.files:
            out["files"] = message.files
        if message.reactions:
            out["reactions"] = [{"name": n, "users": u, "count": len(u)} for n, u in message.reactions.items()]
        replies = self.replies(message)
        if message.thread_ts or replies:
            out["thread_ts"] = message.thread_ts or message.ts
        if replies:
            people = list(dict.fromkeys(reply.user for reply in replies))
            out |= {"reply_count": len(replies), "reply_users": people, "latest_reply": replies[-1].ts}
        return out

    def message_json(self, message: Message) -> Json:
        """The message as the page receives it."""
        return {
            **self.slack_message(message),
            "channel": message.channel,
            "ephemeral": message.ephemeral_to is not None,
        }

    def channel_json(self, conversation: Conversation) -> Json:
        return {
            "id": conversation.id,
            "name": conversation.name,
            "members": list(conversation.members),
            "topic": conversation.topic,
            "private": conversation.private,
            "archived": conversation.archived,
        }

    def snapshot(self, user: str) -> Json:
        """Conversations and messages `user` sees, and the seq of the last event they contain."""
        with self.changed:
            visible = [c for c in self.conversations.values() if user in c.members]
            return {
                "epoch": self.epoch,
                "seq": len(self.events),
                "channels": [self.channel_json(c) for c in visible],
                "messages": {c.id: [self.message_json(m) for m in self.visible(c.id, user)] for c in visible},
            }

    def visible(self, channel: str, user: str) -> Iterator[Message]:
        return (m for m in self.messages[channel] if m.ephemeral_to in (None, user))

    def mentions(self, text: str) -> str:
        """Turn @name and #channel of typed, escaped text into Slack's mentions."""
        handles: dict[str, str] = {person.name: f"<@{person.id}>" for person in self.spec.people}
        handles |= {group.handle: f"<!subteam^{group.id}>" for group in self.usergroups.values()}
        handles |= {word: f"<!{word}>" for word in ("here", "channel", "everyone")}
        rooms = {c.name: f"<#{c.id}>" for c in self.conversations.values() if not c.private}

        def at(found: re.Match[str]) -> str:
            return (handles if found[1] == "@" else rooms).get(found[2], found[0])

        return re.sub(r"(?<![\w&])([@#])([\w-]+)", at, text)


def as_list(value: Any) -> list[Any]:
    """A list, or nothing."""
    return value if isinstance(value, list) else []
