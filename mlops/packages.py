"""``mlops package``: the package that a release of a file would be, built here from local files.

What the installation alone knows stands in it as a placeholder: the names of its buckets and its key, the object
versions it pins. The content digest depends on none of them, so where every asset lies beside the configuration it is
the digest that the installation would come to, and equal digests mean that a release would end Unchanged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from mlops.refusals import Problems
from mlops.screen import Screen
from mlops.validation import (
    Accounts,
    AsJson,
    CheckRegion,
    ModelRegistry,
    Templates,
    context_of,
    known_types,
)
from orchestrator.core.config import (
    CheckContext,
    Checked,
    InstallationNames,
    ModelPackage,
    PinnedAsset,
    ResolvedAssets,
    check_file,
)
from orchestrator.core.figures import read_figures
from orchestrator.core.gates import metrics_of
from orchestrator.core.installation import ORCHESTRATOR
from orchestrator.core.packaging import Package, Provenance, asset_copy_key, build_package
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.records import Figure
from orchestrator.core.sources import ModelContainer
from orchestrator.core.version import VERSION
from orchestrator.core.workloads import Catalogue

ASSETS_BUCKET = "placeholder-assets-bucket"
PACKAGES_BUCKET = "placeholder-packages-bucket"
UNKNOWN_VERSION = "not-uploaded"
BLOCK = 1024 * 1024
"""Bytes read at once: a model may be larger than the memory."""


@dataclass(frozen=True)
class LocalAsset:
    """An asset of the configuration, and the local file that stands for it."""

    key: str
    file: Path | None
    """None where no local file was found."""
    pinned: PinnedAsset


@dataclass(frozen=True)
class Built:
    """The package of one workload."""

    checked: Checked
    package: Package
    assets: tuple[LocalAsset, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """What the digest depends on and could not be had here."""
        keys = [asset.key for asset in self.assets if asset.file is None]
        return (*keys, *self.checked.model_packages)

    @property
    def digest(self) -> str | None:
        """The content digest, where it is the one the installation would come to."""
        return None if self.missing else self.package.digest


def package(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration.", exists=True, dir_okay=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Write the package here: a .zip, or a folder for a file with several workloads."),
    ] = None,
    assets: Annotated[
        Path | None,
        typer.Option(
            "--assets",
            help="Folder that holds the assets under their keys, or by name; by itself that of FILE.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    accounts: Accounts = "multi",
    model_registry: ModelRegistry = False,
    region: CheckRegion = "",
    templates: Templates = [],  # noqa: B006 - typer copies it
    as_json: AsJson = False,
) -> None:
    """Build the package of a release offline, and say what is in it and what is not pinned yet."""
    screen = Screen(as_json)
    context = context_of(accounts, model_registry, region)
    built = build(file, assets or file.parent, context, known_types(templates))
    written = _write(built, output)
    if as_json:
        screen.answer({"packages": [_answer(one, path) for one, path in zip(built, written, strict=True)]})
    for one, path in zip(built, written, strict=True):
        _show(one, path, screen)


def build(file: Path, folder: Path, context: CheckContext, catalogue: Catalogue) -> tuple[Built, ...]:
    """The packages of a file's workloads; raises ``Problems``."""
    names = InstallationNames(
        assets_bucket=ASSETS_BUCKET,
        packages_bucket=PACKAGES_BUCKET,
        packages_key_arn="",
        region=context.region,
        partition=context.partition,
    )
    try:
        checked = check_file(file.read_bytes(), catalogue, context)
        return tuple(_build(one, file, folder, names, context) for one in checked)
    except BadConfiguration as error:
        raise Problems.of(error) from None


def _build(checked: Checked, file: Path, folder: Path, names: InstallationNames, context: CheckContext) -> Built:
    assets = []
    for asset in checked.assets:
        found = next((path for path in (folder / asset.key, folder / Path(asset.key).name) if path.is_file()), None)
        if found is not None or not asset.or_prefix:
            assets.append(LocalAsset(asset.key, found, _pinned(asset.key, found)))
    packages = {arn: _unresolved(arn, context.region) for arn in checked.model_packages}
    resolved = ResolvedAssets({asset.key: asset.pinned for asset in assets}, packages, _figures(checked, assets))
    stages: Sequence[str]
    if context.accounts == "single":
        stages = context.stages[-1:]
    elif checked.type.runs_in == ORCHESTRATOR:
        stages = (ORCHESTRATOR,)
    else:
        stages = context.stages
    provenance = Provenance(
        requested_by="unknown", requester_verified=False, requested_at="", source=f"file {file.name}", version=""
    )
    package = build_package(checked, resolved, names, stages=stages, provenance=provenance, product_version=VERSION)
    return Built(checked, package, tuple(assets))


