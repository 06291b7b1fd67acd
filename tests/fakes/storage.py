"""The table and the buckets in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from orchestrator.core.errors import Conflict, SourceGone
from orchestrator.core.ledger.changes import Change
from orchestrator.core.ports import MOST_LISTED, ObjectVersion, StoredVersion
from orchestrator.core.records import Record

R = TypeVar("R", bound=Record)

ATTEMPTS = 20
"""Lost races before ``update`` gives up."""


class MemoryStore:
    """``ports.Store`` in a dict."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Record] = {}
        self.before_write: Callable[[], object] | None = None
        """Slips a rival's write between read and write of the next update."""
        self.before_write_of: dict[type[Record], Callable[[], object]] = {}
        """Likewise, for the next update of a record of this kind."""
        self.written: list[Record] = []
        """Every record in the order of its writing."""
        self.changes: list[Change] = []
        """Every change in this order, as the table's stream tells them."""
        self.revisions: dict[tuple[str, str], int] = {}

    def get(self, cls: type[R], key: tuple[str, str]) -> R | None:
        """See ``ports.Store``."""
        row = self.rows.get(key)
        return row if isinstance(row, cls) else None

    def insert(self, record: Record) -> None:
        """See ``ports.Store``."""
        if record.key() in self.rows:
            raise Conflict(f"{record.KIND} {record.key()[0]} exists")
        self._write(record)

    def update(self, cls: type[R], key: tuple[str, str], change: Callable[[R], R]) -> R:
        """See ``ports.Store``."""
        for _ in range(ATTEMPTS):
            row = self.get(cls, key)
            if row is None:
                raise KeyError(f"there is no {cls.KIND} {key[0]}")
            changed = change(row)
            if changed == row:
                return row
            rival, self.before_write = self.before_write, None
            for slipped_in in (rival, self.before_write_of.pop(cls, None)):
                if slipped_in is not None:
                    slipped_in()
            if self.rows.get(key) is not row:
                continue
            self._write(changed)
            return changed
        raise Conflict(f"{cls.KIND} {key[0]} keeps changing")

    def delete(self, record: Record) -> bool:
        """See ``ports.Store``."""
        if self.rows.get(record.key()) != record:
            return False
        self._note(record.key(), record, None)
        del self.rows[record.key()]
        return True

    def under(self, cls: type[R], partition: str) -> tuple[R, ...]:
        """See ``ports.Store``."""
        keys = sorted(key for key in self.rows if key[0] == partition)
        return tuple(row for key in keys if isinstance(row := self.rows[key], cls))

    def listed(self, cls: type[R], listing: str, *, limit: int = 100, newest_first: bool = False) -> tuple[R, ...]:
        """See ``ports.Store``."""
        found: list[tuple[str, R]] = []
        for row in self.rows.values():
            place = row.listing()
            if isinstance(row, cls) and place is not None and place[0] == listing:
                found.append((place[1], row))
        found.sort(key=lambda pair: pair[0], reverse=newest_first)
        return tuple(row for _, row in found[:limit])

    def listed_together(self, kinds: Sequence[type[Record]], listing: str, *, limit: int = 100) -> tuple[Record, ...]:
        """See ``ports.Store``."""
        found = sorted(
            (place[1], number, row)
            for number, row in enumerate(self.rows.values())
            if isinstance(row, tuple(kinds)) and (place := row.listing()) is not None and place[0] == listing
        )
        return tuple(row for _, _, row in found[:limit])

    def all(self, cls: type[R]) -> tuple[R, ...]:
        """Every record of a kind, for a test's own eyes."""
        return tuple(row for row in self.rows.values() if isinstance(row, cls))

    def _write(self, record: Record) -> None:
        self._note(record.key(), self.rows.get(record.key()), record)
        self.rows[record.key()] = record
        self.written.append(record)

    def _note(self, key: tuple[str, str], before: Record | None, after: Record | None) -> None:
        was = self.revisions.pop(key, 0)
        if after is not None:
            self.revisions[key] = was + 1
        self.changes.append(
            Change(
                key=key,
                number=f"{len(self.changes) + 1:021}",
                at="2026-03-01T12:00:00.000Z",
                before=before,
                after=after,
                revision_before=was,
                revision=self.revisions.get(key, 0),
                release_id=str(getattr(after or before, "release_id", "")),
            )
        )


