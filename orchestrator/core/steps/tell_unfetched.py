"""A pipeline could not fetch or deliver a commit: nothing is released of a push, and whoever pushed is told.

Such as when the provider's app was uninstalled, the branch renamed, or the key of the bucket disabled.
"""

from __future__ import annotations

from orchestrator.core.commits import Author, Revision, SourcePipelines, commit_of, pipeline_name
from orchestrator.core.errors import SourceGone
from orchestrator.core.events import FetchFailed
from orchestrator.core.installation import Repository
from orchestrator.core.origins import Source, SourceKind
from orchestrator.core.steps.receipts import NOTHING, Receipt
from orchestrator.core.steps.reception import Reception
from orchestrator.core.steps.start_releases import Terms, refuse


def tell_unfetched(failed: FetchFailed, pipelines: SourcePipelines, reception: Reception) -> Receipt:
    """Record one refused release; nothing where CodePipeline itself knows of no failure, or the pipeline is no source
    of this installation."""
    watched = _watched(failed.pipeline, reception)
    if watched is None:
        return NOTHING
    try:
        why = pipelines.failure(failed.pipeline, failed.execution_id)
    except SourceGone:
        return NOTHING
    if not why:
        return NOTHING
    revision = _revision(failed, pipelines, reception)
    branch = revision.branch or watched.branch
    commit = commit_of(watched.repository, branch, revision.commit_id, revision.author, revision.url)
    source = Source(SourceKind.COMMIT, watched.repository, "", revision.commit_id, failed.execution_id)
    problem = (
        f"The pipeline {failed.pipeline} could not deliver a commit of {watched.branch}: {why}. "
        "Mend the cause, then release the pipeline's change once more, or push again."
    )
    terms = Terms(commit=commit if revision.commit_id else None, asked_at=revision.started_at)
    return refuse(source, commit.claimed_by, [problem], reception, terms)


def _watched(pipeline: str, reception: Reception) -> Repository | None:
    connected = (one for one in reception.installation.repositories if one.provider == "connection")
    return next((one for one in connected if pipeline_name(one.name) == pipeline), None)


def _revision(failed: FetchFailed, pipelines: SourcePipelines, reception: Reception) -> Revision:
    """The commit, where the pipeline came to fetch one."""
    try:
        return pipelines.revision(failed.pipeline, failed.execution_id)
    except SourceGone:
        return Revision("", "", Author(), reception.now())
