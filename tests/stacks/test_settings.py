"""Settings: every mistake is told at once, with its path and what would be right; every key is documented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.settings import settings
from orchestrator.core.installation import Installation, Reminders
from orchestrator.core.problems import BadConfiguration
from stacks import settings_reading, settings_rules
from stacks.cautions import cautions
from stacks.settings import Settings, load, parse
from tests.stacks.templates import ROOT

REMOVED = object()
TWO_ROLES = {"ml-owner": 1, "risk": 1}

DOCUMENT = (ROOT / "docs" / "settings.md").read_text()
EXAMPLES = ROOT / "examples" / "settings"


def given(mode: Any = "multi", /, **changes: Any) -> dict[str, Any]:
    """The local installation's settings; a key is a path such as ``stages.0.name``."""
    raw: dict[str, Any] = json.loads(json.dumps(settings(mode, "https://slack.com/api/", "ml-releases")))
    for path, value in changes.items():
        *parents, last = path.split("__")
        target: Any = raw
        for parent in parents:
            target = target[int(parent) if isinstance(target, list) else parent]
        key: Any = int(last) if isinstance(target, list) else last
        if value is REMOVED:
            del target[key]
        else:
            target[key] = value
    return raw


def problems(raw: dict[str, Any]) -> list[tuple[str, str]]:
    """Path and sentence of each problem."""
    with pytest.raises(BadConfiguration) as caught:
        parse(raw)
    return [(problem.path, f"{problem.what}. {problem.fix}") for problem in caught.value.problems]


@pytest.mark.parametrize("mode", ["multi", "single"])
def test_the_local_installation_is_right(mode: Any) -> None:
    found = parse(given(mode))

    assert found.installation.mode == mode
    assert Installation.from_json(found.installation.to_json()) == found.installation


def test_what_is_left_out_has_the_documented_default() -> None:
    found = parse(given(slack_api_url=REMOVED, notification_email=REMOVED, runtime=REMOVED))

    assert found.installation.slack_api_url == "https://slack.com/api/"
    assert found == Settings(
        installation=found.installation,
        notification_email="",
        organization_id="",
        runtime="python3.14",
        architecture="arm64",
        log_retention_days=90,
    )


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_the_partition_follows_the_region(region: str, partition: str) -> None:
    assert parse(given(region=region, repositories=REMOVED)).installation.partition == partition


