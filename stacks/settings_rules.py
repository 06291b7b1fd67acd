"""The part of the settings that running functions see: accounts, people, approver roles, approval policies.

Approvals fail closed: every stage after dev needs an entry in ``approvals``, a policy that can be met or a written
``null`` for "deploy without asking". What runs in the orchestrator's own account beside stages (training, images)
releases nothing to anybody, so its entry, ``orchestrator``, is optional.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from orchestrator.core.approvals import identify
from orchestrator.core.installation import (
    ApprovalPolicy,
    Engine,
    Installation,
    Mode,
    StageSettings,
)
from orchestrator.core.people import People, Person, is_group, principal_of, same_principal
from orchestrator.core.problems import did_you_mean
from orchestrator.core.regions import partition_of, region_fault
from stacks.settings_policies import read_policy
from stacks.settings_reading import Reading, shown

MULTI_STAGES = ("dev", "staging", "prod")
UNASKED = "dev"
"""The only stage that needs no entry in ``approvals``."""
OWN = "orchestrator"
"""The entry of ``approvals`` for workloads that run in the orchestrator's account, where that is no stage's."""

MODES = ("multi", "single")
ENGINES = ("cloudformation", "codepipeline")

ACCOUNT = r"\d{12}"
REGION = r"[a-z]{2}(-[a-z]+)+-\d"
STAGE_NAME = r"[a-z][a-z0-9-]{0,19}"
EXTERNAL_ID = r"[\w+=,.@:/-]{2,1224}"
"""``ExternalId`` of AssumeRole."""
ROLE_NAME = r"[a-z][a-z0-9-]{0,62}"
SLACK_USER = r"[UW][A-Z0-9]{4,20}"
SLACK_TEAM = r"[TE][A-Z0-9]{4,20}"
CHANNEL = r"[a-z0-9_-]{1,80}|[CG][A-Z0-9]{8,20}"
CHANNEL_SHAPE = 'a channel without "#", such as ml-releases, or its id'
URL = r"https?://[^\s/]+/(\S*/)?"
UNIT = r"ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32}"
"""An organizational unit, or the root (Organizations API, CreateOrganizationalUnit)."""

MAX_PARAMETER = 8192
"""Characters of an SSM parameter of the advanced tier."""


Units = Mapping[str, tuple[str, ...]]
"""Stage → organizational units that its account is in."""


def read_installation(reading: Reading) -> tuple[Installation, Units]:
    """Read and check; the problems are in ``reading.problems``."""
    before = len(reading.problems)
    mode = cast(Mode, reading.choice("mode", MODES))
    region = _region(reading)
    account = reading.text("orchestrator_account", pattern=ACCOUNT, shape="the account's 12 digits, in quotes")
    people = _people(reading)
    roles = _roles(reading, people)
    stages, units = _stages(reading, mode, account)
    policies = _approvals(reading, mode, [stage.name for stage in stages], roles, people)
    installation = Installation(
        mode=mode,
        region=region,
        partition=partition_of(region),
        account=account,
        external_id=reading.text(
            "external_id", pattern=EXTERNAL_ID, shape="2 to 1,224 letters, digits or +=,.@:/-, the same for every stage"
        ),
        stages=tuple(StageSettings(stage.name, stage.account, policies.get(stage.name)) for stage in stages),
        roles=roles,
        people=people,
        slack_channel=reading.text("slack_channel", pattern=CHANNEL, shape=CHANNEL_SHAPE),
        slack_api_url=reading.text(
            "slack_api_url",
            default="https://slack.com/api/",
            pattern=URL,
            shape='an address that ends in "/", such as https://slack.com/api/',
        ),
        slack_pace=reading.number("slack_pace", range(1, 101), default=1),
        slack_team=reading.text(
            "slack_team", default="", pattern=SLACK_TEAM, shape="a workspace's id, such as T0123456789"
        ),
        model_registry=reading.flag("model_registry", default=False),
        orchestrator_approval=policies.get(OWN) if mode == "multi" else None,
        detailed_errors=reading.flag("detailed_error_messages", default=True),
        direct_messages=reading.flag("direct_messages", default=True),
        deploy_engine=_engine(reading, region),
    )
    size = len(installation.to_json())
    if len(reading.problems) == before and size > MAX_PARAMETER:
        what = f"take {size:,} characters as one SSM parameter, which holds {MAX_PARAMETER:,}"
        reading.note("people", what, "Leave out people who are neither approvers nor requesters.")
    return installation, units


def _engine(reading: Reading, region: str) -> Engine:
    """CodePipeline's action for CloudFormation is not there in China ("AWS CloudFormation deploy action reference")."""
    engine = cast(Engine, reading.choice("deploy_engine", ENGINES, default=ENGINES[0]))
    if engine == "codepipeline" and region.startswith("cn-"):
        what = f"is codepipeline, but CodePipeline deploys no CloudFormation stacks in {region}"
        reading.note("deploy_engine", what, 'Use "cloudformation" there.')
    return engine


