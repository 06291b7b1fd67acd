"""The words that ``as`` knows in ``workload.json``: the forms in which a template, a document or a job needs a value.

===============================  =====================================================================================
text, lower, json, list          As it is (objects as JSON); lower case; JSON text; the members joined by commas, for a
                                 parameter of the type CommaDelimitedList.
minutes_to_seconds               A number of minutes as seconds.
raw                              The JSON value itself: numbers, booleans, lists and objects in documents.
bucket, prefix                   The parts of a location ``bucket/prefix``.
s3_uri, s3_arn                   ``s3://…`` and ``arn:…:s3:::…`` of a location.
uri_bucket, uri_key              The parts of an ``s3://`` URI, such as that of ``$document:<file>``.
asset, asset_bucket, asset_key,  The pinned copy of an asset: its URI, the parts of it, its checksum. There is no key
asset_sha256                     where the value is no text but what the asset would hold.
asset_or_prefix (_bucket, _key)  The pinned copy, or the prefix in the assets bucket where the key is one of several
                                 objects.
asset_or_raw                     The URI of the pinned copy where the value is text; any other value as ``raw``.
assets_uri                       The URI of a place in the assets bucket, such as the output of a job.
image, image_repository_arn      The container image of a framework (with ``version``, ``instance``, ``scope``), or one
                                 that is named by its URI; the ARN of its ECR repository.
aws_image (_repository_arn)      An image of AWS's own, by its name in ``image_data`` (``clarify``), with the version
                                 where there are several (``sklearn:1.2-1``).
model_package                    The ARN of a version of the Model Registry.
model_package_data_arns          What a role may read and pull for it: the ARNs of the model data of all its containers
model_package_bucket_arns        (a prefix ends in ``*``), of its buckets, and of the containers' ECR repositories;
model_package_repository_arns    joined by commas.
hyperparameters                  An object with every value as text, as SageMaker takes hyperparameters; ``without`` is
                                 the key with an object whose names are left out (those that are tuned).
parameter_ranges                 ``{"eta": ["continuous", [0, 1]]}`` as SageMaker's ParameterRanges.
tag_list                         An object as a list of ``{"Key", "Value"}``.
clarify_facets                   A Clarify bias configuration's facets: one name, or several with a value each.
===============================  =====================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.core import images
from orchestrator.core.facts import (
    Facts,
    ModelPackage,
    NotPinned,
    PinnedAsset,
    Source,
    as_list,
    as_text,
    lookup,
    split_location,
)

Form = Callable[[Any, Source, Mapping[str, Any], Facts], object]

_RANGES = {
    "continuous": "ContinuousParameterRanges",
    "integer": "IntegerParameterRanges",
    "categorical": "CategoricalParameterRanges",
}


def plain(value: object) -> str:
    """A hyperparameter as text: booleans as ``True`` and ``False``, as the SageMaker Python SDK sends them."""
    return str(value) if isinstance(value, bool) else as_text(value)


def parameter_ranges(ranges: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """SageMaker's ParameterRanges of ``{name: [kind, [minimum, maximum, scaling type]]}`` or ``[…, [values]]``.

    The scaling type may be left out. Members as in "ParameterRanges", Amazon SageMaker API Reference.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for name, (kind, bounds) in ranges.items():
        if kind == "categorical":
            member = {"Name": name, "Values": [plain(value) for value in bounds]}
        else:
            least, most, *scaling = bounds
            member = {
                "Name": name,
                "MinValue": _bound(kind, least),
                "MaxValue": _bound(kind, most),
                "ScalingType": scaling[0] if scaling else "Auto",
            }
        found.setdefault(_RANGES[kind], []).append(member)
    return found


def _bound(kind: str, value: Any) -> str:
    return plain(int(value) if kind == "integer" and isinstance(value, float) else value)


def clarify_facets(bias: Mapping[str, Any]) -> list[dict[str, Any]]:
    """``facet`` of Clarify's analysis configuration ("Configure a SageMaker Clarify Processing Job", Developer Guide).

    One ``facet_name`` has all of ``facet_values_or_threshold``; of several, each has the member in its place.
    """
    names, given = bias["facet_name"], bias.get("facet_values_or_threshold")
    values = [given] if not isinstance(names, list) else (given or [])
    facets = []
    for index, name in enumerate(as_list(names)):
        facet: dict[str, Any] = {"name_or_index": name}
        value = values[index] if index < len(values) else None
        if value is not None:
            facet["value_or_threshold"] = list(as_list(value))
        facets.append(facet)
    return facets


def _hyperparameters(value: Any, source: Source, values: Mapping[str, Any], facts: Facts) -> dict[str, str]:
    others = (lookup(values, source.without_key) if source.without_key else None) or {}
    return {name: plain(member) for name, member in value.items() if name not in others}


def _asset(value: object, facts: Facts) -> PinnedAsset:
    try:
        return facts.assets[str(value)]
    except KeyError:
        raise NotPinned(f"the asset {value!r} was not pinned") from None


def _asset_or_prefix(value: object, facts: Facts) -> str:
    return _asset(value, facts).uri if str(value) in facts.assets else _in_assets_bucket(value, facts)


