"""What goes into the zip of each function: ``orchestrator/``, the function's own folder, and nothing else.

Functions that read configurations also hold the workload types: ``templates/``, and the organisation's own.

Files are taken from the checkout by a list of patterns, so an edit of one handler changes one asset. Where the
interpreter that synthesises is of the runtime's minor version, compiled modules go with the sources: ``/var/task`` is
read-only, so a cold start would else compile everything anew. They are compiled with unchecked hashes, which
hold no time, so that two builds give the same bytes.
"""

from __future__ import annotations

import compileall
import hashlib
import py_compile
import shutil
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, IgnoreMode, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from orchestrator.core.workloads import OWN_TEMPLATES

ROOT = Path(__file__).resolve().parent.parent

_NEVER_NAMES = ("__pycache__", "*.pyc", ".DS_Store")
_NEVER = tuple(f"**/{name}" for name in _NEVER_NAMES)
"""Left out wherever they are; ignored last, so that no pattern takes them in again."""


def function_code(folders: Sequence[str], runtime: str, own_templates: Sequence[Path] = ()) -> lambda_.AssetCode:
    """Code of these folders (paths from the root of the checkout), with everything below them.

    ``own_templates``: folders with workload types of the organisation's own, wherever they lie; the function finds
    their types in ``own_templates/<place in the list>/``.
    """
    exclude = ["/*", *_including(folders), *_NEVER]
    if not (compiles_for(runtime) or own_templates):
        return lambda_.Code.from_asset(str(ROOT), exclude=exclude, ignore_mode=IgnoreMode.GIT)
    return lambda_.Code.from_asset(
        str(ROOT),
        exclude=exclude,
        ignore_mode=IgnoreMode.GIT,
        asset_hash_type=AssetHashType.SOURCE,
        bundling=BundlingOptions(
            # Named because the type wants one; the local bundling below never falls back on it.
            image=DockerImage.from_registry("scratch"),
            local=Bundle(tuple(folders), tuple(own_templates), compiled=compiles_for(runtime)),
            # The hash of the sources does not see what lies outside of the checkout, but sees this.
            environment={"OWN_TEMPLATES": digest(own_templates)} if own_templates else None,
        ),
    )


def digest(own_templates: Sequence[Path]) -> str:
    """SHA-256 over the types of these folders: their places, their files' paths and contents."""
    found = hashlib.sha256()
    for source, target in _own_types(own_templates):
        for path in sorted(source.rglob("*")):
            if path.is_file() and not _left_out(path.relative_to(source)):
                data = path.read_bytes()
                found.update(f"{target / path.relative_to(source)}\0{len(data)}\0".encode() + data)
    return found.hexdigest()


def _own_types(own_templates: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Each type's folder, and where it lies in the bundle; what else is in a folder of types stays there."""
    for number, folder in enumerate(own_templates):
        for workload in sorted(folder.glob("*/workload.json")):
            yield workload.parent, Path(OWN_TEMPLATES) / str(number) / workload.parent.name


def _left_out(path: Path) -> bool:
    return any(fnmatch(part, pattern) for part in path.parts for pattern in _NEVER_NAMES)


def _including(folders: Sequence[str]) -> list[str]:
    """Git's patterns that take folders (or single files) back in: each parent, without what else is in it."""
    parents = sorted({str(parent) for folder in folders for parent in Path(folder).parents if parent.name})
    opened = [pattern for parent in parents for pattern in (f"!/{parent}", f"/{parent}/*")]
    return [*opened, *(f"!/{folder}" for folder in folders)]


@jsii.implements(ILocalBundling)
class Bundle:
    """Copies the folders and the own types, and compiles the modules where that is of use."""

    def __init__(
        self, folders: tuple[str, ...], own_templates: tuple[Path, ...] = (), *, compiled: bool = True
    ) -> None:
        self._folders = folders
        self._own_templates = own_templates
        self._compiled = compiled

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        """See ``ILocalBundling``; always done."""
        output = Path(output_dir)
        for folder in self._folders:
            if (ROOT / folder).is_file():
                (output / folder).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / folder, output / folder)
            else:
                _copy(ROOT / folder, output / folder)
        for source, target in _own_types(self._own_templates):
            _copy(source, output / target)
        if self._compiled:
            compile_modules(output)
        return True


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_NEVER_NAMES), dirs_exist_ok=True)


def compiles_for(runtime: str) -> bool:
    """Whether this interpreter's compiled modules are those of the runtime."""
    return runtime == f"python{sys.version_info.major}.{sys.version_info.minor}"


def compile_modules(folder: Path) -> None:
    """Compile every module of a folder; the compiled ones name no path of this machine."""
    if not compileall.compile_dir(
        folder, stripdir=folder, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    ):
        raise RuntimeError(f"a module in {folder} does not compile")
