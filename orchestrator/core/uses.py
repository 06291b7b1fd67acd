"""Who uses what: from an object or a group of model packages to the workloads whose configuration names it.

Rows are written when a release is asked for, before anything of it is pinned: whatever is uploaded from then on finds
them. Package drops what the configuration no longer names, once it is the workload's newest. A row is a hint: whoever
follows it reads the configuration and sees for himself. An upload that nobody uses costs two queries that find nothing.

Prefixes cannot be looked up by the key of an object below them, so all of an installation stand in one partition; they
are as many as there are workloads that read folders.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from orchestrator.core.deliveries import LatestRequest
from orchestrator.core.model_cards import EXPORTS
from orchestrator.core.model_versions import group_of
from orchestrator.core.ports import Store
from orchestrator.core.upsert import insert_once, upsert

if TYPE_CHECKING:  # the table knows every record, and most functions never check a configuration
    from orchestrator.core.config import Checked

OWN_WRITES = (f"{EXPORTS}/",)
"""Prefixes that the product itself, or SageMaker for it, writes in the assets bucket."""


class UseKind(StrEnum):
    """What a configuration can name."""

    ASSET = "asset"
    PREFIX = "prefix"
    """Of keys, in front of everything that is read below it."""
    MODELS = "model-package-group"


@dataclass(frozen=True)
class Thing:
    """Something that configurations name."""

    kind: UseKind
    name: str
    """Key or prefix in the assets bucket, or name of the group."""

    @property
    def partition(self) -> str:
        """Where its users stand in the table."""
        if self.kind is UseKind.PREFIX:
            return f"USE#{self.kind}"
        return f"USE#{self.kind}#{hashlib.sha256(self.name.encode()).hexdigest()}"


@dataclass(frozen=True)
class Use:
    """One workload's configuration names one thing."""

    KIND: ClassVar[str] = "use"
    thing: Thing
    workload: str

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        name = hashlib.sha256(self.thing.name.encode()).hexdigest()[:16]
        return self.thing.partition, f"WORKLOAD#{self.workload}#{name}"

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None


@dataclass(frozen=True)
class UsesOf:
    """Everything that stands in the index for one workload, and perhaps more: what was begun and not ended."""

    KIND: ClassVar[str] = "uses-of"
    workload: str
    things: tuple[Thing, ...] = ()
    settled_by: str = ""
    """The release whose configuration decided what stands here last."""
    settled_at: str = ""
    """That release's rank."""

    @property
    def order(self) -> tuple[str, str]:
        """Of that release."""
        return self.settled_at, self.settled_by

    def key(self) -> tuple[str, str]:
        """See ``Record``."""
        return f"WORKLOAD#{self.workload}", "USES"

    def listing(self) -> tuple[str, str] | None:
        """See ``Record``."""
        return None


def named_by(checked: Checked) -> tuple[Thing, ...]:
    """What a configuration names, wherever in it: models, samples, metrics, data."""
    return tuple(dict.fromkeys(_things(checked)))


def _things(checked: Checked) -> Iterator[Thing]:
    for asset in checked.assets:
        if not asset.key.endswith("/"):
            yield Thing(UseKind.ASSET, asset.key)
        if asset.or_prefix:
            yield Thing(UseKind.PREFIX, asset.key)
    for arn in checked.model_packages:
        if group := group_of(arn):
            yield Thing(UseKind.MODELS, group)


def latest_request(store: Store, workload: str) -> LatestRequest | None:
    """The newest release that was asked for of a workload; None where none ever was."""
    return store.get(LatestRequest, LatestRequest(workload, "", "").key())


def add_uses(store: Store, workload: str, things: Iterable[Thing]) -> None:
    """Enter what a release that was just asked for names; what stands already stays."""
    wanted = tuple(things)
    if not wanted:
        return
    fresh = UsesOf(workload)
    upsert(store, replace(fresh, things=wanted), lambda known: replace(known, things=_union(known.things, wanted)))
    for thing in wanted:
        insert_once(store, Use(thing, workload))


def settled(store: Store, workload: str, release_id: str) -> bool:
    """Whether the index says what this release's configuration does."""
    known = store.get(UsesOf, UsesOf(workload).key())
    return known is not None and known.settled_by == release_id


def settle_uses(store: Store, workload: str, order: tuple[str, str], things: Iterable[Thing]) -> None:
    """Drop what the newest configuration no longer names, that of the release with this ``Release.order``; nothing
    where that of a newer one has decided, or is about to."""
    wanted = tuple(things)
    add_uses(store, workload, wanted)
    key = UsesOf(workload).key()
    known = store.get(UsesOf, key)
    latest = latest_request(store, workload)
    if known is None or known.order > order or (latest is not None and latest.order > order):
        return
    dropped = tuple(thing for thing in known.things if thing not in wanted)
    for thing in dropped:
        store.delete(Use(thing, workload))

    def settle(current: UsesOf) -> UsesOf:
        if current.order > order:
            return current
        things = tuple(thing for thing in current.things if thing not in dropped)
        return replace(current, things=things, settled_at=order[0], settled_by=order[1])

    store.update(UsesOf, key, settle)


def forget_uses(store: Store, workload: str, order: tuple[str, str]) -> None:
    """The workload is removed, by the release with this ``Release.order``: nothing is released of it by an upload any
    more, unless a configuration was asked for since. That one's Package settles the index, and after this anew."""
    key = UsesOf(workload).key()
    known = store.get(UsesOf, key)
    latest = latest_request(store, workload)
    if known is None or (latest is not None and latest.order > order):
        return
    for thing in known.things:
        store.delete(Use(thing, workload))
    store.update(UsesOf, key, lambda current: replace(current, settled_by="", settled_at=""))


def users_of_object(store: Store, key: str) -> tuple[str, ...]:
    """Workloads that use this object of the assets bucket, by itself or below a prefix."""
    exact = store.under(Use, Thing(UseKind.ASSET, key).partition)
    below = store.under(Use, Thing(UseKind.PREFIX, "").partition)
    found = [*exact, *(use for use in below if key.startswith(use.thing.name))]
    return tuple(sorted({use.workload for use in found}))


def users_of_key(key: str, store: Store) -> tuple[str, ...]:
    """Workloads that use the object; none for our own writes, and for the empty objects that show a folder."""
    if key.endswith("/") or key.startswith(OWN_WRITES):
        return ()
    return users_of_object(store, key)


def users_of_group(store: Store, group: str) -> tuple[str, ...]:
    """Workloads whose configuration names a group of model packages, or a version of it."""
    return tuple(sorted({use.workload for use in store.under(Use, Thing(UseKind.MODELS, group).partition)}))


def _union(known: tuple[Thing, ...], more: tuple[Thing, ...]) -> tuple[Thing, ...]:
    return tuple(dict.fromkeys((*known, *more)))
