"""Refresh ``orchestrator/core/image_data/images.json`` from the tables of the SageMaker Python SDK.

The SDK (PyPI ``sagemaker``, version 2) carries AWS's own tables of image accounts and tags; it is the source, and no
dependency of this project. How to run it::

    pip download 'sagemaker==2.*' --no-deps -d /tmp/sdk
    python bench/refresh_images.py /tmp/sdk/sagemaker-2.*.whl

The tags are computed here, by the SDK's rules, so that a look-up at run time is a look-up: for each framework, scope
and version one line with the repository and tag of each processor type. Of several Python versions the latest counts.
For Hugging Face the version is the one of transformers (with its latest PyTorch, else TensorFlow), or
``<transformers>-<base>`` such as ``4.26.0-tensorflow2.11.0``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "orchestrator" / "core" / "image_data" / "images.json"
TABLES = "sagemaker/image_uri_config/"
NOT_IMAGES = frozenset({"instance_gpu_info"})
UNFIT = frozenset({"sagemaker-geospatial", "sagemaker-base-python"})
"""Images for notebooks and geospatial jobs only."""

SCOPES = frozenset({"inference", "inference_graviton", "training", "processing", "monitoring"})
"""``eia`` is left out: Elastic Inference was switched off in April 2024."""

ARM_TAGS = {
    "xgboost": {"1.5-1": "1.5-1-arm64", "1.3-1": "1.3-1-arm64"},
    "sklearn": {"1.0-1": "1.0-1-arm64-cpu-py3"},
}
"""From ``_get_image_tag`` of the SDK's ``image_uris.py``: these tags follow no rule."""

P4D_TAGS = {
    "tensorflow-2.3-gpu-py37": "cu110-ubuntu18.04-v3",
    "tensorflow-2.3.1-gpu-py37": "cu110-ubuntu18.04",
    "tensorflow-2.3.2-gpu-py37": "cu110-ubuntu18.04",
    "tensorflow-1.15-gpu-py37": "cu110-ubuntu18.04-v8",
    "tensorflow-1.15.4-gpu-py37": "cu110-ubuntu18.04",
    "tensorflow-1.15.5-gpu-py37": "cu110-ubuntu18.04",
    "mxnet-1.8-gpu-py37": "cu110-ubuntu16.04-v1",
    "mxnet-1.8.0-gpu-py37": "cu110-ubuntu16.04",
    "pytorch-1.6-gpu-py36": "cu110-ubuntu18.04-v3",
    "pytorch-1.6.0-gpu-py36": "cu110-ubuntu18.04",
    "pytorch-1.6-gpu-py3": "cu110-ubuntu18.04-v3",
    "pytorch-1.6.0-gpu-py3": "cu110-ubuntu18.04",
}
"""Likewise: ml.p4d instances need another CUDA with these."""

