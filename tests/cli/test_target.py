"""Which installation is meant, and who calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from botocore.credentials import Credentials
from typer.testing import CliRunner, Result

from mlops import checkout
from mlops.main import app
from tests.cli.gateway import REGION, SECRETS, Gateway


def run(arguments: Sequence[str], **environment: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env=environment)


def said(result: Result) -> str:
    """Standard error in one line, however it was wrapped."""
    return " ".join(result.stderr.split())


@dataclass
class LocalInstallation:
    """A local installation whose API is the gateway."""

    gateway: Gateway
    up: bool = True
    mode: str = "multi"
    outputs: dict[str, str] = field(default_factory=lambda: {"ApiUrl": "https://x.execute-api.us-east-1/prod/"})

    @property
    def cloud(self) -> SimpleNamespace:
        return SimpleNamespace(local_url=lambda url: self.gateway.url + "/")

    def status(self) -> LocalInstallation | None:
        return self if self.up else None


@pytest.fixture
def local(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> LocalInstallation:
    """A local installation that is up."""
    found = LocalInstallation(gateway)
    monkeypatch.setattr("local.installation.status", found.status)
    monkeypatch.setattr("local.settings.REGION", REGION)
    monkeypatch.setattr(
        "local.people.credentials_of", lambda running, person: Credentials(person.upper(), SECRETS[person.upper()])
    )
    return found


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.com", "is no URL of an API"),
        ("example.com/prod", "is no URL of an API"),
        ("https://example.com/prod?x=1", "is no URL of an API"),
        ("http://example.com/prod", "must be called over https"),
        ("http://127.0.0.1.example.com/prod", "must be called over https"),
    ],
)
def test_addresses_that_are_not_called(url: str, why: str) -> None:
    result = run(["status", "--api-url", url])
    assert result.exit_code == 2
    assert why in said(result)


def test_without_any_address_the_way_to_give_one_is_told() -> None:
    result = run(["status"])
    assert result.exit_code == 2
    for way in ("--api-url", "MLOPS_API_URL", "--local"):
        assert way in said(result)


def test_without_credentials_the_way_to_get_some_is_told(gateway: Gateway) -> None:
    result = run(["status", "--api-url", gateway.url])
    assert result.exit_code == 1
    assert "aws sso login" in said(result)
    assert gateway.received == []


def test_an_unknown_profile_is_told(gateway: Gateway) -> None:
    result = run(["status", "--api-url", gateway.url, "--profile", "nobody"])
    assert result.exit_code == 1
    assert "nobody" in said(result)


@pytest.mark.usefixtures("local")
def test_local_calls_the_local_installation_as_ana(gateway: Gateway) -> None:
    result = run(["status", "--local"])
    assert result.exit_code == 0, result.output
    assert "Local installation (multi-account), as Ana Silva (--as ana)." in said(result)
    assert gateway.caller(gateway.received[0]) == "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Engineer/ana"


@pytest.mark.usefixtures("local")
def test_as_calls_as_somebody_else_and_means_local(gateway: Gateway) -> None:
    assert run(["status", "--as", "ben"]).exit_code == 0
    assert gateway.caller(gateway.received[0]) == "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Engineer/ben"


@pytest.mark.usefixtures("local")
def test_as_knows_the_people_of_the_local_installation() -> None:
    result = run(["status", "--as", "eve"])
    assert result.exit_code == 2
    assert "known: ana, ben, chloe, dev" in said(result)


def test_local_that_is_down_is_told(local: LocalInstallation) -> None:
    local.up = False
    result = run(["status", "--local"])
    assert result.exit_code == 1
    assert "mlops local up" in said(result)


@pytest.mark.usefixtures("local")
def test_a_running_local_installation_is_used_and_said_where_no_address_is_given(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops.checkout.may_be_up", lambda: True)
    result = run(["status"])
    assert result.exit_code == 0, result.output
    assert "Local installation" in said(result)
    assert result.stdout == "There is no release yet.\n"


@pytest.mark.usefixtures("local")
def test_an_address_wins_over_a_running_local_installation(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops.checkout.may_be_up", lambda: True)
    result = run(["status"], MLOPS_API_URL=gateway.url, AWS_ACCESS_KEY_ID="BEN", AWS_SECRET_ACCESS_KEY=SECRETS["BEN"])
    assert result.exit_code == 0, result.output
    assert "Local installation" not in said(result)


def test_the_note_of_another_checkout_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / checkout.STATE).parent.mkdir()
    (tmp_path / checkout.STATE).write_text("{}")
    (tmp_path / checkout.MARK).parent.mkdir()
    (tmp_path / checkout.MARK).write_text("")
    monkeypatch.undo()  # the fixture's own stand-in for may_be_up
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mlops.checkout.own", lambda: None)
    assert not checkout.may_be_up()
    assert checkout.around(tmp_path / checkout.MARK) == tmp_path


def test_outside_a_checkout_local_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mlops.checkout.own", lambda: None)
    result = run(["local", "status"])
    assert result.exit_code == 1
    assert "needs a checkout of the project" in said(result)
