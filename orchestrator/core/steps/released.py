"""The package of a release as the later steps read it: verified bytes, and the few facts of its manifest they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.core.errors import PackageDamaged, StepFailed
from orchestrator.core.jobs import JobKind
from orchestrator.core.packaging import Package, read_package
from orchestrator.core.ports import Objects
from orchestrator.core.records import Release


@dataclass(frozen=True)
class Sample:
    """The pinned sample of the smoke test, and what the endpoint should answer."""

    bucket: str
    key: str
    version_id: str
    content_type: str
    expect_status: int
    timeout_seconds: int
    """How long the endpoint may take to answer."""


@dataclass(frozen=True)
class JobPlan:
    """The job of the manifest."""

    kind: JobKind
    output: str
    """Stack output that names the pipeline or build project; empty for an AutoML job."""
    request: str
    """Document that is the request of an AutoML job; else empty."""
    inputs: Mapping[str, Mapping[str, Mapping[str, Any]]]
    """By stage and name, see ``sources.late``."""


@dataclass(frozen=True)
class ReleasedPackage:
    """A verified package and what its manifest says about deploying it."""

    package: Package
    capabilities: tuple[str, ...]
    endpoint_output: str
    """Stack output that names the endpoint to verify; empty when there is none."""
    job: JobPlan | None
    """None when the workload has no job."""
    sample: Sample | None
    model_packages: tuple[str, ...] = ()
    """ARNs of the Model Registry's versions that it deploys."""

    def parameters(self, stage: str) -> dict[str, str]:
        """The template's parameters in this stage."""
        return self.package.parameters(stage)

    def tags(self, stage: str) -> dict[str, str]:
        """The stack's tags in this stage."""
        return self.package.tags(stage)

    def document(self, stage: str, name: str) -> bytes:
        """A rendered document of this stage; KeyError when the package has no such one."""
        return self.package.members[f"documents/{stage}/{name}"]


def package_key(release_id: str) -> str:
    """Key of the release's package in the packages bucket."""
    return f"packages/{release_id}.zip"


def template_key(release_id: str) -> str:
    """Key of the package's template, beside the package, where CloudFormation can read it."""
    return f"packages/{release_id}/template.yaml"


def released_package(release: Release, objects: Objects, packages_bucket: str) -> ReleasedPackage:
    """Read and verify the package; raises ``PackageDamaged`` when it is not the one that was written."""
    if not release.package_key:
        raise StepFailed(f"{release.release_id} has no package")
    package = read_package(objects.read(packages_bucket, release.package_key, release.package_version))
    if package.digest != release.digest:
        raise PackageDamaged(f"the package of {release.release_id} is not the one that was written")
    verify = package.manifest["verify"] or {}
    raw = verify.get("sample")
    sample = (
        Sample(
            raw["bucket"],
            raw["key"],
            raw["version_id"],
            raw["content_type"],
            raw["expect_status"],
            raw["timeout_seconds"],
        )
        if raw
        else None
    )
    return ReleasedPackage(
        package=package,
        capabilities=tuple(package.manifest["capabilities"]),
        endpoint_output=verify.get("endpoint", ""),
        job=_job(package),
        sample=sample,
        model_packages=tuple(found["arn"] for found in package.manifest["model_packages"].values()),
    )


def _job(package: Package) -> JobPlan | None:
    job = package.manifest["job"]
    return JobPlan(JobKind(job["kind"]), job["output"], job["request"], job["input"]) if job else None
