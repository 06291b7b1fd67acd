"""The archive of a commit becomes releases: what differs from the one before, once, and never backwards."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.commits import archive_key, pipeline_name
from orchestrator.core.errors import BadRequest, SourceGone
from orchestrator.core.events import Upload
from orchestrator.core.installation import Repository
from orchestrator.core.people import Identity, IdentityKind
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.progress import stamp
from orchestrator.core.steps.receipts import Receipt
from orchestrator.core.steps.receive_archive import receive_archive
from tests.fakes.dying import dying_after
from tests.fakes.git import FakePipelines, archive
from tests.fakes.machine import Died
from tests.fakes.memory_world import MemoryWorld, configuration, installation

BUCKET = "mlops-commits"
PATH = "fraud/mlops-config.json"
WATCHED = Repository("github", "main", "connection", "arn:connection", "example/ml-models")


def text(**changes: Any) -> bytes:
    return json.dumps(configuration(**changes)).encode()


@dataclass
class Deliveries:
    """Commits of one repository, delivered to one world."""

    world: MemoryWorld = field(default_factory=lambda: MemoryWorld(installation=installation(repositories=(WATCHED,))))
    pipelines: FakePipelines = field(default_factory=FakePipelines)
    minute: int = 0

    def made(self, files: dict[str, bytes] | bytes, commit_id: str = "") -> Upload:
        """A pipeline has put an archive into the bucket."""
        execution = str(uuid.UUID(int=self.minute + 1))
        self.minute += 1
        started = self.world.clock() + timedelta(minutes=self.minute)
        self.pipelines.fetched(pipeline_name("github"), execution, commit_id or f"{self.minute:040x}", started)
        key = archive_key("github", execution)
        data = files if isinstance(files, bytes) else archive(files)
        return Upload(BUCKET, key, self.world.buckets.put(BUCKET, key, data), "0")

    def receive(self, upload: Upload) -> Receipt:
        return receive_archive(upload, self.pipelines, self.world.reception)

    def deliver(self, files: dict[str, bytes] | bytes, commit_id: str = "") -> tuple[Release, ...]:
        return self.receive(self.made(files, commit_id)).releases


@pytest.fixture
def github() -> Deliveries:
    return Deliveries()


def test_the_first_archive_releases_every_configuration(github: Deliveries) -> None:
    (release,) = github.deliver({PATH: text(), "README.md": b"x"})
    assert release.status is Status.REQUESTED
    assert str(release.source) == f"{PATH} in example/ml-models at commit {1:040x}"
    assert release.requester == Identity(IdentityKind.GIT, "ana@home.example", verified=False)
    assert release.commit is not None
    assert (release.commit.repository, release.commit.branch) == ("example/ml-models", "main")
    assert release.commit.url == f"https://github.example/commit/{1:040x}"
    assert list(github.world.fake_tasks.started) == [release.release_id]


def test_later_archives_release_what_has_changed(github: Deliveries) -> None:
    github.deliver({PATH: text(), "b/mlops-config.json": text(model_name="b")})
    assert github.deliver({PATH: text(), "b/mlops-config.json": text(model_name="b"), "README.md": b"new"}) == ()
    changed = github.deliver({PATH: text(), "b/mlops-config.json": text(model_name="b", description="new")})
    assert [release.source.key for release in changed] == ["b/mlops-config.json"]


def test_the_same_commit_delivered_once_more_is_wanted_whole(github: Deliveries) -> None:
    files = {PATH: text(), "b/mlops-config.json": text(model_name="b")}
    github.deliver(files, "c" * 40)
    assert len(github.deliver(files, "c" * 40)) == 2


def test_ten_deliveries_of_an_event_are_one_release(github: Deliveries) -> None:
    upload = github.made({PATH: text()})
    receipts = [github.receive(upload) for _ in range(10)]
    assert [receipt.duplicate for receipt in receipts] == [False] + [True] * 9
    assert len(github.world.memory.all(Release)) == 1


def test_an_older_archive_that_arrives_late_does_nothing(github: Deliveries) -> None:
    github.deliver({PATH: text()})
    older, newer = github.made({PATH: text(description="older")}), github.made({PATH: text(description="newer")})
    (release,) = github.receive(newer).releases
    assert github.receive(older) == Receipt((), duplicate=True)
    assert github.deliver({PATH: text(description="newer")}) == ()
    assert release.description == "newer"


def test_a_deleted_configuration_is_told_and_a_moved_one_is_not(github: Deliveries) -> None:
    github.deliver({PATH: text(), "b/mlops-config.json": text(model_name="b")})
    (notice,) = github.deliver({PATH: text()})
    assert notice.is_of_nothing
    assert notice.workload == "b/mlops-config.json"
    (moved,) = github.deliver({"moved/mlops-config.json": text()})
    assert moved.source.key == "moved/mlops-config.json"


def test_what_cannot_be_read_is_told_once(github: Deliveries) -> None:
    (refused,) = github.deliver({PATH: b" " * 300_000})
    assert refused.status is Status.REFUSED
    assert "262,144 are allowed" in refused.problems[0]
    assert github.deliver({PATH: b" " * 300_000, "README.md": b"x"}) == ()


def test_an_archive_that_is_no_zip_is_told_and_the_next_brings_everything(github: Deliveries) -> None:
    (refused,) = github.deliver(b"no zip")
    assert refused.status is Status.REFUSED
    assert refused.workload == refused.source.bucket != ""
    assert len(github.deliver({PATH: text()})) == 1


@pytest.mark.parametrize(
    "key",
    [
        "commits/github/mlops-config.json",
        "commits/../github/00000000-0000-0000-0000-000000000001.zip",
        "commits/github/00000000-0000-0000-0000-000000000001.zip/x",
        "commits//00000000-0000-0000-0000-000000000001.zip",
    ],
)
def test_a_key_that_no_pipeline_has_written_is_a_bad_request(github: Deliveries, key: str) -> None:
    with pytest.raises(BadRequest):
        github.receive(Upload(BUCKET, key, "v1", "0"))


def test_an_execution_that_codepipeline_does_not_know_is_not_believed(github: Deliveries) -> None:
    key = archive_key("github", str(uuid.uuid4()))
    github.world.buckets.put(BUCKET, key, archive({PATH: text()}))
    with pytest.raises(SourceGone):
        github.receive(Upload(BUCKET, key, "v1", "0"))
    assert github.world.memory.rows == {}


def test_a_repository_that_is_not_watched_any_more_starts_nothing(github: Deliveries) -> None:
    upload = github.made({PATH: text()})
    github.world.installation = installation()
    assert github.receive(upload) == Receipt((), duplicate=False)


def test_an_archive_that_is_gone_is_told_with_its_commit_and_its_time(github: Deliveries) -> None:
    upload = github.made({PATH: text()})
    github.world.buckets.versions.clear()
    (refused,) = github.receive(upload).releases
    assert refused.status is Status.REFUSED
    assert "is gone" in refused.problems[0]
    assert refused.commit is not None
    assert refused.commit.commit_id == refused.source.version_id
    (fetched,) = github.pipelines.revisions.values()
    assert refused.created_at == stamp(fetched.started_at)


def test_dying_anywhere_and_delivered_again_completes_and_never_repeats() -> None:
    for calls in range(1, 200):
        github = Deliveries()
        github.deliver({"gone/mlops-config.json": text(model_name="gone")})
        upload = github.made({PATH: text(), "b/mlops-config.json": text(model_name="b")})
        try:
            with dying_after(github.world, calls):
                github.receive(upload)
        except Died:
            pass
        else:
            assert calls > 10
            break
        github.receive(upload)
        github.receive(upload)
        assert len(github.world.memory.all(Release)) == 4
        assert len(github.world.fake_tasks.started) == 3


def test_two_files_of_one_archive_that_configure_one_workload_start_one_release() -> None:
    deliveries = Deliveries()
    files = {"a/mlops-config.json": text(), "b/mlops-config.json": text(description="other")}
    begun, refused = sorted(deliveries.deliver(files), key=lambda release: release.source.key)
    assert (begun.status, refused.status) == (Status.REQUESTED, Status.REFUSED)
    assert "is configured by a/mlops-config.json of the same commit too" in refused.problems[0]
