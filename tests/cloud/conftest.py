"""One embedded cloud for all tests of a session that need it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud.client import EmbeddedCloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    """A running cloud with IAM enforcement on, every account empty at first; nothing is reset between tests."""
    directory: Path = tmp_path_factory.mktemp("cloud")
    with EmbeddedCloud(data_dir=directory) as running:
        yield running
