"""Installations for all tests of the suite: the real CDK CLI deploys the real app, IAM enforced.

One of each mode, and one of each mode with the Model Registry.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from local.deploy import ROOT
from local.installation import Running, down, up
from local.settings import Mode
from local.upload import Example, build_example
from tests.browser.chromium import launched
from tests.releases.registry import GROUP, REPOSITORY, Registry, bucket_of
from tests.releases.team import Team
from tests.releases.workloads.data import Data

OWN_TYPE = "house_prompt"
"""``pipeline_type`` of the workload type that only the installation in one account has."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Everything in this folder needs the embedded cloud.

    ``python -m tests`` has two processes share the tests by installation: the one in four accounts, and the others.
    """
    item.add_marker(pytest.mark.cloud)
    item.add_marker(pytest.mark.timeout(420))
    if _in_four_accounts(item):
        item.add_marker(pytest.mark.four_accounts)


def _in_four_accounts(item: pytest.Item) -> bool:
    """Whether a test uses the installation in four accounts, by its own word or by the mode it is called with."""
    called = getattr(item, "callspec", None)
    return "multi" in getattr(item, "fixturenames", ()) or (called is not None and called.params.get("mode") == "multi")


@contextmanager
def installed(folder: Path, mode: Mode, **options: Any) -> Iterator[Running]:
    """An installation, as ``local.installation.up`` takes its options, as long as it is needed."""
    home = folder / "home"
    running = up(mode, home=home, **options)
    try:
        yield running
    finally:
        down(home=home)


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
    with installed(tmp_path_factory.mktemp("multi"), "multi") as running:
        yield Team(running, example)


@pytest.fixture(scope="session")
def live(multi: Team) -> str:
    """Id of the first release of the example, which every test may take as live."""
    return multi.release_example()


@pytest.fixture(scope="session")
def single_types(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside the project with one workload type, which has never been seen before."""
    folder = tmp_path_factory.mktemp("types")
    shutil.copytree(ROOT / "examples" / "own-types" / "llm_prompt", folder / OWN_TYPE)
    suffix = '"suffix": "{}prompt", "workload_suffix": "{}prompt"'
    for name, old, new in (
        ("config.schema.json", "llm_prompt", OWN_TYPE),
        ("example.mlops-config.json", "llm_prompt", OWN_TYPE),
        ("example.single.mlops-config.json", "llm_prompt", OWN_TYPE),
        ("workload.json", suffix.format("llm", ""), suffix.format("house", "house-")),
    ):
        file = folder / OWN_TYPE / name
        changed = file.read_text().replace(old, new)
        assert new in changed
        file.write_text(changed)
    return folder


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory, single_types: Path) -> Iterator[Team]:
    """Everything in one account, and a workload type of the organisation's own."""
    changes = {"template_folders": [str(single_types)]}
    with installed(tmp_path_factory.mktemp("single"), "single", changes=changes) as running:
        yield Team(running, build_example(tmp_path_factory.mktemp("example-single"), "single"))


@pytest.fixture(scope="session")
def live_single(single: Team) -> str:
    """Id of the example's first release in one account."""
    return single.release_example()


@pytest.fixture(scope="session", params=["single", pytest.param("multi", marks=pytest.mark.long)])
def piped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """An installation in which CodePipeline deploys, in one account; in the long run in four as well."""
    mode: Mode = request.param
    with installed(tmp_path_factory.mktemp(f"piped-{mode}"), mode, engine="codepipeline") as running:
        yield Team(running, build_example(tmp_path_factory.mktemp(f"example-piped-{mode}"), mode))


@pytest.fixture(scope="session")
def live_piped(piped: Team) -> str:
    """Id of the example's first release where CodePipeline deploys."""
    return piped.release_example()


@pytest.fixture(scope="session", params=["multi", pytest.param("single", marks=pytest.mark.long)])
def with_registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Another installation, with the Model Registry and a group, and a bucket of the organisation's in every stage."""
    mode: Mode = request.param
    changes = {"model_registry": True, "model_package_group": GROUP, "ecr_repository": {"name": REPOSITORY}}
    with installed(tmp_path_factory.mktemp(f"registry-{mode}"), mode, changes=changes) as running:
        example = build_example(tmp_path_factory.mktemp(f"example-registry-{mode}"), mode)
        registry = Registry(Team(running, example), Data(example))
        for name, account in running.stages.items():
            registry.team.client("s3", account).create_bucket(Bucket=bucket_of(name))
        yield registry