MISTAKES = [
    pytest.param({"mode": "mutli"}, "$.mode", 'Did you mean "multi"?', id="mode misspelt"),
    pytest.param({"mode": REMOVED}, "$.mode", "is missing", id="mode missing"),
    pytest.param({"mode": 2}, "$.mode", "Write one of multi, single", id="mode a number"),
    pytest.param({"regin": "x"}, "$.regin", 'Did you mean "region"?', id="unknown key that is close"),
    pytest.param({"colour": "x"}, "$.colour", "is no setting. Known:", id="unknown key"),
    pytest.param({"region": "Frankfurt"}, "$.region", "such as eu-central-1", id="region"),
    pytest.param({"region": "eu-centrall-1"}, "$.region", 'Did you mean "eu-central-1"?', id="region misspelt"),
    pytest.param({"region": "xx-nowhere-9"}, "$.region", "no region", id="region that is none"),
    pytest.param({"orchestrator_account": 111111111111}, "$.orchestrator_account", "in quotes", id="account a number"),
    pytest.param({"orchestrator_account": "1234"}, "$.orchestrator_account", "12 digits", id="account too short"),
    pytest.param({"external_id": ""}, "$.external_id", "2 to 1,224", id="external id empty"),
    pytest.param({"external_id": REMOVED}, "$.external_id", "is missing", id="external id missing"),
    pytest.param({"slack_channel": "#ml"}, "$.slack_channel", 'without "#"', id="channel with hash"),
    pytest.param({"slack_api_url": "slack.com"}, "$.slack_api_url", "https://slack.com/api/", id="address"),
    pytest.param({"slack_team": "acme"}, "$.slack_team", "workspace's id", id="workspace"),
    pytest.param({"model_registry": "yes"}, "$.model_registry", "Write true or false", id="text for a flag"),
    pytest.param({"notification_email": "team"}, "$.notification_email", "an e-mail address", id="e-mail"),
    pytest.param({"organization_id": "acme"}, "$.organization_id", "o-a1b2c3d4e5", id="organisation"),
    pytest.param({"runtime": "python3.9"}, "$.runtime", "python3.1", id="runtime"),
    pytest.param(
        {"deploy_engine": "codepipeline", "region": "cn-north-1"},
        "$.deploy_engine",
        'Use "cloudformation" there.',
        id="engine in China",
    ),
    pytest.param({"deploy_engine": "codepipelin"}, "$.deploy_engine", 'Did you mean "codepipeline"?', id="engine"),
    pytest.param({"architecture": "arm"}, "$.architecture", 'Did you mean "arm64"?', id="architecture"),
    pytest.param({"log_retention_days": 91}, "$.log_retention_days", "one of 1, 3, 5", id="retention"),
    pytest.param({"log_retention_days": True}, "$.log_retention_days", "is true", id="retention a flag"),
    pytest.param({"stages": {}}, "$.stages", "Write a list", id="stages an object"),
    pytest.param({"stages__0": "dev"}, "$.stages[0]", "Write an object", id="stage a text"),
    pytest.param({"stages__0__name": "test"}, "$.stages", "dev, staging, prod", id="stage named otherwise"),
    pytest.param({"stages__0__account": "22"}, "$.stages[0].account", "12 digits", id="stage's account"),
    pytest.param({"stages__0__acount": "x"}, "$.stages[0].acount", 'Did you mean "account"?', id="stage's key"),
    pytest.param({"stages__0__account": "333333333333"}, "$.stages", "2 times", id="two stages, one account"),
    pytest.param(
        {"stages__0__account": "111111111111"}, "$.stages", "the orchestrator's", id="orchestrator as a stage"
    ),
    pytest.param({"people": REMOVED}, "$.people", "is missing", id="people missing"),
    pytest.param({"people__0__email": "ana"}, "$.people[0].email", "an e-mail address", id="person's e-mail"),
    pytest.param({"people__0__name": REMOVED}, "$.people[0].name", "is missing", id="person's name"),
    pytest.param({"people__0__slack_ids": ["ana"]}, "$.people[0].slack_ids[0]", "U0123456789", id="Slack id"),
    pytest.param({"people__0__slack_ids": ["U0BEN"]}, "$.people[1]", 'has the name "U0BEN"', id="a name of two people"),
    pytest.param(
        {"people__0__iam_principals": ["arn:aws:iam::111111111111:role/people/mlops-local-people"]},
        "$.people[1]",
        "of ana@example.com is the same",
        id="a role of one person, its session of another",
    ),
    pytest.param(
        {
            "people__0__iam_principals": ["ana"],
            "people__2__iam_principals": ["arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_ML_0/ana"],
        },
        "$.people[2]",
        "of ana@example.com is the same",
        id="a user name of one person, its session of another",
    ),
    pytest.param({"people__0__slackids": []}, "$.people[0].slackids", 'Did you mean "slack_ids"?', id="person's key"),
    pytest.param({"roles__risk": []}, "$.roles.risk", "has no members", id="role without members"),
    pytest.param({"roles__risk": ["kim@example.com"]}, "$.roles.risk[0]", "nobody of people", id="member unknown"),
    pytest.param({"roles__risk": ["bem@example.com"]}, "$.roles.risk[0]", '"ben@example.com"', id="member misspelt"),
    pytest.param(
        {"roles__risk": ["ben@example.com", "ben@example.com"]}, "$.roles.risk", "2 times", id="member named twice"
    ),
    pytest.param({"roles__Risk Owner": ["ben@example.com"]}, "$.roles.Risk Owner", "lower case", id="role's name"),
    pytest.param({"approvals": REMOVED}, "$.approvals.staging", "Say who approves", id="approvals missing"),
    pytest.param(
        {"approvals__prod": REMOVED}, "$.approvals.prod", "nobody could approve", id="stage without approvers"
    ),
    pytest.param(
        {"approvals__dev": {"any_of": [{"risk": 1}]}},
        "$.approvals.dev",
        "or write null. Stages that can ask: staging, prod",
        id="approval of dev",
    ),
    pytest.param(
        {"roles__ml-owner": ["ben@example.com"], "roles__risk": ["U0BEN"], "approvals__prod": {"any_of": [TWO_ROLES]}},
        "$.approvals.prod.any_of[0]",
        "do not have (ben@example.com)",
        id="two roles of one person",
    ),
    pytest.param({"approvals__pord": None}, "$.approvals.pord", 'Did you mean "prod"?', id="approval of no stage"),
    pytest.param({"approvals__prod": "risk"}, "$.approvals.prod", "Write an object", id="approval a text"),
    pytest.param({"approvals__prod__any_of": []}, "$.approvals.prod.any_of", "has no alternative", id="no alternative"),
    pytest.param({"approvals__prod__any_of": [{}]}, "$.approvals.prod.any_of[0]", "asks for nobody", id="nobody"),
    pytest.param(
        {"approvals__prod__any_of": [{"rsik": 1}]}, "$.approvals.prod.any_of[0].rsik", '"risk"', id="role misspelt"
    ),
    pytest.param(
        {"approvals__prod__any_of": [{"risk": 0}]}, "$.approvals.prod.any_of[0].risk", "1 or more", id="none of a role"
    ),
    pytest.param(
        {"approvals__prod__any_of": [{"risk": 3}]},
        "$.approvals.prod.any_of[0].risk",
        "which has",
        id="more than there are",
    ),
    pytest.param(
        {"approvals__prod__expires_after_hours": 0}, "$.approvals.prod.expires_after_hours", "1 to 2160", id="expiry"
    ),
    pytest.param(
        {"approvals__prod__reminders": {"after_hours": 72}},
        "$.approvals.prod.reminders.after_hours",
        "expires after 72 hours: no reminder would ever come",
        id="reminder after the end",
    ),
    pytest.param(
        {"approvals__prod__reminders": {"at_most": 2}},
        "$.approvals.prod.reminders.after_hours",
        "is missing",
        id="reminders from when",
    ),
    pytest.param(
        {"approvals__prod__reminders": {"after_hours": 4, "at_most": 11}},
        "$.approvals.prod.reminders.at_most",
        "from 0 to 10",
        id="too many reminders",
    ),
    pytest.param(
        {"approvals__prod__reminders": {"after_hours": 4, "every": 2}},
        "$.approvals.prod.reminders.every",
        "is no setting",
        id="key of reminders",
    ),
    pytest.param(
        {"approvals__prod__do_not_ping": ["rsik"]}, "$.approvals.prod.do_not_ping[0]", '"risk"', id="quiet misspelt"
    ),
    pytest.param(
        {"approvals__prod__do_not_ping": ["dev@example.com"]},
        "$.approvals.prod.do_not_ping[0]",
        "neither a role that this policy asks nor a member of one",
        id="quiet who is not asked",
    ),
    pytest.param(
        {"roles__risk": ["S0RISK"], "approvals__prod": {"any_of": [{"risk": 5}]}},
        "$.approvals.prod.any_of[0].risk",
        "which can have 4",
        id="more than there are people for a user group",
    ),
    pytest.param(
        {"people__0__iam_principals": ["S0RISK"], "roles__risk": ["S0RISK", "ben@example.com"]},
        "$.roles.risk[0]",
        "is the id of a Slack user group, and a principal of ana@example.com",
        id="a name that is two things",
    ),
    pytest.param({"roles__risk": ["S0"]}, "$.roles.risk[0]", "is nobody of people", id="no user group's id"),
    pytest.param(
        {"approvals__prod__requester_may_aprove": True},
        "$.approvals.prod.requester_may_aprove",
        'Did you mean "requester_may_approve"?',
        id="policy's key",
    ),
]


