"""The configuration a person writes, checked completely before anything else happens.

``read_file`` splits a file into workloads, ``check`` finds every problem of one of them (not the first), and the
``Checked`` that comes out is canonical: spellings, booleans and locations in one form, so that two ways to write the
same thing have the same digest. ``parameters_for`` turns it into template parameters once the assets are pinned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestrator.core import config_checks, config_part, schemas, strict_json
from orchestrator.core.config_approval import policy_of
from orchestrator.core.problems import BadConfiguration, Problem
from orchestrator.core.records import Figure, StagePolicy
from orchestrator.core.sources import Facts, ModelPackage, PinnedAsset, as_text, evaluate, late, render
from orchestrator.core.stack_names import workload_name
from orchestrator.core.workloads import Catalogue, WorkloadType

MAX_WORKLOADS = 50
"""In one file."""

DEFAULT_STAGES = ("dev", "staging", "prod")
DEFAULT_STATUS = 200
DEFAULT_TIMEOUT_SECONDS = 60
DEFAULT_CONTENT_TYPE = "application/octet-stream"
CONTENT_TYPES = {"json": "application/json", "csv": "text/csv", "jsonl": "application/jsonlines"}
"""By the extension of ``verify.sample``."""


WORKLOAD_TAG = "mlops:workload"
TYPE_TAG = "mlops:type"
STAGE_TAG = "mlops:stage"


@dataclass(frozen=True)
class RawConfiguration:
    """One workload's part of a file, parsed but unchecked."""

    values: Mapping[str, Any]
    path: str = "$"
    """JSON path of this part in the file: ``$`` or ``$.pipelines[1]``."""
    index: int = 0


@dataclass(frozen=True)
class CheckContext:
    """What a check must know about the installation; for an offline check the author says it."""

    accounts: Literal["single", "multi"]
    stages: tuple[str, ...] = DEFAULT_STAGES
    """Stage names in the order of deployment. In a single-account installation they only serve to recognise a stage
    object, which is an error there."""
    model_registry: bool = False
    region: str = "us-east-1"
    partition: str = "aws"


@dataclass(frozen=True)
class AssetRef:
    """A place of the configuration that names a key in the assets bucket."""

    path: str
    key: str
    or_prefix: bool = False
    """Whether the key may also be a prefix of several objects, which is read as it stands, unpinned."""


@dataclass(frozen=True)
class Verify:
    """The smoke test after each deployment."""

    sample: str
    content_type: str
    expect_status: int
    timeout_seconds: int


@dataclass(frozen=True)
class Checked:
    """A configuration without errors."""

    workload_name: str
    stack_name: str
    type: WorkloadType
    configuration: Mapping[str, Any]
    """Canonical; values may still be objects of stages, see ``for_stage``."""
    assets: tuple[AssetRef, ...]
    model_packages: tuple[str, ...]
    """ARNs of model-package versions or groups, to be resolved before ``parameters_for``."""
    outputs: tuple[str, ...]
    """Folders in the assets bucket that the workload itself writes to; each ends in ``/``."""
    policies: tuple[StagePolicy, ...]
    """What the configuration demands of each stage's approval."""
    description: str
    tags: Mapping[str, str]
    channel: str
    verify: Verify | None
    metrics: str
    """Asset key of the evaluation file; empty where none is named."""
    warnings: tuple[Problem, ...] = ()
    path: str = "$"
    """Of this workload's part in the file."""

    def for_stage(self, stage: str) -> dict[str, Any]:
        """The configuration with every object of stages replaced by this stage's value."""
        return config_part.for_stage(self.configuration, self.type, stage)


@dataclass(frozen=True)
class ResolvedAssets:
    """What package found: the pinned copy of each asset, and each model package."""

    pinned: Mapping[str, PinnedAsset] = field(default_factory=dict)
    """By key in the assets bucket."""
    model_packages: Mapping[str, ModelPackage] = field(default_factory=dict)
    """By the ARN in the configuration, of a version or a group."""
    figures: tuple[Figure, ...] = ()
    """Of the evaluation file that the configuration names, else of the model package's own."""
    evaluation: str = ""
    """``s3://`` URI of the model package's evaluation, where the figures are its."""
    evaluation_version: str = ""
    """S3 version of it; empty where its bucket keeps none."""
    warnings: tuple[str, ...] = ()
    """What was found out on the way and stops nothing, in sentences."""
    prefixes: Mapping[str, str] = field(default_factory=dict)
    """What stands below each prefix that is read as it stands, in one word (``Objects.fingerprint``), by prefix."""


