"""Package: check the configuration once more, pin its assets, write the immutable package, take the workload's turn.

The package *is* the release: what runs in dev is byte for byte what runs in prod. A repeated step finds the package
that the first one wrote and goes on with it, even when an asset was overwritten in between.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestrator.core.config import Checked, InstallationNames, ResolvedAssets, check_file
from orchestrator.core.errors import Conflict, SourceGone, TurnLost, WorkloadBusy
from orchestrator.core.installation import Installation
from orchestrator.core.model_versions import downgrades
from orchestrator.core.packaging import (
    Package,
    Provenance,
    build_package,
    read_package,
)
from orchestrator.core.plans import ArtifactStore
from orchestrator.core.ports import Clock, Objects, Store, Tasks
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.records import Release, Status, Workload
from orchestrator.core.steps.checking import check_context
from orchestrator.core.steps.earlier_package import KeptPackage, earlier_package
from orchestrator.core.steps.progress import find_release, find_workload, move, release_of, stamp
from orchestrator.core.steps.registered import Registry
from orchestrator.core.steps.released import package_key, template_key
from orchestrator.core.steps.resolve import resolve
from orchestrator.core.steps.start_releases import request_key, told
from orchestrator.core.steps.turns import (
    begin_turn,
    give_way,
    is_lost,
    on_its_way,
    supersede,
    take_turn,
    the_same,
)
from orchestrator.core.uses import named_by, settle_uses, settled
from orchestrator.core.version import VERSION
from orchestrator.core.workloads import Catalogue

if TYPE_CHECKING:
    from orchestrator.core.pipelines.ports import Pipelines

PERMISSIONS_BOUNDARY = "mlops/mlops-workload-boundary"
"""Path and name of the managed policy that the stage stack makes."""


def package(
    release_id: str,
    *,
    store: Store,
    objects: Objects,
    tasks: Tasks,
    registry: Registry,
    catalogue: Catalogue,
    pipelines: Callable[[], Pipelines],
    installation: Installation,
    assets_bucket: str,
    packages_bucket: str,
    packages_key_arn: str,
    artifacts: ArtifactStore,
    now: Clock,
) -> dict[str, object]:
    """Write the package; answers ``{"outcome": "packaged"}``, or ``unchanged`` when the content is live or on its way,
    or ``superseded`` when a newer release of the workload has come while this one waited for its turn. A removal has
    nothing to package, and takes its turn like every release; a rollback takes the package that there is.

    Where CodePipeline deploys, the workload's pipeline is made or changed as soon as the release has its turn. Raises
    ``BadConfiguration``, ``SourceGone``, ``TurnLost`` for a release that has ended, ``WorkloadBusy`` while another
    release of the workload deploys, ``StackBusy`` while its pipeline is made, and ``PipelineFailed``.
    """

    def asked() -> Checked:
        data = objects.read(packages_bucket, request_key(release_id))
        (checked,) = check_file(data, catalogue, check_context(installation))
        return checked

    release = move(store, release_id, now, Status.PACKAGING)
    if release.status.ended:
        raise TurnLost(f"this release has ended {release.status.value}; nothing of it is done any more")
    if not release.package_key and not release.removes:
        names = InstallationNames(
            assets_bucket=assets_bucket,
            packages_bucket=packages_bucket,
            packages_key_arn=packages_key_arn,
            region=installation.region,
            partition=installation.partition,
            permissions_boundary=PERMISSIONS_BOUNDARY,
        )
        if release.goes_back_to:
            kept = earlier_package(release, store, objects, packages_bucket)
        else:
            built = _written(release, objects, packages_bucket)
            if built is None:
                checked = asked()
                resolved = resolve(checked, dict(release.pins), objects, registry, names, installation)
                built = _build(release, checked, resolved, names, installation)
            kept = _keep(release, built, objects, packages_bucket)
        release = _note(release, kept, objects, store, packages_bucket, now)
    if same := _contained(release, store):
        store.update(Release, release.key(), lambda found: replace(found, reason=same))
        return {"outcome": "unchanged"}
    workload = take_turn(release, store)
    _settle_uses(release, workload, asked, store)
    if workload.running_release == release_id:
        begin_turn(release, workload, store)
        if installation.deploys_by_pipelines:
            from orchestrator.core.steps.make_pipeline import make_pipeline

            make_pipeline(
                release,
                store=store,
                objects=objects,
                pipelines=pipelines(),
                installation=installation,
                packages_bucket=packages_bucket,
                artifacts=artifacts,
            )
        return {"outcome": "packaged"}
    if workload.newest_release != release_id:
        give_way(store, release, release_of(store, workload.newest_release))
        return {"outcome": "superseded"}
    same = the_same(workload, release)
    if same and not is_lost(workload.running_release, store):
        store.update(Release, release.key(), lambda found: replace(found, reason=same))
        return {"outcome": "unchanged"}
    if not same:
        supersede(workload.running_release, release, store, tasks, now)
    raise WorkloadBusy(f"release {workload.running_release} of {release.workload} has its turn")


def _contained(release: Release, store: Store) -> str:
    """Why a release of something new is a repetition of the one whose configuration it has; empty where it is none.

    Who uploads a model and then its configuration has both events come at once and in any order: the configuration is
    packaged with that model, and must not give way to a release of the same. Raises ``WorkloadBusy`` until it is known
    what is in that package.
    """
    base = find_release(store, release.follows) if release.follows else None
    if base is None or base.status.ended or base.removes or release.force:
        return ""
    if not base.package_key:
        raise WorkloadBusy(f"release {base.release_id}, whose configuration this one has, is being packaged")
    if base.digest != release.digest or is_lost(base.release_id, store):
        return ""
    return on_its_way(base.release_id)


def _written(release: Release, objects: Objects, packages_bucket: str) -> Package | None:
    """The package that an earlier run of this step wrote and did not live to note.

    It is looked for first: what the configuration names may have been deleted since, or overwritten by what no package
    can be made of.
    """
    with suppress(SourceGone):
        return read_package(objects.read(packages_bucket, package_key(release.release_id)))
    return None


def _build(
    release: Release,
    checked: Checked,
    resolved: ResolvedAssets,
    names: InstallationNames,
    installation: Installation,
) -> Package:
    provenance = Provenance(
        requested_by=installation.people.display(release.requester),
        requester_verified=release.requester.verified,
        requested_at=release.created_at,
        source=str(release.source),
        version=release.source.version_id,
        release_id=release.release_id,
    )
    return build_package(
        checked,
        resolved,
        names,
        stages=release.stages,
        provenance=provenance,
        product_version=VERSION,
    )


def _keep(release: Release, built: Package, objects: Objects, packages_bucket: str) -> KeptPackage:
    """Write the package, or go on with the one that an earlier run of this step wrote."""
    key = package_key(release.release_id)
    try:
        written = objects.write_once(packages_bucket, key, built.zip_bytes, "application/zip")
    except Conflict:
        written = objects.describe(packages_bucket, key)
        built = read_package(objects.read(packages_bucket, key, written.version_id))
    return KeptPackage(built, key, written.version_id)


def _note(
    release: Release, kept: KeptPackage, objects: Objects, store: Store, packages_bucket: str, now: Clock
) -> Release:
    """Put beside the package what CloudFormation and jobs read of it, then note it in the record."""
    built = kept.package
    objects.write_once(packages_bucket, template_key(release.release_id), built.template, "application/yaml")
    for stage in release.stages:
        for document_key, data in built.documents(stage).items():
            objects.write_once(packages_bucket, document_key, data, "application/json")
    models = built.model_packages
    older = tuple(downgrades(models, _live_models(release.workload, store)))
    return store.update(
        Release,
        release.key(),
        lambda found: replace(
            found,
            digest=built.digest,
            metrics=built.metrics,
            models=models,
            job=built.job,
            warnings=tuple(dict.fromkeys((*found.warnings, *told((*older, *built.warnings))))),
            package_key=kept.key,
            package_version=kept.version_id,
            updated_at=stamp(now()),
        ),
    )


def _live_models(workload: str, store: Store) -> dict[str, tuple[str, ...]]:
    """ARNs of the versions of model packages that are live, by stage."""
    known = find_workload(store, workload)
    places = known.live if known is not None else ()
    found = {place.stage: find_release(store, place.release_id) for place in places}
    return {stage: release.models for stage, release in found.items() if release is not None}


def _settle_uses(release: Release, workload: Workload, asked: Callable[[], Checked], store: Store) -> None:
    """What the newest configuration no longer names starts nothing any more."""
    if release.removes or workload.newest_release != release.release_id:
        return
    if settled(store, release.workload, release.release_id):
        return
    with suppress(*((BadConfiguration,) if release.goes_back_to else ())):
        # What an earlier release was packaged from may be refused by the rules of today: its package holds all the
        # same, and whatever the workload used goes on starting releases, which say what is wrong.
        settle_uses(store, release.workload, release.order, named_by(asked()))
