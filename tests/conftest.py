"""What holds for every test: no network, and how hard Hypothesis tries.

``--hypothesis-profile=long`` tries about a hundred times harder than the default, which is seeded so that a run of
``make test`` repeats.
"""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default",
    max_examples=50,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    # How long an example takes to make depends on what else the machine does.
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "long",
    max_examples=4_000,
    stateful_step_count=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("default")

WITHOUT_SOCKETS = frozenset({"core", "steps", "functions", "events", "statemachines"})
"""Folders of unit tests; other tests may talk to servers of their own on this machine."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """What tests write anew after a change that was meant: golden files, pictures of the documentation."""
    parser.addoption("--refresh-golden", action="store_true", help="rewrite the golden files of the tests that run")
    parser.addoption("--refresh-pictures", action="store_true", help="write the pictures in docs/ anew")


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection to elsewhere, and in unit tests every connection."""
    unit = WITHOUT_SOCKETS & set(request.path.relative_to(request.config.rootpath).parts)
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        here = self.family == socket.AF_UNIX or address[0] in {"127.0.0.1", "::1", "localhost"}
        if unit or not here:
            raise AssertionError(f"a test wanted to connect to {address}")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
