"""One installation of each mode for all tests of the suite: the real CDK CLI deploys the real app, IAM enforced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from local.installation import Running, down, up
from local.upload import Example, build_example, upload_example
from tests.browser.chromium import launched
from tests.releases.team import Team


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the embedded cloud."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.cloud)
            item.add_marker(pytest.mark.timeout(420))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with launched() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    """The example model, trained once."""
    return build_example(tmp_path_factory.mktemp("example"))


@pytest.fixture(scope="session")
def multi(tmp_path_factory: pytest.TempPathFactory, example: Example) -> Iterator[Team]:
    """Orchestrator, dev, staging and prod in four accounts."""
    home = tmp_path_factory.mktemp("multi") / "home"
    running: Running = up("multi", home=home)
    try:
        yield Team(running, example)
    finally:
        down(home=home)


@pytest.fixture(scope="session")
def live(multi: Team) -> str:
    """Id of the first release of the example, which every test may take as live."""
    upload_example(multi.running, multi.example)
    release_id = multi.started(multi.example_workload)
    ended = multi.follower.until_end(release_id, decide=multi.approve)
    assert ended.status == "succeeded", ended.reason
    return release_id


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """Everything in one account."""
    home = tmp_path_factory.mktemp("single") / "home"
    running = up("single", home=home)
    try:
        yield Team(running, build_example(tmp_path_factory.mktemp("example-single"), "single"))
    finally:
        down(home=home)
