"""The launch options: what an organisation brings along, and how the stages' accounts get their stacks.

Each is checked as far as a file can tell; what only AWS can tell (whether an existing bucket keeps versions) is checked
at deployment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from orchestrator.core.installation import Installation
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.workloads import load_types, shipped_templates
from stacks.settings_reading import Reading, shown
from stacks.settings_rules import ACCOUNT, Units
from stacks.type_permissions import read_permissions

Administration = Literal["management", "delegated"]

ADMINISTRATIONS = ("delegated", "management")

BUCKET = r"(?!xn--)(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
"""Names of general purpose buckets (S3 User Guide, "Bucket naming rules")."""
KEY_ARN = r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]{1,64}"
REPOSITORY = r"(?=.{2,256}$)([a-z0-9]+([._-][a-z0-9]+)*/)*[a-z0-9]+([._-][a-z0-9]+)*"
"""``repositoryName`` of ECR's CreateRepository."""
MODEL_PACKAGE_GROUP = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
"""``ModelPackageGroupName`` of SageMaker's CreateModelPackageGroup."""


@dataclass(frozen=True)
class EcrRepository:
    """Where the image builder's images lie, in the orchestrator's account."""

    name: str
    existing: bool
    """Whether it is the organisation's own; else the stack makes it."""


@dataclass(frozen=True)
class StackSets:
    """Stage stacks that CloudFormation rolls out in the organisation, instead of one deployment an account."""

    administration: Administration
    account: str
    """The management account, or the delegated administrator's: where the stack ``MlopsStackSets`` goes."""
    auto_deployment: bool
    units: Units
    """Stage → organizational units that its account is in; stages that are not here are deployed by themselves."""

    @property
    def delegated(self) -> bool:
        """Whether a delegated administrator acts."""
        return self.administration == "delegated"


@dataclass(frozen=True)
class Options:
    """See the module; what is left out is empty."""

    existing_assets_bucket: str = ""
    existing_assets_bucket_key: str = ""
    """ARN of the KMS key that the existing bucket's objects are encrypted with; empty: none of the organisation's."""
    ecr_repository: EcrRepository | None = None
    model_package_group: str = ""
    evaluation_buckets: tuple[str, ...] = ()
    """Buckets beside the assets bucket in which the evaluations of model packages lie."""
    stack_sets: StackSets | None = None
    template_folders: tuple[Path, ...] = field(default=())
    """Folders with workload types of the organisation's own, absolute."""

    def rolled_out(self, stage: str) -> bool:
        """Whether a stage's stack is rolled out by a stack set."""
        return self.stack_sets is not None and stage in self.stack_sets.units


def read_options(reading: Reading, installation: Installation, units: Units, folder: Path) -> Options:
    """Read and check; the problems are in ``reading.problems``. ``folder`` is what relative paths start from."""
    return Options(
        existing_assets_bucket=reading.text(
            "existing_assets_bucket",
            default="",
            pattern=BUCKET,
            shape="the bucket's name alone, without s3:// and without a key",
        ),
        existing_assets_bucket_key=_bucket_key(reading, installation.region),
        ecr_repository=_repository(reading),
        model_package_group=_group(reading, installation.model_registry),
        evaluation_buckets=_evaluation_buckets(reading, installation.model_registry),
        stack_sets=_stack_sets(reading, installation, units),
        template_folders=_template_folders(reading, folder),
    )


def _bucket_key(reading: Reading, region: str) -> str:
    key = reading.text(
        "existing_assets_bucket_key",
        default="",
        pattern=KEY_ARN,
        shape="the key's whole ARN; an alias does not do in a policy",
    )
    if key and not reading.has("existing_assets_bucket"):
        reading.note(
            "existing_assets_bucket_key",
            "names a key, but existing_assets_bucket names no bucket",
            "Name the bucket that is encrypted with it, or remove the key.",
        )
    if key and region and key.split(":")[3] != region:
        reading.note(
            "existing_assets_bucket_key",
            f"is a key of {key.split(':')[3]}",
            f"S3 takes keys of the bucket's own region only, which is {region}.",
        )
    return key


