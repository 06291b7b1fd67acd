"""``mlops local``: what the local installation says, and its refusals."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from local import installation
from local.deploy import DeploymentFailed
from local.installation import Running
from local.real_workspace import Tokens, UnknownPerson, Workspace, settings_of
from mlops.main import app

RUNNING = Running(
    mode="multi",
    cloud_url="http://127.0.0.1:4566",
    cloud_pid=1,
    slack_url="http://127.0.0.1:4567",
    slack_pid=1,
    outputs={
        "ApiUrl": "https://abc123.execute-api.us-east-1.amazonaws.com/prod/",
        "AssetsBucketName": "mlops-assets",
    },
)
API = "http://127.0.0.1:4566/_aws/execute-api/abc123/prod"


def local(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["local", *arguments])


def test_up_says_what_it_does_and_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def up(mode: str, *, engine: str, say: Callable[[str], None]) -> Running:
        asked.extend((mode, engine))
        say("embedded cloud started")
        return RUNNING

    monkeypatch.setattr("local.installation.up", up)
    result = local("up", "--mode", "multi", "--engine", "codepipeline")
    assert result.exit_code == 0, result.output
    assert asked == ["multi", "codepipeline"]
    assert "embedded cloud started" in result.stderr
    for expected in ("CloudFormation", RUNNING.slack_url, API, "s3://mlops-assets/", "account 444444444444"):
        assert expected in result.stdout


@pytest.mark.parametrize(
    "error",
    [
        DeploymentFailed("the CDK CLI is not installed; run `make setup`"),
        RuntimeError("a single-account installation is up"),
    ],
    ids=["deployment", "another mode"],
)
def test_what_cannot_be_brought_up_is_told(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def up(mode: str, *, engine: str, say: Callable[[str], None]) -> Running:
        raise error

    monkeypatch.setattr("local.installation.up", up)
    result = local("up")
    assert result.exit_code == 1
    assert str(error) in result.stderr


def test_status_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.installation.status", lambda: RUNNING)
    found = json.loads(local("status", "--json").stdout)
    assert (found["up"], found["mode"], found["api_url"]) == (True, "multi", API)


def test_status_when_nothing_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.installation.status", lambda: None)
    assert local("status").exit_code == 1
    result = local("status", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (1, {"up": False})


def test_down_tells_what_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.installation.down", lambda *, say: say("The local installation is down."))
    result = local("down")
    assert (result.exit_code, result.stdout) == (0, "The local installation is down.\n")


def test_a_missing_part_of_the_set_up_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    found = builtins.__import__

    def without_boto3(name: str, *rest: Any) -> Any:
        if name == "local" and rest[2] and "installation" in rest[2]:
            raise ModuleNotFoundError("No module named 'ministack'", name="ministack")
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_boto3)
    result = local("status")
    assert result.exit_code == 1
    assert "lacks ministack; run `make setup`" in result.stderr


def test_the_own_checkout_is_where_this_test_lies() -> None:
    from mlops import checkout

    assert checkout.own() == Path(__file__).parents[2]


TOKENS = {"SLACK_BOT_TOKEN": "xoxb-of-the-bot", "SLACK_APP_TOKEN": "xapp-of-the-app"}


def slack(*arguments: str, **environment: str) -> Result:
    """``mlops local slack`` with tokens in the environment."""
    return CliRunner().invoke(app, ["local", "slack", *arguments], env={**TOKENS, **environment})


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the installation is told of a workspace, and the app's exit status."""
    told: list[Any] = []

    @contextmanager
    def connected(running: Running, bot_token: str, workspace: Workspace) -> Iterator[None]:
        told.append((running, bot_token, workspace))
        if "zoe" in workspace.accounts:
            raise UnknownPerson("there is no 'zoe' here; known: ana")
        yield
        told.append("restored")

    def serve(running: Running, tokens: Tokens) -> int:
        told.append(tokens)
        return 0

    monkeypatch.setattr("local.installation.status", lambda: RUNNING)
    monkeypatch.setattr("local.real_workspace.connected", connected)
    monkeypatch.setattr("local.real_workspace.serve", serve)
    return told


