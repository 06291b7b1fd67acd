"""What ``mlops doctor`` finds, check by check."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import AccessDenied, ChatRefused, ChatUnavailable, Throttled
from orchestrator.core.examination.examine import Practice, examine
from orchestrator.core.examination.findings import Check, Finding, State
from orchestrator.core.examination.front import look_at_front
from orchestrator.core.examination.ports import App, Channel, Reply, Role, Subscription
from orchestrator.core.examination.slack_secret import look_at_secret
from orchestrator.core.examination.stages import trust_faults
from orchestrator.core.installation import ApprovalPolicy, ChannelRoute, Installation, StageSettings
from orchestrator.core.people import People, Person
from orchestrator.core.slack_methods import SCOPES
from orchestrator.core.stage_roles import ASSUMED_BY, DEPLOY, OBSERVE, SERVICE
from tests.fakes.examination import (
    SECRET,
    SIGNING,
    TEAM,
    TOKEN,
    FakeFront,
    FakeStages,
    FakeSubscriptions,
    FakeWorkspace,
    account,
    good_roles,
    trust,
)
from tests.fakes.memory_world import ANA, BEN, CHLOE, DEV, installation


@dataclass
class House:
    """An installation, all well until a test changes something."""

    settings: Installation = field(default_factory=installation)
    secret: Any = SECRET
    workspace: FakeWorkspace = field(default_factory=FakeWorkspace)
    front: FakeFront = field(default_factory=FakeFront)
    subscriptions: FakeSubscriptions = field(default_factory=FakeSubscriptions)
    changed_stages: dict[str, Any] = field(default_factory=dict)
    seconds: float = 20.0
    logged: list[tuple[Check, str]] = field(default_factory=list)

    def look(self) -> tuple[Finding, ...]:
        """Examine it."""

        def secret() -> str:
            if isinstance(self.secret, Exception):
                raise self.secret
            return str(self.secret)

        with ThreadPoolExecutor(4) as pool:
            return examine(
                self.settings,
                Practice(
                    secret=secret,
                    workspace=self.workspace,
                    front=self.front,
                    stages=FakeStages(self.settings, self.changed_stages),
                    subscriptions=self.subscriptions,
                    pool=pool,
                    seconds_left=lambda: self.seconds,
                    failed=lambda check, error: self.logged.append((check, type(error).__name__)),
                ),
            )

    def of(self, check: Check) -> tuple[Finding, ...]:
        """What is found by one check."""
        return tuple(finding for finding in self.look() if finding.check is check)

    def one(self, check: Check) -> Finding:
        """The one finding of a check."""
        (found,) = self.of(check)
        return found


@pytest.fixture
def house() -> House:
    return House()


def test_an_installation_that_is_well_has_no_fault(house: House) -> None:
    found = house.look()
    assert {finding.state for finding in found} == {State.OK}
    assert {finding.check for finding in found} == set(Check) - {Check.CREDENTIALS, Check.API, Check.USER_GROUP}
    assert [finding.check for finding in found] == sorted((one.check for one in found), key=list(Check).index)
    assert house.workspace.tokens == [TOKEN]
    assert house.logged == []


def test_every_fault_and_warning_says_what_to_do() -> None:
    house = House(secret="{}", changed_stages={"dev": AccessDenied("no")})
    house.subscriptions.everybody = ()
    for finding in house.look():
        assert bool(finding.fix) is (finding.state in {State.FAULT, State.WARNING}), finding


# The secret.


def secret(**changes: Any) -> str:
    return json.dumps({**json.loads(SECRET), **changes})


@pytest.mark.parametrize(
    ("text", "state", "told"),
    [
        (SECRET, State.OK, "has a bot token and a signing secret"),
        ("", State.FAULT, "no JSON object"),
        ("xoxb-pasted-alone", State.FAULT, "no JSON object"),
        ("[]", State.FAULT, "no JSON object"),
        ("{}", State.FAULT, "not filled in"),
        ('{"bot_token": "", "signing_secret": "Zx9made-up-by-the-stack"}', State.FAULT, "not filled in"),
        (secret(bot_token=7), State.FAULT, "no bot_token"),
        (secret(bot_token=f" {TOKEN}"), State.FAULT, "white space in bot_token"),
        (secret(bot_token=f"{TOKEN}\n"), State.FAULT, "white space in bot_token"),
        (secret(bot_token="xoxp-1-2-3"), State.FAULT, "a user's token"),
        (secret(bot_token="xapp-1-2-3"), State.FAULT, "app-level token"),
        (secret(bot_token="xoxe.xoxb-1-2-3"), State.FAULT, "a token that expires"),
        (secret(bot_token=SIGNING), State.FAULT, "does not begin with xoxb-"),
        (secret(signing_secret=""), State.FAULT, "no signing_secret"),
        (secret(signing_secret=None), State.FAULT, "no signing_secret"),
        (secret(signing_secret=f"{SIGNING}\r\n"), State.FAULT, "white space around signing_secret"),
        (secret(signing_secret=SIGNING[:-1]), State.WARNING, "another shape"),
        (secret(signing_secret=SIGNING.upper()), State.WARNING, "another shape"),
    ],
)
def test_the_secret(text: str, state: State, told: str) -> None:
    _, (found,) = look_at_secret(text)
    assert (found.check, found.state, told in found.what) == (Check.SECRET, state, True)


def test_two_things_that_are_wrong_are_both_told() -> None:
    keys, found = look_at_secret(json.dumps({"bot_token": "xoxp-1", "signing_secret": "short"}))
    assert [one.state for one in found] == [State.FAULT, State.WARNING]
    assert keys.bot_token == ""


@given(st.dictionaries(st.sampled_from(["bot_token", "signing_secret"]), st.text(min_size=9)) | st.text(min_size=9))
def test_nothing_of_the_secret_is_told(value: Any) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    keys, found = look_at_secret(text)
    told = repr((keys, found))
    for part in (value,) if isinstance(value, str) else value.values():
        assert part not in told


def test_without_a_secret_slack_is_not_asked(house: House) -> None:
    house.secret = "{}"
    states = {finding.check: finding.state for finding in house.look()}
    assert states[Check.SECRET] is State.FAULT
    assert {states[check] for check in (Check.TOKEN, Check.FRONT, Check.APPROVER)} == {State.SKIPPED}
    assert house.workspace.tokens == []
    assert states[Check.STAGE] is states[Check.MAIL] is State.OK, "the rest is looked at all the same"


def test_a_secret_that_cannot_be_read(house: House) -> None:
    house.secret = AccessDenied("IAM refused secretsmanager:GetSecretValue")
    assert "secretsmanager:GetSecretValue" in house.one(Check.SECRET).what


# The request URL.


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([Reply(0, "ConnectionRefusedError")], "is not reached (ConnectionRefusedError)"),
        ([Reply(401)], "refuses what is signed with the secret's"),
        ([Reply(503)], "answers 503"),
        ([Reply(404, '{"message":"Not Found"}')], "answers 404"),
        ([Reply(200, "<html>")], "answers 200 to Slack's own question, and not what it should"),
        ([Reply(200, "[]")], "answers 200"),
        ([Reply(200, '{"challenge": "another"}')], "answers 200"),
        ([Reply(200, '{"challenge": "mlops-doctor"}'), Reply(200)], "answers 200 to a request that nobody signed"),
    ],
)
def test_a_request_url_that_does_not_do(answers: list[Reply], told: str) -> None:
    (found,) = look_at_front(FakeFront(answers=answers), SIGNING)
    assert (found.state, told in found.what) == (State.FAULT, True), found


def test_a_front_that_knows_another_secret(house: House) -> None:
    house.front.signing_secret = "f" * 32
    assert house.one(Check.FRONT).state is State.FAULT


# Token, workspace, scopes.


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ChatRefused("invalid_auth"), "does not know the bot token"),
        (ChatRefused("account_inactive"), "removed from the workspace"),
        (ChatRefused("token_revoked"), "revoked"),
        (ChatRefused("something_new"), "something_new"),
        (ChatUnavailable("Slack answered 503"), "Slack answered 503"),
    ],
)
def test_a_token_that_does_not_work(house: House, error: Exception, told: str) -> None:
    house.workspace.told = error
    found = house.one(Check.TOKEN)
    assert (found.state, told in found.what) == (State.FAULT, True)
    assert house.of(Check.SCOPES) == house.of(Check.CHANNEL) == ()
    assert {one.state for one in house.of(Check.APPROVER)} == {State.SKIPPED}
    assert {one.state for one in house.of(Check.APPROVAL)} == {State.OK}, "who was not looked up is not counted out"


@pytest.mark.parametrize(
    ("slack_team", "state"),
    [("", State.OK), (TEAM, State.OK), ("E0ORG", State.OK), ("T0OTHER", State.FAULT), ("E0OTHER", State.FAULT)],
)
def test_the_workspace_of_the_settings(house: House, slack_team: str, state: State) -> None:
    house.settings = replace(house.settings, slack_team=slack_team)
    house.workspace.told = replace(house.workspace.told, enterprise_id="E0ORG")
    assert house.one(Check.WORKSPACE).state is state


@pytest.mark.parametrize(("name", "scope"), list(SCOPES.items()))
def test_a_scope_that_is_missing_is_named_with_what_is_lost(house: House, name: str, scope: Any) -> None:
    house.workspace.told = replace(house.workspace.told, scopes=frozenset(SCOPES) - {name})
    found = house.one(Check.SCOPES)
    assert (found.about, found.state) == (name, State.FAULT if scope.needed else State.WARNING)
    assert scope.why in found.what


def test_a_scope_that_nothing_needs_is_named(house: House) -> None:
    house.workspace.told = replace(house.workspace.told, scopes=frozenset({*SCOPES, "files:read", "admin"}))
    assert [(one.about, one.state) for one in house.of(Check.SCOPES)] == [
        ("admin", State.WARNING),
        ("files:read", State.WARNING),
    ]


def test_slack_may_not_say_which_scopes_there_are(house: House) -> None:
    house.workspace.told = App(TEAM, "Acme ML", "mlops", None)
    assert house.one(Check.SCOPES).state is State.SKIPPED


# The channel.


@pytest.mark.parametrize(
    ("channel", "state", "told"),
    [
        (None, State.FAULT, "is not there, or is private"),
        (Channel("C0", "ml-releases", is_member=False), State.FAULT, "is public, and the app is not in it"),
        (Channel("C0", "ml-releases", is_member=True, is_archived=True), State.FAULT, "is archived"),
        (Channel("C0", "ml-releases", is_member=True, is_private=True), State.OK, "is private, and the app is in it"),
        (Channel("C0", "ml-releases", is_member=True, is_shared=True), State.WARNING, "people of other workspaces"),
        (ChatRefused("missing_scope"), State.SKIPPED, "a scope is missing"),
        (ChatRefused("not_allowed_token_type"), State.FAULT, "not_allowed_token_type"),
        (ChatUnavailable("Slack asks for a slower pace"), State.WARNING, "slower pace"),
    ],
)
def test_the_channel(house: House, channel: Any, state: State, told: str) -> None:
    house.workspace.channels["ml-releases"] = channel
    found = house.one(Check.CHANNEL)
    assert (found.about, found.state, told in found.what) == ("#ml-releases", state, True), found


def test_a_channel_that_is_named_by_its_id(house: House) -> None:
    house.settings = replace(house.settings, slack_channel="C0RELEASES")
    house.workspace.channels["C0RELEASES"] = Channel("C0RELEASES", "ml-releases", is_member=True)
    assert (house.one(Check.CHANNEL).about, house.one(Check.CHANNEL).state) == ("C0RELEASES", State.OK)


def test_each_channel_of_the_settings_is_looked_at_once(house: House) -> None:
    routes = (ChannelRoute(("fraud-*",), "fraud-team"), ChannelRoute(("x",), "ml-releases"))
    house.settings = replace(house.settings, channels=routes)
    house.workspace.channels["fraud-team"] = Channel("C0FRAUD", "fraud-team", is_member=False)
    found = {one.about: one.state for one in house.of(Check.CHANNEL)}
    assert found == {"#ml-releases": State.OK, "#fraud-team": State.FAULT}


# Approvers.

NO_IAM = replace(BEN, iam_principals=())
BARE = Person("ben@example.com", "Ben Okafor")


@pytest.mark.parametrize(
    ("who", "accounts", "state", "told"),
    [
        pytest.param(BEN, {}, State.OK, "decides in Slack as @ben (U0BEN), or by the API", id="well"),
        pytest.param(NO_IAM, {}, State.OK, "decides in Slack as @ben (U0BEN)", id="Slack alone"),
        pytest.param(NO_IAM, {"U0BEN": None}, State.FAULT, "U0BEN is nobody's", id="no such id"),
        pytest.param(NO_IAM, {"U0BEN": account("U0BEN", deleted=True)}, State.FAULT, "is deactivated", id="left"),
        pytest.param(NO_IAM, {"U0BEN": account("U0BEN", is_bot=True)}, State.FAULT, "is a bot", id="bot"),
        pytest.param(NO_IAM, {"U0BEN": account("U0BEN", is_restricted=True)}, State.FAULT, "is a guest", id="guest"),
        pytest.param(
            NO_IAM, {"U0BEN": account("U0BEN", team_id="T0PARTNER")}, State.FAULT, "another workspace", id="partner"
        ),
        pytest.param(BEN, {"U0BEN": account("U0BEN", deleted=True)}, State.WARNING, "by the API alone", id="API left"),
        pytest.param(
            NO_IAM,
            {"U0BEN": None, "ben@example.com": account("U0NEW")},
            State.WARNING,
            "decides in Slack as @new (U0NEW), but the Slack id U0BEN is nobody's",
            id="found by e-mail",
        ),
        pytest.param(
            NO_IAM,
            {"U0BEN": None, "ben@example.com": ChatRefused("missing_scope")},
            State.FAULT,
            "U0BEN is nobody's in this workspace; Slack does not tell whose address",
            id="no scope for addresses",
        ),
        pytest.param(BARE, {"ben@example.com": ChatRefused("missing_scope")}, State.SKIPPED, "missing", id="address"),
        pytest.param(BARE, {"ben@example.com": account("U0BEN")}, State.OK, "decides in Slack as @ben", id="by e-mail"),
        pytest.param(BARE, {}, State.FAULT, "no account that is in use has the address ben@example.com", id="nobody"),
        pytest.param(
            BARE, {"ben@example.com": account("U0BEN", is_restricted=True)}, State.FAULT, "guest", id="guest by e-mail"
        ),
        pytest.param(
            replace(NO_IAM, slack_ids=("U0OLD", "U0BEN")),
            {"U0OLD": account("U0OLD", deleted=True)},
            State.WARNING,
            "decides in Slack as @ben (U0BEN), but the account @old (U0OLD) is deactivated",
            id="one of two",
        ),
        pytest.param(BEN, {"U0BEN": ChatRefused("missing_scope")}, State.SKIPPED, "missing_scope", id="no scope"),
        pytest.param(BEN, {"U0BEN": ChatUnavailable("slower pace")}, State.WARNING, "slower pace", id="asked often"),
    ],
)
def test_an_approver(house: House, who: Person, accounts: dict[str, Any], state: State, told: str) -> None:
    house.settings = replace(
        house.settings, people=People((ANA, who)), roles={"ml-owner": (who.email,), "risk": (who.email,)}
    )
    house.workspace.accounts = {name: found for name, found in accounts.items() if "@" not in name}
    house.workspace.by_email = {name: found for name, found in accounts.items() if "@" in name}
    found = house.one(Check.APPROVER)
    assert (found.state, told in found.what) == (state, True), found
    assert found.about.startswith("Ben Okafor")


def test_each_human_is_looked_up_once_with_all_roles(house: House) -> None:
    people = [one.about for one in house.of(Check.APPROVER)]
    assert people == ["Ben Okafor (ml-owner, risk)", f"{CHLOE.name} (ml-owner, risk)", f"{DEV.name} (ml-owner)"]


def test_a_role_that_no_approval_asks_is_not_looked_at(house: House) -> None:
    house.settings = replace(house.settings, roles={**house.settings.roles, "cto": ("U0CTO",)})
    assert not [one for one in house.of(Check.APPROVER) if "cto" in one.about]


def test_bare_members(house: House) -> None:
    house.settings = replace(
        house.settings,
        people=People(()),
        roles={"ml-owner": ("U0BEN", "arn:aws:iam::111111111111:role/Release-Managers"), "risk": ("U0BEN",)},
    )
    by_slack, by_api = house.of(Check.APPROVER)
    assert (by_slack.state, "@ben (U0BEN)" in by_slack.what) == (State.OK, True)
    assert (by_api.about, by_api.what) == ("Release-Managers (ml-owner)", "decides by the API and `mlops approve`")


# Approvals.


def gone(*people: Person) -> dict[str, Any]:
    return {user: account(user, deleted=True) for person in people for user in person.slack_ids}


def test_an_approval_that_nobody_can_give_any_more(house: House) -> None:
    without_iam = People(tuple(replace(one, iam_principals=()) for one in (ANA, BEN, CHLOE, DEV)))
    house.settings = replace(house.settings, people=without_iam)
    house.workspace.accounts = gone(BEN, CHLOE)
    states = {one.about: one for one in house.of(Check.APPROVAL)}
    assert states["dev"].what == "is deployed without asking"
    assert (states["staging"].state, "Dev Patel asks for" in states["staging"].what) == (State.WARNING, True)
    assert (states["prod"].state, "can never be met" in states["prod"].what) == (State.FAULT, True)
    assert "risk" in states["prod"].what


def test_who_decides_by_the_api_still_counts(house: House) -> None:
    house.workspace.accounts = gone(BEN, CHLOE)
    assert {one.state for one in house.of(Check.APPROVAL)} == {State.OK}


def test_an_approval_that_an_upload_never_gets(house: House) -> None:
    both = ApprovalPolicy(((("risk", 2),),), requester_may_approve=False)
    stages = (StageSettings("dev", "222222222222"), StageSettings("prod", "444444444444", both))
    house.settings = replace(house.settings, stages=stages)
    (prod,) = [one for one in house.of(Check.APPROVAL) if one.about == "prod"]
    assert prod.state is State.WARNING
    assert f"{BEN.name}, {CHLOE.name} asks for" in prod.what


def test_what_runs_in_the_orchestrators_account_may_ask_too(house: House) -> None:
    house.settings = replace(house.settings, orchestrator_approval=ApprovalPolicy(((("risk", 1),),)))
    assert [one.about for one in house.of(Check.APPROVAL)] == ["dev", "staging", "prod", "orchestrator"]


# Stages.


def test_every_account_is_looked_at(house: House) -> None:
    assert [one.about for one in house.of(Check.STAGE)] == ["dev", "staging", "prod", "orchestrator"]
    house.settings = installation(StageSettings("prod", "111111111111"), mode="single")
    assert [one.about for one in house.of(Check.STAGE)] == ["prod"]


def test_a_stage_that_lets_nobody_in(house: House) -> None:
    house.changed_stages["prod"] = AccessDenied("IAM refused sts:AssumeRole to role/mlops/mlops-observe")
    (prod,) = [one for one in house.of(Check.STAGE) if one.about == "prod"]
    assert (prod.state, "sts:AssumeRole" in prod.what) == (State.FAULT, True)
    assert "Deploy MlopsStage-prod again" in prod.fix
    house.settings = replace(house.settings, detailed_errors=False)
    (prod,) = [one for one in house.of(Check.STAGE) if one.about == "prod"]
    assert "sts:AssumeRole" not in prod.what, "AWS's own words are kept back where the settings say so"


def test_a_stage_that_does_not_answer_is_not_a_broken_one(house: House) -> None:
    house.changed_stages["prod"] = Throttled("sts asked for a slower pace")
    (prod,) = [one for one in house.of(Check.STAGE) if one.about == "prod"]
    assert (prod.state, "slower pace" in prod.what) == (State.WARNING, True)


def test_a_stage_of_another_installation(house: House) -> None:
    other = replace(house.settings, external_id="another-phrase")
    house.changed_stages["dev"] = good_roles(other)
    (dev,) = [one for one in house.of(Check.STAGE) if one.about == "dev"]
    assert (dev.state, dev.what.count("another external_id")) == (State.FAULT, len(ASSUMED_BY))


def trusting(role: str, **changes: Any) -> Role:
    """A good role, with members of its one statement changed."""
    document = trust(installation(), ASSUMED_BY[role])
    document["Statement"][0].update(changes)
    return Role(role, document)


@pytest.mark.parametrize(
    ("role", "faults"),
    [
        pytest.param(trusting(DEPLOY), [], id="good"),
        pytest.param(Role(DEPLOY, None), ["is not there"], id="absent"),
        pytest.param(Role(DEPLOY, {}), ["does not trust the account 111111111111"], id="empty"),
        pytest.param(trusting(DEPLOY, Effect="Deny"), ["does not trust the account 111111111111"], id="denies"),
        pytest.param(
            trusting(DEPLOY, Principal={"AWS": "arn:aws:iam::999999999999:root"}),
            ["does not trust the account 111111111111"],
            id="another account",
        ),
        pytest.param(
            Role(OBSERVE, trust(installation(), ASSUMED_BY[OBSERVE][:-1])),
            ["does not trust the function examine"],
            id="an older stage",
        ),
        pytest.param(
            Role(SERVICE, {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}),
            ["is not CloudFormation's"],
            id="not CloudFormation's",
        ),
        pytest.param(Role(SERVICE, {}), ["is not CloudFormation's"], id="nobody's"),
    ],
)
def test_trust(role: Role, faults: list[str]) -> None:
    assert trust_faults(role, installation()) == faults


# E-mails.


@pytest.mark.parametrize(
    ("everybody", "state", "told"),
    [
        ((), State.WARNING, "nobody is subscribed"),
        ((Subscription("email", "team@example.com", confirmed=False),), State.FAULT, "has not confirmed"),
        ((Subscription("sqs", "arn:aws:sqs:us-east-1:1:queue", confirmed=True),), State.OK, "is subscribed"),
    ],
)
def test_subscriptions(house: House, everybody: tuple[Subscription, ...], state: State, told: str) -> None:
    house.subscriptions.everybody = everybody
    found = house.one(Check.MAIL)
    assert (found.state, told in found.what) == (state, True)


# The whole.


def test_what_is_not_answered_in_time_is_told_as_such(house: House) -> None:
    house.seconds = 0
    late = [one for one in house.look() if "in time" in one.what]
    assert all(one.state is State.WARNING for one in late)


def test_a_check_that_fails_itself_takes_no_other_along(house: House) -> None:
    house.workspace.channels["ml-releases"] = ZeroDivisionError("secret-of-somebody")
    found = house.one(Check.CHANNEL)
    assert (found.state, "ZeroDivisionError" in found.what) == (State.FAULT, True)
    assert "secret-of-somebody" not in found.what
    assert (Check.CHANNEL, "ZeroDivisionError") in house.logged
    assert {one.state for one in house.of(Check.APPROVER)} == {State.OK}
