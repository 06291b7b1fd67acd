"""The way in: an upload or a call becomes releases, once each.

The delivery is claimed by a conditional insert before anything else is written, and every id derives from the
delivery. So ten deliveries of one event make one release, and a function that died half way is completed, not
repeated, by the next delivery.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from orchestrator.core import strict_json
from orchestrator.core.config import DEFAULT_STAGES, CheckContext, Checked, check_file
from orchestrator.core.deliveries import Claim, LatestUpload
from orchestrator.core.errors import Conflict, SourceGone
from orchestrator.core.events import Upload
from orchestrator.core.installation import Installation
from orchestrator.core.model_cards.ports import ModelCards
from orchestrator.core.model_cards.request import ModelCardRequest, model_card_in
from orchestrator.core.packaging import canonical
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind
from orchestrator.core.ports import Clock, ModelRegistry, Objects, Store, Tasks
from orchestrator.core.problems import BadConfiguration, Problem, did_you_mean
from orchestrator.core.records import Release, Source, SourceKind, Status
from orchestrator.core.steps.answer_model_card import EVERY_CARD, OVERTAKEN, answer_model_card
from orchestrator.core.steps.progress import release_of, stamp
from orchestrator.core.steps.references import missing
from orchestrator.core.workloads import Catalogue

CLAIM_DAYS = 460
"""How long a delivery is remembered: longer than an execution can run (a year) and its name is taken (90 days more)."""

REQUESTER_METADATA = "requester"
"""User metadata of an upload (``x-amz-meta-requester``) in which an uploader may say who he is: a claim."""

MAX_TOLD = 50
"""Problems or warnings kept in a release's record; more are counted."""

MAX_SENTENCE = 500
"""Characters kept of each: a row of the table holds 400 KB, and a key of a configuration may be as long as it likes."""


@dataclass(frozen=True)
class Reception:
    """What the way in works with."""

    store: Store
    objects: Objects
    tasks: Tasks
    catalogue: Catalogue
    installation: Installation
    registry: ModelRegistry
    assets_bucket: str
    """Only a call's references are looked for here; of an upload, Package does."""
    packages_bucket: str
    cards: ModelCards
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
        # Anything may bear the name; a large file would be more than the function's memory.
        strict_json.check_size(described.size)
        data = reception.objects.read(upload.bucket, upload.key, upload.version_id)
        card = model_card_in(data)
        if card is not None:
            overtaken = _overtaken(upload, reception.store)
            return _answer_card(card, source, delivery, requester, reception, overtaken=overtaken)
        checked = _checked(data, reception)
    except BadConfiguration as error:
        return _refuse(source, delivery, requester, [problem.sentence for problem in error.problems], reception)
    except SourceGone as error:
        return _refuse(source, delivery, requester, [f"The file was deleted before it was read: {error}"], reception)
    overtaken = _overtaken(upload, reception.store)
    return _start(source, delivery, requester, checked, reception, force=False, overtaken=overtaken)


def _answer_card(
    card: ModelCardRequest,
    source: Source,
    delivery: str,
    requester: Identity,
    reception: Reception,
    *,
    overtaken: bool,
) -> Receipt:
    """Claim the delivery, do the operation, record it; a repeated delivery finds the record and does nothing."""
    name = release_id(card.name.lower() or EVERY_CARD, delivery, 0)
    duplicate = _claim(delivery, (name,), reception) is not None
    if duplicate and (known := _known((name,), reception.store)):
        return Receipt(known, duplicate)
    done = answer_model_card(
        card,
        name,
        source,
        requester,
        cards=reception.cards,
        objects=reception.objects,
        assets_bucket=reception.assets_bucket,
        packages_bucket=reception.packages_bucket,
        now=reception.now,
        again=duplicate,
        overtaken=overtaken,
    )
    with suppress(Conflict):
        reception.store.insert(replace(done, problems=told(done.problems), warnings=told(done.warnings)))
    return Receipt((release_of(reception.store, name),), duplicate)


def refuse_upload(bucket: str, key: str, event_id: str, why: str, reception: Reception) -> Receipt:
    """An upload that cannot be released whatever is in it, such as one without a version: told, not dropped."""
    source = Source(SourceKind.S3, bucket, key, request=event_id)
    return _refuse(source, _delivery(source), UNKNOWN, [why], reception)


def receive_body(
    data: bytes, requester: Identity, request_token: str, reception: Reception, *, force: bool = False
) -> Receipt:
    """A configuration came as the body of a call; raises ``BadConfiguration``, and then leaves nothing behind.

    The caller waits for the answer, so what the configuration names is looked for at once; an asset that is deleted
    after this is found missing by Package.
    """
    checked = _checked(data, reception)
    problems = [problem for one in checked for problem in _missing(one, reception)]
    if problems:
        raise BadConfiguration(problems)
    source = Source(SourceKind.API, request=f"{request_token}-{hashlib.sha256(data).hexdigest()[:16]}")
    return _start(source, _delivery(source), requester, checked, reception, force=force)


