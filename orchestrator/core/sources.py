"""Where a template parameter's value comes from: the vocabulary of ``workload.json``, and its evaluation.

A source names a configuration key (``"from": "inference_instance"``), a path into an object (``"bias_config.facet"``)
or a fact about the release (``"$stage"``), and the form the template needs it in (``"as": "bucket"``). The vocabulary
is small and fixed on purpose: what it cannot say belongs into the template.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestrator.core import images

CONTEXT_NAMES = frozenset(
    {
        "$workload",
        "$pipeline_type",
        "$stack_name",
        "$stage",
        "$assets_bucket",
        "$packages_bucket",
        "$packages_key_arn",
        "$permissions_boundary",
        "$region",
        "$partition",
        "$release",
    }
)
"""Facts a source may ask for. ``$release`` is for the input of a job alone: a template parameter that changed with
every release would make every plan a change."""

Scope = Literal["inference", "training"]


@dataclass(frozen=True)
class Condition:
    """A source counts only while this holds of the configuration."""

    key: str
    is_one_of: tuple[object, ...] = ()
    present: bool = True

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether the stage's configuration meets the condition."""
        value = lookup(values, self.key)
        if self.is_one_of:
            return value in self.is_one_of
        return (value is not None) == self.present


@dataclass(frozen=True)
class Source:
    """One way to a value."""

    key: str = ""
    """Configuration key, dotted path, ``$name`` of a fact, or ``$document:<file>``; empty when ``value`` is set."""
    value: object = None
    form: str = "text"
    default: object = None
    when: Condition | None = None
    version_key: str = ""
    """For images: the key with the framework's version; empty when ``key`` holds an image URI itself."""
    instance_key: str = ""
    """For images: the key with the instance type, which decides between CPU and GPU."""
    scope: Scope = "inference"


@dataclass(frozen=True)
class PinnedAsset:
    """An asset, pinned to one version, and its copy that SageMaker reads."""

    key: str
    """Key in the assets bucket, as the configuration names it."""
    bucket: str
    version_id: str
    copy_bucket: str
    copy_key: str
    sha256: str
    """Of the copy, hex, as S3 computed it; a composite checksum carries the suffix ``-<parts>``."""
    size: int
    """Bytes."""
    copy_version_id: str = ""

    @property
    def uri(self) -> str:
        """``s3://`` URI of the copy."""
        return f"s3://{self.copy_bucket}/{self.copy_key}"


@dataclass(frozen=True)
class ModelPackage:
    """A version of the SageMaker Model Registry that a release deploys."""

    arn: str
    """Of the version, also where the configuration names a group."""
    image: str
    model_bucket: str
    model_key: str


@dataclass(frozen=True)
class Facts:
    """What sources may draw from besides the configuration."""

    names: Mapping[str, str]
    """The facts of ``CONTEXT_NAMES`` that are known here."""
    region: str
    partition: str
    assets: Mapping[str, PinnedAsset] = field(default_factory=dict)
    model_packages: Mapping[str, ModelPackage] = field(default_factory=dict)


class NotPinned(LookupError):
    """A source asks for an asset or model package that was not resolved: a fault of the caller, not of the user."""


def lookup(values: Mapping[str, Any], path: str) -> Any:
    """The value under a dotted path; None when any step is missing or the value is an empty string."""
    value: Any = values
    for step in path.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    return None if value == "" else value


def evaluate(sources: Sequence[Source], values: Mapping[str, Any], facts: Facts) -> object:
    """The value of the first source that has one, in its form; None when none has.

    ``values`` is one stage's configuration. Raises ``NotPinned`` and ``images.UnknownImage``.
    """
    for source in sources:
        if source.when is not None and not source.when.holds(values):
            continue
        value = _raw(source, values, facts)
        if value is not None:
            return _FORMS[source.form](value, source, values, facts)
    return None


