"""What started a release, for people: an upload, a commit, an approved model package, a call."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.messages import limits
from orchestrator.core.messages.mrkdwn import clean, code, link, said
from orchestrator.core.origins import Commit, Source, SourceKind
from orchestrator.core.records import Release


def provenance(release: Release) -> str:
    """What started a release, in mrkdwn."""
    source = release.source
    if release.goes_back_to:
        began = replace(release, goes_back_to="", source=release.configured_by or source)
        return (
            f"Package of {code(release.goes_back_to, limits.VALUE)}, unchanged; its configuration: {provenance(began)}"
        )
    match source.kind:
        case SourceKind.S3 | SourceKind.ASSET:
            return _object(source)
        case SourceKind.COMMIT:
            path = code(source.key or "the repository", limits.VALUE)
            return f"{path} in {code(source.bucket, limits.VALUE)}, {_commit(release)}"
        case SourceKind.REGISTRY:
            return f"Approved model package {code(source.key, limits.VALUE)}"
        case SourceKind.SLACK:
            what = _object(source) if source.key else "The configuration of an earlier release"
            return f"{what}, asked for with /mlops release"
        case SourceKind.API:
            return f"API request {code(source.request, limits.VALUE)}"


def _object(source: Source) -> str:
    name, version = code(source.key, limits.VALUE), code(source.version_id or "none", limits.VALUE)
    return f"{name} in bucket {code(source.bucket, limits.VALUE)}, version {version}"


def _commit(release: Release) -> str:
    """The commit, with its author and first line as it claims them."""
    commit = release.commit
    if commit is None:
        return f"commit {code(release.source.version_id, limits.VALUE)}"
    name = link(commit.url, said(commit.short_id, limits.VALUE)) if commit.url else code(commit.short_id, limits.VALUE)
    told = f"commit {name} on {code(commit.branch, limits.NAME)}"
    if commit.author:
        told += f" by {said(commit.author, limits.NAME)} (as the commit says)"
    return f"{told}: {said(commit.message, limits.NAME * 2)}" if commit.message else told


def commit_lines(commit: Commit) -> list[str]:
    """The same of a commit as plain text; author and message are one line each, whatever they hold."""
    told = [f"Commit: {commit.commit_id} on {commit.branch}"]
    author, message = clean(commit.author), clean(commit.message)
    told += [f"Author, as the commit says: {author}"] if author else []
    told += [f"Message: {message}"] if message else []
    return [*told, *filter(None, (commit.url,))]
