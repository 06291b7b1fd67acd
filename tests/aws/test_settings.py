"""The installation's settings: read once a minute, and what a function's environment must hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

import orchestrator.aws.settings as settings_module
from orchestrator.aws.environment import MissingVariable, load, variables
from orchestrator.aws.settings import FRESH_SECONDS, installation
from orchestrator.core.errors import AccessDenied
from tests.aws.service_double import Refusal, ServiceDouble
from tests.fakes.memory_world import installation as some_installation

PARAMETER = "/mlops/settings"


class Ssm(ServiceDouble):
    """Parameter Store with one parameter."""

    service = "ssm"

    def __init__(self) -> None:
        super().__init__()
        self.value = some_installation()

    def get_parameter(self, **_: Any) -> dict[str, Any]:
        return {"Parameter": {"Value": self.value.to_json()}}


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The process's clock, in its first element."""
    clock = [1000.0]
    monkeypatch.setattr("orchestrator.aws.settings.time.monotonic", lambda: clock[0])
    return clock


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    settings_module._known.clear()
    yield
    settings_module._known.clear()


def test_the_settings_come_back_as_the_stack_wrote_them() -> None:
    ssm = Ssm()
    assert installation(ssm.client(), PARAMETER) == ssm.value


def test_the_settings_are_read_once_a_minute(seconds: list[float]) -> None:
    ssm = Ssm()
    client = ssm.client()
    installation(client, PARAMETER)
    ssm.value = replace(ssm.value, slack_channel="another")
    seconds[0] += FRESH_SECONDS - 1
    assert installation(client, PARAMETER).slack_channel == "ml-releases"
    assert len(ssm.calls) == 1
    seconds[0] += 1
    assert installation(client, PARAMETER).slack_channel == "another"


def test_settings_that_cannot_be_read_anew_are_not_guessed(seconds: list[float]) -> None:
    """Who may approve is in there: an old answer would fail open."""
    ssm = Ssm()
    client = ssm.client()
    installation(client, PARAMETER)
    seconds[0] += FRESH_SECONDS
    ssm.refusals["get_parameter"] = [Refusal("AccessDeniedException", "no")]
    with pytest.raises(AccessDenied, match="ssm:GetParameter"):
        installation(client, PARAMETER)


@dataclass(frozen=True)
class Env:
    """What some stack tells some function."""

    table_name: str
    packages_bucket: str


def test_what_the_stack_writes_is_what_the_function_reads() -> None:
    env = Env("records", "")
    assert variables(env) == {"TABLE_NAME": "records", "PACKAGES_BUCKET": ""}
    assert load(Env, variables(env)) == env


def test_every_variable_that_is_missing_is_named() -> None:
    with pytest.raises(MissingVariable, match="TABLE_NAME, PACKAGES_BUCKET"):
        load(Env, {"OTHER": "x"})


def test_an_unchanged_installation_is_an_unchanged_parameter() -> None:
    assert json.loads(some_installation().to_json()) == json.loads(some_installation().to_json())
    assert some_installation().to_json() == some_installation().to_json()
