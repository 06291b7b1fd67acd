"""What an installation is set to: the part of the settings that running functions need.

The stacks build it from the context of ``cdk.json`` and store it as one JSON document in an SSM parameter; functions
load it on their first call. ``to_json`` and ``from_json`` are each other's inverse.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from orchestrator.core.people import People, Person

Mode = Literal["single", "multi"]

DEFAULT_EXPIRY_HOURS = 72
PIPELINE_EXPIRY_HOURS = 24 * 27
"""The longest that people are asked where a CodePipeline waits for them: its approval ends after 60 days, and begins
with the end of the stage before, whose job may take 32 of them."""

Provider = Literal["codecommit", "connection"]

Engine = Literal["cloudformation", "codepipeline"]

ORCHESTRATOR = "orchestrator"
"""Name of the one stage of types that run in the orchestrator's own account, in an installation of several accounts."""


@dataclass(frozen=True)
class Reminders:
    """When those who have not decided yet are called once more; each pause is twice as long as the one before."""

    after_hours: int
    """From the question to the first reminder."""
    at_most: int
    """How many there are; those that would come after the question has expired are not sent."""


MAX_REMINDERS = 10
"""Each pause is twice as long as the one before: ten of them take at least six weeks."""

DEFAULT_REMINDERS = Reminders(after_hours=8, at_most=3)
"""After 8, 24 and 56 hours."""


@dataclass(frozen=True)
class ApprovalPolicy:
    """Who must approve before a stage is deployed.

    ``any_of`` lists alternatives; an alternative says how many persons of each role. Roles name people by e-mail
    (keys of ``people``), Slack ids, Slack user groups or IAM principals.
    """

    any_of: tuple[tuple[tuple[str, int], ...], ...]
    expires_after_hours: int = DEFAULT_EXPIRY_HOURS
    requester_may_approve: bool = False
    reminders: Reminders | None = None
    """None: nothing is said of them, so ``DEFAULT_REMINDERS`` hold unless another policy says something."""
    do_not_ping: tuple[str, ...] = ()
    """Roles, and members as the roles name them, who may approve and are not called."""


@dataclass(frozen=True)
class StageSettings:
    """One stage: its account, and the policy of its approval (None: deployed without asking)."""

    name: str
    account: str
    approval: ApprovalPolicy | None = None


@dataclass(frozen=True)
class Repository:
    """A Git repository of which one branch's configurations are released."""

    name: str
    """CodeCommit's name of it; behind a connection, what the installation calls it."""
    branch: str
    provider: Provider = "codecommit"
    connection_arn: str = ""
    """Of the connection to GitHub, GitLab or Bitbucket."""
    repository: str = ""
    """``owner/name`` there."""


@dataclass(frozen=True)
class ChannelRoute:
    """Which workloads are told in which channel, see ``routing``."""

    workloads: tuple[str, ...]
    """Names, with ``*``, ``?`` and ``[…]`` as in file names; any of them."""
    channel: str
    types: tuple[str, ...] = ()
    """Workload types; empty: any."""


