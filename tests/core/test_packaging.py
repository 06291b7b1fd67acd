"""Packages: the same release is the same bytes, and no byte of a stranger's zip is believed."""

from __future__ import annotations

import io
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core import packaging
from orchestrator.core.config import (
    CheckContext,
    Checked,
    InstallationNames,
    PinnedAsset,
    ResolvedAssets,
    check_file,
    tags_for,
)
from orchestrator.core.errors import PackageDamaged
from orchestrator.core.packaging import (
    Package,
    Provenance,
    asset_copy_key,
    build_package,
    canonical,
    content_digest,
    read_package,
)
from orchestrator.core.problems import BadConfiguration
from tests.fakes.memory_world import catalogue, configuration
from tests.strategies import object_keys, stack_tags

NAMES = InstallationNames("mlops-assets", "mlops-packages", "arn:aws:kms:us-east-1:1:key/k", "us-east-1", "aws")
STAGES = ("dev", "staging", "prod")
PROVENANCE = Provenance("Ana", True, "2026-03-01T12:00:00Z", "s3://b/k", "v1", "fraud-1")


def checked(**changes: Any) -> Checked:
    (one,) = check_file(json.dumps(configuration(**changes)).encode(), catalogue(), CheckContext("multi"))
    return one


def pinned(one: Checked, sha256: str = "abc", version: str = "v1") -> ResolvedAssets:
    return ResolvedAssets(
        {
            asset.key: PinnedAsset(
                asset.key, "mlops-assets", version, "mlops-packages", f"assets/x/{asset.key}", sha256, 7
            )
            for asset in one.assets
        }
    )


def built(one: Checked | None = None, provenance: Provenance = PROVENANCE, **resolved: str) -> Package:
    one = one or checked()
    return build_package(one, pinned(one, **resolved), NAMES, stages=STAGES, provenance=provenance, product_version="1")


def test_the_same_release_is_the_same_bytes() -> None:
    assert built().zip_bytes == built().zip_bytes
    assert built().sha256 == built().sha256


def test_what_is_written_is_what_is_read() -> None:
    package = built()
    again = read_package(package.zip_bytes)
    assert again == package
    assert again.digest == package.digest
    assert again.template == catalogue().types["byom_realtime_builtin"].template
    assert again.parameters("prod")["InferenceInstance"] == "ml.m5.xlarge"
    assert again.tags("prod")["mlops:stage"] == "prod"
    assert again.documents("prod") == {}
    with pytest.raises(KeyError):
        again.parameters("qa")


def test_a_package_holds_what_it_says_and_no_more() -> None:
    with zipfile.ZipFile(io.BytesIO(built().zip_bytes)) as archive:
        infos = archive.infolist()
    assert [info.filename for info in infos] == [
        "manifest.json",
        "mlops-config.json",
        "parameters/dev.json",
        "parameters/prod.json",
        "parameters/staging.json",
        "template.yaml",
    ]
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.compress_type for info in infos} == {zipfile.ZIP_STORED}


@pytest.mark.parametrize(
    "other",
    [
        Provenance("Ben", False, "2027-01-01T00:00:00Z", "api request x", "", "fraud-2"),
        Provenance("Ana", True, "2026-03-01T12:00:00Z", "s3://b/k", "v1", "another-release"),
    ],
)
def test_who_when_and_which_release_do_not_change_the_content(other: Provenance) -> None:
    assert built(provenance=other).digest == built().digest
    assert built(provenance=other).zip_bytes != built().zip_bytes


