"""The package of a release: one immutable zip that holds everything a stage is deployed from.

Members: ``template.yaml``, ``parameters/<stage>.json`` (CloudFormation's template-configuration shape),
``documents/<stage>/<file>`` where the type renders any, ``mlops-config.json`` (canonical), and ``manifest.json`` with
the SHA-256 of every member and every pinned asset, and where the release came from. Members are stored uncompressed,
sorted and with one fixed time: the same release is the same bytes on every machine and with every zlib. The models
themselves stay in S3, under ``asset_copy_key``.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from orchestrator.core.config import WORKLOAD_TAG as WORKLOAD_TAG
from orchestrator.core.config import (
    Checked,
    InstallationNames,
    ResolvedAssets,
    documents_for,
    job_input_for,
    parameters_for,
    tags_for,
)
from orchestrator.core.errors import PackageDamaged
from orchestrator.core.jobs import JobKind
from orchestrator.core.problems import BadConfiguration, Problem
from orchestrator.core.records import Figure
from orchestrator.core.zip_members import MAX_RATIO, UnsoundMember, read_member

FORMAT = 1
"""Of the manifest; a reader refuses others."""

MAX_PACKAGE_BYTES = 10 * 1024 * 1024
MAX_MEMBERS = 200
MAX_MEMBER_BYTES = 4 * 1024 * 1024
MAX_TEMPLATE_BYTES = 1_000_000
"""CloudFormation's limit for a template in S3 (AWS CloudFormation User Guide, "Understand CloudFormation quotas")."""
MAX_PARAMETERS = 200
MAX_VALUE_BYTES = 4_096

TEMPLATE = "template.yaml"
CONFIGURATION = "mlops-config.json"
MANIFEST = "manifest.json"

_MEMBER = re.compile(r"template\.yaml|mlops-config\.json|manifest\.json|parameters/[a-z][a-z0-9-]*\.json|"
                     r"documents/[a-z][a-z0-9-]*/[A-Za-z0-9][A-Za-z0-9._-]*")  # fmt: skip
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class Provenance:
    """Where a release came from; kept in the manifest, without influence on the content digest."""

    requested_by: str
    """Display name of the requester, or ``unknown``."""
    requester_verified: bool
    requested_at: str
    """ISO 8601, UTC."""
    source: str
    """``s3://bucket/key``, a repository, or the request."""
    version: str
    """S3 version id or commit id; empty where there is none."""
    release_id: str = ""


@dataclass(frozen=True)
class Package:
    """A package, built or verified: its bytes and what they hold."""

    zip_bytes: bytes
    manifest: Mapping[str, Any]
    digest: str
    """Content digest, see ``content_digest``."""
    members: Mapping[str, bytes]

    @property
    def sha256(self) -> str:
        """Of the zip, hex."""
        return _sha256(self.zip_bytes)

    @property
    def metrics(self) -> tuple[Figure, ...]:
        """Figures of the model's evaluation, in its file's order; none where neither file nor package has any."""
        return tuple(Figure(**figure) for figure in (self.manifest["metrics"] or {}).get("figures", ()))

    @property
    def model_packages(self) -> tuple[str, ...]:
        """ARNs of the versions of model packages that are deployed."""
        return tuple(sorted({package["arn"] for package in self.manifest["model_packages"].values()}))

    @property
    def job(self) -> JobKind | None:
        """What each stage runs once it is deployed; None where nothing."""
        job = self.manifest["job"]
        return JobKind(job["kind"]) if job else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was found out as it was made and stops nothing."""
        return tuple(self.manifest.get("warnings", ()))

    @property
    def template(self) -> bytes:
        """The CloudFormation template."""
        return self.members[TEMPLATE]

    def parameters(self, stage: str) -> dict[str, str]:
        """The template's parameters in this stage; KeyError when the package has no such stage."""
        return dict(json.loads(self.members[f"parameters/{stage}.json"])["Parameters"])

    def tags(self, stage: str) -> dict[str, str]:
        """The stack's tags in this stage; KeyError when the package has no such stage."""
        return dict(json.loads(self.members[f"parameters/{stage}.json"])["Tags"])

    def documents(self, stage: str) -> dict[str, bytes]:
        """The stage's rendered documents, by their key in the packages bucket."""
        keys = {entry["name"]: entry["key"] for entry in self.manifest["documents"] if entry["stage"] == stage}
        return {key: self.members[f"documents/{stage}/{name}"] for name, key in keys.items()}


def asset_copy_key(bucket: str, key: str, version_id: str) -> str:
    """Key of an asset's copy in the packages bucket: another version is another key, the same one the same."""
    name = re.sub(r"[^A-Za-z0-9!_.*'()-]", "_", key.rsplit("/", 1)[-1])[:200]
    return f"assets/{_sha256('|'.join((bucket, key, version_id)).encode())}/{name or 'object'}"