@dataclass
class MemoryObjects:
    """``ports.Objects``: every write is a version; the checksum is the bytes' own."""

    versions: dict[tuple[str, str], list[tuple[str, bytes, Mapping[str, str]]]] = field(default_factory=dict)
    unversioned: set[str] = field(default_factory=set)
    """Buckets that keep no versions, for ``newest``."""

    def put(self, bucket: str, key: str, data: bytes, metadata: Mapping[str, str] | None = None) -> str:
        """Upload; the new version's id."""
        history = self.versions.setdefault((bucket, key), [])
        version = f"v{len(history) + 1}-{hashlib.sha256(key.encode()).hexdigest()[:6]}"
        history.append((version, data, metadata or {}))
        return version

    def remove(self, bucket: str, key: str) -> None:
        """Delete every version."""
        del self.versions[(bucket, key)]

    def read(self, bucket: str, key: str, version_id: str = "") -> bytes:
        """See ``ports.Objects``."""
        return self._find(bucket, key, version_id)[1]

    def describe(self, bucket: str, key: str, version_id: str = "") -> ObjectVersion:
        """See ``ports.Objects``."""
        version, data, metadata = self._find(bucket, key, version_id)
        checksum = hashlib.sha256(data).hexdigest()
        return ObjectVersion(bucket, key, version, len(data), checksum, tuple(sorted(metadata.items())))

    def copy_once(self, source: ObjectVersion, bucket: str, key: str) -> ObjectVersion:
        """See ``ports.Objects``."""
        if (bucket, key) not in self.versions:
            self.put(bucket, key, self.read(source.bucket, source.key, source.version_id))
        return self.describe(bucket, key)

    def write_once(self, bucket: str, key: str, data: bytes, content_type: str) -> ObjectVersion:
        """See ``ports.Objects``."""
        if (bucket, key) not in self.versions:
            self.put(bucket, key, data)
        elif self.read(bucket, key) != data:
            raise Conflict(f"s3://{bucket}/{key} was written before, with other bytes")
        return self.describe(bucket, key)

    def history(self, bucket: str, key: str, *, limit: int) -> Sequence[StoredVersion]:
        """See ``ports.Objects``."""
        written = reversed(self.versions.get((bucket, key), []))
        return [StoredVersion(version, "2026-03-01T12:00:00+00:00") for version, _, _ in written][:limit]

    def any_under(self, bucket: str, prefix: str) -> bool:
        """See ``ports.Objects``."""
        return any(where == bucket and key.startswith(prefix) for where, key in self.versions)

    def fingerprint(self, bucket: str, prefix: str, without: Sequence[str] = ()) -> str:
        """See ``ports.Objects``."""
        found = sorted(
            (key, hashlib.sha256(history[-1][1]).hexdigest())
            for (where, key), history in self.versions.items()
            if where == bucket and key.startswith(prefix) and not key.startswith(tuple(without))
        )
        return hashlib.sha256(repr(found[:MOST_LISTED]).encode()).hexdigest()

    def newest(self, bucket: str, key: str) -> ObjectVersion:
        """See ``ports.Objects``."""
        if bucket in self.unversioned:
            return ObjectVersion(bucket, key, "", len(self.read(bucket, key)))
        return self.describe(bucket, key)

    def part(self, bucket: str, key: str, version_id: str, first: int, length: int) -> bytes:
        """See ``ports.Objects``."""
        return self.read(bucket, key, version_id)[first : first + length]

    def template_url(self, bucket: str, key: str) -> str:
        """See ``ports.Objects``."""
        return f"https://s3.test/{bucket}/{key}"

    def at_url(self, url: str) -> bytes:
        """What stands at an URL of ``template_url``, as CloudFormation reads it."""
        bucket, _, key = url.removeprefix("https://s3.test/").partition("/")
        return self.read(bucket, key)

    def _find(self, bucket: str, key: str, version_id: str) -> tuple[str, bytes, Mapping[str, str]]:
        for version in reversed(self.versions.get((bucket, key), [])):
            if version_id in {"", version[0]}:
                return version
        raise SourceGone(f"s3://{bucket}/{key} does not exist")
