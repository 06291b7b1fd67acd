"""What goes into the zip of each function: ``orchestrator/``, the function's own folder, and nothing else.

Files are taken from the checkout by a list of patterns, so an edit of one handler changes one asset. Where the
interpreter that synthesises is of the runtime's minor version, compiled modules go with the sources: ``/var/task`` is
read-only, so a cold start would else compile everything anew. They are compiled with unchecked hashes, which
hold no time, so that two builds give the same bytes.
"""

from __future__ import annotations

import compileall
import py_compile
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, IgnoreMode, ILocalBundling
from aws_cdk import aws_lambda as lambda_

ROOT = Path(__file__).resolve().parent.parent

_NEVER = ("**/__pycache__", "**/*.pyc", "**/.DS_Store")
"""Left out wherever they are; ignored last, so that no pattern takes them in again."""


def function_code(folders: Sequence[str], runtime: str) -> lambda_.AssetCode:
    """Code of these folders (paths from the root of the checkout), with everything below them."""
    exclude = ["/*", *_including(folders), *_NEVER]
    if not compiles_for(runtime):
        return lambda_.Code.from_asset(str(ROOT), exclude=exclude, ignore_mode=IgnoreMode.GIT)
    return lambda_.Code.from_asset(
        str(ROOT),
        exclude=exclude,
        ignore_mode=IgnoreMode.GIT,
        asset_hash_type=AssetHashType.SOURCE,
        bundling=BundlingOptions(
            # Named because the type wants one; the local bundling below never falls back on it.
            image=DockerImage.from_registry("scratch"),
            local=Compiled(tuple(folders)),
        ),
    )


def _including(folders: Sequence[str]) -> list[str]:
    """Git's patterns that take folders (or single files) back in: each parent, without what else is in it."""
    parents = sorted({str(parent) for folder in folders for parent in Path(folder).parents if parent.name})
    opened = [pattern for parent in parents for pattern in (f"!/{parent}", f"/{parent}/*")]
    return [*opened, *(f"!/{folder}" for folder in folders)]


@jsii.implements(ILocalBundling)
class Compiled:
    """Copies the folders and compiles their modules."""

    def __init__(self, folders: tuple[str, ...]) -> None:
        self._folders = folders

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        """See ``ILocalBundling``; always done."""
        output = Path(output_dir)
        for folder in self._folders:
            if (ROOT / folder).is_file():
                (output / folder).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / folder, output / folder)
                continue
            shutil.copytree(
                ROOT / folder,
                output / folder,
                ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".DS_Store"),
                dirs_exist_ok=True,
            )
        compile_modules(output)
        return True


def compiles_for(runtime: str) -> bool:
    """Whether this interpreter's compiled modules are those of the runtime."""
    return runtime == f"python{sys.version_info.major}.{sys.version_info.minor}"


def compile_modules(folder: Path) -> None:
    """Compile every module of a folder; the compiled ones name no path of this machine."""
    if not compileall.compile_dir(
        folder, stripdir=folder, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    ):
        raise RuntimeError(f"a module in {folder} does not compile")