def _missing(checked: Checked, reception: Reception) -> Iterator[Problem]:
    return missing(checked, reception.objects, reception.registry, reception.installation, reception.assets_bucket)


def _overtaken(upload: Upload, store: Store) -> bool:
    """Whether the event of a newer version of the same object has arrived before this one's."""
    if not upload.sequencer:
        return False
    latest = LatestUpload(upload.bucket, upload.key, upload.version_id, upload.sequencer)
    with suppress(Conflict):
        store.insert(latest)
    after = store.update(
        LatestUpload,
        latest.key(),
        lambda known: latest if latest.is_newer_than(known.sequencer) else known,
    )
    return after.is_newer_than(upload.sequencer)


def _checked(data: bytes, reception: Reception) -> tuple[Checked, ...]:
    """Check a file against the contract and against this installation's stages and approver roles."""
    installation = reception.installation
    checked = check_file(data, reception.catalogue, check_context(installation))
    problems = [problem for one in checked for problem in _not_of_this_installation(one, installation)]
    if problems:
        raise BadConfiguration(list(dict.fromkeys(problems)))
    return checked


def _not_of_this_installation(checked: Checked, installation: Installation) -> Iterator[Problem]:
    path = checked.path
    stages = installation.stages_of(checked.type.runs_in)
    for demand in checked.policies:
        if demand.stage not in stages:
            what = f'this installation has no stage "{demand.stage}"'
            fix = did_you_mean(demand.stage, stages)
            yield Problem(f"{path}.approval.{demand.stage}", what, fix)
        for role in sorted({role for alternative in demand.policy.any_of for role, _ in alternative}):
            if not installation.roles.get(role):
                what = f'this installation has no approver role "{role}"'
                fix = did_you_mean(role, installation.roles)
                yield Problem(f"{path}.approval.{demand.stage}.any_of", what, fix)


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
    overtaken: bool = False,
) -> Receipt:
    releases = tuple(
        _new_release(source, delivery, index, requester, one, reception, force=force, overtaken=overtaken)
        for index, one in enumerate(checked)
    )
    ids = tuple(release.release_id for release in releases)
    claimed = _claim(delivery, ids, reception)
    duplicate = claimed is not None
    if claimed is not None and claimed != ids:
        return Receipt(_known(claimed, reception.store), duplicate)
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
    overtaken: bool,
) -> Release:
    moment = stamp(reception.now())
    return Release(
        release_id=release_id(checked.workload_name, delivery, index),
        workload=checked.workload_name,
        workload_type=checked.type.name,
        status=Status.SUPERSEDED if overtaken else Status.REQUESTED,
        source=source,
        requester=requester,
        created_at=moment,
        updated_at=moment,
        stages=reception.installation.stages_of(checked.type.runs_in),
        stack_name=checked.stack_name,
        description=checked.description,
        channel=checked.channel,
        reason=OVERTAKEN if overtaken else "",
        warnings=told([warning.sentence for warning in checked.warnings]),
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
        problems=told(problems),
    )
    claimed = _claim(delivery, (refused.release_id,), reception)
    if claimed is not None and claimed != (refused.release_id,):
        return Receipt(_known(claimed, reception.store), duplicate=True)
    with suppress(Conflict):
        reception.store.insert(refused)
    return Receipt((release_of(reception.store, refused.release_id),), duplicate=claimed is not None)


def told(sentences: Sequence[str]) -> tuple[str, ...]:
    """Sentences, so few and so short that a record can hold them."""
    kept = [text if len(text) <= MAX_SENTENCE else text[: MAX_SENTENCE - 1] + "…" for text in sentences[:MAX_TOLD]]
    rest = len(sentences) - MAX_TOLD
    return (*kept, f"… and {rest} more") if rest > 0 else tuple(kept)


def _claim(delivery: str, releases: tuple[str, ...], reception: Reception) -> tuple[str, ...] | None:
    """None when this delivery is the first; else what the first one became, which stands."""
    moment = reception.now()
    expires = moment + timedelta(days=CLAIM_DAYS)
    claim = Claim(delivery, stamp(moment), int(expires.timestamp()), releases)
    try:
        reception.store.insert(claim)
    except Conflict:
        standing = reception.store.get(Claim, claim.key())
        return standing.releases if standing is not None else releases
    return None


def _known(releases: Sequence[str], store: Store) -> tuple[Release, ...]:
    found = [store.get(Release, (f"RELEASE#{name}", "RELEASE")) for name in releases]
    return tuple(release for release in found if release is not None)


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
