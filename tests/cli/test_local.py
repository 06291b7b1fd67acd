"""``mlops local``: what the local installation says, and its refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from local.deploy import DeploymentFailed
from local.installation import Running
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

    def up(mode: str, *, say: Callable[[str], None]) -> Running:
        asked.append(mode)
        say("embedded cloud started")
        return RUNNING

    monkeypatch.setattr("local.installation.up", up)
    result = local("up", "--mode", "multi")
    assert result.exit_code == 0, result.output
    assert asked == ["multi"]
    assert "embedded cloud started" in result.stderr
    for expected in (RUNNING.slack_url, API, "s3://mlops-assets/", "account 444444444444"):
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
    def up(mode: str, *, say: Callable[[str], None]) -> Running:
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