@dataclass(frozen=True)
class InstallationNames:
    """Names of the installation that template parameters may need."""

    assets_bucket: str
    packages_bucket: str
    packages_key_arn: str
    region: str
    partition: str
    permissions_boundary: str = "mlops-workload-boundary"
    """Name (with path, if any) of the managed policy that bounds every workload role in a stage account."""


@dataclass(frozen=True)
class Document:
    """A rendered file of the workload type's ``files/``, stored beside the package under a content-addressed key."""

    name: str
    key: str
    """In the packages bucket: ``documents/<sha256>/<name>``."""
    data: bytes


def read_file(data: bytes) -> tuple[RawConfiguration, ...]:
    """The workloads in a file: one object, or ``{"pipelines": [ … ]}``.

    Raises ``BadConfiguration`` when the file is not strict JSON or holds no workload.
    """
    value = strict_json.parse(data)
    if not isinstance(value, dict):
        raise BadConfiguration([Problem("$", "must be an object", "Wrap the configuration in braces.")])
    if "pipelines" not in value:
        return (RawConfiguration(value),)
    members = value["pipelines"]
    problems = [
        Problem(f"$.{key}", "does not belong beside pipelines", "Move it into the members of the list.")
        for key in value
        if key != "pipelines" and not schemas.is_remark(key)
    ]
    if not isinstance(members, list) or not members:
        problems.append(Problem("$.pipelines", "must be a list with at least one configuration", ""))
        members = []
    if len(members) > MAX_WORKLOADS:
        what = f"has {len(members)} configurations, {MAX_WORKLOADS} are allowed"
        problems.append(Problem("$.pipelines", what, "Split the file."))
    problems += [
        Problem(f"$.pipelines[{index}]", "must be an object", "Write one configuration.")
        for index, member in enumerate(members)
        if not isinstance(member, dict)
    ]
    if problems:
        raise BadConfiguration(problems)
    return tuple(RawConfiguration(member, f"$.pipelines[{index}]", index) for index, member in enumerate(members))


def check(raw: RawConfiguration, catalogue: Catalogue, context: CheckContext) -> Checked:
    """Check one workload's configuration; raises ``BadConfiguration`` with every problem of it."""
    found = config_checks.find(raw.values, raw.path, catalogue, context)
    workload_type, values = found.type, found.values
    if workload_type is None or any(problem.severity == "error" for problem in found.problems):
        raise BadConfiguration(found.problems)
    naming = workload_type.naming
    name = str(values.get("pipeline_name") or values[naming.key])
    return Checked(
        workload_name=workload_name(name, naming.workload_suffix),
        stack_name=naming.stack(name),
        type=workload_type,
        configuration=values,
        assets=tuple(AssetRef(path, key, or_prefix) for path, key, or_prefix in found.assets),
        model_packages=found.model_packages,
        outputs=found.outputs,
        policies=_policies(values),
        description=str(values.get("description", "")),
        tags=values.get("tags", {}),
        channel=str(values.get("channel", "")),
        verify=_verify(values),
        metrics=str(values.get("metrics", "")),
        warnings=tuple(found.problems),
        path=raw.path,
    )


def check_file(data: bytes, catalogue: Catalogue, context: CheckContext) -> tuple[Checked, ...]:
    """Every workload of a file; raises ``BadConfiguration`` with the problems of all of them.

    Two workloads of one file with one stack are a problem too: each would undo the other.
    """
    problems: list[Problem] = []
    checked: list[Checked] = []
    stacks: dict[str, str] = {}
    for raw in read_file(data):
        try:
            one = check(raw, catalogue, context)
        except BadConfiguration as refused:
            problems += refused.problems
            continue
        checked.append(one)
        if one.stack_name in stacks:
            what = f"makes the same stack as {stacks[one.stack_name]}: {one.stack_name}"
            problems.append(Problem(raw.path, what, "Give one of them a pipeline_name."))
        stacks.setdefault(one.stack_name, raw.path)
    if any(problem.severity == "error" for problem in problems):
        raise BadConfiguration(problems)
    return tuple(checked)