def test_a_real_workspace_is_used_until_the_end(workspace: list[Any]) -> None:
    result = slack("--channel", "C0123", "--person", "ben=U0123", "--person", "ana=W0456")
    assert result.exit_code == 0, result.output
    (running, bot_token, told), tokens, restored = workspace
    assert (running, bot_token, restored) == (RUNNING, TOKENS["SLACK_BOT_TOKEN"], "restored")
    assert told == Workspace("C0123", {"ben": "U0123", "ana": "W0456"})
    assert (tokens.bot, tokens.app) == (TOKENS["SLACK_BOT_TOKEN"], TOKENS["SLACK_APP_TOKEN"])
    for token in TOKENS.values():
        assert token not in result.output + repr(tokens)


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (("--channel", "C0123", "--person", "ben"), {}),
        (("--channel", "C0123", "--person", "ben=@ben"), {}),
        (("--channel", "C0123", "--person", "zoe=U0123"), {}),
        (("--channel", "C0123"), {"SLACK_APP_TOKEN": "xoxb-the-wrong-one"}),
        (("--channel", "C0123"), {"SLACK_BOT_TOKEN": ""}),
        ((), {}),
    ],
)
def test_what_is_missing_for_a_workspace_is_wrong_usage(
    workspace: list[Any], arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    result = slack(*arguments, **environment)
    assert result.exit_code == 2
    assert "xoxb-the-wrong-one" not in result.output


def test_an_app_that_cannot_connect_is_told(workspace: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.real_workspace.serve", lambda running, tokens: 1)
    result = slack("--channel", "C0123")
    assert (result.exit_code, "ended with status 1" in result.output, workspace[-1]) == (1, True, "restored")


def test_without_an_installation_there_is_nothing_to_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.installation.status", lambda: None)
    assert slack("--channel", "C0123").exit_code == 1


SETTINGS = {
    "people": {"everybody": [{"email": "ana@example.com", "slack_ids": ["U0ANA"]}, {"email": "ben@example.com"}]},
    "slack_api_url": "http://127.0.0.1:1/api/",
    "slack_channel": "ml-releases",
    "slack_team": "T0ACME",
    "mode": "multi",
}


def test_the_settings_name_the_real_accounts_and_no_local_ones() -> None:
    changed = settings_of(SETTINGS, Workspace("C0123", {"ben": "U0123"}))
    assert changed == {
        "people": {
            "everybody": [
                {"email": "ana@example.com", "slack_ids": []},
                {"email": "ben@example.com", "slack_ids": ["U0123"]},
            ]
        },
        "slack_api_url": "https://slack.com/api/",
        "slack_channel": "C0123",
        "slack_team": "",
        "slack_pace": 1,
        "mode": "multi",
    }
    with pytest.raises(UnknownPerson, match="known: ana, ben"):
        settings_of(SETTINGS, Workspace("C0123", {"zoe": "U0123"}))


def test_another_installation_than_the_one_that_is_up_is_refused(tmp_path: Path) -> None:
    there = replace(RUNNING, cloud_pid=os.getpid(), slack_pid=os.getpid(), engine="codepipeline")
    (tmp_path / "state.json").write_text(json.dumps(asdict(there)))
    with pytest.raises(RuntimeError, match="where codepipeline deploys, not a multi-account one with cloudformation"):
        installation.up("multi", home=tmp_path)
    assert installation.up("multi", engine="codepipeline", home=tmp_path, say=lambda text: None) == there


def test_two_that_bring_one_up_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "kept").touch()
    with (tmp_path / "home.starting").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(RuntimeError, match="on its way"):
            installation.up("single", home=home)
    assert (home / "kept").exists()
