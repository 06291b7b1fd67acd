"""CodeCommit's actions that read, and those that make a repository: what each asks of the Git repository behind it."""

from __future__ import annotations

import base64
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud.codecommit.git import LINK, SUBMODULE, Difference, Entry, GitRepository, NoSuchObject

MAX_FILE = 6 * 1024 * 1024
"""Bytes of a file that the API gives out (AWS CodeCommit User Guide, "Quotas in AWS CodeCommit")."""

PAGE = 400
"""Differences of one answer where the caller does not say."""


class ApiError(Exception):
    """CodeCommit refuses a call: its error code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Repository:
    """A repository of an account and region."""

    account: str
    region: str
    name: str
    identity: str
    description: str
    created: float
    git: GitRepository

    @property
    def arn(self) -> str:
        """``arn:aws:codecommit:REGION:ACCOUNT:NAME``."""
        return arn(self.account, self.region, self.name)


_repositories: dict[tuple[str, str, str], Repository] = {}


def arn(account: str, region: str, name: str) -> str:
    """A repository's ARN; of all of them without a name."""
    return f"arn:aws:codecommit:{region}:{account}:{name or '*'}"


def reset() -> None:
    """Forget every repository."""
    _repositories.clear()


def find(account: str, region: str, name: str) -> Repository:
    """A repository; raises ApiError."""
    found = _repositories.get((account, region, name))
    if found is None:
        raise ApiError("RepositoryDoesNotExistException", f"{name} does not exist")
    return found


def create_repository(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    """CreateRepository."""
    name = fields["repositoryName"]
    if (account, region, name) in _repositories:
        raise ApiError("RepositoryNameExistsException", f"Repository named {name} already exists")
    folder = Path(tempfile.mkdtemp(prefix="codecommit-")) / f"{name}.git"
    git = GitRepository.create(folder)
    description = fields.get("repositoryDescription", "")
    made = Repository(account, region, name, str(uuid.uuid4()), description, time.time(), git)
    _repositories[account, region, name] = made
    return {"repositoryMetadata": _metadata(made)}


def get_repository(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    """GetRepository."""
    return {"repositoryMetadata": _metadata(find(account, region, fields["repositoryName"]))}


def get_branch(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    """GetBranch."""
    repository, branch = find(account, region, fields["repositoryName"]), fields["branchName"]
    try:
        return {"branch": {"branchName": branch, "commitId": repository.git.resolve(f"refs/heads/{branch}")}}
    except NoSuchObject:
        raise ApiError("BranchDoesNotExistException", f"Branch {branch} does not exist") from None


def get_commit(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    """GetCommit; takes a full id only."""
    repository, wanted = find(account, region, fields["repositoryName"]), fields["commitId"]
    try:
        found = repository.git.commit(wanted)
    except NoSuchObject:
        found = None
    if found is None or found.commit_id != wanted:
        raise ApiError("CommitIdDoesNotExistException", f"The commit {wanted} does not exist")
    people = {
        role: dict(zip(("name", "email", "date"), person, strict=True))
        for role, person in (("author", found.author), ("committer", found.committer))
    }
    told = {"commitId": wanted, "treeId": found.tree, "parents": list(found.parents), "message": found.message}
    return {"commit": {**told, **people, "additionalData": ""}}


def get_differences(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    """GetDifferences, page by page; the token is how many were given out."""
    git = find(account, region, fields["repositoryName"]).git
    before = _commit(git, fields["beforeCommitSpecifier"]) if fields.get("beforeCommitSpecifier") else ""
    all_of_them = list(git.differences(before, _commit(git, fields["afterCommitSpecifier"])))
    try:
        start = int(fields.get("NextToken") or 0)
    except ValueError:
        raise ApiError("InvalidContinuationTokenException", "The token is not valid") from None
    end = start + int(fields.get("MaxResults") or PAGE)
    answer: dict[str, Any] = {"differences": [_difference(one) for one in all_of_them[start:end]]}
    return {**answer, **({"NextToken": str(end)} if end < len(all_of_them) else {})}


def get_blob(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    """GetBlob."""
    git = find(account, region, fields["repositoryName"]).git
    try:
        return {"content": _content(git.blob(fields["blobId"]))}
    except NoSuchObject:
        raise ApiError("BlobIdDoesNotExistException", f"The blob {fields['blobId']} does not exist") from None


def get_file(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    """GetFile; of the branch main where no commit is named."""
    git = find(account, region, fields["repositoryName"]).git
    commit, path = _commit(git, fields.get("commitSpecifier") or "main"), fields["filePath"].lstrip("/")
    entry = next((one for one in git.files(commit) if one.path == path), None)
    if entry is None or entry.mode == SUBMODULE:
        raise ApiError("FileDoesNotExistException", f"The file {path} does not exist in the commit {commit}")
    data = git.blob(entry.blob)
    told = {"commitId": commit, "blobId": entry.blob, "filePath": path, "fileMode": _MODES[entry.mode]}
    return {**told, "fileSize": len(data), "fileContent": _content(data)}


ACTIONS: dict[str, Callable[[str, str, dict[str, Any]], dict[str, Any]]] = {
    "CreateRepository": create_repository,
    "GetRepository": get_repository,
    "GetBranch": get_branch,
    "GetCommit": get_commit,
    "GetDifferences": get_differences,
    "GetBlob": get_blob,
    "GetFile": get_file,
}
"""Actions that are answered here; no other is."""

_MODES = {"100644": "NORMAL", "100755": "EXECUTABLE", LINK: "SYMLINK"}


def _metadata(repository: Repository) -> dict[str, Any]:
    branches = repository.git.branches()
    return {
        "accountId": repository.account,
        "repositoryId": repository.identity,
        "repositoryName": repository.name,
        "repositoryDescription": repository.description,
        "creationDate": repository.created,
        "lastModifiedDate": repository.created,
        "cloneUrlHttp": f"https://git-codecommit.{repository.region}.amazonaws.com/v1/repos/{repository.name}",
        "cloneUrlSsh": f"ssh://git-codecommit.{repository.region}.amazonaws.com/v1/repos/{repository.name}",
        "Arn": repository.arn,
        **({"defaultBranch": "main" if "main" in branches else branches[0]} if branches else {}),
    }


def _commit(git: GitRepository, specifier: str) -> str:
    try:
        return git.resolve(specifier)
    except NoSuchObject:
        raise ApiError("CommitDoesNotExistException", f"The commit {specifier} does not exist") from None


def _difference(one: Difference) -> dict[str, Any]:
    kind = "M" if one.before and one.after else "A" if one.after else "D"
    blobs = {"beforeBlob": _blob(one.before), "afterBlob": _blob(one.after)}
    return {"changeType": kind, **{name: blob for name, blob in blobs.items() if blob}}


def _blob(entry: Entry | None) -> dict[str, str]:
    return {"blobId": entry.blob, "path": entry.path, "mode": entry.mode} if entry else {}


def _content(data: bytes) -> str:
    if len(data) > MAX_FILE:
        raise ApiError("FileTooLargeException", f"The file has {len(data)} bytes, {MAX_FILE} are allowed")
    return base64.b64encode(data).decode()
