"""The rule about container images: each must exist for its version, in the region, for each stage's instance type."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.core import images
from orchestrator.core.config_part import Part, for_stage
from orchestrator.core.problems import Problem
from orchestrator.core.sources import AWS_IMAGE_FORMS, IMAGE_FORMS, Facts, Source, evaluate


def image_problems(part: Part, sound: frozenset[str]) -> Iterator[Problem]:
    """Every image that the type needs and the region does not have; ``sound`` are the keys without other problems."""
    yield from _images(part, sound)
    yield from _aws_images(part)


def _images(part: Part, sound: frozenset[str]) -> Iterator[Problem]:
    """Every image must exist for its version, region and each stage's instance type."""
    staged = part.context.accounts == "multi" and part.type.runs_in == "stages"
    facts = Facts({}, part.context.region, part.context.partition)
    for source in dict.fromkeys(source.key for source in part.type.sources() if source.form in IMAGE_FORMS):
        image = next(s for s in part.type.sources() if s.key == source and s.form in IMAGE_FORMS)
        needed = {image.key, image.version_key, image.instance_key} - {""}
        given = {key for key in needed if key in part.values}
        if not needed - {image.instance_key} <= given or not given <= sound:
            continue
        if not image.version_key:
            yield from _own_image(part, image.key)
            continue
        relevant = {key: part.values[key] for key in given}
        for stage in part.context.stages if staged else ("",):
            values = for_stage(relevant, part.type, stage)
            try:
                evaluate([image], values, facts)
            except images.UnknownImage as unknown:
                yield Problem(_image_path(part, image, unknown, stage), unknown.what, unknown.fix)


def _aws_images(part: Part) -> Iterator[Problem]:
    """AWS does not have its own images (Model Monitor, Clarify) in every region."""
    facts = Facts({}, part.context.region, part.context.partition)
    for source in dict.fromkeys(source.value for source in part.type.sources() if source.form in AWS_IMAGE_FORMS):
        try:
            evaluate([Source(value=source, form="aws_image")], part.values, facts)
        except images.UnknownImage as unknown:
            yield Problem(part.at("pipeline_type"), unknown.what, unknown.fix)


def _own_image(part: Part, key: str) -> Iterator[Problem]:
    """SageMaker pulls from the endpoint's own region only."""
    for path, uri in part.each_value(key):
        region = images.uri_region(uri)
        if region and region != part.context.region:
            what = f"is an image in {region}, the installation is in {part.context.region}"
            yield Problem(path, what, "Name an image in the installation's region.")


def _image_path(part: Part, image: Source, unknown: images.UnknownImage, stage: str) -> str:
    if unknown.about == "version":
        return part.at(image.version_key)
    if unknown.about == "instance":
        return (
            f"{part.at(image.instance_key)}.{stage}"
            if part.per_stage(image.instance_key)
            else part.at(image.instance_key)
        )
    return part.at(image.key)
