"""``mlops doctor`` on the deployed product: all is well, and each thing that is broken is named; Socket Mode."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from typer.testing import CliRunner, Result

from local.deploy import ROOT
from local.installation import front_url
from local.real_workspace import UnknownPerson, Workspace, connected, worker_environment
from local.settings import DEV, ORCHESTRATOR, REGION, TEAM_MAIL
from mlops.main import app
from tests.fakes.socket_mode import serving
from tests.releases.team import Team, eventually

APP_TOKEN = "xapp-1-A0-made-up"


def mlops(team: Team, *arguments: str) -> Result:
    """The command, as Dev Patel, who looks after the installation."""
    keys = team.credentials_of("dev")
    url = team.running.cloud.local_url(team.running.outputs["ApiUrl"]).rstrip("/")
    environment = {
        "MLOPS_API_URL": url,
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.token or "",
        "AWS_REGION": REGION,
        "AWS_PROFILE": None,
    }
    return CliRunner().invoke(app, [*arguments], env=environment)


def unwell(team: Team) -> dict[tuple[str, str], Mapping[str, str]]:
    """What is not ok, by check and what it is about."""
    answer = json.loads(mlops(team, "doctor", "--json").stdout)
    return {(one["check"], one["about"]): one for one in answer["findings"] if one["state"] != "ok"}


@contextmanager
def secret_as(team: Team, change: Callable[[dict[str, str]], str]) -> Iterator[None]:
    """The Slack secret with another text, for a while."""
    secrets = team.client("secretsmanager", ORCHESTRATOR)
    name = team.running.outputs["SlackSecretArn"]
    before = secrets.get_secret_value(SecretId=name)["SecretString"]
    secrets.put_secret_value(SecretId=name, SecretString=change(json.loads(before)))
    try:
        yield
    finally:
        secrets.put_secret_value(SecretId=name, SecretString=before)


@contextmanager
def another_external_id(team: Team) -> Iterator[None]:
    """A stage that was deployed with other settings."""
    iam = team.client("iam", DEV)
    trust = iam.get_role(RoleName="mlops-deploy")["Role"]["AssumeRolePolicyDocument"]
    other = json.loads(json.dumps(trust).replace("mlops-orchestrator-local", "another-phrase"))
    assert other != trust
    iam.update_assume_role_policy(RoleName="mlops-deploy", PolicyDocument=json.dumps(other))
    try:
        yield
    finally:
        iam.update_assume_role_policy(RoleName="mlops-deploy", PolicyDocument=json.dumps(trust))


@pytest.fixture(autouse=True)
def _well(multi: Team) -> Iterator[None]:
    yield
    multi.running.slack.faults(missing_scopes=[], deactivated=[], archived=[])


def test_a_fresh_installation_is_well(multi: Team) -> None:
    result = mlops(multi, "doctor")
    assert result.exit_code == 0, result.output
    told = [line for line in result.stdout.splitlines() if not line.startswith(("ok ", " "))]
    # Pia, of another company, is in the local page's channel on purpose.
    assert [line.split(":")[0] for line in told if line] == ["warning  slack channel #ml-releases", "1 warning, 18 ok"]
    assert "as arn:aws:sts::111111111111:assumed-role/mlops-local-people/dev" in result.stdout
    assert f"mail {TEAM_MAIL}: is subscribed" in result.stdout


def test_each_thing_that_is_broken_is_named(multi: Team) -> None:
    multi.running.slack.faults(missing_scopes=["chat:write"], deactivated=["U0CHLOE"], archived=["ml-releases"])
    with another_external_id(multi):
        found = unwell(multi)
        assert mlops(multi, "doctor").exit_code == 1
    assert {key: one["state"] for key, one in found.items()} == {
        ("slack-scopes", "chat:write"): "fault",
        ("slack-channel", "#ml-releases"): "fault",
        ("approver", "Chloé Martin (ml-owner, risk)"): "warning",
        ("stage", "dev"): "fault",
    }
    assert "mlops-deploy demands another external_id" in found["stage", "dev"]["what"]
    assert "Deploy MlopsStage-dev again" in found["stage", "dev"]["fix"]


@pytest.mark.parametrize(
    ("change", "check", "told"),
    [
        pytest.param(lambda keys: "{}", "slack-secret", "not filled in", id="nothing in it"),
        pytest.param(
            lambda keys: json.dumps({**keys, "bot_token": "xoxb-of-another-app"}),
            "slack-token",
            "does not know the bot token",
            id="another app's token",
        ),
    ],
)
def test_a_secret_that_does_not_do(multi: Team, change: Callable[[dict[str, str]], str], check: str, told: str) -> None:
    with secret_as(multi, change):
        found = unwell(multi)
    assert told in found[check, ""]["what"]
    assert ("stage", "dev") not in found, "the rest is looked at all the same"


def test_nothing_of_the_secret_leaves_the_function(multi: Team) -> None:
    text = multi.client("secretsmanager", ORCHESTRATOR).get_secret_value(
        SecretId=multi.running.outputs["SlackSecretArn"]
    )["SecretString"]
    told = mlops(multi, "doctor", "--json").output + "\n".join(
        line for function in ("examine", "api") for line in multi.log_lines(function)
    )
    assert '"service":"examine"' in told.replace(" ", "")
    for value in json.loads(text).values():
        assert value not in told


def test_the_function_may_look_and_change_nothing(multi: Team) -> None:
    since = multi.running.cloud.calls()[-1]["number"]
    assert mlops(multi, "doctor").exit_code == 0
    calls = multi.running.cloud.calls(since)
    by_function = {one["action"] for one in calls if "assumed-role/mlops-function-examine/" in one["principal"]}
    by_observer = {one["action"] for one in calls if one["principal"].endswith("mlops-observe/mlops-doctor")}
    assert {"GetSecretValue", "ListSubscriptionsByTopic", "AssumeRole"} <= by_function
    assert not {one for one in by_function if not one.startswith(("Get", "List", "AssumeRole"))}
    assert by_observer == {"GetRole"}


def test_the_manifest_is_the_installations_own(multi: Team) -> None:
    parsed = yaml.safe_load(mlops(multi, "slack", "manifest").stdout)
    url = multi.running.outputs["SlackRequestUrl"]
    assert parsed["settings"]["interactivity"]["request_url"] == url
    assert mlops(multi, "slack", "manifest", "--link").stdout.strip() == multi.running.outputs["SlackAppLink"]


# Socket Mode.


def test_only_known_people_can_be_stood_for(multi: Team) -> None:
    with pytest.raises(UnknownPerson, match="zoe"), connected(multi.running, "xoxb-1", Workspace("C0", {"zoe": "U0"})):
        raise AssertionError("unreachable")


def test_what_happens_in_the_workspace_comes_through_the_connection(multi: Team) -> None:
    """As ``mlops local slack`` does it; the local page plays the workspace, and a double Slack's side of the socket."""
    page, running = multi.running.slack, multi.running
    parameters = multi.client("ssm", ORCHESTRATOR)
    name = worker_environment(running)["SETTINGS_PARAMETER"]

    def settings() -> Any:
        return json.loads(parameters.get_parameter(Name=name)["Parameter"]["Value"])

    before = settings()
    keys = json.loads(
        multi.client("secretsmanager", ORCHESTRATOR).get_secret_value(SecretId=running.outputs["SlackSecretArn"])[
            "SecretString"
        ]
    )
    with serving(APP_TOKEN) as slack:
        slack.upstream = page.api_url
        workspace = Workspace("C0PLATFORM", {"ana": "U0ANA", "ben": "U0BEN"}, slack.api_url)
        with connected(running, keys["bot_token"], workspace):
            now = settings()
            assert (now["slack_api_url"], now["slack_channel"]) == (slack.api_url, "C0PLATFORM")
            assert [one["slack_ids"] for one in now["people"]["everybody"]] == [["U0ANA"], ["U0BEN"], [], []]
            process = subprocess.Popen(
                [sys.executable, "-m", "slack_app.socket_mode"],
                cwd=ROOT,
                env={
                    **os.environ,
                    **running.cloud.environment(ORCHESTRATOR),
                    **worker_environment(running),
                    "SLACK_APP_TOKEN": APP_TOKEN,
                },
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            try:
                slack.wait_for_link()
                page.point_to(slack.url)
                assert page.slash("U0ANA", "/mlops", "status", "C0PLATFORM").ok
                eventually("an answer", lambda: [m for m in page.ephemerals("U0ANA") if m["channel"] == "C0PLATFORM"])
            finally:
                page.point_to(front_url(running.cloud, running.outputs))
                process.send_signal(signal.SIGTERM)
                printed, _ = process.communicate(timeout=30)
            assert process.returncode == 0, printed
            for never in (APP_TOKEN, *keys.values()):
                assert never not in printed
    assert settings() == before
