"""Each mode is synthesised once in a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.deploy import environment

# Importing the CDK starts the Node.js that is on the path: the virtual environment's comes first.
os.environ.update(environment({}))

if TYPE_CHECKING:
    from tests.stacks.templates import Synthesised


@pytest.fixture(scope="session")
def multi(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    from tests.stacks.templates import settings_of, synthesise

    return synthesise(settings_of("multi"), _folder(tmp_path_factory, "multi"))


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    from tests.stacks.templates import settings_of, synthesise

    return synthesise(settings_of("single"), _folder(tmp_path_factory, "single"))


@pytest.fixture(scope="session", params=["multi", "single"])
def synthesised(request: pytest.FixtureRequest) -> Synthesised:
    """Both modes, one after the other."""
    found: Synthesised = request.getfixturevalue(request.param)
    return found


def _folder(factory: pytest.TempPathFactory, name: str) -> Path:
    return factory.mktemp(name)