def content_digest(checked: Checked, assets: ResolvedAssets, template_bytes: bytes) -> str:
    """SHA-256 (hex) over configuration, pinned assets, and the workload type: equal digests deploy the same.

    An asset counts by its checksum, so the same bytes uploaded again are no new content; where S3 gave none, by its
    version. A prefix counts by what stands below it, so that other data are another content. Release id, time and
    provenance do not count.
    """
    content = {
        "configuration": checked.configuration,
        "stack_name": checked.stack_name,
        "assets": {key: asset.sha256 or asset.version_id for key, asset in assets.pinned.items()},
        "model_packages": {name: asdict(package) for name, package in assets.model_packages.items()},
        "template": _sha256(template_bytes),
        "workload": _sha256(checked.type.source),
        "documents": checked.type.document_sources,
        **({"prefixes": dict(assets.prefixes)} if assets.prefixes else {}),
    }
    return _sha256(canonical(content))


def build_package(
    checked: Checked,
    resolved: ResolvedAssets,
    installation: InstallationNames,
    *,
    stages: Sequence[str],
    provenance: Provenance,
    product_version: str,
) -> Package:
    """The package of a release for these stages (one for a type that runs in the orchestrator account).

    Raises ``BadConfiguration`` where CloudFormation would refuse a parameter or the template for its size.
    """
    template = checked.type.template
    members = {TEMPLATE: template, CONFIGURATION: canonical(checked.configuration)}
    documents = []
    inputs = {stage: job_input_for(checked, stage, resolved, installation) for stage in stages}
    for stage in stages:
        parameters = parameters_for(checked, stage, resolved, installation)
        _check_limits(parameters, template, stage)
        members[f"parameters/{stage}.json"] = canonical({"Parameters": parameters, "Tags": tags_for(checked, stage)})
        for document in documents_for(checked, stage, resolved, installation):
            members[f"documents/{stage}/{document.name}"] = document.data
            documents.append({"stage": stage, "name": document.name, "key": document.key})
    digest = content_digest(checked, resolved, template)
    manifest = {
        "format": FORMAT,
        "product_version": product_version,
        "workload": checked.workload_name,
        "type": checked.type.name,
        "stack_name": checked.stack_name,
        "stages": list(stages),
        "runs_in": checked.type.runs_in,
        "capabilities": list(checked.type.capabilities),
        "content_digest": digest,
        "provenance": asdict(provenance),
        "job": _job(checked, inputs),
        "verify": _verify(checked, resolved),
        "metrics": _metrics(checked, resolved),
        "documents": documents,
        "warnings": list(resolved.warnings),
        "assets": [asdict(asset) for _, asset in sorted(resolved.pinned.items())],
        "prefixes": dict(resolved.prefixes),
        "model_packages": {name: asdict(package) for name, package in sorted(resolved.model_packages.items())},
        "members": {name: {"sha256": _sha256(data), "size": len(data)} for name, data in sorted(members.items())},
    }
    members[MANIFEST] = (json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
    return Package(_zip(members), manifest, digest, members)


def read_package(zip_bytes: bytes) -> Package:
    """Read and verify a package; raises ``PackageDamaged`` for anything that ``build_package`` would not have written.

    Nothing is ever extracted to a disk, and no member is read beyond its limit, whatever the zip says of itself.
    """
    if len(zip_bytes) > MAX_PACKAGE_BYTES:
        raise PackageDamaged(f"the package has {len(zip_bytes):,} bytes, {MAX_PACKAGE_BYTES:,} are allowed")
    try:
        with zipfile.ZipFile(io.BytesIO(zip_bytes)) as archive:
            _check_directory(archive.infolist())
            members = {info.filename: _member(archive, info) for info in archive.infolist()}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, UnicodeDecodeError, ValueError) as error:
        raise PackageDamaged(f"the package is no sound zip file: {error}") from None
    manifest = _read_manifest(members)
    declared: Mapping[str, Any] = manifest["members"]
    actual = set(members) - {MANIFEST}
    if set(declared) != actual:
        odd = ", ".join(sorted(set(declared) ^ actual))
        raise PackageDamaged(f"manifest and package do not hold the same members: {odd}")
    for name, entry in declared.items():
        if not isinstance(entry, dict) or entry.get("sha256") != _sha256(members[name]):
            raise PackageDamaged(f"{name} is not what the manifest says (SHA-256 differs)")
    if missing := {TEMPLATE, CONFIGURATION} - actual:
        raise PackageDamaged(f"the package has no {' and no '.join(sorted(missing))}")
    return Package(zip_bytes, manifest, str(manifest["content_digest"]), members)