def _region(reading: Reading) -> str:
    """A region that has SageMaker; one of another name would fail only when the first model is deployed."""
    region = reading.text("region", pattern=REGION, shape="a region's name, such as eu-central-1")
    fault = region_fault(region, "region") if region else None
    if fault is not None:
        reading.note("region", fault.what, fault.fix)
    return region


def _people(reading: Reading) -> People:
    found: list[Person] = []
    for one in reading.objects("people", required=True):
        person = Person(
            email=one.email("email"),
            name=one.text("name"),
            slack_ids=one.texts("slack_ids", pattern=SLACK_USER, shape="a Slack user's id, such as U0123456789"),
            iam_principals=one.texts(
                "iam_principals", shape="an IAM Identity Center user name, or the ARN of a session, role or user"
            ),
            git_emails=one.texts("git_emails", pattern=r"[^@\s]+@[^@\s]+", shape="an e-mail address"),
        )
        for index, name in enumerate(person.iam_principals):
            if name.startswith("arn:") and principal_of(name) is None:
                one.note(
                    f"iam_principals[{index}]",
                    f"{shown(name)} is no ARN of one role, user or session",
                    "Write one such as arn:aws:iam::111122223333:role/MLEngineer; patterns and an account's root are "
                    "nobody.",
                )
        one.unknown_keys()
        for other in found:
            for name in sorted(set(_names(person)) & set(_names(other))):
                one.note("", f'has the name "{name}", and so has {other.email}', "A name belongs to one person.")
            for own, others in _shared_principals(person, other):
                what = f'has the principal "{own}", and "{others}" of {other.email} is the same for one who calls'
                one.note("", what, "Name single sessions, or leave the role to one person.")
        found.append(person)
    return People(tuple(found))


def _names(person: Person) -> tuple[str, ...]:
    """Every name a person goes by; one that two people share would make them one voter."""
    emails = {email.lower() for email in (person.email, *person.git_emails) if email}
    return (*sorted(emails), *person.slack_ids, *person.iam_principals)


def _shared_principals(one: Person, other: Person) -> list[tuple[str, str]]:
    """A role of one person with a session of it that is another's: whoever stands first would vote for both."""
    return [
        (mine, theirs)
        for mine in one.iam_principals
        for theirs in other.iam_principals
        if mine != theirs and (same_principal(mine, theirs) or same_principal(theirs, mine))
    ]


def _roles(reading: Reading, people: People) -> dict[str, tuple[str, ...]]:
    section = reading.object("roles", required=True)
    if section is None:
        return {}
    known = [name for person in people.everybody for name in _names(person)]
    roles: dict[str, tuple[str, ...]] = {}
    for name, _ in section.items():
        members = section.texts(
            name, shape="an e-mail of people, a Slack id, a Slack user group's id or an IAM principal"
        )
        roles[name] = members
        _check_word(section, name, ROLE_NAME, "a role's name is lower case letters, digits and hyphens")
        if not members:
            section.note(name, "has no members", "Name at least one, or remove the role.")
        for index, member in enumerate(members):
            person = people.find(identify(member))
            if is_group(member):
                if person is not None:
                    what = f"{shown(member)} is the id of a Slack user group, and a principal of {person.email}"
                    section.note(f"{name}[{index}]", what, "Name the person by the e-mail address.")
            elif person is None:
                section.note(f"{name}[{index}]", f"{shown(member)} is nobody of people", did_you_mean(member, known))
        for member, times in Counter(members).items():
            if times > 1:
                section.note(name, f"names {shown(member)} {times} times", "Name each member once.")
    return roles