def _figures(checked: Checked, assets: Sequence[LocalAsset]) -> tuple[Figure, ...]:
    """Of the evaluation file, where it lies here."""
    file = next((asset.file for asset in assets if asset.key == checked.metrics), None)
    if file is None:
        return ()
    wanted = metrics_of(checked.configuration)
    return read_figures(file.stat().st_size, file.read_bytes, f"{checked.path}.metrics", wanted)


def _pinned(key: str, file: Path | None) -> PinnedAsset:
    return PinnedAsset(
        key=key,
        bucket=ASSETS_BUCKET,
        version_id=UNKNOWN_VERSION,
        copy_bucket=PACKAGES_BUCKET,
        copy_key=asset_copy_key(ASSETS_BUCKET, key, UNKNOWN_VERSION),
        sha256=_sha256(file) if file else "",
        size=file.stat().st_size if file else 0,
    )


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _unresolved(arn: str, region: str) -> ModelPackage:
    image = f"000000000000.dkr.ecr.{region}.amazonaws.com/placeholder:unresolved"
    return ModelPackage(arn, (ModelContainer(image, f"s3://{PACKAGES_BUCKET}/placeholder/model.tar.gz"),))


def _write(built: Sequence[Built], output: Path | None) -> list[Path | None]:
    if output is None:
        return [None] * len(built)
    if len(built) == 1 and not output.is_dir():
        paths = [output]
    elif len(built) > 1 and output.suffix == ".zip":
        raise typer.BadParameter(f"the file holds {len(built)} workloads; name a folder", param_hint="--output")
    else:
        paths = [output / f"{one.checked.workload_name}.zip" for one in built]
    for one, path in zip(built, paths, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.package.zip_bytes)
    return list(paths)


def _answer(built: Built, path: Path | None) -> dict[str, Any]:
    return {
        "workload": built.checked.workload_name,
        "stack_name": built.checked.stack_name,
        "parameters": {stage: built.package.parameters(stage) for stage in built.package.manifest["stages"]},
        "content_digest": built.digest,
        "not_pinned": list(built.missing),
        "placeholders": [ASSETS_BUCKET, PACKAGES_BUCKET, UNKNOWN_VERSION],
        "file": str(path) if path else None,
        "manifest": dict(built.package.manifest),
    }


def _show(built: Built, path: Path | None, screen: Screen) -> None:
    manifest = built.package.manifest
    screen.line(f"Package of {manifest['workload']} ({manifest['type']}) for {', '.join(manifest['stages'])}", "bold")
    screen.line(f"Stack {built.checked.stack_name}")
    _show_parameters({stage: built.package.parameters(stage) for stage in manifest["stages"]}, screen)
    screen.line()
    screen.table(
        ("MEMBER", "BYTES", "SHA-256"),
        [(name, str(entry["size"]), entry["sha256"]) for name, entry in manifest["members"].items()],
    )
    for asset in built.assets:
        told = f"{asset.pinned.sha256} ({asset.file})" if asset.file else "no local file: not pinned"
        screen.line(f"asset {asset.key}: {told}", "" if asset.file else "yellow")
    for warning in built.checked.warnings:
        screen.line(f"warning: {warning.sentence}", "yellow")
    if built.digest:
        screen.line(f"content digest {built.digest}")
    else:
        screen.line(f"no content digest: it depends on {', '.join(built.missing)}", "yellow")
    screen.note(
        f"Bucket names, the packages key and object versions are placeholders ({PACKAGES_BUCKET}, …) until the "
        "installation packages the release."
    )
    if path:
        screen.line(f"written to {path}")


def _show_parameters(values: Mapping[str, Mapping[str, str]], screen: Screen) -> None:
    """The template's parameters: those that all stages share once, the others stage by stage."""
    named = list(dict.fromkeys(name for parameters in values.values() for name in parameters))
    by_name = {name: [parameters.get(name, "") for parameters in values.values()] for name in named}
    shared = {name: found[0] for name, found in by_name.items() if len(set(found)) == 1}
    screen.line()
    screen.table(("PARAMETER", "VALUE"), [(name, value) for name, value in shared.items() if value])
    different = [(name, *by_name[name]) for name in named if name not in shared]
    if different:
        screen.line()
        screen.table(("PARAMETER", *(stage.upper() for stage in values)), different)
