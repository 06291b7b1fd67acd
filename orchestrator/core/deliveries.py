"""What the table remembers of deliveries, so that an event which comes twice or late does nothing twice or backwards.

Records like those of ``records.py``, which has their rules.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Claim:
    """One delivery, claimed once: the conditional insert of this row is what makes ten deliveries one release."""

    KIND: ClassVar[str] = "claim"
    delivery: str
    claimed_at: str
    expires_at: int
    """Epoch seconds; the table's time to live."""
    releases: tuple[str, ...] = ()

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"CLAIM#{self.delivery}", "CLAIM"

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None


@dataclass(frozen=True)
class LatestUpload:
    """The newest version of one object whose event has arrived: S3 delivers events in any order."""

    KIND: ClassVar[str] = "upload"
    bucket: str
    object_key: str
    version_id: str
    sequencer: str
    asked_at: str = ""
    """When it counts as asked for: always later than an older version, whatever the clocks of two functions say."""

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"UPLOAD#{self.bucket}/{self.object_key}", "UPLOAD"

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None

    def is_newer_than(self, sequencer: str) -> bool:
        """Compare sequencers as S3 defines them: the shorter is padded on the left, then they compare as text.

        Source: "Event message structure" of the Amazon S3 User Guide.
        """
        digits = max(len(self.sequencer), len(sequencer))
        return self.sequencer.rjust(digits, "0").upper() > sequencer.rjust(digits, "0").upper()


@dataclass(frozen=True)
class DeliveredTree:
    """The configurations of the newest commit that a connection has delivered of a repository.

    A commit comes as a whole archive: what it has changed is what differs from here.
    """

    KIND: ClassVar[str] = "tree"
    repository: str
    """What the installation calls it."""
    execution_id: str
    """Of the delivery."""
    commit_id: str
    started_at: str
    """When the delivery began: of two, the later one has the newer commit."""
    files: tuple[tuple[str, str], ...] = ()
    """Path and SHA-256 of each."""

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"TREE#{self.repository}", "TREE"

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None


@dataclass(frozen=True)
class LatestPush:
    """The push of one file of a repository that was received last: two pushes within a second bear the same time."""

    KIND: ClassVar[str] = "push"
    repository: str
    path: str
    request: str
    """What tells it from other pushes, see ``Source.request``."""
    asked_at: str
    """When it counts as asked for: always later than the push that was received before it."""

    def key(self) -> tuple[str, str]:
        """See ``Record``. A path in a repository may be longer than a key of the table."""
        return f"PUSH#{self.repository}/{hashlib.sha256(self.path.encode()).hexdigest()}", "PUSH"

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None


@dataclass(frozen=True)
class LatestRequest:
    """The newest release that was asked for of one workload: its configuration is the one in force, long before the
    release is packaged."""

    KIND: ClassVar[str] = "request"
    workload: str
    release_id: str
    rank: str
    """The release's, see ``Release.order``."""
    base: str = ""
    """The release whose configuration it has, where it brings none of its own. It takes its rank before it stands in
    the table, and may never come to stand there; then the next one goes on from here."""
    pins: tuple[tuple[str, str], ...] = ()
    """See ``Release.pins``."""

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"WORKLOAD#{self.workload}", "REQUEST"

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None

    @property
    def order(self) -> tuple[str, str]:
        """As releases of a workload follow each other."""
        return self.rank, self.release_id


@dataclass(frozen=True)
class LatestApproval:
    """The version of one model package group that was approved last: SageMaker's events come in any order."""

    KIND: ClassVar[str] = "approval-of-group"
    group: str
    """ARN."""
    arn: str
    """Of the version; empty once it is not approved any more."""
    approved_at: str
    """When the event of its approval happened, and when the version was changed last: as text they compare."""

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"MODELS#{self.group}", "APPROVAL"

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None


@dataclass(frozen=True)
class Unfinished:
    """A release that was recorded and may not have ended: what is still to be looked after, however old it is."""

    KIND: ClassVar[str] = "unfinished"
    release_id: str
    noted_at: str

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"RELEASE#{self.release_id}", "UNFINISHED"

    def listing(self) -> tuple[str, str] | None:
        """The oldest first."""
        return "UNFINISHED", f"{self.noted_at}#{self.release_id}"


@dataclass(frozen=True)
class Assessment:
    """What was last seen of one version of a model package: SageMaker may tell of one approval many times, and of
    other changes in the same words."""

    KIND: ClassVar[str] = "assessment"
    arn: str
    approval: str
    """ModelApprovalStatus."""
    modified: str
    """When the version was changed last (ISO 8601); empty where SageMaker does not tell."""
    number: int = 1
    """Grows with every change of the approval that was seen."""

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"MODEL#{self.arn}", "ASSESSMENT"

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None
