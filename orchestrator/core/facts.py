"""What the sources of ``workload.json`` draw from: the configuration, and what is known of release and assets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

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
        "$tags",
        "$release",
    }
)
"""Facts a source may ask for. ``$tags`` is an object: the stack's tags, the configuration's own and the product's.
``$release`` is for the input of a job alone: a template parameter that changed with every release would make every
plan a change."""

OUTPUT = "$output:"
"""Starts the name of a fact that only RunJob knows: an output of the stage's stack. For the input of a job alone."""

Scope = Literal["inference", "training"]


@dataclass(frozen=True)
class Condition:
    """A source counts only while this holds of the configuration."""

    key: str
    is_one_of: tuple[object, ...] = ()
    present: bool = True
    pattern: str = ""
    """Regular expression that the beginning of the value, as text, fits."""

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether the stage's configuration meets the condition."""
        value = lookup(values, self.key)
        if self.is_one_of:
            return value in self.is_one_of
        if self.pattern:
            return value is not None and re.match(self.pattern, as_text(value)) is not None
        return (value is not None) == self.present


@dataclass(frozen=True)
class Source:
    """One way to a value."""

    key: str = ""
    """Configuration key, dotted path, ``$name`` of a fact, ``$document:<file>`` or ``$output:<name>``; empty when
    ``value`` is set."""
    value: object = None
    form: str = "text"
    default: object = None
    when: tuple[Condition, ...] = ()
    """All of them must hold."""
    version_key: str = ""
    """For images: the key with the framework's version; empty when ``key`` holds an image URI itself."""
    instance_key: str = ""
    """For images: the key with the instance type, which decides between CPU and GPU."""
    scope: Scope = "inference"
    without_key: str = ""
    """For hyperparameters: the key with an object whose names are left out, such as those that are tuned."""
    most: int = 0
    """Characters of the text that are kept, without hyphens at the end; 0 for all of them."""

    @property
    def known_late(self) -> bool:
        """Whether only RunJob can say it: the release's id, or an output of the stage's stack."""
        return self.key == "$release" or self.key.startswith(OUTPUT)

    def counts(self, values: Mapping[str, Any]) -> bool:
        """Whether every condition of the source holds of the stage's configuration."""
        return all(condition.holds(values) for condition in self.when)


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
class ModelContainer:
    """One container of a model package's inference specification."""

    image: str
    """URI in Amazon ECR."""
    data: str = ""
    """``s3://`` URI of the model's data; ends in ``/`` where it is all that lies under a prefix. Empty for none."""


@dataclass(frozen=True)
class ModelPackage:
    """A version of the SageMaker Model Registry that a release deploys."""

    arn: str
    """Of the version, also where the configuration names a group."""
    containers: tuple[ModelContainer, ...]
    """At least one; SageMaker allows fifteen."""


@dataclass(frozen=True)
class Facts:
    """What sources may draw from besides the configuration."""

    names: Mapping[str, Any]
    """The facts of ``CONTEXT_NAMES`` that are known here, and the URIs of documents."""
    region: str
    partition: str
    assets: Mapping[str, PinnedAsset] = field(default_factory=dict)
    model_packages: Mapping[str, ModelPackage] = field(default_factory=dict)


class NotPinned(LookupError):
    """A source asks for an asset or model package that was not resolved: a fault of the caller, not of the user."""


def lookup(values: Mapping[str, Any], path: str) -> Any:
    """The value under a dotted path; None when any step is missing or the value is an empty string.

    A step into a list is a number: ``deployment.alarms.0``.
    """
    value: Any = values
    for step in path.split("."):
        if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, Mapping) and step in value:
            value = value[step]
        else:
            return None
    return None if value == "" else value


def as_text(value: object) -> str:
    """A value as CloudFormation takes it: booleans as true and false, objects and lists as canonical JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def split_location(location: str) -> tuple[str, str]:
    """``bucket/prefix`` as bucket and prefix (the prefix may be empty)."""
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    return bucket, prefix


def as_list(value: object) -> Sequence[object]:
    """The members of a list; a single value as a list of itself."""
    return value if isinstance(value, list | tuple) else [value]
