"""From a configuration to releases, once: what every way in ends with.

The delivery is claimed by a conditional insert before anything else is written, and every id derives from the
delivery. So ten deliveries of one event make one release, and a function that died half way is completed, not
repeated, by the next delivery.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.core.config import DEFAULT_STAGES, CheckContext, Checked, check_file
from orchestrator.core.deliveries import Claim, LatestRequest
from orchestrator.core.errors import Conflict
from orchestrator.core.installation import Installation
from orchestrator.core.model_cards.ports import ModelCards
from orchestrator.core.packaging import canonical
from orchestrator.core.people import Identity
from orchestrator.core.ports import Clock, ModelRegistry, Objects, Store, Tasks
from orchestrator.core.problems import BadConfiguration, Problem, did_you_mean
from orchestrator.core.records import Commit, Release, Source, Status
from orchestrator.core.steps.executions import Machines, start_execution
from orchestrator.core.steps.progress import release_of, stamp
from orchestrator.core.uses import add_uses, named_by
from orchestrator.core.workloads import Catalogue

CLAIM_DAYS = 460
"""How long a delivery is remembered: longer than an execution can run (a year) and its name is taken (90 days more)."""

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
    """Where people upload to."""
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


NOTHING = Receipt((), duplicate=False)
"""Of an event that asks for nothing."""


def together(receipts: Iterable[Receipt]) -> Receipt:
    """One receipt of several; a duplicate when each of them is."""
    all_of_them = list(receipts)
    return Receipt(
        releases=tuple(release for receipt in all_of_them for release in receipt.releases),
        duplicate=bool(all_of_them) and all(receipt.duplicate for receipt in all_of_them),
        warnings=tuple(warning for receipt in all_of_them for warning in receipt.warnings),
    )


@dataclass(frozen=True)
class Terms:
    """What is known of a request beside its source, its requester and the configuration."""

    force: bool = False
    """Release even when the content is live already."""
    commit: Commit | None = None
    pins: tuple[tuple[str, str], ...] = ()
    """See ``Release.pins``."""
    warnings: tuple[str, ...] = ()
    """Told with those of the configuration."""
    overtaken: str = ""
    """Why this request came too late to be released, as a sentence: its releases are superseded from the start."""
    asked_at: datetime | None = None
    """When it was asked for; None for now. Of two releases of a workload the one that was asked for later stands."""
    rank: str = ""
    """See ``Release.rank``."""
    share: str = ""
    """The workload, where one source starts releases of several that do not lie in one file: each is claimed alone."""


AS_IT_COMES = Terms()


def start_releases(
    source: Source, requester: Identity, data: bytes, reception: Reception, terms: Terms = AS_IT_COMES
) -> Receipt:
    """Start a release of every workload in a configuration file.

    Raises ``BadConfiguration`` with every problem of the file, and then leaves nothing behind.
    """
    checked = checked_file(data, reception)
    return start_checked(source, requester, checked, reception, terms)


def start_or_refuse(
    source: Source, requester: Identity, data: bytes, reception: Reception, terms: Terms = AS_IT_COMES
) -> Receipt:
    """The same for those who do not wait for an answer: a file with problems becomes one refused release, so that
    people are told in Slack and by e-mail."""
    try:
        return start_releases(source, requester, data, reception, terms)
    except BadConfiguration as error:
        return refuse(source, requester, [problem.sentence for problem in error.problems], reception, terms)


def start_checked(
    source: Source, requester: Identity, checked: Sequence[Checked], reception: Reception, terms: Terms = AS_IT_COMES
) -> Receipt:
    """Start the releases of configurations that ``checked_file`` has found without problems."""
    this = delivery(source, terms.share)
    moment = stamp(terms.asked_at or reception.now())
    releases = tuple(
        _new_release(source, requester, release_id(one.workload_name, this, index), moment, one, reception, terms)
        for index, one in enumerate(checked)
    )
    ids = tuple(release.release_id for release in releases)
    claimed = claim(this, ids, reception)
    duplicate = claimed is not None
    if claimed is not None and claimed != ids:
        return Receipt(known(claimed, reception.store), duplicate)
    started = []
    for release, one in zip(releases, checked, strict=True):
        _announce(release, one, reception)
        started.append(_complete(release, canonical(one.configuration).decode(), reception))
    warnings = tuple(warning.sentence for one in checked for warning in one.warnings)
    return Receipt(tuple(started), duplicate, (*terms.warnings, *warnings))


def refuse(
    source: Source, requester: Identity, problems: Sequence[str], reception: Reception, terms: Terms = AS_IT_COMES
) -> Receipt:
    """Record one refused release: nothing is started, and people are told why."""
    this = delivery(source, terms.share)
    moment = stamp(terms.asked_at or reception.now())
    refused = Release(
        release_id=release_id("refused", this, 0),
        workload=source.key or source.request,
        workload_type="",
        status=Status.REFUSED,
        source=source,
        requester=requester,
        created_at=moment,
        updated_at=moment,
        reason="The configuration has problems; nothing was deployed.",
        problems=told(problems),
        commit=terms.commit,
    )
    claimed = claim(this, (refused.release_id,), reception)
    if claimed is not None and claimed != (refused.release_id,):
        return Receipt(known(claimed, reception.store), duplicate=True)
    with suppress(Conflict):
        reception.store.insert(refused)
    return Receipt((release_of(reception.store, refused.release_id),), duplicate=claimed is not None)


def checked_file(data: bytes, reception: Reception) -> tuple[Checked, ...]:
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


def _announce(release: Release, checked: Checked, reception: Reception) -> None:
    """Before a release stands in the table: what is uploaded from now on finds its configuration by what it uses."""
    store = reception.store
    if release.status is not Status.REQUESTED or store.get(Release, release.key()) is not None:
        return
    add_uses(store, release.workload, named_by(checked))
    latest = LatestRequest(release.workload, release.release_id, release.order[0], stamp(reception.now()))
    with suppress(Conflict):
        store.insert(latest)
    store.update(LatestRequest, latest.key(), lambda known: latest if latest.order > known.order else known)


def _complete(release: Release, configuration: str, reception: Reception) -> Release:
    """Everything after the claim; each part finds what an earlier delivery has done and does the rest.

    The configuration is kept before the release stands in the table: one that stands there can always be started.
    """
    store = reception.store
    current = store.get(Release, release.key())
    if current is None:
        if release.status is Status.REQUESTED:
            key = request_key(release.release_id)
            reception.objects.write_once(reception.packages_bucket, key, configuration.encode(), "application/json")
        with suppress(Conflict):
            store.insert(release)
        current = release_of(store, release.release_id)
    return run(current, reception)


def run(release: Release, reception: Reception) -> Release:
    """Start the execution of a release that stands in the table; one that has been started stays as it is."""
    if release.status is not Status.REQUESTED or release.execution_arn:
        return release
    machines = Machines(reception.multi_machine_arn, reception.single_machine_arn)
    execution = start_execution(release, machines, reception.tasks)
    return reception.store.update(Release, release.key(), lambda found: replace(found, execution_arn=execution))


def _new_release(
    source: Source,
    requester: Identity,
    name: str,
    moment: str,
    checked: Checked,
    reception: Reception,
    terms: Terms,
) -> Release:
    warnings = (*terms.warnings, *(warning.sentence for warning in checked.warnings))
    return Release(
        release_id=name,
        workload=checked.workload_name,
        workload_type=checked.type.name,
        status=Status.SUPERSEDED if terms.overtaken else Status.REQUESTED,
        source=source,
        requester=requester,
        created_at=moment,
        updated_at=moment,
        stages=reception.installation.stages_of(checked.type.runs_in),
        stack_name=checked.stack_name,
        description=checked.description,
        channel=checked.channel,
        reason=terms.overtaken,
        warnings=told(warnings),
        policies=checked.policies,
        force=terms.force,
        commit=terms.commit,
        pins=terms.pins,
        rank=terms.rank,
    )


def release_id(workload: str, delivery: str, index: int) -> str:
    """``<workload>-<10 hex digits>``: readable, the same for every delivery of one request, and a legal name of an
    execution (80 characters) and part of a change set's."""
    digest = hashlib.sha256(f"{delivery}|{index}".encode()).hexdigest()[:10]
    return f"{workload[:40].rstrip('-')}-{digest}"


