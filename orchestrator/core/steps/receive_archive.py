"""The archive of a commit, delivered from GitHub, GitLab or Bitbucket by a small CodePipeline, becomes releases.

The pipeline puts the zip of the branch's newest commit under a key that names its own execution; who wrote which commit
is asked of CodePipeline, so that nothing in the zip or its key has to be believed. What the commit changes is what
differs from the archive before. The commit's author is a claim: behind a connection nobody is known for certain.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from orchestrator.core.archives import Found, read_configurations
from orchestrator.core.commits import ARCHIVES, Revision, SourcePipelines, commit_of, pipeline_name
from orchestrator.core.deliveries import DeliveredTree
from orchestrator.core.errors import BadRequest, Conflict, SourceGone
from orchestrator.core.events import Upload
from orchestrator.core.installation import Repository
from orchestrator.core.origins import Commit, Source, SourceKind
from orchestrator.core.people import Identity
from orchestrator.core.ports import Store
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.steps.progress import stamp
from orchestrator.core.steps.receipts import NOTHING, Receipt, together
from orchestrator.core.steps.reception import Reception
from orchestrator.core.steps.start_releases import Terms, refuse, start_or_refuse, taken_by
from orchestrator.core.steps.tell_deleted import tell_deleted

_KEY = re.compile(rf"{ARCHIVES}([A-Za-z0-9][A-Za-z0-9._-]*)/([0-9a-f-]{{36}})\.zip")


def receive_archive(upload: Upload, pipelines: SourcePipelines, reception: Reception) -> Receipt:
    """Start a release of each configuration that the commit has changed; nothing for a delivery that came before, or
    after a newer one.

    Raises ``BadRequest`` for a key that no pipeline has written, and ``SourceGone`` for an unknown execution.
    """
    matched = _KEY.fullmatch(upload.key)
    if matched is None:
        raise BadRequest(f"s3://{upload.bucket}/{upload.key} is no archive of a commit")
    watched = reception.installation.watched("connection", matched[1])
    if watched is None:
        return NOTHING
    execution = matched[2]
    revision = pipelines.revision(pipeline_name(watched.name), execution)
    known = reception.store.get(DeliveredTree, (f"TREE#{watched.name}", "TREE"))
    if known is not None and (known.execution_id == execution or known.started_at > stamp(revision.started_at)):
        return Receipt((), duplicate=True)
    this, objects = _Delivery(watched, execution, revision), reception.objects
    try:
        found = read_configurations(
            lambda first, length: objects.part(upload.bucket, upload.key, upload.version_id, first, length),
            objects.newest(upload.bucket, upload.key).size,
        )
    except BadConfiguration as error:
        problems = [problem.sentence for problem in error.problems]
        return refuse(this.source(), this.requester, problems, reception, this.terms)
    except SourceGone as error:
        problems = [f"The archive of the commit is gone: {error}"]
        return refuse(this.source(), this.requester, problems, reception, this.terms)
    digests = _digests(found)
    receipt = together(_released(this, found, digests, known, reception))
    _keep(this, digests, reception.store)
    return receipt


@dataclass(frozen=True)
class _Delivery:
    watched: Repository
    execution: str
    revision: Revision

    @property
    def commit(self) -> Commit:
        watched, revision = self.watched, self.revision
        branch = revision.branch or watched.branch
        return commit_of(watched.repository, branch, revision.commit_id, revision.author, revision.url)

    @property
    def requester(self) -> Identity:
        return self.commit.claimed_by

    @property
    def terms(self) -> Terms:
        return Terms(commit=self.commit, asked_at=self.revision.started_at)

    def source(self, path: str = "") -> Source:
        return Source(SourceKind.COMMIT, self.watched.repository, path, self.revision.commit_id, self.execution)


def _released(
    this: _Delivery, found: Found, digests: Mapping[str, str], known: DeliveredTree | None, reception: Reception
) -> list[Receipt]:
    before = _before(this, known)
    receipts: list[Receipt] = []
    for path, digest in digests.items():
        if before.get(path) == digest:
            continue
        source = this.source(path)
        if path in found.unreadable:
            problem = found.unreadable[path].sentence
            receipts.append(refuse(source, this.requester, [problem], reception, this.terms))
        else:
            terms = replace(this.terms, taken=taken_by(receipts))
            receipts.append(start_or_refuse(source, this.requester, found.files[path], reception, terms))
    released = {release.workload for receipt in receipts for release in receipt.releases}
    for path in sorted(before.keys() - digests.keys()):
        if before[path] not in digests.values():
            receipts += tell_deleted(
                this.source(path), this.requester, this.commit, reception, old=None, released=released
            )
    return receipts


def _before(this: _Delivery, known: DeliveredTree | None) -> Mapping[str, str]:
    """What the last delivery had. A commit that is delivered again, since somebody has released the pipeline's change
    once more, is wanted whole."""
    if known is None or known.commit_id == this.revision.commit_id:
        return {}
    return dict(known.files)


def _digests(found: Found) -> dict[str, str]:
    """Path → SHA-256 of each configuration, or of why it cannot be read."""
    whole = dict(found.files)
    whole |= {path: problem.sentence.encode() for path, problem in found.unreadable.items()}
    return {path: hashlib.sha256(whole[path]).hexdigest() for path in sorted(whole)}


def _keep(this: _Delivery, files: Mapping[str, str], store: Store) -> None:
    """Remember what was delivered, unless a newer delivery is remembered."""
    tree = DeliveredTree(
        repository=this.watched.name,
        execution_id=this.execution,
        commit_id=this.revision.commit_id,
        started_at=stamp(this.revision.started_at),
        files=tuple(sorted(files.items())),
    )
    with suppress(Conflict):
        store.insert(tree)
        return
    store.update(DeliveredTree, tree.key(), lambda known: tree if tree.started_at >= known.started_at else known)
