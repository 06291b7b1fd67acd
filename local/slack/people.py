"""Who and what a workspace starts with: people, channels, user groups, the app's slash commands.

`default_spec()` is a small team that can try every rule of an approval: an engineer who asks, an owner, a risk
officer and a platform owner who decide, a guest and a partner from another company who may not.
`load_spec(path)` reads the same from a JSON file; every problem of the file is reported at once, each with its
path in the file. The file's keys are the field names of the dataclasses below:

    {"name": "Acme ML",
     "people": [{"id": "U0ANA", "name": "ana", "real_name": "Ana Silva", "email": "ana@example.com"},
                {"id": "U0APP", "name": "mlops", "real_name": "MLOps Orchestrator", "kind": "bot"}],
     "channels": [{"id": "C0REL", "name": "ml-releases", "members": ["U0ANA", "U0APP"]}]}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

SCOPES = (
    *("chat:write", "commands", "users:read", "users:read.email", "usergroups:read"),
    *("channels:read", "groups:read", "channels:history", "groups:history", "files:write", "im:write"),
)
"""What ``slack_app/manifest.yaml`` asks a workspace for; a test compares."""


class Kind(StrEnum):
    """What a member of the workspace is; Slack tells apps through several booleans, this is their source."""

    MEMBER = "member"
    ADMIN = "admin"
    GUEST = "guest"  # Slack's multi-channel guest: is_restricted
    BOT = "bot"  # the app itself
    PARTNER = "partner"  # from another team, over Slack Connect
    DELETED = "deleted"  # deactivated: may not act, still found by id


@dataclass(frozen=True)
class Person:
    """One member. `name` is the handle people type after @; `team_id` differs for partners only."""

    id: str
    name: str
    real_name: str
    email: str = ""
    title: str = ""
    colour: str = "#4a5568"
    kind: Kind = Kind.MEMBER
    team_id: str = ""
    tz: str = "Europe/Lisbon"

    @property
    def initials(self) -> str:
        words = self.real_name.split()
        return "".join(word[0] for word in (words[0], words[-1]))[:2].upper() if len(words) > 1 else self.real_name[:2]

    @property
    def may_act(self) -> bool:
        """Whether somebody can sit in front of Slack as this member."""
        return self.kind not in (Kind.BOT, Kind.DELETED)


@dataclass(frozen=True)
class Channel:
    """A public or private channel; direct messages come into being when first opened."""

    id: str
    name: str
    members: tuple[str, ...]
    topic: str = ""
    private: bool = False


@dataclass(frozen=True)
class Usergroup:
    """A user group, mentioned as <!subteam^ID>."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """A slash command the app has registered."""

    name: str
    hint: str = ""
    description: str = ""


@dataclass(frozen=True)
class WorkspaceSpec:
    """Everything a workspace starts with. Exactly one person is of kind bot: the app."""

    people: tuple[Person, ...]
    channels: tuple[Channel, ...]
    usergroups: tuple[Usergroup, ...] = ()
    commands: tuple[Command, ...] = (
        Command(
            "/mlops",
            "status | release | approve | reject | withdraw | rollback | why | history | help",
            "Releases of machine-learning workloads",
        ),
    )
    name: str = "Acme ML"
    domain: str = "acme-ml"
    team_id: str = "T0ACME"
    app_id: str = "A0MLOPS"
    bot_id: str = "B0MLOPS"
    scopes: tuple[str, ...] = SCOPES
    """Of the bot token: what the app was installed with."""

    @property
    def bot(self) -> Person:
        return next(person for person in self.people if person.kind is Kind.BOT)


class WorkspaceFileError(ValueError):
    """The workspace file cannot be used; `problems` lists every reason as "path: sentence"."""

    def __init__(self, source: str, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))


def default_spec() -> WorkspaceSpec:
    """The workspace people meet when they give no file."""
    everybody = ("U0ANA", "U0BEN", "U0CHLOE", "U0DEV", "U0APP")
    return WorkspaceSpec(
        people=(
            Person("U0ANA", "ana", "Ana Silva", "ana@example.com", "ML engineer", "#b45309"),
            Person("U0BEN", "ben", "Ben Okafor", "ben@example.com", "ML owner", "#1d4ed8"),
            Person("U0CHLOE", "chloe", "Chloé Martin", "chloe@example.com", "Risk officer", "#a21caf"),
            Person("U0DEV", "dev", "Dev Patel", "dev@example.com", "Platform owner", "#15803d", Kind.ADMIN),
            Person("U0GUS", "gus", "Gus Lind", "gus@example.com", "Contractor (guest)", "#525252", Kind.GUEST),
            Person(
                "U0PIA",
                "pia",
                "Pia Roth",
                "pia@partner.example",
                "Partner company",
                "#be123c",
                Kind.PARTNER,
                "T0PARTNER",
            ),
            Person("U0APP", "mlops", "MLOps Orchestrator", "", "Releases and approvals", "#0f766e", Kind.BOT),
        ),
        channels=(
            Channel("C0RELEASES", "ml-releases", (*everybody, "U0GUS", "U0PIA"), "Releases and their approvals"),
            Channel("C0PLATFORM", "ml-platform", everybody, "Installing and running the platform"),
            Channel("C0RANDOM", "coffee", everybody[:4], "Everything else; the app is not in here"),
        ),
        usergroups=(
            Usergroup("S0OWNERS", "ml-owners", "ML owners", ("U0BEN", "U0DEV")),
            Usergroup("S0RISK", "risk", "Risk", ("U0CHLOE",)),
        ),
    )


def load_spec(path: Path) -> WorkspaceSpec:
    """Read a workspace file. Raises WorkspaceFileError with every problem found."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WorkspaceFileError(str(path), [f"cannot be read: {error.strerror}"]) from error
    except ValueError as error:
        raise WorkspaceFileError(str(path), [f"is not JSON: {error}"]) from error
    return parse_spec(data, str(path))


