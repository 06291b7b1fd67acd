"""From what a configuration names to what is released: one version of each, copied where SageMaker can read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from orchestrator.core.config import Checked, InstallationNames, ResolvedAssets
from orchestrator.core.errors import AccessDenied, SourceGone, StepFailed
from orchestrator.core.figures import read_figures
from orchestrator.core.gates import metrics_of
from orchestrator.core.installation import Installation
from orchestrator.core.model_versions import group_arn
from orchestrator.core.packaging import asset_copy_key
from orchestrator.core.ports import Objects, ObjectVersion
from orchestrator.core.problems import BadConfiguration, Problem
from orchestrator.core.records import Figure
from orchestrator.core.sources import PinnedAsset, split_location
from orchestrator.core.steps.references import Found, find_asset, find_model, registry_path
from orchestrator.core.steps.registered import Registry


def resolve(
    checked: Checked,
    pins: Mapping[str, str],
    objects: Objects,
    registry: Registry,
    names: InstallationNames,
    installation: Installation,
) -> ResolvedAssets:
    """Pin every asset to its version in ``pins``, else to the one it has now, copy that version server-side, find every
    model package, and read the evaluation.

    Everything that is missing is reported at once, and with it what is wrong with the evaluation. Raises ``SourceGone``
    for a version of ``pins`` that was deleted.
    """
    pinned: dict[str, PinnedAsset] = {}
    read_as_it_stands: dict[str, str] = {}
    problems: list[Problem] = []
    for asset in checked.assets:
        if asset.key in pinned or asset.key in read_as_it_stands:
            continue
        found = find_asset(asset, objects, names.assets_bucket, pins.get(asset.key, ""))
        if isinstance(found, Problem):
            problems.append(found)
        elif found is None:
            read_as_it_stands[asset.key] = objects.fingerprint(names.assets_bucket, asset.key, checked.outputs)
        else:
            pinned[asset.key] = _pin(asset.key, found, objects, names)
    models: dict[str, Found] = {}
    for arn in checked.model_packages:
        model = find_model(pins.get(group_arn(arn), arn), registry_path(checked), registry, installation)
        if isinstance(model, Found):
            models[arn] = model
        else:
            problems += model
    figures: tuple[Figure, ...] = ()
    wanted = metrics_of(checked.configuration)
    if checked.metrics in pinned:
        try:
            figures = _figures(pinned[checked.metrics], f"{checked.path}.metrics", wanted, objects)
        except BadConfiguration as refused:
            problems += refused.problems
    if problems:
        raise BadConfiguration(problems)
    resolved = ResolvedAssets(pinned, {arn: model.package for arn, model in models.items()}, figures)
    resolved = replace(resolved, prefixes=read_as_it_stands)
    if checked.metrics:
        return resolved
    return _with_registered_figures(resolved, [model.metrics for model in models.values()], wanted, objects)


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


def _with_registered_figures(
    resolved: ResolvedAssets, places: Sequence[str], wanted: Sequence[str], objects: Objects
) -> ResolvedAssets:
    """The figures of the model package's own evaluation, of the version that it has now.

    The author of the configuration has not named it: what cannot be read is told, and stops nothing here. Gates, if
    there are any, find nothing measured then.
    """
    place = next(filter(None, places), "")
    if not place:
        return resolved
    bucket, key = split_location(place)
    try:
        found = objects.newest(bucket, key)
        figures = read_figures(found.size, lambda: objects.read(bucket, key, found.version_id), place, wanted)
    except (BadConfiguration, StepFailed) as error:
        return replace(resolved, warnings=(f"{place} is no evaluation that can be shown: {_in_our_words(error)}.",))
    return replace(resolved, figures=figures, evaluation=place, evaluation_version=found.version_id)


def _in_our_words(error: BadConfiguration | StepFailed) -> str:
    """A warning is shown to everybody, and AWS's own words may name accounts and roles."""
    if isinstance(error, BadConfiguration):
        return error.problems[0].what
    if isinstance(error, AccessDenied):
        return "the function Package may not read it"
    return "there is no such object" if isinstance(error, SourceGone) else "Amazon S3 refuses to give it out"


def _figures(evaluation: PinnedAsset, path: str, wanted: Sequence[str], objects: Objects) -> tuple[Figure, ...]:
    """Of the evaluation's copy. They go into the package, so that a run which finds the package of an earlier one shows
    what that one had read."""
    return read_figures(
        evaluation.size,
        lambda: objects.read(evaluation.copy_bucket, evaluation.copy_key, evaluation.copy_version_id),
        path,
        wanted,
    )