def test_reminders_quiet_roles_and_user_groups_are_read_and_written_again() -> None:
    wanted = {
        "any_of": [{"risk": 1}, {"ml-owner": 2}],
        "reminders": {"after_hours": 4, "at_most": 5},
        "do_not_ping": ["ml-owner", "S0RISK"],
    }
    found = parse(given(roles__risk=["S0RISK", "chloe@example.com"], approvals__prod=wanted)).installation
    policy = found.stage("prod").approval
    assert policy is not None
    assert (policy.reminders, policy.do_not_ping) == (Reminders(4, 5), ("ml-owner", "S0RISK"))
    assert found.roles["risk"] == ("S0RISK", "chloe@example.com")
    assert Installation.from_json(found.to_json()) == found


def test_no_reminders_is_a_choice_and_nothing_said_is_the_default() -> None:
    none = parse(given(approvals__prod__reminders={"after_hours": 100, "at_most": 0})).installation.stage("prod")
    assert none.approval is not None
    assert none.approval.reminders == Reminders(100, 0)
    said = parse(given()).installation.stage("prod")
    assert said.approval is not None
    assert said.approval.reminders is None


@pytest.mark.parametrize(("changes", "path", "told"), MISTAKES)
def test_a_mistake_is_told_with_its_path_and_what_would_be_right(changes: dict[str, Any], path: str, told: str) -> None:
    found = problems(given(**changes))

    assert [sentence for where, sentence in found if where == path and told in sentence], found