def _in_assets_bucket(value: object, facts: Facts) -> str:
    return f"s3://{facts.names['$assets_bucket']}/{value}"


def _model_package(value: object, facts: Facts) -> ModelPackage:
    try:
        return facts.model_packages[str(value)]
    except KeyError:
        raise NotPinned(f"the model package {value!r} was not resolved") from None


def _data_arns(package: ModelPackage, facts: Facts) -> str:
    places = [container.data.removeprefix("s3://") for container in package.containers if container.data]
    arns = [f"arn:{facts.partition}:s3:::{place}{'*' if place.endswith('/') else ''}" for place in places]
    return ",".join(dict.fromkeys(arns))


def _bucket_arns(package: ModelPackage, facts: Facts) -> str:
    buckets = [split_location(container.data)[0] for container in package.containers if container.data]
    return ",".join(dict.fromkeys(f"arn:{facts.partition}:s3:::{bucket}" for bucket in buckets))


def _repository_arns(package: ModelPackage, facts: Facts) -> str:
    arns = [images.repository_arn(container.image, facts.partition) for container in package.containers]
    return ",".join(dict.fromkeys(arns))


def _image(value: object, source: Source, values: Mapping[str, Any], facts: Facts) -> str:
    if not source.version_key:
        return str(value)
    version = lookup(values, source.version_key)
    instance = lookup(values, source.instance_key) if source.instance_key else None
    return images.image_uri(
        str(value), "" if version is None else str(version), facts.region, str(instance or ""), scope=source.scope
    )


def _aws_image(value: object, facts: Facts) -> str:
    name, _, version = str(value).partition(":")
    return images.image_uri(name, version, facts.region, "")


FORMS: Mapping[str, Form] = {
    "raw": lambda value, source, values, facts: value,
    "text": lambda value, source, values, facts: as_text(value),
    "lower": lambda value, source, values, facts: as_text(value).strip().lower(),
    "json": lambda value, source, values, facts: (
        value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
    ),
    "list": lambda value, source, values, facts: ",".join(as_text(member) for member in as_list(value)),
    "minutes_to_seconds": lambda value, source, values, facts: str(int(value) * 60),
    "bucket": lambda value, source, values, facts: split_location(str(value))[0],
    "prefix": lambda value, source, values, facts: split_location(str(value))[1],
    "s3_uri": lambda value, source, values, facts: f"s3://{value}",
    "s3_arn": lambda value, source, values, facts: f"arn:{facts.partition}:s3:::{value}",
    "uri_bucket": lambda value, source, values, facts: split_location(str(value))[0],
    "uri_key": lambda value, source, values, facts: split_location(str(value))[1],
    "asset": lambda value, source, values, facts: _asset(value, facts).uri,
    "asset_bucket": lambda value, source, values, facts: _asset(value, facts).copy_bucket,
    "asset_key": lambda value, source, values, facts: _asset(value, facts).copy_key if isinstance(value, str) else None,
    "asset_sha256": lambda value, source, values, facts: _asset(value, facts).sha256,
    "asset_or_prefix": lambda value, source, values, facts: _asset_or_prefix(value, facts),
    "asset_or_prefix_bucket": lambda value, source, values, facts: split_location(_asset_or_prefix(value, facts))[0],
    "asset_or_prefix_key": lambda value, source, values, facts: split_location(_asset_or_prefix(value, facts))[1],
    "asset_or_raw": lambda value, source, values, facts: _asset(value, facts).uri if isinstance(value, str) else value,
    "assets_uri": lambda value, source, values, facts: _in_assets_bucket(value, facts),
    "image": _image,
    "image_repository_arn": lambda value, source, values, facts: images.repository_arn(
        _image(value, source, values, facts), facts.partition
    ),
    "aws_image": lambda value, source, values, facts: _aws_image(value, facts),
    "aws_image_repository_arn": lambda value, source, values, facts: images.repository_arn(
        _aws_image(value, facts), facts.partition
    ),
    "model_package": lambda value, source, values, facts: _model_package(value, facts).arn,
    "model_package_data_arns": lambda value, source, values, facts: _data_arns(_model_package(value, facts), facts),
    "model_package_bucket_arns": lambda value, source, values, facts: _bucket_arns(_model_package(value, facts), facts),
    "model_package_repository_arns": lambda value, source, values, facts: _repository_arns(
        _model_package(value, facts), facts
    ),
    "hyperparameters": _hyperparameters,
    "parameter_ranges": lambda value, source, values, facts: parameter_ranges(value),
    "tag_list": lambda value, source, values, facts: [
        {"Key": name, "Value": as_text(member)} for name, member in sorted(value.items())
    ],
    "clarify_facets": lambda value, source, values, facts: clarify_facets(value),
}
"""Each word and what it makes of a value, its source, one stage's configuration, and the facts."""

IMAGE_FORMS = frozenset({"image", "image_repository_arn"})
"""Forms whose value, version and instance type the author of a configuration chooses."""

AWS_IMAGE_FORMS = frozenset({"aws_image", "aws_image_repository_arn"})
"""Forms that depend on the region alone."""
