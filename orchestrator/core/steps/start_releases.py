"""From a configuration to releases, once: what every way in ends with.

The delivery is claimed first (``claims``), so ten deliveries of one event make one release, and a function that died
half way is completed, not repeated, by the next delivery.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from orchestrator.core.config import Checked
from orchestrator.core.deliveries import LatestRequest
from orchestrator.core.origins import Commit, Source
from orchestrator.core.packaging import canonical
from orchestrator.core.people import Identity
from orchestrator.core.ports import Store
from orchestrator.core.problems import BadConfiguration, Problem
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.checking import checked_file
from orchestrator.core.steps.claims import claim, delivery, known, record_begun, record_ended, release_id
from orchestrator.core.steps.executions import start_execution
from orchestrator.core.steps.progress import find_release, stamp
from orchestrator.core.steps.receipts import Receipt
from orchestrator.core.steps.reception import Reception
from orchestrator.core.upsert import upsert
from orchestrator.core.uses import add_uses, named_by

MAX_TOLD = 50
"""Problems or warnings kept in a release's record; more are counted."""

MAX_SENTENCE = 500
"""Characters kept of each: a row of the table holds 400 KB, and a key of a configuration may be as long as it likes."""


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
    gives_way_to: str = ""
    """The release whose place it may not take, where that is why."""
    configured_by: Source | None = None
    """See ``Release.configured_by``."""
    follows: str = ""
    """See ``Release.follows``."""
    taken: Mapping[str, str] = field(default_factory=dict)
    """Workloads that another file of the same commit configures, with that file's path."""
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
    twice = [_twice(one, terms.taken[one.workload_name]) for one in checked if one.workload_name in terms.taken]
    if twice:
        raise BadConfiguration(twice)
    return start_checked(source, requester, checked, reception, terms)


def taken_by(receipts: Iterable[Receipt]) -> Mapping[str, str]:
    """See ``Terms.taken``: of what was started so far of one commit. What is superseded takes no workload."""
    begun = (release for receipt in receipts for release in receipt.releases)
    return {one.workload: one.source.key for one in begun if one.workload_type and one.status is not Status.SUPERSEDED}


def _twice(checked: Checked, path: str) -> Problem:
    what = f'the workload "{checked.workload_name}" is configured by {path} of the same commit too'
    return Problem(checked.path, what, "Keep one of them.")


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
        started.append(_complete(release, one, reception))
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
        workload=source.key or source.bucket or source.request,
        workload_type="",
        status=Status.REFUSED,
        source=source,
        requester=requester,
        created_at=moment,
        updated_at=moment,
        reason=f"The {source.thing} has problems; nothing was deployed.",
        problems=told(problems),
        commit=terms.commit,
    )
    return record_ended(refused, this, reception)


def request_key(release_id: str) -> str:
    """Where the configuration of one release is kept in the packages bucket."""
    return f"requests/{release_id}.json"


def _complete(release: Release, checked: Checked, reception: Reception) -> Release:
    """Everything after the claim; each part finds what an earlier delivery has done and does the rest.

    Its configuration is kept, and found by what it uses, before the release stands in the table: one that stands there
    can always be started, and misses nothing that is uploaded from then on.
    """
    store = reception.store
    current = find_release(store, release.release_id)
    if current is None:
        if release.status is Status.REQUESTED:
            configuration = canonical(checked.configuration)
            key = request_key(release.release_id)
            reception.objects.write_once(reception.packages_bucket, key, configuration, "application/json")
            add_uses(store, release.workload, named_by(checked))
        current = record_begun(release, reception)
    if current.status is Status.REQUESTED and not current.execution_arn:
        announce(current, store)
    return run(current, reception)


def announce(release: Release, store: Store) -> None:
    """From now on its configuration is the one in force, unless one that was asked for later is."""
    latest = LatestRequest(release.workload, release.release_id, release.order[0], pins=release.pins)
    upsert(store, latest, lambda known: latest if latest.order > known.order else known)


def run(release: Release, reception: Reception) -> Release:
    """Start the execution of a release that stands in the table; one that has been started stays as it is."""
    if release.status is not Status.REQUESTED or release.execution_arn:
        return release
    execution = start_execution(release, reception.places.machines, reception.tasks)
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
        ended_by=terms.gives_way_to,
        warnings=told(warnings),
        policies=checked.policies,
        force=terms.force,
        commit=terms.commit,
        configured_by=terms.configured_by,
        follows=terms.follows,
        pins=terms.pins,
        rank=terms.rank,
    )


def told(sentences: Sequence[str]) -> tuple[str, ...]:
    """Sentences, so few and so short that a record can hold them."""
    kept = [text if len(text) <= MAX_SENTENCE else text[: MAX_SENTENCE - 1] + "…" for text in sentences[:MAX_TOLD]]
    rest = len(sentences) - MAX_TOLD
    return (*kept, f"… and {rest} more") if rest > 0 else tuple(kept)
