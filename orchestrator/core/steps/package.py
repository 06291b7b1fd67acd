"""Package: check the configuration once more, pin its assets, write the immutable package, take the workload's turn.

The package *is* the release: what runs in dev is byte for byte what runs in prod. A repeated step finds the package
that the first one wrote and goes on with it, even when an asset was overwritten in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from orchestrator.core.config import Checked, InstallationNames, ResolvedAssets, check_file
from orchestrator.core.errors import AccessDenied, Conflict, SourceGone, StepFailed, TurnLost, WorkloadBusy
from orchestrator.core.figures import read_figures
from orchestrator.core.installation import Installation
from orchestrator.core.packaging import (
    Package,
    Provenance,
    asset_copy_key,
    build_package,
    read_package,
)
from orchestrator.core.ports import Clock, ModelRegistry, Objects, ObjectVersion, Store, Tasks
from orchestrator.core.problems import BadConfiguration, Problem
from orchestrator.core.records import Approval, ApprovalStatus, Figure, Release, StageRecord, Status, Workload
from orchestrator.core.sources import PinnedAsset, split_location
from orchestrator.core.steps.progress import approval_of, give_way, move, pass_turn, release_of, stamp
from orchestrator.core.steps.references import Found, find_asset, find_model, registry_path
from orchestrator.core.steps.released import package_key, template_key
from orchestrator.core.steps.request_approval import answer
from orchestrator.core.steps.start_releases import check_context, request_key, told
from orchestrator.core.version import VERSION
from orchestrator.core.workloads import Catalogue

PERMISSIONS_BOUNDARY = "mlops/mlops-workload-boundary"
"""Path and name of the managed policy that the stage stack makes."""


def package(
    release_id: str,
    *,
    store: Store,
    objects: Objects,
    tasks: Tasks,
    registry: ModelRegistry,
    catalogue: Catalogue,
    installation: Installation,
    assets_bucket: str,
    packages_bucket: str,
    packages_key_arn: str,
    now: Clock,
) -> dict[str, object]:
    """Write the package; answers ``{"outcome": "packaged"}``, or ``unchanged`` when the content is live or on its way,
    or ``superseded`` when a newer release of the workload has come while this one waited for its turn. A removal has
    nothing to package, and takes its turn like every release.

    Raises ``BadConfiguration``, ``SourceGone``, ``TurnLost`` for a release that has ended, and ``WorkloadBusy`` while
    another release of the workload deploys.
    """
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
        built = _written(release, objects, packages_bucket)
        if built is None:
            data = objects.read(packages_bucket, request_key(release_id))
            (checked,) = check_file(data, catalogue, check_context(installation))
            resolved = _resolve(checked, objects, registry, names, installation)
            built = _build(release, checked, resolved, names, installation)
        release = _keep(release, built, objects, store, packages_bucket, now)
    workload = _take_turn(release, store)
    if workload.running_release == release_id:
        _begin(release, workload, store)
        return {"outcome": "packaged"}
    if workload.newest_release != release_id:
        give_way(store, release, release_of(store, workload.newest_release))
        return {"outcome": "superseded"}
    if same := _the_same(workload, release):
        store.update(Release, release.key(), lambda found: replace(found, reason=same))
        return {"outcome": "unchanged"}
    _supersede(workload.running_release, release, store, tasks, now)
    raise WorkloadBusy(f"release {workload.running_release} of {release.workload} has its turn")


def _written(release: Release, objects: Objects, packages_bucket: str) -> Package | None:
    """The package that an earlier run of this step wrote and did not live to note.

    It is looked for first: what the configuration names may have been deleted since, or overwritten by what no package
    can be made of.
    """
    with suppress(SourceGone):
        return read_package(objects.read(packages_bucket, package_key(release.release_id)))
    return None


def _resolve(
    checked: Checked, objects: Objects, registry: ModelRegistry, names: InstallationNames, installation: Installation
) -> ResolvedAssets:
    """Pin every asset to the version it has now, copy that version server-side, find every model package, and read the
    evaluation.

    Everything that is missing is reported at once, and with it what is wrong with the evaluation.
    """
    pinned: dict[str, PinnedAsset] = {}
    problems: list[Problem] = []
    for asset in checked.assets:
        found = None if asset.key in pinned else find_asset(asset, objects, names.assets_bucket)
        if isinstance(found, Problem):
            problems.append(found)
        elif found is not None:
            pinned[asset.key] = _pin(asset.key, found, objects, names)
    models: dict[str, Found] = {}
    for arn in checked.model_packages:
        model = find_model(arn, registry_path(checked), registry, installation)
        if isinstance(model, Found):
            models[arn] = model
        else:
            problems += model
    figures: tuple[Figure, ...] = ()
    if checked.metrics in pinned:
        try:
            figures = _figures(pinned[checked.metrics], f"{checked.path}.metrics", objects)
        except BadConfiguration as refused:
            problems += refused.problems
    if problems:
        raise BadConfiguration(problems)
    resolved = ResolvedAssets(pinned, {arn: model.package for arn, model in models.items()}, figures)
    if checked.metrics:
        return resolved
    return _with_registered_figures(resolved, [model.metrics for model in models.values()], objects)


def _pin(key: str, source: ObjectVersion, objects: Objects, names: InstallationNames) -> PinnedAsset:
    copy = objects.copy_once(
        source, names.packages_bucket, asset_copy_key(source.bucket, source.key, source.version_id)
    )
    return PinnedAsset(
        key=key,
        bucket=source.bucket,
        version_id=source.version_id,
        copy_bucket=copy.bucket,
        copy_key=copy.key,
        sha256=copy.sha256,
        size=copy.size,
        copy_version_id=copy.version_id,
    )


def _with_registered_figures(resolved: ResolvedAssets, places: Sequence[str], objects: Objects) -> ResolvedAssets:
    """The figures of the model package's own evaluation.

    The author of the configuration has not asked for them: what cannot be read is told, and stops nothing.
    """
    place = next(filter(None, places), "")
    if not place:
        return resolved
    bucket, key = split_location(place)
    try:
        figures = read_figures(objects.size(bucket, key), lambda: objects.read(bucket, key), place)
    except (BadConfiguration, StepFailed) as error:
        return replace(resolved, warnings=(f"{place} is no evaluation that can be shown: {_in_our_words(error)}.",))
    return replace(resolved, figures=figures, evaluation=place)


def _in_our_words(error: BadConfiguration | StepFailed) -> str:
    """A warning is shown to everybody, and AWS's own words may name accounts and roles."""
    if isinstance(error, BadConfiguration):
        return error.problems[0].what
    if isinstance(error, AccessDenied):
        return "the function Package may not read it"
    return "there is no such object" if isinstance(error, SourceGone) else "Amazon S3 refuses to give it out"


