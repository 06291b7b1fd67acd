"""The way in: an upload or a call becomes releases, once each.

The delivery is claimed by a conditional insert before anything else is written, and every id derives from the
delivery. So ten deliveries of one event make one release, and a function that died half way is completed, not
repeated, by the next delivery.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from orchestrator.core.config import DEFAULT_STAGES, CheckContext, Checked, check_file
from orchestrator.core.errors import Conflict
from orchestrator.core.events import Upload
from orchestrator.core.installation import Installation
from orchestrator.core.packaging import canonical
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind
from orchestrator.core.ports import Clock, Objects, Store, Tasks
from orchestrator.core.problems import BadConfiguration, Problem, did_you_mean
from orchestrator.core.records import Claim, Release, Source, SourceKind, Status
from orchestrator.core.steps.progress import release_of, stamp
from orchestrator.core.workloads import Catalogue

CLAIM_DAYS = 460
"""How long a delivery is remembered: longer than an execution can run (a year) and its name is taken (90 days more)."""

REQUESTER_METADATA = "requester"
"""User metadata of an upload (``x-amz-meta-requester``) in which an uploader may say who he is: a claim."""

MAX_PROBLEMS = 50
"""Problems kept in a refusal's record; more are counted."""


@dataclass(frozen=True)
class Reception:
    """What the way in works with."""

    store: Store
    objects: Objects
    tasks: Tasks
    catalogue: Catalogue
    installation: Installation
    packages_bucket: str
    multi_machine_arn: str
    single_machine_arn: str
    now: Clock


@dataclass(frozen=True)
class Receipt:
    """What a request became."""

    releases: tuple[Release, ...]
    duplicate: bool
    warnings: tuple[str, ...] = ()

    @staticmethod
    def pipeline_id(release: Release, installation: Installation) -> str:
        """The stack ARN that clients of the old product know a pipeline by; its last part is the release's id."""
        stage = installation.stage(release.stages[-1])
        prefix = f"arn:{installation.partition}:cloudformation:{installation.region}:{stage.account}"
        return f"{prefix}:stack/{release.stack_name}/{release.release_id}"


def receive_upload(upload: Upload, reception: Reception) -> Receipt:
    """A configuration file was written to the assets bucket.

    A file with problems, or one that cannot be read, becomes one refused release, so that the uploader is told in
    Slack and by e-mail; nothing is started then.
    """
    source = Source(SourceKind.S3, upload.bucket, upload.key, upload.version_id)
    delivery = _delivery(source)
    requester = UNKNOWN
    try:
        described = reception.objects.describe(upload.bucket, upload.key, upload.version_id)
        requester = _claimed_requester(dict(described.metadata))
        data = reception.objects.read(upload.bucket, upload.key, upload.version_id)
        checked = _checked(data, reception)
    except BadConfiguration as error:
        return _refuse(source, delivery, requester, [problem.sentence for problem in error.problems], reception)
    return _start(source, delivery, requester, checked, reception, force=False)


def refuse_upload(bucket: str, key: str, event_id: str, why: str, reception: Reception) -> Receipt:
    """An upload that cannot be released whatever is in it, such as one without a version: told, not dropped."""
    source = Source(SourceKind.S3, bucket, key, request=event_id)
    return _refuse(source, _delivery(source), UNKNOWN, [why], reception)


def receive_body(
    data: bytes, requester: Identity, request_token: str, reception: Reception, *, force: bool = False
) -> Receipt:
    """A configuration came as the body of a call; raises ``BadConfiguration``, and then leaves nothing behind."""
    checked = _checked(data, reception)
    source = Source(SourceKind.API, request=f"{request_token}-{hashlib.sha256(data).hexdigest()[:16]}")
    return _start(source, _delivery(source), requester, checked, reception, force=force)


def _checked(data: bytes, reception: Reception) -> tuple[Checked, ...]:
    """Check a file against the contract and against this installation's approver roles."""
    installation = reception.installation
    checked = check_file(data, reception.catalogue, check_context(installation))
    problems = [
        Problem(
            f"$.approval.{demand.stage}.any_of",
            f'this installation has no approver role "{role}"',
            did_you_mean(role, installation.roles),
        )
        for one in checked
        for demand in one.policies
        for alternative in demand.policy.any_of
        for role, _ in alternative
        if not installation.roles.get(role)
    ]
    if problems:
        raise BadConfiguration(problems)
    return checked


def check_context(installation: Installation) -> CheckContext:
    """What configurations of this installation are checked against."""
    return CheckContext(
        accounts=installation.mode,
        stages=installation.stage_names if installation.mode == "multi" else DEFAULT_STAGES,
        model_registry=installation.model_registry,
        region=installation.region,
        partition=installation.partition,
    )