HOSTS = (
    ("cn-", "amazonaws.com.cn"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("eusc-", "amazonaws.eu"),
    ("", "amazonaws.com"),
)
"""Host suffix by the start of the region's name; from botocore's ``endpoints.json``."""

Table = Mapping[str, Any]


class Registries:
    """Account tables, each kept once."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def index(self, registries: Mapping[str, str]) -> int:
        """Number of this table."""
        return self.known.setdefault(json.dumps(registries, sort_keys=True), len(self.known))


def main() -> None:
    """Read the wheel, write the file."""
    parser = argparse.ArgumentParser(description="Refresh the table of AWS's container images.")
    parser.add_argument("wheel", type=Path, help="sagemaker-2.*.whl")
    parser.add_argument("--date", default=datetime.datetime.now(datetime.UTC).date().isoformat(), help="YYYY-MM-DD")
    arguments = parser.parse_args()
    with zipfile.ZipFile(arguments.wheel) as wheel:
        names = [name for name in wheel.namelist() if name.startswith(TABLES) and name.endswith(".json")]
        tables = {Path(name).stem: json.loads(wheel.read(name)) for name in sorted(names)}
    registries = Registries()
    images = [
        [framework, scope, version, registries.index(accounts), tags]
        for framework, table in tables.items()
        if framework not in NOT_IMAGES | UNFIT
        for scope, version, accounts, tags in entries(framework, table)
    ]
    version = arguments.wheel.name.split("-")[1]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(written(version, arguments.date, registries, images), encoding="utf-8")
    print(f"{TARGET}: {len(images)} images, {len(registries.known)} account tables, {TARGET.stat().st_size:,} bytes")


def written(version: str, date: str, registries: Registries, images: list[list[Any]]) -> str:
    """The file: one account table and one image a line, so that a refresh is a diff one can read."""
    head = {"source": f"sagemaker {version} (PyPI), image_uri_config", "date": date, "hosts": HOSTS}
    lines = [f'"{key}": {json.dumps(value)},' for key, value in head.items()]
    lines += ['"registries": [', ",\n".join(registries.known), "],"]
    lines += ['"images": [', ",\n".join(json.dumps(image) for image in images), "]"]
    return "{\n" + "\n".join(lines) + "\n}\n"


def entries(framework: str, table: Table) -> Iterator[tuple[str, str, Mapping[str, str], dict[str, str]]]:
    """Scope, version, accounts, and ``{processor: repository[:tag]}`` of every image; processor ``*`` means any."""
    scopes = dict.fromkeys(table["scope"], table) if "versions" in table else table
    for scope, config in scopes.items():
        if scope not in SCOPES or "versions" not in config:
            continue
        aliases = {
            alias: full for alias, full in config.get("version_aliases", {}).items() if full in config["versions"]
        }
        for version, full in {**{version: version for version in config["versions"]}, **aliases}.items():
            for name, accounts, tags in _version(framework, scope, config, version, config["versions"][full]):
                yield scope, name, accounts, tags


def _version(
    framework: str, scope: str, config: Table, version: str, entry: Table
) -> Iterator[tuple[str, Mapping[str, str], dict[str, str]]]:
    if not framework.startswith("huggingface") or "repository" in entry:
        flat, python = _python(entry)
        yield version, flat["registries"], _tags(framework, scope, config, version, version, flat, python)
        return
    bases = {base: inner for base, inner in entry.items() if isinstance(inner, dict) and "repository" in inner}
    bases |= {alias: bases[full] for alias, full in entry.get("version_aliases", {}).items() if full in bases}
    for base, inner in bases.items():
        base_version = re.sub("^(pytorch|tensorflow)", "", base)
        prefix = f"{base_version}-transformers{version}"
        flat, python = _python(inner)
        tags = _tags(framework, scope, config, version, prefix, flat, python)
        yield f"{version}-{base}", flat["registries"], tags
        if base == max(bases, key=_base_order):
            yield version, flat["registries"], tags


def _base_order(base: str) -> tuple[bool, list[int], int]:
    """PyTorch before TensorFlow, newer before older, the full version before its alias."""
    return base.startswith("pytorch"), _numbers(base), len(base)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def _python(entry: Table) -> tuple[Table, str]:
    """The entry and its latest Python version (empty where tags have none)."""
    nested = {name: inner for name, inner in entry.items() if isinstance(inner, dict) and "repository" in inner}
    versions = list(nested) if "repository" not in entry else entry.get("py_versions") or []
    if not versions:
        return entry, ""
    latest = max(versions, key=lambda name: [int(name[2:3]), int(name[3:] or 0)])
    return nested.get(latest, entry), latest


def _tags(
    framework: str, scope: str, config: Table, version: str, prefix: str, entry: Table, python: str
) -> dict[str, str]:
    repository = entry["repository"]
    arm = ARM_TAGS.get(framework, {})
    if scope == "inference_graviton" and framework in ARM_TAGS:
        return {"*": f"{repository}:{arm[version]}"} if version in arm else {}
    prefix = entry.get("tag_prefix", prefix)
    tags = {}
    for processor in config.get("processors") or entry.get("processors") or [""]:
        container = entry.get("container_version", {}).get(processor, "")
        word = processor
        if "sdk_versions" in entry:
            # Neuron images: the tag names the compiler and its SDK in place of the processor.
            word = "neuronx" if repository.endswith("neuronx") else "neuron"
            container = "-".join([max(entry["sdk_versions"], key=_numbers), *set(entry["container_version"].values())])
        if scope == "inference_graviton":
            container = f"{container}-sagemaker"
        tag = "-".join(part for part in (prefix, word, python, container) if part)
        if framework == "sagemaker-tritonserver" and processor == "gpu":
            tag = prefix
        tags[processor or "*"] = f"{repository}:{tag}" if tag else repository
        extra = P4D_TAGS.get(f"{framework}-{tag}")
        if extra:
            tags["p4d"] = f"{repository}:{tag}-{extra}"
    return tags


if __name__ == "__main__":
    main()