def told(sentences: Sequence[str]) -> tuple[str, ...]:
    """Sentences, so few and so short that a record can hold them."""
    kept = [text if len(text) <= MAX_SENTENCE else text[: MAX_SENTENCE - 1] + "…" for text in sentences[:MAX_TOLD]]
    rest = len(sentences) - MAX_TOLD
    return (*kept, f"… and {rest} more") if rest > 0 else tuple(kept)


def claim(delivered: str, releases: tuple[str, ...], reception: Reception) -> tuple[str, ...] | None:
    """None when this delivery is the first; else what the first one became, which stands."""
    moment = reception.now()
    expires = moment + timedelta(days=CLAIM_DAYS)
    wanted = Claim(delivered, stamp(moment), int(expires.timestamp()), releases)
    try:
        reception.store.insert(wanted)
    except Conflict:
        standing = reception.store.get(Claim, wanted.key())
        return standing.releases if standing is not None else releases
    return None


def known(releases: Sequence[str], store: Store) -> tuple[Release, ...]:
    """Those of the releases that are recorded."""
    found = [store.get(Release, (f"RELEASE#{name}", "RELEASE")) for name in releases]
    return tuple(release for release in found if release is not None)


def delivery(source: Source, share: str = "") -> str:
    """SHA-256 over what makes a delivery this one: source, bucket, key and version, or the request's token; and the
    workload, where each has its own share of it."""
    parts = [source.kind.value, source.bucket, source.key, source.version_id, source.request]
    return hashlib.sha256(json.dumps([*parts, share] if share else parts).encode()).hexdigest()