def _stages(reading: Reading, mode: Mode, orchestrator: str) -> tuple[list[StageSettings], Units]:
    stages: list[StageSettings] = []
    units: dict[str, tuple[str, ...]] = {}
    for one in reading.objects("stages", required=True):
        stage = StageSettings(
            one.text("name", pattern=STAGE_NAME, shape="a stage's name in lower case, such as prod"),
            one.text("account", pattern=ACCOUNT, shape="the account's 12 digits, in quotes"),
        )
        stages.append(stage)
        units[stage.name] = _units(one)
        one.unknown_keys()
    _check_stages(reading, stages, mode, orchestrator)
    return stages, {name: ids for name, ids in units.items() if ids}


def _units(stage: Reading) -> tuple[str, ...]:
    units = stage.texts(
        "organizational_units",
        pattern=UNIT,
        shape="an organizational unit's id, such as ou-a1b2-c3d4e5f6, or the root's, such as r-a1b2",
    )
    for unit, times in Counter(units).items():
        if times > 1:
            stage.note("organizational_units", f"name {unit} {times} times", "Name each unit once.")
    return units


def _check_stages(reading: Reading, stages: Sequence[StageSettings], mode: Mode, orchestrator: str) -> None:
    names = tuple(stage.name for stage in stages)
    if not stages:
        return
    if mode == "single":
        if len(stages) > 1:
            reading.note("stages", f"has {len(stages)} stages", "A single-account installation has exactly one.")
        elif stages[0].account and orchestrator and stages[0].account != orchestrator:
            reading.note(
                "stages[0].account",
                f"is {stages[0].account}, but orchestrator_account is {orchestrator}",
                'They are one account where mode is "single".',
            )
        return
    if all(names) and names != MULTI_STAGES:
        wanted = ", ".join(MULTI_STAGES)
        reading.note("stages", f"are {', '.join(names)}", f'Where mode is "multi" they are {wanted}, in this order.')
    for account, times in Counter(stage.account for stage in stages if stage.account).items():
        if times > 1:
            reading.note("stages", f"name the account {account} {times} times", "Each stage has an account of its own.")
        if account == orchestrator:
            reading.note(
                "stages", f"name the orchestrator's account {account}", "Each stage has an account of its own."
            )


def _approvals(
    reading: Reading, mode: Mode, stages: Iterable[str], roles: Mapping[str, tuple[str, ...]], people: People
) -> dict[str, ApprovalPolicy]:
    names = [name for name in stages if name]
    known = [*names, OWN] if mode == "multi" else names
    given = reading.has("approvals")
    section = reading.object("approvals", required=False)
    policies: dict[str, ApprovalPolicy] = {}
    written: set[str] = set()
    if section is not None:
        for name, value in section.items():
            written.add(name)
            if name == OWN and name not in known:
                what = "is for several accounts; in one account everything runs in its only stage"
                section.note(name, what, "Remove it.")
            elif name not in known:
                section.note(name, "is no stage of this installation", did_you_mean(name, known))
            if value is None:
                continue
            if name == UNASKED and len(names) > 1:
                others = ", ".join(other for other in known if other != UNASKED)
                what = "asks for approval, but dev is deployed without"
                section.note(name, what, f"Remove it, or write null. Stages that can ask: {others}.")
                continue
            one = section.object(name, required=True)
            if one is not None:
                policies[name] = read_policy(one, roles, people)
    if given and section is None:
        return policies
    for name in names:
        if (name != UNASKED or len(names) == 1) and name not in written:
            reading.note(
                f"approvals.{name}",
                "is missing, so nobody could approve a release to this stage",
                "Say who approves, or write null to deploy there without asking.",
            )
    return policies


def _check_word(section: Reading, name: str, pattern: str, rule: str) -> None:
    if not re.fullmatch(pattern, name):
        section.note(name, f"is no good name: {rule}", "")
