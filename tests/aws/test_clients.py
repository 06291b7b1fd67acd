"""Clients and collaborators: kept where they may be, made anew where they must be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.aws import clients, settings
from orchestrator.aws.clients import client
from orchestrator.aws.credentials import RoleCredentials
from orchestrator.aws.world import World
from tests.fakes.memory_world import installation

ASSUMED = RoleCredentials("arn:role", "ASIAKEY", "secret", "token")


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "own-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own-secret")
    for cached in (clients.session, clients._own):
        cached.cache_clear()
    yield
    for cached in (clients.session, clients._own):
        cached.cache_clear()


def test_a_client_of_the_own_role_is_kept() -> None:
    assert client("sts") is client("sts")


def test_a_client_of_an_assumed_role_is_made_with_its_credentials_each_time() -> None:
    first, second = client("sts", ASSUMED), client("sts", ASSUMED)
    assert first is not second
    credentials = first._get_credentials()
    assert (credentials.access_key, credentials.token) == ("ASIAKEY", "token")


def test_a_call_is_tried_eight_times_and_outlasts_a_services_minute() -> None:
    config = client("sts").meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 8}
    assert config.read_timeout > 60


@pytest.mark.parametrize("credentials", [None, ASSUMED], ids=["own role", "assumed role"])
def test_a_call_of_one_attempt_is_sent_once_and_waits_as_long_as_it_may(credentials: RoleCredentials | None) -> None:
    config = client("sagemaker-runtime", credentials, 7).meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 1}
    assert config.read_timeout == 7
    assert client("sagemaker-runtime").meta.config.read_timeout > 60


def test_one_world_has_one_of_each() -> None:
    world = World("records", "/mlops/settings")
    settings._known["/mlops/settings"] = (float("inf"), installation())
    try:
        assert world.store is world.store
        assert world.objects is world.objects
        assert world.tasks is world.tasks
        assert world.accounts is world.accounts
        assert "byom_realtime_builtin" in world.catalogue.types
    finally:
        settings._known.clear()


def test_the_time_is_in_utc() -> None:
    moment = World.now()
    assert moment.utcoffset() is not None
    assert not moment.utcoffset()