def request_key(release_id: str) -> str:
    """Where the configuration of one release is kept in the packages bucket."""
    return f"requests/{release_id}.json"


def _start(
    source: Source,
    delivery: str,
    requester: Identity,
    checked: Sequence[Checked],
    reception: Reception,
    *,
    force: bool,
) -> Receipt:
    releases = tuple(
        _new_release(source, delivery, index, requester, one, reception, force=force)
        for index, one in enumerate(checked)
    )
    duplicate = not _claim(delivery, [release.release_id for release in releases], reception)
    started = tuple(
        _complete(release, canonical(one.configuration).decode(), reception)
        for release, one in zip(releases, checked, strict=True)
    )
    warnings = tuple(warning.sentence for one in checked for warning in one.warnings)
    return Receipt(started, duplicate, warnings)


def _complete(release: Release, configuration: str, reception: Reception) -> Release:
    """Everything after the claim; each part finds what an earlier delivery has done and does the rest."""
    store = reception.store
    try:
        store.insert(release)
        current = release
    except Conflict:
        current = release_of(store, release.release_id)
        if current.status is not Status.REQUESTED or current.execution_arn:
            return current
    reception.objects.write_once(
        reception.packages_bucket, request_key(release.release_id), configuration.encode(), "application/json"
    )
    in_stages = len(release.stages) > 1
    machine = reception.multi_machine_arn if in_stages else reception.single_machine_arn
    payload: Mapping[str, object] = {"release_id": release.release_id, "stage": release.stages[0]}
    execution = reception.tasks.start(machine, release.release_id, payload)
    return store.update(Release, release.key(), lambda found: replace(found, execution_arn=execution))


def _new_release(
    source: Source,
    delivery: str,
    index: int,
    requester: Identity,
    checked: Checked,
    reception: Reception,
    *,
    force: bool,
) -> Release:
    moment = stamp(reception.now())
    return Release(
        release_id=release_id(checked.workload_name, delivery, index),
        workload=checked.workload_name,
        workload_type=checked.type.name,
        status=Status.REQUESTED,
        source=source,
        requester=requester,
        created_at=moment,
        updated_at=moment,
        stages=reception.installation.stage_names,
        stack_name=checked.stack_name,
        description=checked.description,
        channel=checked.channel,
        warnings=tuple(warning.sentence for warning in checked.warnings),
        policies=checked.policies,
        force=force,
    )


def release_id(workload: str, delivery: str, index: int) -> str:
    """``<workload>-<10 hex digits>``: readable, the same for every delivery of one request, and a legal name of an
    execution (80 characters) and part of a change set's."""
    digest = hashlib.sha256(f"{delivery}|{index}".encode()).hexdigest()[:10]
    return f"{workload[:40].rstrip('-')}-{digest}"


def _refuse(
    source: Source, delivery: str, requester: Identity, problems: Sequence[str], reception: Reception
) -> Receipt:
    moment = stamp(reception.now())
    name = source.key or source.request
    kept = list(problems[:MAX_PROBLEMS])
    if len(problems) > MAX_PROBLEMS:
        kept.append(f"… and {len(problems) - MAX_PROBLEMS} more")
    refused = Release(
        release_id=release_id("refused", delivery, 0),
        workload=name,
        workload_type="",
        status=Status.REFUSED,
        source=source,
        requester=requester,
        created_at=moment,
        updated_at=moment,
        reason="The configuration has problems; nothing was deployed.",
        problems=tuple(kept),
    )
    duplicate = not _claim(delivery, [refused.release_id], reception)
    try:
        reception.store.insert(refused)
    except Conflict:
        duplicate = True
    return Receipt((refused,), duplicate)


def _claim(delivery: str, releases: Sequence[str], reception: Reception) -> bool:
    """Whether this delivery is the first."""
    moment = reception.now()
    expires = moment + timedelta(days=CLAIM_DAYS)
    try:
        reception.store.insert(Claim(delivery, stamp(moment), int(expires.timestamp()), tuple(releases)))
    except Conflict:
        return False
    return True


def _delivery(source: Source) -> str:
    """SHA-256 over what makes a delivery this one: source, bucket, key and version, or the request's token."""
    parts = [source.kind.value, source.bucket, source.key, source.version_id, source.request]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _claimed_requester(metadata: Mapping[str, Any]) -> Identity:
    """An S3 event names an account only; what the uploader says about himself in the metadata is a claim."""
    claimed = str(metadata.get(REQUESTER_METADATA, "")).strip()
    if not claimed:
        return UNKNOWN
    kind = IdentityKind.EMAIL if "@" in claimed else IdentityKind.IAM
    return Identity(kind, claimed[:254], verified=False)
