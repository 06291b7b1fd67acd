"""Every folder of ``templates/``, the configurations that are tried on it, and the packages made of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from cfnlint.decode import cfn_yaml

from orchestrator.core.config import (
    CheckContext,
    Checked,
    InstallationNames,
    ModelPackage,
    PinnedAsset,
    ResolvedAssets,
    check_file,
)
from orchestrator.core.facts import ModelContainer
from orchestrator.core.packaging import Package, Provenance, asset_copy_key, build_package
from orchestrator.core.workloads import WorkloadType
from tests.fakes.memory_world import TEMPLATES, catalogue

BODIES = Path(__file__).parent / "bodies"
GOLDEN = Path(__file__).parent / "golden"

NAMES = InstallationNames(
    assets_bucket="mlops-assets",
    packages_bucket="mlops-packages",
    packages_key_arn="arn:aws:kms:us-east-1:111111111111:key/0a1b2c3d-0000-4000-8000-000000000000",
    region="us-east-1",
    partition="aws",
    permissions_boundary="mlops/mlops-workload-boundary",
)
PROVENANCE = Provenance("Ana", True, "2026-03-01T12:00:00Z", "s3://mlops-assets/mlops-config.json", "v1", "release-1")

TYPES = catalogue().names


@dataclass(frozen=True)
class Body:
    """One configuration that must be accepted as it is."""

    type: str
    path: Path

    @property
    def accounts(self) -> Literal["single", "multi"]:
        """Named in the file's name; an example without a word is for several accounts."""
        return "single" if ".single." in self.path.name else "multi"

    @property
    def registry(self) -> bool:
        """Whether it is for an installation with the Model Registry."""
        return ".registry." in self.path.name

    @property
    def context(self) -> CheckContext:
        """The installation that it is for."""
        return CheckContext(self.accounts, model_registry=self.registry)

    @property
    def values(self) -> dict[str, Any]:
        """What stands in the file."""
        found: dict[str, Any] = json.loads(self.path.read_bytes())
        return found

    @property
    def id(self) -> str:
        """For the names of tests."""
        return f"{self.type}/{self.path.name}"


def wanted_bodies(name: str) -> set[str]:
    """Names of the files that must lie in ``bodies/<type>/``."""
    registries = ("", ".registry") if workload_type(name).registry else ("",)
    return {
        f"{size}.{accounts}{registry}.json"
        for size in ("minimal", "full")
        for accounts in ("single", "multi")
        for registry in registries
    }


def bodies() -> tuple[Body, ...]:
    """Every body of a type that has a folder."""
    return tuple(Body(name, path) for name in TYPES for path in sorted((BODIES / name).glob("*.json")))


def examples() -> tuple[Body, ...]:
    """Both examples of each folder."""
    return tuple(
        Body(name, TEMPLATES / name / file)
        for name in TYPES
        for file in ("example.mlops-config.json", "example.single.mlops-config.json")
    )


def workload_type(name: str) -> WorkloadType:
    """The folder, loaded."""
    return catalogue().types[name]


@cache
def template(name: str) -> Mapping[str, Any]:
    """The folder's template, short forms written out."""
    read: Callable[[str], Any] = cfn_yaml.load
    found: Mapping[str, Any] = json.loads(json.dumps(read(str(TEMPLATES / name / "template.yaml"))))
    return found


def checked(values: Mapping[str, Any], context: CheckContext) -> Checked:
    """The configuration, accepted; raises ``BadConfiguration``."""
    (one,) = check_file(json.dumps(values).encode(), catalogue(), context)
    return one


def stages_of(one: Checked, context: CheckContext) -> tuple[str, ...]:
    """The stages that the release has."""
    if context.accounts == "single":
        return context.stages[-1:]
    return context.stages if one.type.runs_in == "stages" else ("orchestrator",)


def resolved(one: Checked) -> ResolvedAssets:
    """Every asset pinned, and every model package found with two containers: the one a model, the other a prefix."""
    pinned = {asset.key: _pinned(asset.key) for asset in one.assets}
    return ResolvedAssets(pinned, {arn: _model_package(arn) for arn in one.model_packages})


def package(one: Checked, context: CheckContext) -> Package:
    """The release's package."""
    return build_package(
        one,
        resolved(one),
        NAMES,
        stages=stages_of(one, context),
        provenance=PROVENANCE,
        product_version="0",
    )


def _pinned(key: str) -> PinnedAsset:
    return PinnedAsset(
        key=key,
        bucket=NAMES.assets_bucket,
        version_id="v1",
        copy_bucket=NAMES.packages_bucket,
        copy_key=asset_copy_key(NAMES.assets_bucket, key, "v1"),
        sha256=hashlib.sha256(key.encode()).hexdigest(),
        size=7,
        copy_version_id="c1",
    )


def _model_package(arn: str) -> ModelPackage:
    version = arn if "/model-package-group/" not in arn.replace(":", "/") else f"{arn.replace('-group', '', 1)}/7"
    registry = "111111111111.dkr.ecr.us-east-1.amazonaws.com"
    return ModelPackage(
        version,
        (
            ModelContainer(f"{registry}/features:1.0", "s3://mlops-models/features/model.tar.gz"),
            ModelContainer(f"{registry}/scorer:1.0", "s3://mlops-models/scorer/"),
        ),
    )


def rows(text: str) -> Iterator[tuple[str, list[str]]]:
    """Key and further cells of each row of a README's tables whose first cell is in backticks."""
    for line in text.splitlines():
        if line.startswith("| `"):
            first, *cells = (cell.strip() for cell in line.strip("|").split(" | "))
            yield first.strip("`"), cells
