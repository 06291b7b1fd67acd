"""What a configuration names outside itself: assets in the bucket, model packages in the registry.

Package resolves them, the API only looks whether they are there; both tell everything that is missing at once, each
with its path in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.core import images
from orchestrator.core.config import AssetRef, Checked
from orchestrator.core.errors import CallRefused, SourceGone, UnversionedObject
from orchestrator.core.facts import ModelPackage
from orchestrator.core.installation import Installation
from orchestrator.core.ports import ModelVersion, Objects, ObjectVersion
from orchestrator.core.problems import Problem
from orchestrator.core.steps.registered import APPROVED, Registry

COMPLETED = "Completed"
"""ModelPackageStatus of a version that can be deployed (DescribeModelPackage)."""

_GROUP = "model-package-group/"

_DATA = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/(?!.*\$\{)[^,*?\x00-\x1f\x7f]*")
"""Where a container's data may lie: the place goes into the workload's own policy, through a list with commas, and
whoever registers a version must not write more into that policy than the place."""


@dataclass(frozen=True)
class Found:
    """A model package that can be deployed, and where its evaluation is."""

    package: ModelPackage
    metrics: str
    """``s3://`` URI of its model-quality statistics; empty where the version has none."""


def find_asset(asset: AssetRef, objects: Objects, bucket: str, version_id: str = "") -> ObjectVersion | Problem | None:
    """The asset's version (the latest where none is given), what is wrong with it, or None for a prefix, which is read
    as it stands.

    A key that ends in ``/`` is a prefix, also where a console has put an empty object there to show a folder. Raises
    ``SourceGone`` for a version that was asked for and is not there any more.
    """
    if version_id:
        return objects.describe(bucket, asset.key, version_id)
    prefix = asset.or_prefix and asset.key.endswith("/")
    try:
        if not prefix:
            return objects.describe(bucket, asset.key)
    except UnversionedObject as error:
        return Problem(asset.path, f'"{asset.key}" has no version', str(error))
    except SourceGone:
        pass
    if not asset.or_prefix:
        what = f'there is no object "{asset.key}" in the assets bucket'
        return Problem(asset.path, what, "Upload it before the configuration.")
    if objects.any_under(bucket, asset.key):
        return None
    what = f'there is no object "{asset.key}" in the assets bucket, and none whose key starts so'
    return Problem(asset.path, what, "Upload the data before the configuration.")


def missing(
    checked: Checked, objects: Objects, registry: Registry, installation: Installation, assets_bucket: str
) -> Iterator[Problem]:
    """Everything that the configuration names and that is not there, or cannot be deployed."""
    for asset in dict.fromkeys(checked.assets):
        found = find_asset(asset, objects, assets_bucket)
        if isinstance(found, Problem):
            yield found
    for arn in checked.model_packages:
        model = find_model(arn, registry_path(checked), registry, installation)
        if not isinstance(model, Found):
            yield from model


def registry_path(checked: Checked) -> str:
    """Path of the key that names the model package."""
    key = checked.type.registry.key if checked.type.registry else "model_package_name"
    return f"{checked.path}.{key}"


def find_model(arn: str, path: str, registry: Registry, installation: Installation) -> Found | tuple[Problem, ...]:
    """The version that the ARN means (of a group: its latest approved one), or everything that is wrong with it."""
    *_, account, resource = arn.split(":", 5)
    if account != installation.account:
        what = f"is in the account {account}, the installation's registry in {installation.account}"
        return (Problem(path, what, "Name a model package of the orchestrator's own account."),)
    wanted = arn
    if resource.startswith(_GROUP):
        group = resource.removeprefix(_GROUP)
        latest = _latest(group, registry)
        if not latest:
            what = f'the model package group "{group}" has no approved version'
            return (Problem(path, what, "Register a version and approve it, or check the group's name."),)
        wanted = latest
    version = registry().version(wanted)
    if version is None:
        what = f"there is no model package {wanted}"
        return (Problem(path, what, "Check its name and number in the Model Registry."),)
    problems = tuple(_unfit(version, path, registry, installation))
    return problems or Found(ModelPackage(version.arn, version.containers), version.metrics)


def _latest(group: str, registry: Registry) -> str:
    try:
        return registry().latest_approved(group)
    except CallRefused:  # what SageMaker says of a group that does not exist differs by its mood
        return ""


def _unfit(version: ModelVersion, path: str, registry: Registry, installation: Installation) -> Iterator[Problem]:
    if version.status != COMPLETED:
        what = f"{version.arn} is {version.status}, not {COMPLETED}"
        yield Problem(path, what, "Wait until its creation has ended, or name another version.")
    if version.approval != APPROVED:
        what = f"{version.arn} is {version.approval or 'without an approval status'}, not {APPROVED}"
        yield Problem(path, what, _approved_instead(version, registry))
    if not version.containers:
        what = f"{version.arn} has no inference specification, so nothing can be deployed of it"
        yield Problem(path, what, "Register it with an InferenceSpecification.")
    for container in version.containers:
        if container.data and not _DATA.fullmatch(container.data):
            what = f'{version.arn} has its data at "{container.data[:200]}", which is no plain place in S3'
            fix = "Register it with a URI such as s3://bucket/model.tar.gz, without a comma, *, ? and ${ in it."
            yield Problem(path, what, fix)
        region = images.uri_region(container.image)
        if not region:
            what = f'{version.arn} names the image "{container.image}", which is none in Amazon ECR'
            yield Problem(path, what, "Register it with an image in Amazon ECR.")
        elif region != installation.region:
            what = f"{version.arn} names an image in {region}, the installation is in {installation.region}"
            yield Problem(path, what, "Register it with an image in the installation's region.")


def _approved_instead(version: ModelVersion, registry: Registry) -> str:
    parts = version.arn.split(":", 5)[-1].split("/")
    latest = _latest(parts[1], registry) if len(parts) > 2 else ""
    other = f", or name the latest approved version, {latest}" if latest else ""
    return f"Approve it in the Model Registry{other}."
