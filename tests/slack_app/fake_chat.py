"""Slack as ``ports.Chat`` in memory: refuses, fails and dies on request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from local.slack.checks import check_message_blocks
from orchestrator.core.chat import Posted
from orchestrator.core.errors import ChatRefused, ChatUnavailable
from orchestrator.core.messages.blocks import File, Message


class Died(BaseException):
    """The function ends here, as when Lambda kills it: nothing after this line runs."""


@dataclass
class Shown:
    """A message in the channel."""

    channel: str
    ts: str
    key: str
    message: Message
    thread: str = ""

    @property
    def actions(self) -> list[str]:
        """action_ids of its buttons."""
        rows = [block for block in self.message.blocks if block["type"] == "actions"]
        return [element["action_id"] for row in rows for element in row["elements"]]


@dataclass
class FakeChat:
    """Every message is checked as the local Slack page checks it."""

    shown: list[Shown] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    down: bool = False
    dies_after: str = ""
    """``post``, ``update`` or ``attach``: the next one has its effect, and its answer never arrives."""
    loses_answer: bool = False
    """The next post has its effect and seems to fail."""
    refuses: dict[str, str] = field(default_factory=dict)
    """Channel → error code."""
    people_down: bool = False
    """Direct messages fail for the moment; channels work."""
    members: dict[str, str] = field(default_factory=dict)
    """Full members of the workspace: e-mail address → Slack id."""
    finds_wrong: int = 0
    """The next messages are refused as invalid_blocks."""
    files: list[tuple[Posted, File]] = field(default_factory=list)
    """Message and file of each that was put into its thread."""
    refuses_files: str = ""
    """Error code."""
    loses_files: str = ""
    """``before`` or ``after`` the next file has had its effect, the answer is lost."""

    def post(self, channel: str, message: Message, *, key: str, thread: str = "") -> Posted:
        """See ``ports.Chat``."""
        self._call("post", channel, message)
        ts = f"{len(self.shown) + 1}.000000"
        self.shown.append(Shown(channel, ts, key, message, thread))
        self._dies("post")
        if self.loses_answer:
            self.loses_answer = False
            raise ChatUnavailable("the answer did not arrive")
        return Posted(channel, ts)

    def update(self, posted: Posted, message: Message) -> None:
        """See ``ports.Chat``."""
        self._call("update", posted.channel, message)
        found = next((shown for shown in self.shown if shown.ts == posted.ts), None)
        if found is None:
            raise ChatRefused("message_not_found")
        found.message = message
        self._dies("update")

    def find(self, channel: str, key: str, *, since: str, thread: str = "") -> Posted | None:
        """See ``ports.Chat``."""
        self.calls.append("find")
        if self.down:
            raise ChatUnavailable("Slack is down")
        found = [one for one in self.shown if (one.channel, one.key, one.thread) == (channel, key, thread)]
        return Posted(channel, found[0].ts) if found else None

    def attach(self, posted: Posted, file: File) -> None:
        """See ``ports.Chat``."""
        self.calls.append("attach")
        if self.down or self.loses_files == "before":
            self.loses_files = ""
            raise ChatUnavailable("Slack is down")
        if self.refuses_files:
            raise ChatRefused(self.refuses_files)
        self.files.append((posted, file))
        self._dies("attach")
        if self.loses_files == "after":
            self.loses_files = ""
            raise ChatUnavailable("the answer did not arrive")

    def has_file(self, posted: Posted, name: str, *, since: str) -> bool:
        """See ``ports.Chat``."""
        self.calls.append("has_file")
        if self.down:
            raise ChatUnavailable("Slack is down")
        return any(where == posted and file.name == name for where, file in self.files)

    def link(self, posted: Posted) -> str:
        """See ``ports.Chat``."""
        self.calls.append("link")
        if self.down:
            raise ChatUnavailable("Slack is down")
        return f"https://acme.slack.test/archives/{posted.channel}/p{posted.ts.replace('.', '')}"

    def direct(self, slack_ids: Sequence[str], email: str, workspace: str) -> str:
        """See ``ports.Chat``."""
        self.calls.append("direct")
        if self.down or self.people_down:
            raise ChatUnavailable("Slack is down")
        if "direct" in self.refuses:
            raise ChatRefused(self.refuses["direct"])
        known = [user for user in (*slack_ids, self.members.get(email, "")) if user in self.members.values()]
        return f"D{known[0]}" if known else ""

    def _call(self, what: str, channel: str, message: Message) -> None:
        self.calls.append(what)
        if self.down:
            raise ChatUnavailable("Slack is down")
        if channel in self.refuses:
            raise ChatRefused(self.refuses[channel])
        if self.finds_wrong:
            self.finds_wrong -= 1
            raise ChatRefused("invalid_blocks")
        problems = check_message_blocks(list(message.blocks))
        assert not problems, problems

    def _dies(self, what: str) -> None:
        if self.dies_after == what:
            self.dies_after = ""
            raise Died

    @property
    def messages(self) -> list[Shown]:
        """Messages that are no replies."""
        return [shown for shown in self.shown if not shown.thread and not shown.channel.startswith("DU")]

    @property
    def direct_messages(self) -> list[Shown]:
        """What people were told in a direct message."""
        return [shown for shown in self.shown if shown.channel.startswith("DU")]

    @property
    def replies(self) -> list[Shown]:
        """Replies in threads."""
        return [shown for shown in self.shown if shown.thread]