def canonical(value: object) -> bytes:
    """The one JSON text of a value: keys sorted, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _job(checked: Checked, inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """What RunJob starts; ``input`` by stage, see ``config.job_input_for``."""
    job = checked.type.job
    return {"kind": job.kind, "output": job.output, "request": job.request, "input": inputs} if job else None


def _metrics(checked: Checked, resolved: ResolvedAssets) -> dict[str, Any] | None:
    figures = [asdict(figure) for figure in resolved.figures]
    if not checked.metrics:
        place = {"uri": resolved.evaluation, "version_id": resolved.evaluation_version}
        return {**place, "figures": figures} if resolved.evaluation else None
    return {**asdict(resolved.pinned[checked.metrics]), "figures": figures}


def _verify(checked: Checked, resolved: ResolvedAssets) -> dict[str, Any] | None:
    if not checked.type.endpoint_output:
        return None
    verify = checked.verify
    if verify is None:
        return {"endpoint": checked.type.endpoint_output, "sample": None}
    asset = resolved.pinned[verify.sample]
    sample = {
        "bucket": asset.copy_bucket,
        "key": asset.copy_key,
        "version_id": asset.copy_version_id,
        "content_type": verify.content_type,
        "expect_status": verify.expect_status,
        "timeout_seconds": verify.timeout_seconds,
    }
    return {"endpoint": checked.type.endpoint_output, "sample": sample}


def _check_limits(parameters: Mapping[str, str], template: bytes, stage: str) -> None:
    problems = []
    if len(template) > MAX_TEMPLATE_BYTES:
        what = f"the template has {len(template):,} bytes, CloudFormation takes {MAX_TEMPLATE_BYTES:,}"
        problems.append(Problem("$", what, "Split the workload type."))
    if len(parameters) > MAX_PARAMETERS:
        what = f"the template gets {len(parameters)} parameters, CloudFormation takes {MAX_PARAMETERS}"
        problems.append(Problem("$", what, "Split the workload type."))
    for name, value in parameters.items():
        if len(value.encode()) > MAX_VALUE_BYTES:
            what = f"the parameter {name} has {len(value.encode()):,} bytes in {stage}, {MAX_VALUE_BYTES:,} are allowed"
            problems.append(Problem("$", what, "Make the value that it is made from smaller."))
    if problems:
        raise BadConfiguration(problems)


def _zip(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _LONG_AGO)
            info.create_system = 3  # Unix, also where Windows builds
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, members[name])
    return buffer.getvalue()


def _check_directory(infos: Sequence[zipfile.ZipInfo]) -> None:
    if len(infos) > MAX_MEMBERS:
        raise PackageDamaged(f"the package has {len(infos)} members, {MAX_MEMBERS} are allowed")
    seen: set[str] = set()
    for info in infos:
        name = info.orig_filename
        if not _MEMBER.fullmatch(name):
            raise PackageDamaged(f"the package has a member of the name {name[:200]!r}, which is not allowed")
        if name in seen:
            raise PackageDamaged(f"the package has {name} twice")
        seen.add(name)
        if info.flag_bits & _ENCRYPTED:
            raise PackageDamaged(f"{name} is encrypted")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in {0, stat.S_IFREG}:
            raise PackageDamaged(f"{name} is no regular file")
        if info.file_size > MAX_MEMBER_BYTES:
            raise PackageDamaged(f"{name} has {info.file_size:,} bytes, {MAX_MEMBER_BYTES:,} are allowed")
        if info.file_size > MAX_RATIO * max(info.compress_size, 1):
            raise PackageDamaged(f"{name} unpacks to more than {MAX_RATIO} times its size")
    if sum(info.file_size for info in infos) > MAX_PACKAGE_BYTES:
        raise PackageDamaged(f"the members have more than {MAX_PACKAGE_BYTES:,} bytes together")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        return read_member(archive, info)
    except UnsoundMember as error:
        raise PackageDamaged(f"{info.filename} {error}") from None


def _read_manifest(members: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        manifest = json.loads(members[MANIFEST])
    except KeyError:
        raise PackageDamaged(f"the package has no {MANIFEST}") from None
    except (ValueError, RecursionError):
        raise PackageDamaged(f"{MANIFEST} is not valid JSON") from None
    sound = isinstance(manifest, dict) and isinstance(manifest.get("members"), dict)
    if not sound or manifest.get("format") != FORMAT or not isinstance(manifest.get("content_digest"), str):
        raise PackageDamaged(f"{MANIFEST} has another format than {FORMAT}")
    return dict(manifest)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
