"""Who did what: a person, not a string.

One human has an e-mail address, a Slack id, an IAM principal or session name and a Git e-mail. The setting ``people``
joins them, so that "the requester may not approve" holds whichever way somebody comes in. What AWS or Slack
has authenticated is *verified*; what a Git author or an object's metadata says is a claim and shown as one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

IDENTITY_CENTER = "AWSReservedSSO_"
"""How the roles of IAM Identity Center are called (IAM Identity Center User Guide, "Referencing permission sets")."""

_ROLE = re.compile(r"arn:([a-z-]+):iam::([0-9]*):role/(?:[^/]+/)*([^/]+)")
_SESSION = re.compile(r"arn:([a-z-]+):sts::([0-9]*):assumed-role/([^/]+)/[^/]+")
"""Both give partition, account and role name; what a stranger claims to be has any shape."""
_ARN = re.compile(
    r"arn:[a-z-]+:(iam|sts)::([0-9]{12}):(role|user|assumed-role)/((?:[\w+=,.@-]+/)*[\w+=,.@-]+)", re.ASCII
)
"""Names of roles, users and sessions, and their paths as people give them (IAM API Reference, CreateRole; STS API
Reference, AssumeRole)."""


_USER_GROUP = re.compile(r"S[A-Z0-9]{4,20}")
"""Id of a Slack user group (Slack: the group's ⋯ → Copy group ID), which stays when people give it another handle."""


class IdentityKind(StrEnum):
    """Where an identity comes from."""

    SLACK = "slack"
    IAM = "iam"
    EMAIL = "email"
    GIT = "git"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Identity:
    """One name of somebody: a Slack id, an IAM principal's ARN, an e-mail address."""

    kind: IdentityKind
    value: str
    verified: bool

    def __str__(self) -> str:
        return self.value


UNKNOWN = Identity(IdentityKind.UNKNOWN, "unknown", verified=False)


@dataclass(frozen=True)
class Person:
    """A human of the ``people`` map. ``email`` is the key; the others are further names of the same human."""

    email: str
    name: str
    slack_ids: tuple[str, ...] = ()
    iam_principals: tuple[str, ...] = ()
    git_emails: tuple[str, ...] = ()

    def goes_by(self, identity: Identity) -> bool:
        """Whether the identity is one of this person's names."""
        value = identity.value
        match identity.kind:
            case IdentityKind.SLACK:
                return value in self.slack_ids
            case IdentityKind.IAM:
                return any(same_principal(known, value) for known in self.iam_principals)
            case IdentityKind.EMAIL:
                return value.lower() == self.email.lower()
            case IdentityKind.GIT:
                return value.lower() in {e.lower() for e in (self.email, *self.git_emails)}
            case IdentityKind.UNKNOWN:
                return False


@dataclass(frozen=True)
class People:
    """The ``people`` map of the settings."""

    everybody: tuple[Person, ...] = ()

    def find(self, identity: Identity) -> Person | None:
        """The person who goes by this identity, or None."""
        return next((person for person in self.everybody if person.goes_by(identity)), None)

    def key(self, identity: Identity) -> str:
        """One comparable key for a human: the person's e-mail, or the identity itself when nobody is known by it."""
        person = self.find(identity)
        return person.email.lower() if person else f"{identity.kind}:{identity.value}"

    def display(self, identity: Identity) -> str:
        """A name to show; a claim is marked."""
        person = self.find(identity)
        if identity.kind is IdentityKind.UNKNOWN:
            return "unknown"
        shown = person.name if person else principal_name(identity.value)
        return shown if identity.verified else f"{shown} (unverified)"


def is_group(member: str) -> bool:
    """Whether a member of a role is a Slack user group, rather than one human."""
    return _USER_GROUP.fullmatch(member) is not None


def principal_name(value: str) -> str:
    """The readable end of an ARN (``arn:aws:sts::1:assumed-role/Admin/ana`` → ``ana``); other strings as they are."""
    return value.rsplit("/", 1)[-1] if value.startswith("arn:") else value


def same_principal(known: str, seen: str) -> bool:
    """Compare a configured IAM principal with one that called.

    A configured bare word is a user name of IAM Identity Center, which names the sessions of its own roles by it.
    Whoever assumes any other role chooses the session's name: such a session counts only when its ARN is configured.
    A configured role ARN matches its assumed-role sessions (``arn:aws:iam::1:role/path/R`` ~
    ``arn:aws:sts::1:assumed-role/R/any-session``): STS drops the path.
    """
    if known == seen:
        return True
    session = _SESSION.fullmatch(seen)
    if not known.startswith("arn:"):
        named = session is not None and session[3].startswith(IDENTITY_CENTER)
        return named and seen.rsplit("/", 1)[-1] == known
    role = _ROLE.fullmatch(known)
    return role is not None and session is not None and role.groups() == session.groups()


@dataclass(frozen=True)
class Principal:
    """A role, a user, or one session of a role, by its ARN."""

    arn: str
    account: str
    name: str
    """Of the role or user, without its path."""
    session: str = ""
    """Of a session; empty for a role or user as a whole."""


def principal_of(arn: str) -> Principal | None:
    """The principal of this ARN; None for anything else, an account's root and patterns among it."""
    found = _ARN.fullmatch(arn)
    if found is None:
        return None
    service, account, kind, rest = found.groups()
    parts = rest.split("/")
    if (service, kind) == ("sts", "assumed-role"):
        return Principal(arn, account, *parts) if len(parts) == 2 else None
    return Principal(arn, account, parts[-1]) if service == "iam" and kind in {"role", "user"} else None
