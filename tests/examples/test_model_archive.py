"""An archive is unpacked into its folder, or not at all, by Pythons with and without extraction filters."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from local.model_archive import unpack


@pytest.fixture(params=["as it is", "without filters"])
def python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without filters":
        monkeypatch.delattr(tarfile, "data_filter", raising=False)


def packed(*members: tarfile.TarInfo) -> tarfile.TarFile:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for member in members:
            made.addfile(member, io.BytesIO(b"x" * member.size))
    return tarfile.open(fileobj=io.BytesIO(buffer.getvalue()))


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    made.size = 3 if kind == tarfile.REGTYPE else 0
    made.mode = 0o4777
    return made


@pytest.mark.usefixtures("python")
def test_files_and_folders_are_unpacked(tmp_path: Path) -> None:
    unpack(packed(member("code", tarfile.DIRTYPE), member("code/inference.py"), member("model.joblib")), tmp_path)
    assert (tmp_path / "code" / "inference.py").read_bytes() == b"xxx"
    assert not (tmp_path / "model.joblib").stat().st_mode & 0o7022


@pytest.mark.usefixtures("python")
@pytest.mark.parametrize(
    "hostile",
    [
        member("../outside"),
        member("a/../../outside"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("pipe", tarfile.FIFOTYPE),
    ],
    ids=["above", "above by a folder", "link", "pipe"],
)
def test_what_would_leave_the_folder_is_refused(tmp_path: Path, hostile: tarfile.TarInfo) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(tarfile.TarError):
        unpack(packed(member("model.joblib"), hostile), folder)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