def parameters_for(
    checked: Checked, stage: str, resolved: ResolvedAssets, installation: InstallationNames
) -> dict[str, str]:
    """The template's parameters for one stage; those that keep the template's default are left out.

    Raises ``sources.NotPinned`` when an asset or model package of the configuration is not in ``resolved``.
    """
    values = checked.for_stage(stage)
    facts = _facts(checked, stage, resolved, installation)
    parameters = {}
    for name, sources in checked.type.parameters.items():
        value = evaluate(sources, values, facts)
        if value is not None:
            parameters[name] = as_text(value)
    return parameters


def documents_for(
    checked: Checked, stage: str, resolved: ResolvedAssets, installation: InstallationNames
) -> tuple[Document, ...]:
    """The type's documents for one stage, rendered; their URIs are among ``parameters_for``."""
    facts = _base_facts(checked, stage, resolved, installation)
    return _documents(checked, stage, facts)


def job_input_for(
    checked: Checked, stage: str, resolved: ResolvedAssets, installation: InstallationNames
) -> dict[str, dict[str, Any]]:
    """The input of the type's job for one stage, by name: see ``sources.late``. Empty where there is no job."""
    if checked.type.job is None:
        return {}
    values = checked.for_stage(stage)
    facts = _facts(checked, stage, resolved, installation)
    entries = {name: late(sources, values, facts) for name, sources in checked.type.job.inputs.items()}
    return {name: entry for name, entry in entries.items() if entry is not None}


def tags_for(checked: Checked, stage: str) -> dict[str, str]:
    """Tags of the stack: the configuration's own, and three of the product's, by which roles find their resources."""
    ours = {WORKLOAD_TAG: checked.workload_name, TYPE_TAG: checked.type.name, STAGE_TAG: stage}
    return {**checked.tags, **ours}


def _facts(checked: Checked, stage: str, resolved: ResolvedAssets, installation: InstallationNames) -> Facts:
    facts = _base_facts(checked, stage, resolved, installation)
    uris = {
        f"$document:{document.name}": f"s3://{installation.packages_bucket}/{document.key}"
        for document in _documents(checked, stage, facts)
    }
    return Facts({**facts.names, **uris}, facts.region, facts.partition, facts.assets, facts.model_packages)


def _base_facts(checked: Checked, stage: str, resolved: ResolvedAssets, installation: InstallationNames) -> Facts:
    names = {
        "$workload": checked.workload_name,
        "$pipeline_type": checked.type.name,
        "$stack_name": checked.stack_name,
        "$stage": stage,
        "$assets_bucket": installation.assets_bucket,
        "$packages_bucket": installation.packages_bucket,
        "$packages_key_arn": installation.packages_key_arn,
        "$permissions_boundary": installation.permissions_boundary,
        "$region": installation.region,
        "$partition": installation.partition,
        "$tags": tags_for(checked, stage),
    }
    return Facts(names, installation.region, installation.partition, resolved.pinned, resolved.model_packages)


def _documents(checked: Checked, stage: str, facts: Facts) -> tuple[Document, ...]:
    values = checked.for_stage(stage)
    documents = []
    for name, source in checked.type.document_sources.items():
        data = as_text(render(source, values, facts)).encode()
        documents.append(Document(name, f"documents/{hashlib.sha256(data).hexdigest()}/{name}", data))
    return tuple(documents)


def _policies(values: Mapping[str, Any]) -> tuple[StagePolicy, ...]:
    return tuple(StagePolicy(stage, policy_of(raw)) for stage, raw in sorted(values.get("approval", {}).items()))


def _verify(values: Mapping[str, Any]) -> Verify | None:
    raw = values.get("verify")
    if raw is None:
        return None
    extension = str(raw["sample"]).rpartition(".")[2].lower()
    return Verify(
        sample=raw["sample"],
        content_type=raw.get("content_type", CONTENT_TYPES.get(extension, DEFAULT_CONTENT_TYPE)),
        expect_status=raw.get("expect_status", DEFAULT_STATUS),
        timeout_seconds=raw.get("timeout_seconds", DEFAULT_TIMEOUT_SECONDS),
    )


__all__ = [
    "AssetRef",
    "CheckContext",
    "Checked",
    "Document",
    "InstallationNames",
    "ModelPackage",
    "PinnedAsset",
    "RawConfiguration",
    "ResolvedAssets",
    "Verify",
    "check",
    "check_file",
    "documents_for",
    "job_input_for",
    "parameters_for",
    "read_file",
    "tags_for",
]