def as_text(value: object) -> str:
    """A value as CloudFormation takes it: booleans as true and false, objects and lists as canonical JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def render(document: Any, values: Mapping[str, Any], facts: Facts, parse: Callable[[Any], Sequence[Source]]) -> Any:
    """A JSON document with every ``{"$source": …}`` replaced by its value; a member without a value is left out."""
    if isinstance(document, Mapping):
        if set(document) == {"$source"}:
            return evaluate(parse(document["$source"]), values, facts)
        rendered = {name: render(member, values, facts, parse) for name, member in document.items()}
        return {name: member for name, member in rendered.items() if member is not None or document[name] is None}
    if isinstance(document, list):
        members = [render(member, values, facts, parse) for member in document]
        return [
            member for member, source in zip(members, document, strict=True) if member is not None or source is None
        ]
    return document


def split_location(location: str) -> tuple[str, str]:
    """``bucket/prefix`` as bucket and prefix (the prefix may be empty)."""
    bucket, _, prefix = location.partition("/")
    return bucket, prefix


def _raw(source: Source, values: Mapping[str, Any], facts: Facts) -> object:
    if source.value is not None:
        return source.value
    if source.key.startswith("$"):
        return facts.names.get(source.key)
    value = lookup(values, source.key)
    return source.default if value is None else value


def _asset(value: object, facts: Facts) -> PinnedAsset:
    try:
        return facts.assets[str(value)]
    except KeyError:
        raise NotPinned(f"the asset {value!r} was not pinned") from None


def _in_assets_bucket(value: object, facts: Facts) -> str:
    return f"s3://{facts.names['$assets_bucket']}/{value}"


def _model_package(value: object, facts: Facts) -> ModelPackage:
    try:
        return facts.model_packages[str(value)]
    except KeyError:
        raise NotPinned(f"the model package {value!r} was not resolved") from None


def _image(value: object, source: Source, values: Mapping[str, Any], facts: Facts) -> str:
    if not source.version_key:
        return str(value)
    version = lookup(values, source.version_key)
    instance = lookup(values, source.instance_key) if source.instance_key else None
    return images.image_uri(
        str(value), "" if version is None else str(version), facts.region, str(instance or ""), scope=source.scope
    )


Form = Callable[[object, Source, Mapping[str, Any], Facts], object]

_FORMS: Mapping[str, Form] = {
    "raw": lambda value, source, values, facts: value,
    "text": lambda value, source, values, facts: as_text(value),
    "lower": lambda value, source, values, facts: as_text(value).strip().lower(),
    "json": lambda value, source, values, facts: (
        value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
    ),
    "list": lambda value, source, values, facts: (
        ",".join(as_text(member) for member in value) if isinstance(value, list | tuple) else as_text(value)
    ),
    "bucket": lambda value, source, values, facts: split_location(str(value))[0],
    "prefix": lambda value, source, values, facts: split_location(str(value))[1],
    "s3_uri": lambda value, source, values, facts: f"s3://{value}",
    "s3_arn": lambda value, source, values, facts: f"arn:{facts.partition}:s3:::{value}",
    "asset": lambda value, source, values, facts: _asset(value, facts).uri,
    "asset_bucket": lambda value, source, values, facts: _asset(value, facts).copy_bucket,
    "asset_key": lambda value, source, values, facts: _asset(value, facts).copy_key,
    "asset_sha256": lambda value, source, values, facts: _asset(value, facts).sha256,
    "asset_or_prefix": lambda value, source, values, facts: (
        _asset(value, facts).uri if str(value) in facts.assets else _in_assets_bucket(value, facts)
    ),
    "assets_uri": lambda value, source, values, facts: _in_assets_bucket(value, facts),
    "image": _image,
    "image_repository_arn": lambda value, source, values, facts: images.repository_arn(
        _image(value, source, values, facts), facts.partition
    ),
    "model_package": lambda value, source, values, facts: _model_package(value, facts).arn,
    "model_package_image": lambda value, source, values, facts: _model_package(value, facts).image,
    "model_package_bucket": lambda value, source, values, facts: _model_package(value, facts).model_bucket,
    "model_package_key": lambda value, source, values, facts: _model_package(value, facts).model_key,
    "model_package_repository_arn": lambda value, source, values, facts: images.repository_arn(
        _model_package(value, facts).image, facts.partition
    ),
}

FORMS = frozenset(_FORMS)
"""The words that ``as`` knows."""

IMAGE_FORMS = frozenset({"image", "image_repository_arn"})