@dataclass(frozen=True)
class Installation:
    """The settings of one installation, as functions see them."""

    mode: Mode
    region: str
    partition: str
    account: str
    """The orchestrator's own account number."""
    external_id: str
    """Demanded by the stage roles' trust policies; guards against a confused deputy, is no secret."""
    stages: tuple[StageSettings, ...]
    roles: Mapping[str, tuple[str, ...]]
    """Approver roles: name → members (e-mails of ``people``, Slack ids, Slack user groups, IAM principals)."""
    people: People
    slack_channel: str
    slack_api_url: str = "https://slack.com/api/"
    """``https://slack-gov.com/api/`` for GovSlack."""
    slack_pace: int = 1
    """How many times the rates that Slack publishes the workspace allows."""
    slack_team: str = ""
    """Id of the workspace; a click from another one is refused. Empty: the workspace of the bot token."""
    model_registry: bool = False
    orchestrator_approval: ApprovalPolicy | None = None
    """Who approves what runs in the orchestrator's own account (training, images); None: deployed without asking."""
    detailed_errors: bool = True
    """Whether people are told AWS's own words about a failure; if not, only where the owner finds them."""
    repositories: tuple[Repository, ...] = ()
    """Git repositories whose commits start releases."""
    channels: tuple[ChannelRoute, ...] = ()
    """Channels of some workloads; the first that fits."""
    direct_messages: bool = True
    """Whether whoever asked for a release hears in a direct message what became of it."""
    deploy_engine: Engine = "cloudformation"
    """What makes and executes change sets: we ourselves, or a CodePipeline of each workload."""

    def stage(self, name: str) -> StageSettings:
        """The stage's settings; KeyError names an unknown stage."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        if name == ORCHESTRATOR and self.mode == "multi":
            return StageSettings(ORCHESTRATOR, self.account, self.orchestrator_approval)
        raise KeyError(f"no stage {name!r} in this installation (stages: {', '.join(self.stage_names)})")

    def has_stage(self, name: str) -> bool:
        """Whether ``stage`` knows it."""
        return name in self.stage_names or (name == ORCHESTRATOR and self.mode == "multi")

    def stages_of(self, runs_in: str) -> tuple[str, ...]:
        """The stages through which a type's releases go, by the type's ``runs_in``."""
        return (ORCHESTRATOR,) if runs_in == ORCHESTRATOR and self.mode == "multi" else self.stage_names

    @property
    def deploys_by_pipelines(self) -> bool:
        """Whether a CodePipeline of each workload makes and executes the change sets."""
        return self.deploy_engine == "codepipeline"

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Stage names in the order of deployment."""
        return tuple(stage.name for stage in self.stages)

    def watched(self, provider: Provider, name: str) -> Repository | None:
        """The repository of this name, or None where its commits start nothing."""
        known = (one for one in self.repositories if (one.provider, one.name) == (provider, name))
        return next(known, None)

    def role_arn(self, stage: str, role: str) -> str:
        """ARN of a role that the stage stack makes in its account: mlops-deploy, mlops-observe or mlops-run-job."""
        return f"arn:{self.partition}:iam::{self.stage(stage).account}:role/mlops/{role}"

    def to_json(self) -> str:
        """One JSON document, keys sorted, so that an unchanged installation is an unchanged parameter."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Installation:
        """Read what ``to_json`` wrote, also of another version: settings and functions do not change at one moment."""
        known = {field.name for field in fields(cls)}
        raw: dict[str, Any] = {name: value for name, value in json.loads(text).items() if name in known}
        own = raw.get("orchestrator_approval")
        return cls(
            **{
                **raw,
                "orchestrator_approval": None if own is None else _policy(own),
                "stages": tuple(_stage(stage) for stage in raw["stages"]),
                "roles": {name: tuple(members) for name, members in raw["roles"].items()},
                "people": People(tuple(_person(person) for person in raw["people"]["everybody"])),
                "repositories": tuple(Repository(**one) for one in raw.get("repositories", ())),
                "channels": tuple(_route(one) for one in raw.get("channels", ())),
            }
        )


def _stage(raw: dict[str, Any]) -> StageSettings:
    policy = raw["approval"]
    return StageSettings(raw["name"], raw["account"], None if policy is None else _policy(policy))


def _route(raw: dict[str, Any]) -> ChannelRoute:
    return ChannelRoute(tuple(raw["workloads"]), raw["channel"], tuple(raw["types"]))


def _policy(raw: dict[str, Any]) -> ApprovalPolicy:
    any_of = tuple(tuple((role, count) for role, count in alternative) for alternative in raw["any_of"])
    reminders = raw.get("reminders")
    return ApprovalPolicy(
        any_of,
        raw["expires_after_hours"],
        raw["requester_may_approve"],
        None if reminders is None else Reminders(**reminders),
        tuple(raw.get("do_not_ping", ())),
    )


def _person(raw: dict[str, Any]) -> Person:
    return Person(
        raw["email"],
        raw["name"],
        tuple(raw["slack_ids"]),
        tuple(raw["iam_principals"]),
        tuple(raw["git_emails"]),
    )