@pytest.mark.parametrize(
    ("changes", "path", "told"),
    [
        pytest.param(
            {"stages": [{"name": "dev", "account": "111111111111"}, {"name": "prod", "account": "111111111111"}]},
            "$.stages",
            "exactly one",
            id="two stages",
        ),
        pytest.param(
            {"stages__0__account": "222222222222"}, "$.stages[0].account", "one account", id="another account"
        ),
        pytest.param({"approvals": {}}, "$.approvals.prod", "write null", id="nothing said about approval"),
        pytest.param(
            {"stages__0__name": "dev", "approvals": {}}, "$.approvals.dev", "write null", id="the only stage is dev"
        ),
    ],
)
def test_a_mistake_in_one_account_is_told(changes: dict[str, Any], path: str, told: str) -> None:
    found = problems(given("single", **changes))

    assert [sentence for where, sentence in found if where == path and told in sentence], found


def test_all_mistakes_are_told_at_once() -> None:
    found = problems(
        given(
            region="x",
            external_id=REMOVED,
            stages__1__account="1",
            roles__risk=["kim@example.com"],
            approvals__prod=REMOVED,
            tracing=True,
        )
    )

    assert {path for path, _ in found} == {
        "$.region",
        "$.external_id",
        "$.stages[1].account",
        "$.roles.risk[0]",
        "$.approvals.prod",
        "$.tracing",
    }


def test_a_misspelt_key_that_is_needed_is_told_once() -> None:
    raw = given(external_id=REMOVED, externl_id="x")

    assert problems(raw) == [("$.externl_id", 'is no setting. Did you mean "external_id"?')]


def test_null_means_deploy_without_asking() -> None:
    found = parse(given(approvals__staging=None))

    assert found.installation.stage("staging").approval is None
    assert found.installation.stage("prod").approval is not None


def test_null_may_be_written_for_dev_too() -> None:
    found = parse(given(approvals__dev=None))

    assert found.installation.stage("dev").approval is None


def test_the_only_stage_can_ask_even_if_it_is_called_dev() -> None:
    asked = given("single", stages__0__name="dev", approvals={"dev": {"any_of": [{"risk": 1}]}})

    assert parse(asked).installation.stage("dev").approval is not None


def test_settings_that_no_parameter_holds_are_refused() -> None:
    many = [{"email": f"person{number}@example.com", "name": f"Person {number}"} for number in range(120)]
    raw = given()

    found = problems({**raw, "people": [*raw["people"], *many]})

    assert [path for path, _ in found] == ["$.people"]


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        pytest.param("absent.json", None, "cannot be read", id="no file"),
        pytest.param("bad.json", "{", "not valid JSON", id="no JSON"),
        pytest.param("list.json", "[]", "Write an object", id="a list"),
        pytest.param("twice.json", '{"mode": "multi", "mode": "single"}', "mode", id="a key twice"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, name: str, body: str | None, told: str) -> None:
    if body is not None:
        (tmp_path / name).write_text(body)

    with pytest.raises(BadConfiguration, match=told):
        load(name, tmp_path)


def test_settings_come_from_a_file_or_from_the_context(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(json.dumps(given()))

    assert load("settings.json", tmp_path) == load(given(), tmp_path) == parse(given())


def test_no_settings_at_all_are_told_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="-c settings=FILE"):
        load(None, tmp_path)


def test_every_key_is_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    value = settings_reading.Reading._value

    def noted(self: settings_reading.Reading, key: str, default: Any) -> Any:
        if not self.path.startswith(("$.roles", "$.approvals.prod.any_of")):
            asked.add(key)
        return value(self, key, default)

    monkeypatch.setattr(settings_reading.Reading, "_value", noted)
    raw = json.loads((EXAMPLES / "multi-organization.json").read_text())
    parse(raw, EXAMPLES)
    own = {*raw["roles"], *raw["approvals"]}

    assert {"organizational_units", "auto_deployment", "existing", "expires_after_hours"} <= asked
    assert {key for key in asked if key not in own and f"`{key}`" not in DOCUMENT} == set()


@pytest.mark.parametrize("document", ["settings.md", "installing.md"])
def test_the_example_of_the_documentation_is_right(document: str) -> None:
    body = (ROOT / "docs" / document).read_text().split("```json\n", 1)[1].split("```", 1)[0]

    found = parse(json.loads(body))

    assert found.installation.stage_names == settings_rules.MULTI_STAGES
    assert cautions(found.installation) == []
