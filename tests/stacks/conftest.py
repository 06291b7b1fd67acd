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


@pytest.fixture(scope="session")
def organization(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """An organisation that brings bucket, repository and group along; stack sets by a delegated administrator."""
    return _launched(tmp_path_factory, "organization")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """Repository made, a bucket with a key; the management account rolls one stage out."""
    return _launched(tmp_path_factory, "made")


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """Bucket and repository brought along in one account."""
    return _launched(tmp_path_factory, "alone")


def _launched(factory: pytest.TempPathFactory, name: str) -> Synthesised:
    from tests.stacks.launched import CHOSEN
    from tests.stacks.templates import synthesise

    return synthesise(CHOSEN[name](), _folder(factory, name))


def _folder(factory: pytest.TempPathFactory, name: str) -> Path:
    return factory.mktemp(name)
