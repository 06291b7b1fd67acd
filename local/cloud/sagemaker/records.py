"""What SageMaker keeps of a resource: the request that made it, whole, so that Describe can give back every member.

One store for every kind. A record is found by its name whatever the case, as SageMaker's names are unique without it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from local.cloud.sagemaker import backend
from local.cloud.sagemaker.backend import ApiError

NOT_RECORDED = frozenset({"Tags", "ClientRequestToken", "ClientToken"})
"""Members of a request that are no part of the resource's description."""


@dataclass
class Record:
    """One resource."""

    kind: str
    """As in its ARN: ``pipeline``, ``data-quality-job-definition``."""
    name: str
    arn: str
    fields: dict[str, Any]
    """Members of the creating request and of later updates, by their API names."""
    tags: list[dict[str, str]] = field(default_factory=list)
    created: float = field(default_factory=time.time)
    """Seconds since 1970, as the API's JSON has times."""
    modified: float = field(default_factory=time.time)
    state: dict[str, Any] = field(default_factory=dict)
    """What SageMaker adds: statuses, versions, what a bridge remembers."""

    def update(self, fields: dict[str, Any]) -> None:
        """Take over the members of an update."""
        self.fields |= {name: value for name, value in fields.items() if name not in NOT_RECORDED}
        self.modified = time.time()

    def tag(self, tags: list[dict[str, str]]) -> None:
        """Add tags, in place of those with the same keys."""
        keys = {tag["Key"] for tag in tags}
        self.tags = [tag for tag in self.tags if tag["Key"] not in keys] + list(tags)

    def untag(self, keys: list[str]) -> None:
        """Take tags away."""
        self.tags = [tag for tag in self.tags if tag["Key"] not in keys]


_records: dict[tuple[str, str, str], dict[str, Record]] = {}
_lock = threading.RLock()


def create(
    account: str, region: str, kind: str, name: str, fields: dict[str, Any], exists: ApiError | None = None
) -> Record:
    """Keep a new resource; raises ``exists`` when there is one of that name."""
    kept = {key: value for key, value in fields.items() if key not in NOT_RECORDED}
    record = Record(kind, name, backend.arn(account, region, kind, name), kept, list(fields.get("Tags") or []))
    with _lock:
        known = _records.setdefault((account, region, kind), {})
        if name.lower() in known:
            raise exists or ApiError("ResourceInUse", f"{name} already exists.")
        known[name.lower()] = record
    return record


def find(account: str, region: str, kind: str, name: str) -> Record | None:
    """The resource of that name or ARN; None when there is none."""
    with _lock:
        return _records.get((account, region, kind), {}).get(_last(name))


def remove(account: str, region: str, kind: str, name: str) -> None:
    """Forget a resource; nothing happens when there is none."""
    with _lock:
        _records.get((account, region, kind), {}).pop(_last(name), None)


def listed(account: str, region: str, kind: str) -> list[Record]:
    """All resources of a kind, oldest first."""
    with _lock:
        return sorted(_records.get((account, region, kind), {}).values(), key=lambda record: record.created)


def by_arn(arn: str) -> Record | None:
    """The resource with an ARN, whichever account has it."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return None
    kind, _, name = parts[5].partition("/")
    return find(parts[4], parts[3], kind, name)


def everything(account: str, region: str) -> Iterable[Record]:
    """All resources of an account's region."""
    with _lock:
        return [
            record
            for (owner, where, _), known in _records.items()
            if (owner, where) == (account, region)
            for record in known.values()
        ]


def reset() -> None:
    """Forget everything."""
    with _lock:
        _records.clear()


def _last(name: str) -> str:
    """The name within an ARN; a model package's has its version in it."""
    named = name.split(":", 5)[-1].partition("/")[2] if name.startswith("arn:") else name
    return named.lower()
