"""Archives of commits as attackers make them: nothing leaves the archive, nothing grows beyond its limit."""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable

import pytest

from orchestrator.core.archives import MAX_FETCHED, read_configurations
from orchestrator.core.problems import BadConfiguration
from tests.fakes.git import archive

PATH = "fraud/mlops-config.json"


class Fetched:
    """Counts what is fetched of a zip."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.bytes = 0

    def __call__(self, first: int, length: int) -> bytes:
        self.bytes += length
        return self.data[first : first + length]


def read(data: bytes, size: int | None = None) -> tuple[dict[str, bytes], dict[str, str]]:
    found = read_configurations(Fetched(data), len(data) if size is None else size)
    return dict(found.files), {path: problem.what for path, problem in found.unreadable.items()}


def attempt(data: bytes) -> BadConfiguration | tuple[dict[str, bytes], dict[str, str]]:
    """No other exception than the one that is promised."""
    try:
        return read(data)
    except BadConfiguration as refused:
        return refused


def test_configurations_in_any_folder_are_found() -> None:
    files = {"mlops-config.json": b"1", "a b/ü+%/🚀/mlops-config.json": b"2", "x/mlops-config.json.bak": b"3"}
    assert read(archive(files)) == ({"mlops-config.json": b"1", "a b/ü+%/🚀/mlops-config.json": b"2"}, {})


def test_a_repository_without_configurations_has_none() -> None:
    assert read(archive({"README.md": b"x"})) == ({}, {})
    assert read(archive({})) == ({}, {})


def test_of_a_large_repository_little_is_fetched() -> None:
    data = archive({"model.bin": os.urandom(8 * 1024 * 1024), PATH: b"{}"}, zipfile.ZIP_STORED)
    fetched = Fetched(data)
    assert dict(read_configurations(fetched, len(data)).files) == {PATH: b"{}"}
    assert fetched.bytes < 1024 * 1024


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("../mlops-config.json", "leads out of it", id="slip"),
        pytest.param("a/../../etc/passwd", "leads out of it", id="slip of another file"),
        pytest.param("/mlops-config.json", "leads out of it", id="absolute"),
        pytest.param("a\\..\\..\\b", "leads out of it", id="slip with backslashes"),
        pytest.param("a\\mlops-config.json", "folders end in /", id="backslash"),
    ],
)
def test_a_name_that_leads_out_refuses_the_archive(name: str, words: str) -> None:
    with pytest.raises(BadConfiguration, match=words):
        read(archive({PATH: b"{}", name: b"x"}))


def test_a_name_twice_refuses_the_archive() -> None:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as made:
        warnings.simplefilter("ignore")
        made.writestr(PATH, b"first")
        made.writestr(PATH, b"last")
    with pytest.raises(BadConfiguration, match="twice"):
        read(buffer.getvalue())


def test_a_bomb_is_not_unpacked() -> None:
    files, problems = read(archive({PATH: b" " * 300_000, "ok/mlops-config.json": b"{}"}))
    assert files == {"ok/mlops-config.json": b"{}"}
    assert problems == {PATH: "the document has 300,000 bytes, 262,144 are allowed"}
    assert "unpacks to more than 100 times" in read(archive({PATH: b" " * 250_000}))[1][PATH]


def _lying(data: bytes, true: int, told: int) -> bytes:
    """The sizes in local header and directory, changed."""
    return data.replace(struct.pack("<L", true), struct.pack("<L", told))


def test_a_directory_that_lies_about_a_size_is_found_out() -> None:
    data = _lying(archive({PATH: os.urandom(5_000)}, zipfile.ZIP_DEFLATED), 5_000, 50)
    files, problems = read(data)
    assert files == {}
    assert "cannot be read" in problems[PATH]
    files, problems = read(_lying(archive({PATH: os.urandom(5_000)}, zipfile.ZIP_DEFLATED), 5_000, 6_000))
    assert files == {}
    assert PATH in problems


def _encrypted(data: bytes) -> bytes:
    made = bytearray(data)
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        made[made.index(signature) + at] |= 1
    return bytes(made)


def _link(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        info = zipfile.ZipInfo(PATH)
        info.create_system = 3
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(info, data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("made", "words"),
    [
        pytest.param(_encrypted(archive({PATH: b"{}"})), "encrypted", id="encrypted"),
        pytest.param(_link(b"/etc/passwd"), "no regular file", id="link"),
    ],
)
def test_what_is_no_plain_file_is_a_problem_of_its_own(made: bytes, words: str) -> None:
    files, problems = read(made)
    assert files == {}
    assert words in problems[PATH]


SOUND = archive({PATH: b"{}" * 100})


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: b"{}", id="no zip"),
        pytest.param(lambda data: data[:-30], id="cut off"),
        pytest.param(lambda data: data[40:], id="beginning cut off"),
        pytest.param(lambda data: data[: len(data) // 2], id="half"),
    ],
)
def test_what_is_no_zip_is_refused_or_has_no_readable_configuration(damage: Callable[[bytes], bytes]) -> None:
    found = attempt(damage(SOUND))
    assert isinstance(found, BadConfiguration) or (not found[0] and found[1])


def test_too_many_configurations_refuse_the_archive() -> None:
    with pytest.raises(BadConfiguration, match="201 files"):
        read(archive({f"{number}/mlops-config.json": b"{}" for number in range(201)}))


def test_a_directory_larger_than_is_allowed_is_not_fetched() -> None:
    """The end of the zip claims a directory of 64 MB before it."""
    directory = MAX_FETCHED * 2
    end = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 1, 1, directory, 0, 0)

    def fetch(first: int, length: int) -> bytes:
        whole = directory + len(end)
        return b"\0" * length if first + length <= directory else (b"\0" * (whole - first - len(end)) + end)[-length:]

    with pytest.raises(BadConfiguration, match="directory has 67,108,864 bytes"):
        read_configurations(fetch, directory + len(end))


@pytest.mark.parametrize("seed", range(60))
def test_any_damage_ends_in_a_refusal_or_a_problem(seed: int) -> None:
    import random

    source = random.Random(seed)  # noqa: S311 - a test's own dice
    data = bytearray(archive({PATH: b'{"a": 1}' * 50, "b/mlops-config.json": b"{}", "c.txt": b"x" * 500}))
    for _ in range(source.randint(1, 6)):
        data[source.randrange(len(data))] = source.randrange(256)
    attempt(bytes(data))