@pytest.mark.parametrize(
    "changes",
    [
        {"tags": {"team": "x"}},
        {"description": "x"},
        {"inference_instance": "ml.c5.large"},
        {"instance_count": 2},
        {"verify": None},
        {"model_framework_version": "1.0-1"},
        {"pipeline_name": "other"},
        {"approval": {"prod": {"any_of": [{"risk": 1}]}}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_the_configuration_says_changes_the_content(changes: dict[str, Any]) -> None:
    assert built(checked(**changes)).digest != built().digest


def test_an_asset_counts_by_its_bytes() -> None:
    assert built(version="v2").digest == built().digest
    assert built(sha256="def").digest != built().digest
    assert built(sha256="", version="v1").digest != built(sha256="", version="v2").digest


def test_the_template_changes_the_content() -> None:
    one = checked()
    assert content_digest(one, pinned(one), b"a") != content_digest(one, pinned(one), b"b")


def test_two_spellings_are_the_same_content() -> None:
    assert built(checked(data_capture_location="s3://capture-bucket/fraud/", endpoint_name="")).digest == built().digest


@given(stack_tags)
def test_tags_of_the_product_win(tags: dict[str, str]) -> None:
    found = tags_for(checked(tags=tags), "dev")
    assert found == {
        **tags,
        "mlops:workload": "fraud-detector-realtime",
        "mlops:type": "byom_realtime_builtin",
        "mlops:stage": "dev",
    }


@given(object_keys, object_keys, st.sampled_from(["v1", "v2"]))
def test_a_copy_has_one_key_for_each_version(one: str, other: str, version: str) -> None:
    key = asset_copy_key("b", one, version)
    assert key == asset_copy_key("b", one, version)
    assert (key == asset_copy_key("b", other, "v1")) == (one == other and version == "v1")
    assert len(key.encode()) <= 1024
    assert key.isascii()
    assert key.count("/") == 2


@given(st.dictionaries(st.text(max_size=5), st.integers(), max_size=5))
def test_a_value_has_one_text(value: dict[str, int]) -> None:
    shuffled = dict(reversed(value.items()))
    assert canonical(value) == canonical(shuffled)
    assert json.loads(canonical(value)) == value


def test_what_cloudformation_would_refuse_for_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaging, "MAX_TEMPLATE_BYTES", 10)
    monkeypatch.setattr(packaging, "MAX_PARAMETERS", 2)
    monkeypatch.setattr(packaging, "MAX_VALUE_BYTES", 20)
    with pytest.raises(BadConfiguration) as refused:
        built()
    told = "\n".join(problem.what for problem in refused.value.problems)
    assert "the template has" in told
    assert "parameters, CloudFormation takes 2" in told
    assert "the parameter ImageUri has" in told


# Attacks. Each makes other bytes of a sound package, or a package of its own.


def members_of(package: Package) -> dict[str, bytes]:
    return dict(package.members)


def zipped(members: list[tuple[str | zipfile.ZipInfo, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members:
            archive.writestr(name, data, compress_type=compression)
    return buffer.getvalue()


def tampered() -> bytes:
    data = built().zip_bytes
    at = data.index(b"ml.m5.xlarge")
    return data[:at] + b"ml.p4.xlarge" + data[at + 12 :]


def tampered_with_a_right_crc() -> bytes:
    members = members_of(built())
    members["template.yaml"] = members["template.yaml"].replace(b"Resources", b"Resource5")
    return zipped(list(members.items()))


def one_member_more() -> bytes:
    return zipped([*members_of(built()).items(), ("documents/dev/x.json", b"{}")])


def one_member_less() -> bytes:
    return zipped([(name, data) for name, data in members_of(built()).items() if name != "parameters/prod.json"])


def no_manifest() -> bytes:
    return zipped([(name, data) for name, data in members_of(built()).items() if name != "manifest.json"])


def manifest(**changes: Any) -> Callable[[], bytes]:
    def make() -> bytes:
        members = members_of(built())
        members["manifest.json"] = json.dumps({**json.loads(members["manifest.json"]), **changes}).encode()
        return zipped(list(members.items()))

    return make


def manifest_of(data: bytes) -> Callable[[], bytes]:
    return lambda: zipped(
        [*[(n, d) for n, d in members_of(built()).items() if n != "manifest.json"], ("manifest.json", data)]
    )


def bomb() -> bytes:
    members = members_of(built())
    return zipped([*members.items(), ("documents/dev/bomb.json", b"0" * 3_000_000)], zipfile.ZIP_DEFLATED)


def large_member() -> bytes:
    return zipped([*members_of(built()).items(), ("documents/dev/large.json", b"x" * (packaging.MAX_MEMBER_BYTES + 1))])


def many_members() -> bytes:
    return zipped([(f"documents/dev/{number}.json", b"") for number in range(packaging.MAX_MEMBERS + 1)])


def named(name: str) -> Callable[[], bytes]:
    return lambda: zipped([*members_of(built()).items(), (name, b"x")])


def with_a_nul_in_its_name() -> bytes:
    return named("documents/dev/aXb")().replace(b"documents/dev/aXb", b"documents/dev/a\x00b")


def twice() -> bytes:
    with pytest.warns(UserWarning, match="Duplicate name"):
        return zipped([*members_of(built()).items(), ("template.yaml", b"another")])


def encrypted() -> bytes:
    data = bytearray(built().zip_bytes)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature)
        data[at + offset] |= 1
    return bytes(data)


def symlink() -> bytes:
    info = zipfile.ZipInfo("documents/dev/link.json")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped([*members_of(built()).items(), (info, b"/etc/passwd")])


def lying_about_its_size() -> bytes:
    """The directory says 10 bytes; the stream holds two million."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = compressor.compress(b"0" * 2_000_000) + compressor.flush()
    data = bytearray(zipped([("template.yaml", b"0123456789")], zipfile.ZIP_DEFLATED))
    central = data.index(b"PK\x01\x02")
    local = struct.unpack("<HH", data[26:30])
    start = 30 + sum(local)
    old = struct.unpack("<I", data[central + 20 : central + 24])[0]
    data[central + 20 : central + 24] = struct.pack("<I", len(stream))
    end = data.index(b"PK\x05\x06")
    data[end + 16 : end + 20] = struct.pack("<I", central - old + len(stream))
    return bytes(data[:start] + stream + data[start + old :])


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        (lambda: b"", "no sound zip"),
        (lambda: b"not a zip", "no sound zip"),
        (lambda: b"x" * (packaging.MAX_PACKAGE_BYTES + 1), "bytes, 10,485,760 are allowed"),
        (lambda: built().zip_bytes[:-30], "no sound zip"),
        (tampered, "cannot be read"),
        (tampered_with_a_right_crc, "template.yaml is not what the manifest says"),
        (one_member_more, "do not hold the same members: documents/dev/x.json"),
        (one_member_less, "do not hold the same members: parameters/prod.json"),
        (no_manifest, "has no manifest.json"),
        (manifest(format=2), "another format than 1"),
        (manifest(members=[]), "another format than 1"),
        (manifest(content_digest=None), "another format than 1"),
        (manifest_of(b"[]"), "another format than 1"),
        (manifest_of(b"{"), "not valid JSON"),
        (manifest_of(b"[" * 100_000), "not valid JSON"),
        (manifest_of(b"\xff"), "not valid JSON"),
        (bomb, "unpacks to more than 100 times its size"),
        (large_member, "4,194,304 are allowed"),
        (many_members, "members, 200 are allowed"),
        (twice, "template.yaml twice"),
        (encrypted, "is encrypted"),
        (symlink, "is no regular file"),
        (lying_about_its_size, ""),
        (named("../evil.json"), "not allowed"),
        (named("/etc/passwd"), "not allowed"),
        (named("documents/dev/../../evil"), "not allowed"),
        (named("documents\\dev\\evil.json"), "not allowed"),
        (with_a_nul_in_its_name, "not allowed"),
        (named("documents/dev/"), "not allowed"),
        (named("template.yaml "), "not allowed"),
        (named("evil.json"), "not allowed"),
        (named("parameters/dev.json/x"), "not allowed"),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", None),
)
def test_attacks(attack: Callable[[], bytes], words: str) -> None:
    with pytest.raises(PackageDamaged) as damaged:
        read_package(attack())
    assert words in str(damaged.value)
    assert len(str(damaged.value)) < 1_000


SOUND = built().zip_bytes


@given(st.integers(0, len(SOUND) - 1), st.integers(1, 255))
def test_no_changed_byte_changes_what_is_deployed(position: int, change: int) -> None:
    """It is noticed, or (in a date, say) it does not matter."""
    data = bytearray(SOUND)
    data[position] ^= change
    try:
        found = read_package(bytes(data))
    except PackageDamaged:
        return
    assert found.members == built().members


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(PackageDamaged):
        read_package(data)
