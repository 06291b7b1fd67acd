"""Which scopes a method needs, and what Slack answers a token that lacks them.

Facts: the scopes of a bot token on each method's page of docs.slack.dev/reference/methods. A ``conversations.*`` method
needs the scope of the kind of conversation it is about; of a list, that of each kind that is asked for. Every answer
carries the token's scopes in ``X-OAuth-Scopes``, and those that the method takes in ``X-Accepted-OAuth-Scopes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from local.slack.arguments import Arguments
from local.slack.schema import Json
from local.slack.workspace import Conversation, SlackError, Workspace

KINDS: Final = ("channels", "groups", "im", "mpim")
"""Of conversations: public and private channels, direct messages with one and with several people."""

FIXED: Final[Mapping[str, tuple[str, ...]]] = {
    "auth.test": (),
    "chat.delete": ("chat:write",),
    "chat.getPermalink": (),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.open": ("im:write",),
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "reactions.add": ("reactions:write",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "users.info": ("users:read",),
    "users.list": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
    "views.open": (),
    "views.publish": (),
    "views.push": (),
    "views.update": (),
}
"""Methods whose scopes do not depend on what they are about."""

BY_KIND: Final[Mapping[str, str]] = {
    "conversations.history": "history",
    "conversations.info": "read",
    "conversations.list": "read",
    "conversations.members": "read",
    "conversations.replies": "history",
    "users.conversations": "read",
}
"""Methods that need ``channels:…``, ``groups:…``, ``im:…`` or ``mpim:…``."""

EMAIL: Final = "users:read.email"
"""Without it Slack tells of an account everything but its address."""

_TYPES: Final = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}


class MissingScope(SlackError):
    """``missing_scope``, with what is needed and what the token has."""

    def __init__(self, needed: str, granted: tuple[str, ...]) -> None:
        super().__init__("missing_scope")
        self.facts: Json = {"needed": needed, "provided": ",".join(granted)}


def accepted(method: str) -> tuple[str, ...]:
    """Scopes that a method takes, any of them."""
    if method in BY_KIND:
        return tuple(f"{kind}:{BY_KIND[method]}" for kind in KINDS)
    return FIXED.get(method, ())


def check(method: str, arguments: Arguments, workspace: Workspace, granted: tuple[str, ...]) -> None:
    """Raise ``MissingScope`` where the token may not call the method about this."""
    for scope in _needed(method, arguments, workspace):
        if scope not in granted:
            raise MissingScope(scope, granted)


def _needed(method: str, arguments: Arguments, workspace: Workspace) -> tuple[str, ...]:
    if method not in BY_KIND:
        return FIXED.get(method, ())
    if method in ("conversations.list", "users.conversations"):
        asked = (arguments.optional("types") or "public_channel").split(",")
        kinds = [_TYPES[kind.strip()] for kind in asked if kind.strip() in _TYPES]
    else:
        conversation = workspace.conversations.get(arguments.optional("channel") or "")
        kinds = [_kind(conversation)] if conversation else []
    return tuple(f"{kind}:{BY_KIND[method]}" for kind in kinds)


def _kind(conversation: Conversation) -> str:
    if conversation.is_im:
        return "im"
    if conversation.name.startswith("mpdm-"):
        return "mpim"
    return "groups" if conversation.private else "channels"