def _figures(evaluation: PinnedAsset, path: str, objects: Objects) -> tuple[Figure, ...]:
    """Of the evaluation's copy. They go into the package, so that a run which finds the package of an earlier one shows
    what that one had read."""
    return read_figures(
        evaluation.size,
        lambda: objects.read(evaluation.copy_bucket, evaluation.copy_key, evaluation.copy_version_id),
        path,
    )


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


def _keep(
    release: Release, built: Package, objects: Objects, store: Store, packages_bucket: str, now: Clock
) -> Release:
    """Write the package, or go on with the one that an earlier run of this step wrote; then note it in the record."""
    key = package_key(release.release_id)
    try:
        written = objects.write_once(packages_bucket, key, built.zip_bytes, "application/zip")
    except Conflict:
        written = objects.describe(packages_bucket, key)
        built = read_package(objects.read(packages_bucket, key, written.version_id))
    objects.write_once(packages_bucket, template_key(release.release_id), built.template, "application/yaml")
    for stage in release.stages:
        for document_key, data in built.documents(stage).items():
            objects.write_once(packages_bucket, document_key, data, "application/json")
    return store.update(
        Release,
        release.key(),
        lambda found: replace(
            found,
            digest=built.digest,
            metrics=built.metrics,
            warnings=tuple(dict.fromkeys((*found.warnings, *told(built.warnings)))),
            package_key=key,
            package_version=written.version_id,
            updated_at=stamp(now()),
        ),
    )


def _take_turn(release: Release, store: Store) -> Workload:
    """Become the workload's running release if it is free, this release the newest, and the content new.

    Returns how the workload stands. A holder that has ended and died before it could pass its turn on is helped.
    """
    key = Workload.named(release.workload).key()
    if store.get(Workload, key) is None:
        with suppress(Conflict):
            store.insert(Workload.named(release.workload))
    after = store.update(Workload, key, lambda current: _turn(current, release))
    if after.running_release in {"", release.release_id}:
        return after
    holder = release_of(store, after.running_release)
    if not holder.status.ended:
        return after
    pass_turn(store, holder)
    return store.update(Workload, key, lambda current: _turn(current, release))


def _begin(release: Release, workload: Workload, store: Store) -> None:
    """Note the turn's generation, which every later step must hold.

    Release and workload are two rows: a release that was ended just before it took its turn gives it back.
    """
    after = store.update(
        Release,
        release.key(),
        lambda found: found if found.status.ended else replace(found, generation=workload.generation),
    )
    if after.status.ended:
        pass_turn(store, after)
        raise TurnLost(f"this release has ended {after.status.value}; nothing of it is done any more")


def _turn(current: Workload, release: Release) -> Workload:
    """The workload with this release noted, and running where it may."""
    if (release.created_at, release.release_id) > (current.newest_at, current.newest_release):
        current = replace(current, newest_release=release.release_id, newest_at=release.created_at)
    if current.running_release or current.newest_release != release.release_id or _the_same(current, release):
        return current
    return replace(
        current,
        running_release=release.release_id,
        running_digest=release.digest,
        generation=current.generation + 1,
        workload_type=release.workload_type,
        removed_by="",
    )


def _the_same(workload: Workload, release: Release) -> str:
    """Why releasing this content would be a repetition; empty when it would not, or is wanted all the same."""
    if release.force:
        return ""
    if workload.running_release:
        on_its_way = workload.running_digest == release.digest
        return f"The same content is on its way already, in release {workload.running_release}." if on_its_way else ""
    live = workload.live_digest == release.digest
    return f"The same content is live already, since release {workload.live_release}." if live else ""


def _supersede(holder_id: str, newer: Release, store: Store, tasks: Tasks, now: Clock) -> None:
    """End the holder's pending approval, if it waits for one; what it deploys is never interrupted."""
    holder = release_of(store, holder_id)
    if holder.status is not Status.AWAITING_APPROVAL:
        return
    record = store.get(StageRecord, (f"RELEASE#{holder_id}", f"STAGE#{holder.stage}"))
    approval = approval_of(store, record.approval_id) if record and record.approval_id else None
    if approval is None:
        return

    def close(current: Approval) -> Approval:
        if current.status is not ApprovalStatus.PENDING:
            return current
        return replace(current, status=ApprovalStatus.SUPERSEDED, settled_at=stamp(now()))

    after = store.update(Approval, approval.key(), close)
    if after.status is ApprovalStatus.SUPERSEDED:
        give_way(store, holder, newer)
        answer(after, store=store, tasks=tasks)
