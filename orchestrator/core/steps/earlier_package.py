"""What a rollback deploys: the package of an earlier release, the same object version, with everything it refers to.

Nothing of it is made anew: no configuration is read, no asset pinned, no parameter resolved. What it deployed then is
what it deploys now, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.errors import PackageDamaged, SourceGone
from orchestrator.core.packaging import Package, read_package
from orchestrator.core.ports import Objects, Store
from orchestrator.core.problems import listing
from orchestrator.core.records import Release
from orchestrator.core.steps.progress import release_of


@dataclass(frozen=True)
class KeptPackage:
    """A package, and where it stands in the packages bucket."""

    package: Package
    key: str
    version_id: str


def earlier_package(release: Release, store: Store, objects: Objects, packages_bucket: str) -> KeptPackage:
    """The verified package that a rollback goes back to.

    Raises ``SourceGone`` where it is not kept any more, or a copy of an asset is not, and ``PackageDamaged`` where it
    is not the one that was deployed then.
    """
    earlier = release_of(store, release.goes_back_to)
    try:
        data = objects.read(packages_bucket, earlier.package_key, earlier.package_version)
    except SourceGone as error:
        raise SourceGone(package_gone(earlier)) from error
    package = read_package(data)
    told = package.manifest
    if package.digest != earlier.digest or told["workload"] != release.workload:
        raise PackageDamaged(f"the package of {earlier.release_id} is not the one that was deployed then")
    missing = [asset["key"] for asset in told["assets"] if not _is_there(asset, objects)]
    if missing:
        raise SourceGone(f"what {earlier.release_id} deployed is not kept any more: the copies of {listing(missing)}")
    return KeptPackage(package, earlier.package_key, earlier.package_version)


def package_gone(earlier: Release) -> str:
    """Of a package that somebody has deleted: the installation itself deletes none."""
    return (
        f"the package of {earlier.release_id} is not in the packages bucket any more ({earlier.package_key}, version "
        f"{earlier.package_version})"
    )


def _is_there(asset: dict[str, str], objects: Objects) -> bool:
    try:
        found = objects.describe(asset["copy_bucket"], asset["copy_key"], asset["copy_version_id"])
    except SourceGone:
        return False
    return found.sha256 == asset["sha256"]
