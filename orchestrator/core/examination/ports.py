"""What the checks need from the world. Every method may raise ``StepFailed`` and ``TryAgain`` of the core's errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class App:
    """Whom a bot token is of (auth.test)."""

    team_id: str
    team: str
    bot: str
    scopes: frozenset[str] | None
    """What the token has; None where Slack did not say."""
    enterprise_id: str = ""
    """Of the organisation that the workspace is of; empty: none."""


@dataclass(frozen=True)
class Channel:
    """A channel of the workspace, as the app sees it."""

    id: str
    name: str
    is_member: bool
    is_archived: bool = False
    is_private: bool = False
    is_shared: bool = False
    """Whether people of other workspaces are in it."""


class Workspace(Protocol):
    """Slack, with the bot token. Raises ``ChatUnavailable``, and ``ChatRefused`` with Slack's code."""

    def app(self) -> App:
        """Whom the token is of."""
        ...

    def channel(self, named: str) -> Channel | None:
        """The channel of this name or id; None where the app sees none."""
        ...

    def account(self, user: str) -> Mapping[str, Any] | None:
        """The account of this id, as users.info has it; None where there is none."""
        ...

    def account_of(self, email: str) -> Mapping[str, Any] | None:
        """The account with this address; None where there is none that is not deactivated."""
        ...

    def members(self, group: str) -> frozenset[str] | None:
        """Ids of the user group's members whose accounts are in use; None where there is no such group."""
        ...


@dataclass(frozen=True)
class Reply:
    """What an address answered; status 0 where it was not reached, and ``body`` says then why."""

    status: int
    body: str = ""


class Front(Protocol):
    """The request URL, called as Slack calls it."""

    def url_verification(self, challenge: str, signing_secret: str) -> Reply:
        """Ask it to repeat a challenge, signed by this secret."""
        ...


@dataclass(frozen=True)
class Role:
    """A role of the product's own in a stage's account."""

    name: str
    trust: Mapping[str, Any] | None
    """Its trust policy; None where there is no such role."""


class StageRoles(Protocol):
    """The roles of a stage's account, seen through the one that may look."""

    def roles(self, stage: str, names: Sequence[str]) -> tuple[Role, ...]:
        """These roles; raises ``AccessDenied`` where the observing role cannot be assumed."""
        ...


@dataclass(frozen=True)
class Subscription:
    """Somebody who gets what the topic says."""

    protocol: str
    endpoint: str
    confirmed: bool


class Subscriptions(Protocol):
    """Who is subscribed to the installation's topic."""

    def all(self) -> tuple[Subscription, ...]:
        """Everybody."""
        ...
