"""The command, run in this process against a gateway on 127.0.0.1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlops.main import app
from tests.cli.gateway import REGION, SECRETS, Gateway, serving
from tests.fakes.memory_world import configuration


@dataclass
class Command:
    """``mlops`` in the shell of somebody."""

    gateway: Gateway
    person: str = "ana"

    def __call__(self, *arguments: str, person: str = "", stdin: str | None = None) -> Result:
        """Run it as this person."""
        key = (person or self.person).upper()
        environment = {
            "MLOPS_API_URL": self.gateway.url,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": SECRETS[key],
        }
        return CliRunner().invoke(app, list(arguments), input=stdin, env=environment)

    def json(self, *arguments: str, person: str = "", exit_code: int = 0) -> Any:
        """Run it with ``--json``; the parsed answer."""
        result = self(*arguments, "--json", person=person)
        assert result.exit_code == exit_code, result.output
        return json.loads(result.stdout)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the developer's own sign-in, proxies or running installation plays a part."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "MLOPS_API_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("mlops.checkout.may_be_up", lambda: False)
    monkeypatch.setattr("mlops.api.sleep", lambda seconds: None)
    monkeypatch.setattr("mlops.following.sleep", lambda seconds: None)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """An installation's API."""
    with serving() as found:
        yield found


@pytest.fixture
def mlops(gateway: Gateway) -> Command:
    """The command, signed in as Ana."""
    return Command(gateway)


@pytest.fixture
def configuration_file(tmp_path: Path) -> Path:
    """A good configuration; the installation has its assets."""
    file = tmp_path / "mlops-config.json"
    file.write_text(json.dumps(configuration(description="Scores card payments for fraud.")))
    return file
