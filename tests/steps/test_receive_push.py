"""A push becomes releases: what it changes among configurations, at its commit, once, and never backwards."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.commits import LINK, SUBMODULE
from orchestrator.core.events import Push
from orchestrator.core.installation import Repository
from orchestrator.core.people import Identity, IdentityKind
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.receipts import Receipt
from orchestrator.core.steps.receive_push import OVERTAKEN, receive_push
from tests.fakes.dying import dying_after
from tests.fakes.git import ANA_WRITES, PUSHER, REPOSITORY, FakeRepositories, push
from tests.fakes.machine import Died
from tests.fakes.memory_world import MemoryWorld, configuration, installation

PATH = "fraud/mlops-config.json"


def text(**changes: Any) -> bytes:
    return json.dumps(configuration(**changes)).encode()


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld(installation=installation(repositories=(Repository(REPOSITORY, "main"),)))


@pytest.fixture
def git() -> FakeRepositories:
    return FakeRepositories()


def receive(world: MemoryWorld, git: FakeRepositories, pushed: Push) -> Receipt:
    return receive_push(pushed, git, world.reception)


def test_a_changed_configuration_becomes_a_release_with_its_commit(world: MemoryWorld, git: FakeRepositories) -> None:
    first = git.commit({"README.md": b"x", "other/mlops-config.json": text(model_name="other")})
    second = git.commit({PATH: text(), "README.md": b"y"}, first)
    (release,) = receive(world, git, push(second, first)).releases
    assert (release.workload, release.status) == ("fraud-detector-realtime", Status.REQUESTED)
    assert (release.source.kind, release.source.bucket, release.source.key, release.source.version_id) == (
        "commit",
        REPOSITORY,
        PATH,
        second,
    )
    assert release.requester == Identity(IdentityKind.IAM, PUSHER, verified=True)
    assert release.commit is not None
    assert (release.commit.author_name, release.commit.author_email, release.commit.message) == (
        ANA_WRITES.name,
        ANA_WRITES.email,
        "Serve the new model",
    )
    assert release.commit.url.endswith(f"repositories/{REPOSITORY}/commit/{second}?region=us-east-1")
    assert release.created_at == "2026-03-01T12:00:00.000Z"
    assert list(world.fake_tasks.started) == [release.release_id]


def test_the_first_push_of_a_branch_releases_every_configuration(world: MemoryWorld, git: FakeRepositories) -> None:
    commit = git.commit({"mlops-config.json": text(), "a/b/mlops-config.json": text(model_name="b"), "c.json": b"{}"})
    found = {release.source.key for release in receive(world, git, push(commit)).releases}
    assert found == {"mlops-config.json", "a/b/mlops-config.json"}


def test_a_forced_push_whose_old_commit_is_gone_releases_every_configuration(
    world: MemoryWorld, git: FakeRepositories
) -> None:
    commit = git.commit({PATH: text()})
    assert len(receive(world, git, push(commit, old="0" * 40)).releases) == 1


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"reference": "feature"}, id="another branch"),
        pytest.param({"reference_type": "tag"}, id="a tag of the branch's name"),
        pytest.param({"event": "referenceDeleted", "commit_id": ""}, id="the branch is deleted"),
        pytest.param({"event": "unreferencedMergeCommitCreated"}, id="a commit of no branch"),
        pytest.param({"repository": "another"}, id="a repository that is not watched"),
    ],
)
def test_what_is_of_no_interest_starts_nothing(
    world: MemoryWorld, git: FakeRepositories, changes: dict[str, str]
) -> None:
    pushed = push(git.commit({PATH: text()}))
    receipt = receive(world, git, replace(pushed, **changes))
    assert receipt == Receipt((), duplicate=False)
    assert world.memory.rows == {}


def test_ten_deliveries_of_an_event_are_one_release(world: MemoryWorld, git: FakeRepositories) -> None:
    pushed = push(git.commit({PATH: text()}))
    receipts = [receive(world, git, pushed) for _ in range(10)]
    assert [receipt.duplicate for receipt in receipts] == [False] + [True] * 9
    assert len(world.memory.all(Release)) == 1


def test_a_branch_that_comes_back_to_a_commit_asks_again(world: MemoryWorld, git: FakeRepositories) -> None:
    first = git.commit({PATH: text()})
    second = git.commit({PATH: text(description="new")}, first)
    receive(world, git, push(second, first))
    git.branches["main"] = first
    back = receive(world, git, push(first, second, time="2026-03-01T13:00:00Z"))
    again = receive(world, git, push(first, second, time="2026-03-01T14:00:00Z"))
    assert not back.duplicate
    assert not again.duplicate
    assert len(world.memory.all(Release)) == 3


def test_an_older_push_that_arrives_late_is_superseded_from_the_start(
    world: MemoryWorld, git: FakeRepositories
) -> None:
    first = git.commit({"x": b""})
    second = git.commit({PATH: text(), "kept/mlops-config.json": text(model_name="kept")}, first)
    third = git.commit({PATH: text(description="newer")}, second)
    (newer,) = receive(world, git, push(third, second, time="2026-03-01T12:00:01Z")).releases
    older = {release.source.key: release for release in receive(world, git, push(second, first)).releases}
    assert (older[PATH].status, older[PATH].reason) == (Status.SUPERSEDED, OVERTAKEN)
    assert older["kept/mlops-config.json"].status is Status.REQUESTED
    assert set(world.fake_tasks.started) == {newer.release_id, older["kept/mlops-config.json"].release_id}


def test_of_two_pushes_within_a_second_the_newer_one_stands(world: MemoryWorld, git: FakeRepositories) -> None:
    orders = []
    before = git.commit({"x": b""})
    for number in range(20):
        pushed = git.commit({PATH: text(description=f"number {number}")}, before)
        (release,) = receive(world, git, push(pushed, before)).releases
        (again,) = receive(world, git, push(pushed, before)).releases
        assert again.order == release.order
        orders.append(release.order)
        before = pushed
    assert orders == sorted(orders)


def test_a_commit_that_is_gone_is_told(world: MemoryWorld, git: FakeRepositories) -> None:
    receipts = [receive(world, git, push("f" * 40)) for _ in range(2)]
    (refused,) = receipts[0].releases
    assert refused.status is Status.REFUSED
    assert "not in the repository ml-models any more" in refused.problems[0]
    assert refused.requester.value == PUSHER
    assert refused.workload == REPOSITORY
    assert receipts[1].duplicate


def test_a_configuration_with_problems_is_refused_and_the_others_go_on(
    world: MemoryWorld, git: FakeRepositories
) -> None:
    commit = git.commit({PATH: text(), "bad/mlops-config.json": b"{nope"})
    found = {release.source.key: release for release in receive(world, git, push(commit)).releases}
    assert found[PATH].status is Status.REQUESTED
    assert found["bad/mlops-config.json"].status is Status.REFUSED
    assert found["bad/mlops-config.json"].commit is not None


@pytest.mark.parametrize(("mode", "releases"), [(LINK, 1), (SUBMODULE, 0)])
def test_links_are_refused_and_submodules_are_no_files(
    world: MemoryWorld, git: FakeRepositories, mode: str, releases: int
) -> None:
    git.modes[PATH] = mode
    found = receive(world, git, push(git.commit({PATH: b"../elsewhere"}))).releases
    assert [release.status for release in found] == [Status.REFUSED] * releases


def test_too_many_configurations_are_refused_as_a_whole(world: MemoryWorld, git: FakeRepositories) -> None:
    commit = git.commit({f"{number}/mlops-config.json": b"{}" for number in range(201)})
    (refused,) = receive(world, git, push(commit)).releases
    assert refused.status is Status.REFUSED
    assert "more than 200 files" in refused.problems[0]


def test_a_deleted_configuration_starts_nothing_and_is_told_once(world: MemoryWorld, git: FakeRepositories) -> None:
    first = git.commit({PATH: text()})
    second = git.commit({PATH: None}, first)
    receipts = [receive(world, git, push(second, first)) for _ in range(3)]
    (notice,) = receipts[0].releases
    assert notice.is_of_nothing
    assert notice.workload == PATH
    assert "fraud-detector-realtime stays as released" in notice.reason
    assert [receipt.duplicate for receipt in receipts] == [False, True, True]
    assert world.fake_tasks.started == {}


def test_a_configuration_that_was_moved_is_not_told_as_deleted(world: MemoryWorld, git: FakeRepositories) -> None:
    first = git.commit({PATH: text()})
    second = git.commit({PATH: None, "moved/mlops-config.json": text()}, first)
    (release,) = receive(world, git, push(second, first)).releases
    assert release.source.key == "moved/mlops-config.json"


def test_a_deleted_configuration_that_had_problems_is_told(world: MemoryWorld, git: FakeRepositories) -> None:
    first = git.commit({PATH: b"{nope"})
    second = git.commit({PATH: None}, first)
    (notice,) = receive(world, git, push(second, first)).releases
    assert notice.is_of_nothing
    assert "what was released from it stays as it is" in notice.reason


def test_without_a_caller_the_author_has_asked_and_that_is_a_claim(world: MemoryWorld, git: FakeRepositories) -> None:
    (release,) = receive(world, git, push(git.commit({PATH: text()}), caller="")).releases
    assert release.requester == Identity(IdentityKind.GIT, "ana@home.example", verified=False)


def test_dying_anywhere_and_delivered_again_completes_and_never_repeats() -> None:
    for calls in range(1, 200):
        world = MemoryWorld(installation=installation(repositories=(Repository(REPOSITORY, "main"),)))
        git = FakeRepositories()
        first = git.commit({"gone/mlops-config.json": text(model_name="gone")})
        second = git.commit(
            {PATH: text(), "b/mlops-config.json": text(model_name="b"), "gone/mlops-config.json": None}, first
        )
        try:
            with dying_after(world, calls):
                receive(world, git, push(second, first))
        except Died:
            pass
        else:
            assert calls > 10
            break
        receive(world, git, push(second, first))
        assert len(world.memory.all(Release)) == 3
        assert len(world.fake_tasks.started) == 2


def test_two_files_of_one_commit_that_configure_one_workload_start_one_release(
    world: MemoryWorld, git: FakeRepositories
) -> None:
    commit = git.commit({"a/mlops-config.json": text(), "b/mlops-config.json": text(description="other")})
    first = receive(world, git, push(commit))
    again = receive(world, git, push(commit))
    begun, refused = sorted(first.releases, key=lambda release: release.source.key)
    assert (begun.status, refused.status) == (Status.REQUESTED, Status.REFUSED)
    assert refused.problems == (
        '$: the workload "fraud-detector-realtime" is configured by a/mlops-config.json of the same commit too. '
        "Keep one of them.",
    )
    assert again.duplicate
    assert len(world.fake_tasks.started) == 1
