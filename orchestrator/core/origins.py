"""What started a release: the upload, commit, approval or call, as the records keep it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.people import UNKNOWN, Identity, IdentityKind

MAX_ADDRESS = 254
"""Characters of an e-mail address (RFC 5321, section 4.5.3.1.3)."""


class SourceKind(StrEnum):
    """What started a release."""

    S3 = "s3"
    """A configuration file in the assets bucket."""
    ASSET = "asset"
    """Another object there, which the workload's configuration names."""
    COMMIT = "commit"
    """A configuration file in a Git repository."""
    REGISTRY = "registry"
    """A version of a model package that was approved."""
    API = "api"
    SLACK = "slack"


@dataclass(frozen=True)
class Source:
    """What started a release: an S3 object version, a file of a commit, a model package, or a request with its token.

    Of a commit, ``bucket`` is the repository, ``key`` the path in it, ``version_id`` the commit, and ``request`` tells
    one push of it from another. Of a model package, ``key`` is the ARN of the version, and ``request`` tells one
    approval of it from another.
    """

    kind: SourceKind
    bucket: str = ""
    key: str = ""
    version_id: str = ""
    request: str = ""

    @property
    def thing(self) -> str:
        """What came, in a word or two: that is what is refused where nothing of it can be released."""
        match self.kind:
            case SourceKind.ASSET:
                return "file"
            case SourceKind.REGISTRY:
                return "model package"
            case SourceKind.COMMIT if not self.key:
                return "commit"
            case _:
                return "configuration"

    def __str__(self) -> str:
        if self.kind is SourceKind.COMMIT:
            return f"{self.key or 'the repository'} in {self.bucket} at commit {self.version_id}"
        if self.kind is SourceKind.REGISTRY:
            return f"model package {self.key}"
        if self.bucket:
            place = f"s3://{self.bucket}/{self.key} (version {self.version_id})"
            return f"{place}, asked for in Slack" if self.kind is SourceKind.SLACK else place
        if self.kind is SourceKind.SLACK:
            return "the configuration of an earlier release, asked for in Slack"
        return f"{self.kind} request {self.request}"


@dataclass(frozen=True)
class Commit:
    """The commit of a Git repository that a release came from: what it says of itself, so its author is a claim."""

    repository: str
    branch: str
    commit_id: str
    author_name: str = ""
    author_email: str = ""
    message: str = ""
    """The first line."""
    url: str = ""
    """Of a page that shows the commit."""

    @property
    def short_id(self) -> str:
        """As people write it."""
        return self.commit_id[:8]

    @property
    def author(self) -> str:
        """``Name <e-mail>``, or what there is of it."""
        mail = f"<{self.author_email}>" if self.author_email else ""
        return " ".join(filter(None, (self.author_name, mail)))

    @property
    def claimed_by(self) -> Identity:
        """The author, as a claim: who asked for a release of the commit where nobody better is known, and who may be
        kept from approving it."""
        address = self.author_email.strip()[:MAX_ADDRESS]
        return Identity(IdentityKind.GIT, address, verified=False) if address else UNKNOWN
