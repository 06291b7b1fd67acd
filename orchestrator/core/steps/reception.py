"""What the way in of releases works with: collaborators that are made when they are first asked for, and places.

An upload of a configuration needs the workload types, and no SageMaker; a removal needs neither; a form in Slack wants
to know one bucket. Making a client takes some 65 ms and reading the types 40, so each pays for what it uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from orchestrator.core.installation import Installation
from orchestrator.core.ports import Clock, ModelRegistry, Objects, Store, Tasks
from orchestrator.core.steps.executions import Machines

if TYPE_CHECKING:  # reads configurations, which most ways in do later, if at all
    from orchestrator.core.model_cards.ports import ModelCards
    from orchestrator.core.workloads import Catalogue


class Collaborators(Protocol):
    """Whoever has them makes them when they are asked for (``orchestrator.aws.world.World``)."""

    @property
    def store(self) -> Store:
        """The table."""
        ...

    @property
    def objects(self) -> Objects:
        """The buckets."""
        ...

    @property
    def tasks(self) -> Tasks:
        """The state machines."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """The workload types."""
        ...

    @property
    def installation(self) -> Installation:
        """The settings."""
        ...

    @property
    def registry(self) -> ModelRegistry:
        """The Model Registry."""
        ...

    @property
    def cards(self) -> ModelCards:
        """SageMaker's model cards."""
        ...

    @property
    def now(self) -> Clock:
        """The time."""
        ...


@dataclass(frozen=True)
class Places:
    """Where releases come from and go to."""

    assets_bucket: str
    """Where people upload to."""
    packages_bucket: str
    machines: Machines


@dataclass(frozen=True)
class Reception:
    """The collaborators of the way in, for one request."""

    world: Collaborators
    places: Places

    @property
    def store(self) -> Store:
        """The table."""
        return self.world.store

    @property
    def objects(self) -> Objects:
        """The buckets."""
        return self.world.objects

    @property
    def tasks(self) -> Tasks:
        """The state machines."""
        return self.world.tasks

    @property
    def catalogue(self) -> Catalogue:
        """The workload types."""
        return self.world.catalogue

    @cached_property
    def installation(self) -> Installation:
        """The settings, the same ones throughout the request."""
        return self.world.installation

    @property
    def cards(self) -> ModelCards:
        """SageMaker's model cards."""
        return self.world.cards

    @property
    def now(self) -> Clock:
        """The time."""
        return self.world.now

    @property
    def assets_bucket(self) -> str:
        """Where people upload to."""
        return self.places.assets_bucket

    @property
    def packages_bucket(self) -> str:
        """Where requests and packages are kept."""
        return self.places.packages_bucket

    def registry(self) -> ModelRegistry:
        """The Model Registry; a call, as ``registered.Registry`` wants it."""
        return self.world.registry
