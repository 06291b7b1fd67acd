"""A workspace, a request URL, stages and subscriptions in memory, all well until a test says otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.core.examination.ports import App, Channel, Reply, Role, Subscription
from orchestrator.core.installation import Installation
from orchestrator.core.slack_methods import SCOPES
from orchestrator.core.stage_roles import ASSUMED_BY, SERVICE, function_role_arn

TEAM = "T0ACME"
TOKEN = "xoxb-of-the-bot"
SIGNING = "8f742231b10e8888abcd99baddadba5e"
SECRET = json.dumps({"bot_token": TOKEN, "signing_secret": SIGNING})


def account(user: str, **changes: Any) -> dict[str, Any]:
    """A full member of the workspace, as users.info has it."""
    return {"id": user, "team_id": TEAM, "name": user.removeprefix("U0").lower(), "deleted": False, **changes}


@dataclass
class FakeWorkspace:
    """See ``examination.ports.Workspace``; an exception in the place of an answer is raised."""

    told: Any = field(default_factory=lambda: App(TEAM, "Acme ML", "mlops", frozenset(SCOPES)))
    channels: dict[str, Any] = field(
        default_factory=lambda: {"ml-releases": Channel("C0RELEASES", "ml-releases", is_member=True)}
    )
    accounts: dict[str, Any] = field(default_factory=dict)
    by_email: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, Any] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)

    def __call__(self, token: str) -> FakeWorkspace:
        """Stands for the class."""
        self.tokens.append(token)
        return self

    def app(self) -> App:
        """See the port."""
        found: App = _said(self.told)
        return found

    def channel(self, named: str) -> Channel | None:
        """See the port."""
        found: Channel | None = _said(self.channels.get(named))
        return found

    def account(self, user: str) -> Mapping[str, Any] | None:
        """See the port."""
        found: Mapping[str, Any] | None = _said(self.accounts.get(user, account(user)))
        return found

    def account_of(self, email: str) -> Mapping[str, Any] | None:
        """See the port."""
        found: Mapping[str, Any] | None = _said(self.by_email.get(email))
        return found

    def members(self, group: str) -> frozenset[str] | None:
        """See the port."""
        found: frozenset[str] | None = _said(self.groups.get(group))
        return found


def _said(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer


@dataclass
class FakeFront:
    """See ``examination.ports.Front``; a front that knows one signing secret."""

    signing_secret: str = SIGNING
    answers: list[Reply] = field(default_factory=list)
    """What it answers instead; used up from the front."""

    def url_verification(self, challenge: str, signing_secret: str) -> Reply:
        """See the port."""
        if self.answers:
            return self.answers.pop(0)
        if signing_secret != self.signing_secret:
            return Reply(401)
        return Reply(200, json.dumps({"challenge": challenge}))


def trust(installation: Installation, functions: Sequence[str]) -> dict[str, Any]:
    """A trust policy as ``stacks/stage_roles.py`` writes it."""
    arns = [function_role_arn(installation.partition, installation.account, name) for name in functions]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{installation.account}:root"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "ArnLike": {"aws:PrincipalArn": arns},
                    "StringEquals": {"sts:ExternalId": installation.external_id},
                },
            }
        ],
    }


CLOUDFORMATION = {
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "cloudformation.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
}


@dataclass
class FakeStages:
    """See ``examination.ports.StageRoles``; ``changed`` has other roles, or an exception, by stage."""

    installation: Installation
    changed: dict[str, Any] = field(default_factory=dict)

    def roles(self, stage: str, names: Sequence[str]) -> tuple[Role, ...]:
        """See the port."""
        if stage in self.changed:
            found: tuple[Role, ...] = _said(self.changed[stage])
            return found
        return good_roles(self.installation, names)


def good_roles(installation: Installation, names: Sequence[str] = (*ASSUMED_BY, SERVICE)) -> tuple[Role, ...]:
    """The roles as the stage's stack makes them."""
    return tuple(
        Role(name, CLOUDFORMATION if name == SERVICE else trust(installation, ASSUMED_BY[name])) for name in names
    )


@dataclass
class FakeSubscriptions:
    """See ``examination.ports.Subscriptions``."""

    everybody: tuple[Subscription, ...] = (Subscription("email", "ml-team@example.com", confirmed=True),)

    def all(self) -> tuple[Subscription, ...]:
        """See the port."""
        return self.everybody
