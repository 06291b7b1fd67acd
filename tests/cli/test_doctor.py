"""``mlops doctor`` and ``mlops slack manifest``."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from mlops.doctor import COLOURS
from orchestrator.core.errors import Refused
from orchestrator.core.examination.findings import Check, Finding, State
from tests.cli.conftest import Command
from tests.cli.gateway import SLACK_REQUEST_URL, Gateway

ROOT = Path(__file__).parents[2]

OK = Finding.ok(Check.SECRET, "has a bot token and a signing secret")
WARNING = Finding.warning(Check.SCOPES, "files:read is there, and nothing needs it", "Take it out.", "files:read")
FAULT = Finding.fault(Check.CHANNEL, "is archived", "Unarchive it.", "#ml-releases")
SKIPPED = Finding.skipped(Check.APPROVER, "Slack cannot be asked", "Ben Okafor (ml-owner)")


def found(gateway: Gateway, *findings: Finding) -> None:
    """What the function behind the API finds."""
    gateway.examination = SimpleNamespace(findings=lambda: [asdict(finding) for finding in findings])


def test_all_is_well(mlops: Command, gateway: Gateway) -> None:
    found(gateway, OK)
    result = mlops("doctor")
    assert result.exit_code == 0, result.output
    credentials, api, secret, empty, summary = result.stdout.splitlines()
    assert credentials.startswith("ok       aws credentials: are good: the API knows you as arn:aws:sts::111111111111:")
    assert credentials.endswith("/ana")
    assert re.fullmatch(r"ok       api: http\S+ answers: multi-account, us-east-1, 111111111111, version \S+", api)
    assert secret == "ok       slack secret: has a bot token and a signing secret"
    assert (empty, summary) == ("", "3 ok")


def test_a_warning_is_no_failure(mlops: Command, gateway: Gateway) -> None:
    found(gateway, OK, WARNING)
    result = mlops("doctor")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "1 warning, 3 ok")
    assert "warning  slack scopes files:read: files:read is there, and nothing needs it" in result.stdout
    assert "         → Take it out." in result.stdout


def test_a_fault_is_one_and_says_what_to_do(mlops: Command, gateway: Gateway) -> None:
    found(gateway, FAULT, SKIPPED)
    result = mlops("doctor")
    assert result.exit_code == 1
    assert "fault    slack channel #ml-releases: is archived\n         → Unarchive it.\n" in result.stdout
    assert "skipped  approver Ben Okafor (ml-owner): Slack cannot be asked\n" in result.stdout
    assert result.stdout.splitlines()[-1] == "1 fault, 1 not looked at, 2 ok"


@pytest.mark.parametrize(
    ("findings", "state", "exit_code"),
    [((OK,), "ok", 0), ((OK, WARNING), "warning", 0), ((WARNING, FAULT), "fault", 1)],
)
def test_the_answer_in_json(
    mlops: Command, gateway: Gateway, findings: tuple[Finding, ...], state: str, exit_code: int
) -> None:
    found(gateway, *findings)
    answer = mlops.json("doctor", exit_code=exit_code)
    assert answer["state"] == state
    assert {name: answer[name] for name in ("mode", "account")} == {"mode": "multi", "account": "111111111111"}
    assert answer["findings"][0]["check"] == "aws-credentials"
    assert answer["findings"][2:] == [asdict(finding) for finding in findings]


def test_without_credentials(mlops: Command, monkeypatch: pytest.MonkeyPatch, gateway: Gateway) -> None:
    from typer.testing import CliRunner

    from mlops.main import app

    result = CliRunner().invoke(app, ["doctor", "--api-url", gateway.url])
    assert result.exit_code == 1
    assert result.stdout.startswith("fault    aws credentials: No AWS credentials were found")
    assert "aws sso login" in result.stdout
    assert gateway.received == []


def test_an_api_that_is_not_there(mlops: Command) -> None:
    result = mlops("doctor", "--api-url", "http://127.0.0.1:1/v1")
    assert (result.exit_code, "fault    api: The API at http://127.0.0.1:1/v1 cannot be reached" in result.stdout) == (
        1,
        True,
    )
    assert "output ApiUrl" in result.stdout


def test_a_caller_who_is_not_let_in(mlops: Command, gateway: Gateway) -> None:
    gateway.canned = [(403, b'{"Message": "User: arn:x is not authorized to perform: execute-api:Invoke"}')]
    answer = mlops.json("doctor", exit_code=1)
    (only,) = answer["findings"]
    assert (only["check"], only["state"]) == ("api", "fault")
    assert "execute-api:Invoke" in only["what"]


def test_an_examination_that_fails_itself(mlops: Command, gateway: Gateway) -> None:
    def fails() -> Any:
        raise Refused("the examination itself has failed (KeyError); the log /aws/lambda/mlops-examine says why")

    gateway.examination = SimpleNamespace(findings=fails)
    result = mlops("doctor")
    assert (result.exit_code, "fault    api: the examination itself has failed" in result.stdout) == (1, True)


def test_another_version_is_told(mlops: Command, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    found(gateway, OK)
    monkeypatch.setattr("mlops.doctor.VERSION", "9.9.9")
    result = mlops("doctor")
    assert result.exit_code == 0
    assert re.search(r"warning  api: is of version \S+, and this command of version 9\.9\.9", result.stdout)


def test_what_is_found_cannot_rewrite_the_terminal(mlops: Command, gateway: Gateway) -> None:
    found(gateway, Finding.fault(Check.APPROVER, "cannot decide: \x1b[2J@evil", "Mend it.", "\x1b]0;x\x07"))
    assert "\x1b" not in mlops("doctor").stdout


def test_every_state_has_a_colour() -> None:
    assert set(COLOURS) == set(State)


@pytest.mark.parametrize("check", Check)
def test_every_check_is_explained(check: Check) -> None:
    assert f"| `{check}` | " in (ROOT / "docs" / "operations.md").read_text()


def test_every_check_is_in_the_apis_description() -> None:
    described = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["components"]["schemas"]["Finding"]
    assert described["properties"]["check"]["enum"] == [one.value for one in Check][2:]
    assert described["properties"]["state"]["enum"] == [one.value for one in State]


def test_the_manifest_is_printed_filled_in(mlops: Command) -> None:
    parsed = yaml.safe_load(mlops("slack", "manifest").stdout)
    assert parsed["settings"]["interactivity"]["request_url"] == SLACK_REQUEST_URL
    assert parsed["features"]["slash_commands"][0]["url"] == SLACK_REQUEST_URL


def test_the_link_alone(mlops: Command) -> None:
    (line,) = mlops("slack", "manifest", "--link").stdout.splitlines()
    assert line.startswith("https://api.slack.com/apps?new_app=1&manifest_yaml=display_information")


def test_the_manifest_for_development(mlops: Command) -> None:
    parsed = yaml.safe_load(mlops("slack", "manifest", "--socket-mode").stdout)
    assert parsed["settings"]["socket_mode_enabled"] is True
    assert mlops.json("slack", "manifest", "--socket-mode")["request_url"] == ""
