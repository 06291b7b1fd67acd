"""What the app asks of Slack: every method of the Web API that it calls, and the scopes of its bot token with why.

The one list behind ``slack_app/manifest.yaml`` (what an installation asks a workspace for), ``mlops doctor`` (what a
token has and lacks) and the tests, which hold it against the calls in the sources. Facts: each method's page in
docs.slack.dev/reference/methods; a ``conversations.*`` method needs the scope of the kind of channel it is asked about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """A scope of the bot token."""

    why: str
    """What the app does by it, and what is lost without it."""
    needed: bool = True
    """Whether people cannot work without it; else something small is lost."""


SCOPES: Mapping[str, Scope] = {
    "chat:write": Scope("posts the message of each release, keeps it current, and answers people privately"),
    "commands": Scope("receives /mlops"),
    "users:read": Scope("looks up who clicked: a full member of this workspace, no guest, nobody who has left"),
    "users:read.email": Scope("recognises people whom the settings name by e-mail"),
    "usergroups:read": Scope(
        "looks up at each vote who is in a user group that a role of the settings names; without it nobody counts as a "
        "member of one",
        needed=False,
    ),
    "channels:read": Scope("finds a public channel by its name, and sees whether the app is in it", needed=False),
    "groups:read": Scope("the same for a private channel", needed=False),
    "channels:history": Scope(
        "finds a message again that was posted and not noted, because a function died in between; without it a second "
        "one is posted then",
        needed=False,
    ),
    "groups:history": Scope("the same in a private channel", needed=False),
    "files:write": Scope(
        "puts a plan that is too long for a message into its thread as a file; without it the message says where else "
        "the plan can be seen",
        needed=False,
    ),
    "im:write": Scope(
        "tells whoever asked for a release what became of it, in a direct message; without it only the channel is told",
        needed=False,
    ),
}
"""In the manifest's order."""

_CHANNELS = frozenset({"channels:read", "groups:read"})
_HISTORY = frozenset({"channels:history", "groups:history"})

METHODS: Mapping[str, frozenset[str]] = {
    "auth.test": frozenset(),
    "chat.getPermalink": frozenset(),
    "chat.postEphemeral": frozenset({"chat:write"}),
    "chat.postMessage": frozenset({"chat:write"}),
    "chat.update": frozenset({"chat:write"}),
    "conversations.history": _HISTORY,
    "conversations.info": _CHANNELS,
    "conversations.list": _CHANNELS,
    "conversations.open": frozenset({"im:write"}),
    "conversations.replies": _HISTORY,
    "files.completeUploadExternal": frozenset({"files:write"}),
    "files.getUploadURLExternal": frozenset({"files:write"}),
    "usergroups.users.list": frozenset({"usergroups:read"}),
    "users.conversations": _CHANNELS,
    "users.info": frozenset({"users:read", "users:read.email"}),
    "users.lookupByEmail": frozenset({"users:read.email"}),
    "views.open": frozenset(),
    "views.publish": frozenset(),
    "views.update": frozenset(),
}
"""Method → scopes. ``users.info`` tells an account's e-mail address only with the second."""

OF_NO_METHOD = frozenset({"commands"})
"""Scopes by which Slack sends something, rather than answers."""


def methods_of(scope: str) -> tuple[str, ...]:
    """The methods that a scope is for."""
    return tuple(sorted(method for method, scopes in METHODS.items() if scope in scopes))
