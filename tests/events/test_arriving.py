"""Events as they arrive, kind and hostile, in files: each ends in one request, in one refusal that people are told of,
in nothing where nobody asked for anything, or, where it has no shape at all, in the dead-letter queue.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.core.errors import BadRequest
from orchestrator.core.messages.mail import end_letter
from orchestrator.core.messages.release_message import release_message
from orchestrator.core.origins import SourceKind
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.notify_release import gather
from tests.fakes.memory_world import ASSETS, MemoryWorld, configuration, installation
from tests.functions.conftest import Called
from tests.steps.journeys import live
from tests.steps.test_receive_model_package import APPROVED, register, registered

FILES = Path(__file__).parent / "arriving"

REQUESTS = {
    "s3-key-with-space": "my models/mlops-config.json",
    "s3-key-with-plus": "a+b/mlops-config.json",
    "s3-key-with-percent": "100%25 sure/mlops-config.json",
    "s3-key-with-umlaut": "für/mlops-config.json",
    "s3-key-with-emoji": "🚀/mlops-config.json",
    "s3-key-of-1024-bytes": f"{'k' * 1007}/mlops-config.json",
    "s3-key-of-a-script": "<!channel> <https://evil.example|here>/mlops-config.json",
    "s3-key-twice": "fraud/mlops-config.json",
    "s3-copied": "fraud/mlops-config.json",
    "s3-uploaded-in-parts": "fraud/mlops-config.json",
    "s3-posted": "fraud/mlops-config.json",
    "s3-without-sequencer": "fraud/mlops-config.json",
    "s3-written-by-another-account": "fraud/mlops-config.json",
    "registry-approved": "arn:aws:sagemaker:us-east-1:111111111111:model-package/fraud/2",
    "registry-without-changes": "arn:aws:sagemaker:us-east-1:111111111111:model-package/fraud/2",
    "registry-source-twice": "arn:aws:sagemaker:us-east-1:111111111111:model-package/fraud/2",
}
"""File → key of the release's source, exactly as it stands in the event."""

REFUSALS = {
    "s3-key-that-climbs": 'The key "../../etc/mlops-config.json" has a part that is only dots.',
    "s3-other-bucket": "s3://somebody-elses/fraud/mlops-config.json is not in the assets bucket.",
    "s3-without-version": "s3://mlops-assets/fraud/mlops-config.json has no version id. Turn versioning on",
    "s3-null-version": "s3://mlops-assets/fraud/mlops-config.json has no version id. Turn versioning on",
}
"""File → how the sentence begins that the uploader reads."""

NOTHING = {
    "s3-folder-marker",
    "s3-nobodys",
    "s3-own-export",
    "s3-deleted",
    "s3-restored",
    "registry-described",
    "registry-approved-in-progress",
    "registry-rejected",
    "registry-other-account",
    "registry-other-group",
    "registry-without-versions",
}

SHAPELESS = {
    "s3-without-key": "no text at detail.object.key",
    "s3-without-detail": "no object at detail",
    "s3-detail-is-text": "no object at detail",
    "registry-without-arn": "no text at detail.ModelPackageArn",
    "registry-two-sources": "aws.s3",
    "forged-source": "aws.events",
    "nothing": "None",
}
"""File → words of the error. No rule of ours lets these through."""


def read(name: str) -> str:
    """The event, as text."""
    return (FILES / f"{name}.json").read_text()


@pytest.fixture
def world() -> MemoryWorld:
    """An installation with the Model Registry, where version 1 of the group ``fraud`` is live."""
    world = MemoryWorld(installation=installation(model_registry=True))
    register(world, 1, APPROVED)
    live(world, registered())
    return world


