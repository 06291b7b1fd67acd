"""One suite for both kinds of buckets: what the steps rely on holds for S3 as for its fake."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from types_boto3_s3.client import S3Client

from orchestrator.aws.objects import S3Objects
from orchestrator.core.errors import Conflict, SourceGone
from orchestrator.core.ports import Objects
from tests.aws.conftest import new_bucket
from tests.fakes.storage import MemoryObjects

HOSTILE_KEYS = [
    "a key with spaces/mlops-config.json",
    "a+b%20c&d=e?f#g/mlops-config.json",
    "über/модель/mlops-config.json",
    "🚀/mlops-config.json",
    "k" * 1024,
    "../../mlops-config.json",
]


@dataclass
class Buckets:
    """One of the two, and how a person uploads to it."""

    objects: Objects
    put: Callable[[str, str, bytes, Mapping[str, str]], str]
    assets: str
    packages: str

    def upload(self, key: str, data: bytes, **metadata: str) -> str:
        """A person uploads to the assets bucket; the version's id."""
        return self.put(self.assets, key, data, metadata)


@pytest.fixture(params=["memory", "s3"])
def either(request: pytest.FixtureRequest) -> Buckets:
    """The fake, and S3."""
    if request.param == "memory":
        memory = MemoryObjects()
        return Buckets(memory, memory.put, "assets", "packages")
    client: S3Client = request.getfixturevalue("s3")

    def put(bucket: str, key: str, data: bytes, metadata: Mapping[str, str]) -> str:
        answer = client.put_object(Bucket=bucket, Key=key, Body=data, Metadata=dict(metadata))
        return answer["VersionId"]

    return Buckets(S3Objects(client), put, new_bucket(client), new_bucket(client))


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=["spaces", "reserved", "letters", "emoji", "1,024 bytes", "dots"])
def test_a_key_is_taken_as_it_is(either: Buckets, key: str) -> None:
    version = either.upload(key, b"bytes")
    assert either.objects.read(either.assets, key, version) == b"bytes"
    source = either.objects.describe(either.assets, key, version)
    assert source.key == key
    copy = either.objects.copy_once(source, either.packages, "assets/copy")
    assert either.objects.read(either.packages, "assets/copy", copy.version_id) == b"bytes"


def test_a_part_of_a_version_is_read(either: Buckets) -> None:
    first = either.upload("zip", b"0123456789")
    either.upload("zip", b"other")
    parts = [either.objects.part(either.assets, "zip", first, start, 4) for start in (0, 4, 8)]
    assert parts == [b"0123", b"4567", b"89"]
    with pytest.raises(SourceGone):
        either.objects.part(either.assets, "none", "", 0, 4)


def test_a_version_is_read_though_it_was_overwritten(either: Buckets) -> None:
    first = either.upload("model", b"first")
    second = either.upload("model", b"second!")
    assert either.objects.read(either.assets, "model", first) == b"first"
    assert either.objects.read(either.assets, "model") == b"second!"
    assert either.objects.describe(either.assets, "model", first).size == 5
    latest = either.objects.describe(either.assets, "model")
    assert (latest.version_id, latest.size) == (second, 7)


def test_an_uploader_may_say_who_he_is(either: Buckets) -> None:
    either.upload("config", b"{}", requester="ana@example.com")
    assert either.objects.describe(either.assets, "config").metadata == (("requester", "ana@example.com"),)


@pytest.mark.parametrize("method", ["read", "describe"])
@pytest.mark.parametrize("version", ["", "v0000000000000000000000000000000"], ids=["latest", "version"])
def test_what_does_not_exist_is_gone(either: Buckets, method: str, version: str) -> None:
    if version:
        either.upload("model", b"another version")
    with pytest.raises(SourceGone, match="model"):
        getattr(either.objects, method)(either.assets, "model", version)


def test_a_copy_has_the_checksum_of_the_bytes(either: Buckets) -> None:
    either.upload("model", b"the model")
    source = either.objects.describe(either.assets, "model")
    copy = either.objects.copy_once(source, either.packages, "assets/0/model")
    assert copy.sha256 == hashlib.sha256(b"the model").hexdigest()
    assert (copy.bucket, copy.key, copy.size) == (either.packages, "assets/0/model", 9)
    assert copy.version_id


def test_a_copy_is_of_the_version_that_was_pinned(either: Buckets) -> None:
    either.upload("model", b"pinned")
    source = either.objects.describe(either.assets, "model")
    either.upload("model", b"newer")
    copy = either.objects.copy_once(source, either.packages, "assets/0/model")
    assert either.objects.read(either.packages, copy.key) == b"pinned"


def test_a_copy_is_made_once(either: Buckets) -> None:
    either.upload("model", b"the model")
    source = either.objects.describe(either.assets, "model")
    first = either.objects.copy_once(source, either.packages, "assets/0/model")
    assert either.objects.copy_once(source, either.packages, "assets/0/model") == first


def test_a_copy_of_a_version_that_was_deleted_is_refused(either: Buckets) -> None:
    either.upload("model", b"the model")
    source = either.objects.describe(either.assets, "model")
    gone = type(source)(source.bucket, "deleted", "v0000000000000000000000000000000", 9)
    with pytest.raises(SourceGone, match="deleted"):
        either.objects.copy_once(gone, either.packages, "assets/0/model")


def test_an_object_is_written_once(either: Buckets) -> None:
    first = either.objects.write_once(either.packages, "packages/r.zip", b"zip", "application/zip")
    assert either.objects.write_once(either.packages, "packages/r.zip", b"zip", "application/zip") == first
    assert first.sha256 == hashlib.sha256(b"zip").hexdigest()
    with pytest.raises(Conflict):
        either.objects.write_once(either.packages, "packages/r.zip", b"other", "application/zip")
    assert either.objects.read(either.packages, "packages/r.zip") == b"zip"


def test_a_template_has_a_path_style_url(either: Buckets) -> None:
    url = either.objects.template_url("packages", "packages/r/template.yaml")
    assert url.startswith("https://")
    assert url.endswith("/packages/packages/r/template.yaml")


def test_whether_anything_lies_under_a_prefix(either: Buckets) -> None:
    either.upload("data/train/part-1.csv", b"1")
    assert [either.objects.any_under(either.assets, prefix) for prefix in ("data/train", "data/", "data/test")] == [
        True,
        True,
        False,
    ]


def test_the_newest_version_of_an_object(either: Buckets) -> None:
    either.upload("evaluation.json", b"1")
    version = either.upload("evaluation.json", b"12345")
    found = either.objects.newest(either.assets, "evaluation.json")
    assert (found.version_id, found.size) == (version, 5)
    with pytest.raises(SourceGone):
        either.objects.newest(either.assets, "nothing.json")


def test_one_word_for_what_lies_under_a_prefix(either: Buckets) -> None:
    def word() -> str:
        return either.objects.fingerprint(either.assets, "data/", ("data/results/",))

    either.upload("data/part-1.csv", b"1")
    first = word()
    either.upload("data/part-1.csv", b"1")
    either.upload("elsewhere.csv", b"2")
    either.upload("data/results/model.tar.gz", b"3")
    assert word() == first, "the same data, and what does not count"
    either.upload("data/part-2.csv", b"4")
    second = word()
    either.upload("data/part-1.csv", b"changed")
    assert len({first, second, word()}) == 3
    assert either.objects.fingerprint(either.assets, "data/") != word()
