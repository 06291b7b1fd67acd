"""Container images of AWS's frameworks and built-in algorithms: which registry, repository and tag.

``image_data/images.json`` is data with its source and date, refreshed by ``bench/refresh_images.py``. The rules:

- Scope: a framework with one set of images serves both training and inference with it.
- Processor: an image for exactly this instance family where there is one (``p4d``), else ``inf`` and ``trn`` by name,
  ``gpu`` for families that start with g or p, ``cpu`` for all others. Graviton families (``m7g``, ``c6gn``) take the
  ``inference_graviton`` images.
- Version: as the author wrote it. ``2.6`` is a moving tag of AWS, ``2.6.0`` a fixed one. A framework with one version
  (the built-in algorithms) takes any version, as AWS's own SDK does.
- Python: the latest that has an image.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from orchestrator.core.problems import did_you_mean, listing

Scope = Literal["inference", "training", "processing", "monitoring"]

DATA = Path(__file__).parent / "image_data" / "images.json"

ECR_URI = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.(?P<host>[a-z0-9.-]+)"
    r"/(?P<repository>[a-z0-9]+([._/-]+[a-z0-9]+)*)(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?"
)
"""An image in Amazon ECR; SageMaker takes no others without a VPC."""

_FAMILY = re.compile(r"ml\.([a-z0-9-]+)\.[a-z0-9-]+")
_GRAVITON = re.compile(r"[a-z]+[0-9]+g[a-z]*")


class UnknownImage(LookupError):
    """No image fits; ``what`` and ``fix`` are for the author, ``about`` says which value is at fault."""

    def __init__(
        self, about: Literal["framework", "version", "region", "instance", "uri"], what: str, fix: str
    ) -> None:
        self.about = about
        self.what = what
        self.fix = fix
        super().__init__(f"{what}. {fix}".strip())


@dataclass(frozen=True)
class Image:
    """One version of one framework in one scope."""

    accounts: Mapping[str, str]
    """AWS's registry account by region."""
    tags: Mapping[str, str]
    """``repository[:tag]`` by processor; ``*`` stands for any."""


@dataclass(frozen=True)
class Table:
    """The file's content, by framework, scope and version."""

    source: str
    date: str
    hosts: tuple[tuple[str, str], ...]
    images: Mapping[str, Mapping[str, Mapping[str, Image]]]


@lru_cache(maxsize=1)
def table() -> Table:
    """The data, read on first use."""
    raw = json.loads(DATA.read_bytes())
    images: dict[str, dict[str, dict[str, Image]]] = {}
    for framework, scope, version, registry, tags in raw["images"]:
        image = Image(raw["registries"][registry], tags)
        images.setdefault(framework, {}).setdefault(scope, {})[version] = image
    return Table(raw["source"], raw["date"], tuple((start, host) for start, host in raw["hosts"]), images)


def frameworks() -> tuple[str, ...]:
    """Every framework and built-in algorithm with an image."""
    return tuple(sorted(table().images))


@lru_cache(maxsize=1)
def regions() -> tuple[str, ...]:
    """Every region that any image is in: the regions of SageMaker, sorted."""
    known = table().images.values()
    return tuple(
        sorted(
            {
                region
                for scopes in known
                for scope in scopes.values()
                for image in scope.values()
                for region in image.accounts
            }
        )
    )


def image_uri(framework: str, version: str, region: str, instance_type: str, *, scope: Scope = "inference") -> str:
    """URI of the image that serves (or trains) this framework version on this instance type in this region.

    ``instance_type`` may be empty where there is none (serverless): a CPU image then. Raises ``UnknownImage``.
    """
    scopes = table().images.get(framework)
    if scopes is None:
        raise UnknownImage("framework", f'AWS has no image for "{framework}"', did_you_mean(framework, frameworks()))
    family = _family(instance_type)
    versions = _in_scope(framework, scopes, scope, family)
    image = next(iter(versions.values())) if len(versions) == 1 else versions.get(version)
    if image is None:
        known = sorted(versions, key=_newest_first)
        what = f'there is no image for {framework} "{version}"' if version else f"{framework} needs a version"
        raise UnknownImage("version", what, f"Known: {listing(known, most=20)} (as of {table().date}).")
    account = image.accounts.get(region)
    if account is None:
        what = f"AWS has no {framework} image in {region}"
        raise UnknownImage("region", what, did_you_mean(region, image.accounts))
    tag = image.tags.get("*") or image.tags.get(_processor(family, image.tags))
    if tag is None:
        what = f"{framework} {version} has no image for {instance_type or 'CPU'}"
        raise UnknownImage("instance", what, f"It has images for: {', '.join(sorted(image.tags))}.")
    host = next(host for start, host in table().hosts if region.startswith(start))
    return f"{account}.dkr.ecr.{region}.{host}/{tag}"


def repository_arn(uri: str, partition: str) -> str:
    """ARN of the ECR repository that an image URI names; raises ``UnknownImage`` when it names none."""
    match = ECR_URI.fullmatch(uri)
    if match is None:
        raise UnknownImage(
            "uri",
            f'"{uri}" is not the URI of an image in Amazon ECR',
            "Write <account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>.",
        )
    return f"arn:{partition}:ecr:{match['region']}:{match['account']}:repository/{match['repository']}"


def uri_region(uri: str) -> str:
    """Region of an ECR image URI; empty when it is none."""
    match = ECR_URI.fullmatch(uri)
    return match["region"] if match else ""


def _in_scope(
    framework: str, scopes: Mapping[str, Mapping[str, Image]], scope: Scope, family: str
) -> Mapping[str, Image]:
    if scope == "inference" and _GRAVITON.fullmatch(family):
        if "inference_graviton" not in scopes:
            what = f"{framework} has no image for Graviton (Arm) instances such as ml.{family}"
            raise UnknownImage("instance", what, "Choose an instance family with Intel or AMD processors.")
        return scopes["inference_graviton"]
    if scope in scopes:
        return scopes[scope]
    if len(scopes) == 1:
        return next(iter(scopes.values()))
    raise UnknownImage("framework", f"{framework} has no {scope} image", f"It has: {', '.join(sorted(scopes))}.")


def _family(instance_type: str) -> str:
    match = _FAMILY.fullmatch(instance_type)
    return match[1] if match else ""


def _processor(family: str, tags: Mapping[str, str]) -> str:
    if family in tags:
        return family
    if family[:3] in {"inf", "trn"}:
        return family[:3]
    if not family and len(tags) == 1:
        return next(iter(tags))
    return "gpu" if family[:1] in {"g", "p"} else "cpu"


def _newest_first(version: str) -> tuple[list[int], str]:
    return [-int(number) for number in re.findall(r"\d+", version)], version