@pytest.fixture
def receive_request(world: MemoryWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Called:
    """The function itself."""
    return Called("receive_request", world, monkeypatch, lambda: "".join(capsys.readouterr()))


def prepare(name: str, world: MemoryWorld) -> None:
    """Put there what the event tells of."""
    event = json.loads(read(name))
    stored = event.get("detail", {}).get("object", {}) if isinstance(event.get("detail"), dict) else {}
    if event.get("source") == "aws.s3" and "version-id" in stored:
        history = world.buckets.versions.setdefault((ASSETS, stored.get("key", "")), [])
        history.append((stored["version-id"], json.dumps(registered(pipeline_name="arriving")).encode(), {}))
    if "registry" in name:
        status = event["detail"]["ModelPackageStatus"]
        register(world, 2, event["detail"]["ModelApprovalStatus"], status=status)


def test_every_file_has_its_row() -> None:
    rows = [*REQUESTS, *REFUSALS, *NOTHING, *SHAPELESS]
    assert sorted(rows) == sorted(path.stem for path in FILES.glob("*.json"))


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_one_release_of_just_that(world: MemoryWorld, receive_request: Called, name: str) -> None:
    prepare(name, world)
    event = json.loads(read(name))
    answer = receive_request(event)
    release = world.of(*answer["releases"])
    assert release.status is Status.REQUESTED, release.problems
    assert release.source.key == REQUESTS[name]
    kind = SourceKind.REGISTRY if name.startswith("registry") else SourceKind.S3
    assert release.source.kind is kind
    assert answer["outcome"] == "received"
    assert receive_request(event) == {"outcome": "duplicate", "releases": [release.release_id]}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_reaches_the_uploader_in_slack_and_by_mail(
    world: MemoryWorld, receive_request: Called, name: str
) -> None:
    prepare(name, world)
    event = json.loads(read(name))
    release = world.of(*receive_request(event)["releases"])
    assert release.status is Status.REFUSED
    assert release.problems[0].startswith(REFUSALS[name])
    facts = gather(release.release_id, world.store, world.installation)
    assert release.problems[0] in end_letter(facts).text
    assert REFUSALS[name].split('"')[0] in json.dumps(release_message(facts).blocks, ensure_ascii=False)
    assert receive_request(event)["outcome"] == "duplicate"


@pytest.mark.parametrize("name", sorted(NOTHING))
def test_what_asks_for_nothing_leaves_nothing(world: MemoryWorld, receive_request: Called, name: str) -> None:
    prepare(name, world)
    before = world.memory.all(Release)
    assert receive_request(json.loads(read(name))) == {"outcome": "ignored", "releases": []}
    assert world.memory.all(Release) == before


@pytest.mark.parametrize("name", SHAPELESS)
def test_what_has_no_shape_goes_where_an_operator_looks(world: MemoryWorld, receive_request: Called, name: str) -> None:
    before = dict(world.memory.rows)
    with pytest.raises(BadRequest, match=SHAPELESS[name]):
        receive_request(json.loads(read(name)))
    assert world.memory.rows == before


CONTENTS = {
    "malformed": (b"{not json", "not valid JSON"),
    "NaN": (b'{"pipeline_type": NaN}', "NaN"),
    "a thousand levels": (b"[" * 1000 + b"]" * 1000, "levels"),
    "a list": (b"[]", "must be an object"),
    "nothing": (b"", "is empty"),
    "white space": (b" \n", "is empty"),
    "no UTF-8": (b'{"model_name": "\xff"}', "not UTF-8"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
    "6 MB": (b'{"a": "' + b"x" * 6_000_000 + b'"}', "6,000,009 bytes"),
    "a key twice": (b'{"pipeline_type": "a", "pipeline_type": "b"}', "twice"),
    "a zip": (b"PK\x03\x04" + b"\x00" * 100, "not valid JSON"),
}


@pytest.mark.parametrize(("data", "words"), CONTENTS.values(), ids=CONTENTS)
def test_whatever_a_file_holds_it_is_refused_with_its_reason(world: MemoryWorld, data: bytes, words: str) -> None:
    (release,) = world.receive(world.put_configuration(data)).releases
    assert release.status is Status.REFUSED
    assert words in release.problems[0]


def test_a_file_with_a_byte_order_mark_is_taken() -> None:
    world = MemoryWorld()
    data = b"\xef\xbb\xbf" + json.dumps(configuration()).encode()
    assert world.receive(world.put_configuration(data)).releases[0].status is Status.REQUESTED


def test_a_file_that_is_too_large_is_not_even_read(world: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = world.put_configuration(b"x" * 300_000)
    monkeypatch.setattr(world.buckets, "read", lambda *_: pytest.fail("it was read"))
    assert world.receive(upload).releases[0].problems == (
        "$: the document has 300,000 bytes, 262,144 are allowed. Make it smaller.",
    )