def _repository(reading: Reading) -> EcrRepository | None:
    one = reading.object("ecr_repository", required=False)
    if one is None:
        return None
    repository = EcrRepository(
        name=one.text(
            "name",
            pattern=REPOSITORY,
            shape="a repository's name in lower case, such as ml-images or team/ml-images, without registry and tag",
        ),
        existing=one.flag("existing", default=False),
    )
    one.unknown_keys()
    return repository


def _group(reading: Reading, model_registry: bool) -> str:
    group = reading.text(
        "model_package_group",
        default="",
        pattern=MODEL_PACKAGE_GROUP,
        shape="1 to 63 letters, digits and single hyphens, such as fraud-models; the group's name, not its ARN",
    )
    if group and not model_registry:
        reading.note(
            "model_package_group",
            f"names the group {group}, but model_registry is off",
            "Set model_registry to true, or remove the group.",
        )
    return group


def _evaluation_buckets(reading: Reading, model_registry: bool) -> tuple[str, ...]:
    shape = "a bucket's name alone, without s3:// and without a key"
    buckets = reading.texts("evaluation_buckets", pattern=BUCKET, shape=shape)
    if buckets and not model_registry:
        reading.note(
            "evaluation_buckets",
            "names buckets of model packages' evaluations, but model_registry is off",
            "Set model_registry to true, or remove the buckets.",
        )
    for bucket in sorted({bucket for bucket in buckets if buckets.count(bucket) > 1}):
        reading.note("evaluation_buckets", f"names {bucket} twice", "Keep one of them.")
    return buckets


def _stack_sets(reading: Reading, installation: Installation, units: Units) -> StackSets | None:
    one = reading.object("stack_sets", required=False)
    if one is None:
        if units and not reading.has("stack_sets"):
            reading.note(
                "stack_sets",
                f"is missing, though {' and '.join(units)} {'has' if len(units) == 1 else 'have'} organizational_units",
                'Say from which account stacks are rolled out, such as {"administration": "delegated"}, or remove '
                "the units: then `cdk deploy` puts each stage's stack into its account.",
            )
        return None
    administration = cast(Administration, one.choice("administration", ADMINISTRATIONS))
    # Named in any case: a delegated administrator may deploy anything into every account of the organisation, which the
    # orchestrator's account should not become by a default.
    account = one.text("account", pattern=ACCOUNT, shape="the account's 12 digits, in quotes")
    found = StackSets(administration, account, one.flag("auto_deployment", default=False), units)
    one.unknown_keys()
    told = any("organizational_units" in problem.path for problem in reading.problems)
    if not units and not told:
        one.note(
            "",
            "is given, but no stage has organizational_units",
            "Name the organizational units of each stage that is to be rolled out, or remove stack_sets.",
        )
    for index, stage in enumerate(installation.stages):
        if stage.name in units and stage.account == account and administration == "management":
            reading.note(
                f"stages[{index}].organizational_units",
                f"are given for {stage.name}, whose account {stage.account} is the management account",
                "A service-managed stack set never deploys there: remove them and deploy this stage with `cdk deploy`.",
            )
    return found


def _template_folders(reading: Reading, base: Path) -> tuple[Path, ...]:
    """Folders that exist, each with the types in it checked as the shipped ones are."""
    found: list[Path] = []
    for index, text in enumerate(reading.texts("template_folders", shape="a folder's path, relative to this file")):
        path = (base / text).resolve()
        where = f"template_folders[{index}]"
        if not path.is_dir():
            what = "is no folder" if path.exists() else "does not exist"
            reading.note(where, f"{shown(text)} {what} ({path})", "Name a folder that holds one folder for each type.")
        elif not any(path.glob("*/workload.json")):
            lone = (path / "workload.json").is_file()
            reading.note(
                where,
                f"{shown(text)} is a type's own folder" if lone else f"{shown(text)} holds no workload type",
                "Name the folder above it." if lone else "A type is a folder with a workload.json in it.",
            )
        elif path in found or path == shipped_templates():
            reading.note(where, f"{shown(text)} is taken already", "Remove it.")
        else:
            found.append(path)
    if found:
        _check_types(reading, found)
    return tuple(found)


def _check_types(reading: Reading, folders: Sequence[Path]) -> None:
    try:
        load_types([shipped_templates(), *folders])
        read_permissions(folders)
    except BadConfiguration as refused:
        for problem in refused.problems:
            reading.note("template_folders", f"{problem.path}: {problem.what.rstrip('.')}", problem.fix)
