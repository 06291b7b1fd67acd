"""The package of a release as the later steps read it: verified bytes, and the few facts of its manifest they need."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.errors import JobFailed, PackageDamaged, StepFailed
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
class ReleasedPackage:
    """A verified package and what its manifest says about deploying it."""

    package: Package
    capabilities: tuple[str, ...]
    endpoint_output: str
    """Stack output that names the endpoint to verify; empty when there is none."""
    pipeline_output: str
    """Stack output that names the SageMaker Pipeline to run; empty when the workload has no job."""
    sample: Sample | None

    def parameters(self, stage: str) -> dict[str, str]:
        """The template's parameters in this stage."""
        return self.package.parameters(stage)

    def tags(self, stage: str) -> dict[str, str]:
        """The stack's tags in this stage."""
        return self.package.tags(stage)


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
        pipeline_output=_pipeline_output(package),
        sample=sample,
    )


def _pipeline_output(package: Package) -> str:
    job = package.manifest["job"]
    if job is None:
        return ""
    if job["kind"] != "sagemaker_pipeline":
        raise JobFailed(f"jobs of the kind {job['kind']!r} cannot be run by this version")
    return str(job["output"])