def parse_spec(data: object, source: str = "workspace") -> WorkspaceSpec:
    """Turn decoded JSON into a checked WorkspaceSpec."""
    problems: list[str] = []
    if not isinstance(data, dict):
        raise WorkspaceFileError(source, ["must be a JSON object with people and channels"])
    _names(WorkspaceSpec, data, "", problems)
    scalars: dict[str, Any] = {
        key: value for key, value in data.items() if key in ("name", "domain", "team_id", "app_id", "bot_id")
    }
    problems += [f"{key}: must be text" for key, value in scalars.items() if not isinstance(value, str) or not value]
    lists: dict[str, Any] = {
        key: _rows(cls, data.get(key), key, problems)
        for key, cls in (("people", Person), ("channels", Channel), ("usergroups", Usergroup), ("commands", Command))
        if key in data or key in ("people", "channels")
    }
    if "scopes" in data:
        lists["scopes"] = _value("tuple", data["scopes"], "scopes", problems)
    if problems:
        raise WorkspaceFileError(source, problems)
    spec = WorkspaceSpec(**scalars, **lists)
    problems = list(_cross_checks(spec))
    if problems:
        raise WorkspaceFileError(source, problems)
    return spec


def _names(cls: type, row: Mapping[str, object], path: str, problems: list[str]) -> None:
    """Report unknown and missing keys of one object against the dataclass it becomes."""
    known = {field.name: field for field in fields(cls)}
    where = f"{path}." if path else ""
    problems += [f"{where}{key}: unknown; known are {', '.join(known)}" for key in row if key not in known]
    problems += [f"{where}{n}: missing" for n, f in known.items() if f.default is MISSING and n not in row]


def _rows(cls: type, value: object, path: str, problems: list[str]) -> tuple[Any, ...]:
    """Build the dataclasses of one list, checking each value against the type of its field."""
    if not isinstance(value, list):
        problems.append(f"{path}: must be a list")
        return ()
    built: list[Any] = []
    for index, row in enumerate(value):
        here, before = f"{path}[{index}]", len(problems)
        if not isinstance(row, dict):
            problems.append(f"{here}: must be an object")
            continue
        _names(cls, row, here, problems)
        values = {
            field.name: _value(str(field.type), row[field.name], f"{here}.{field.name}", problems)
            for field in fields(cls)
            if field.name in row
        }
        if len(problems) == before:
            built.append(cls(**values))
    return tuple(built)


def _value(kind: str, value: object, path: str, problems: list[str]) -> object:
    if kind.startswith("tuple"):
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        problems.append(f"{path}: must be a list of {'names' if path == 'scopes' else 'ids'}")
    elif kind == "bool":
        if not isinstance(value, bool):
            problems.append(f"{path}: must be true or false")
    elif not isinstance(value, str):
        problems.append(f"{path}: must be text")
    elif kind == "Kind":
        if value in tuple(Kind):
            return Kind(value)
        problems.append(f"{path}: {value!r} is not one of {', '.join(Kind)}")
    return value


def _cross_checks(spec: WorkspaceSpec) -> Iterable[str]:
    ids = [person.id for person in spec.people]
    for label, values in (
        ("people", ids),
        ("people's names", [person.name for person in spec.people]),
        ("people's e-mails", [person.email for person in spec.people if person.email]),
        ("channels", [channel.id for channel in spec.channels]),
        ("channels' names", [channel.name for channel in spec.channels]),
    ):
        yield from (f"{label}: {value} is there twice" for value in sorted(set(values)) if values.count(value) > 1)
    bots = [person.id for person in spec.people if person.kind is Kind.BOT]
    if len(bots) != 1:
        yield f"people: exactly one must have kind bot (the app itself), found {len(bots)}"
    if not any(person.may_act for person in spec.people):
        yield "people: nobody could act; add a member"
    if not spec.channels:
        yield "channels: at least one is needed"
    for person in spec.people:
        if not re.fullmatch(r"[UW][A-Z0-9]+", person.id):
            yield f"people: id {person.id!r} must be U or W and then capitals or digits"
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", person.colour):
            yield f"people {person.id}: colour {person.colour!r} must look like #1d4ed8"
        if not person.real_name.strip():
            yield f"people {person.id}: real_name must not be empty"
        if person.kind is Kind.PARTNER and person.team_id in ("", spec.team_id):
            yield f"people {person.id}: a partner needs the team_id of another team"
    for channel in spec.channels:
        if not re.fullmatch(r"[CG][A-Z0-9]+", channel.id):
            yield f"channels: id {channel.id!r} must be C or G and then capitals or digits"
        yield from (
            f"channels {channel.id}: member {user} is nobody's id" for user in channel.members if user not in ids
        )
    for group in spec.usergroups:
        yield from (f"usergroups {group.id}: user {user} is nobody's id" for user in group.users if user not in ids)
    for command in spec.commands:
        if not re.fullmatch(r"/[a-z0-9_-]{1,31}", command.name):
            yield f"commands: {command.name!r} must be a slash and then small letters"
