"""What the Web API's methods work on."""

from __future__ import annotations

from dataclasses import dataclass, field

from local.slack.faults import FaultBox
from local.slack.files import Files
from local.slack.schema import Json, Problem
from local.slack.views import Views
from local.slack.workspace import Conversation, SlackError, Workspace


@dataclass(frozen=True)
class Api:
    """The workspace, its views, the faults in force, and where this page is (http://127.0.0.1:PORT)."""

    workspace: Workspace
    views: Views
    faults: FaultBox
    base_url: str
    files: Files = field(default_factory=Files)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the bot token has just now."""
        missing = self.faults.now.missing_scopes
        return tuple(scope for scope in self.workspace.spec.scopes if scope not in missing)

    def writable(self, conversation: Conversation) -> Conversation:
        """Refuse archived channels and channels the app is not in."""
        if conversation.archived or conversation.id in self.faults.now.archived:
            raise SlackError("is_archived")
        if self.workspace.spec.bot.id not in conversation.members:
            raise SlackError("not_in_channel")
        return conversation

    def readable(self, channel: str) -> Conversation:
        """Refuse channels the app is not in."""
        conversation = self.workspace.conversation(channel)
        if self.workspace.spec.bot.id not in conversation.members:
            raise SlackError("not_in_channel")
        return conversation

    def page(self, rows: list[Json], limit: int, cursor: str | None) -> tuple[list[Json], Json]:
        """One page of rows and the response_metadata that leads to the next."""
        try:
            start = int(cursor or 0)
        except ValueError as error:
            raise SlackError("invalid_cursor") from error
        after = start + limit
        return rows[start:after], {"next_cursor": str(after) if after < len(rows) else ""}


def refuse(problems: list[Problem], code: str) -> None:
    """Raise SlackError when there are problems."""
    if problems:
        raise SlackError(code, *(str(problem) for problem in problems))
