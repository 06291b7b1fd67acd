"""What one step of a stack operation on one resource needs to be allowed: the words in which the tables are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

Step = Literal["create", "update", "delete"]


@dataclass(frozen=True)
class Resource:
    """One resource of a stack, as an operation meets it."""

    type: str
    logical_id: str
    physical_id: str
    """Empty before it is made."""
    properties: dict[str, Any]
    account: str
    region: str
    stack: str

    def name(self, property_name: str) -> str:
        """Its name; before it is made a name as CloudFormation would make it up."""
        return str(self.properties.get(property_name) or self.physical_id or f"{self.stack}-{self.logical_id}-X1Y2Z3")

    @property
    def tagged(self) -> bool:
        """Whether it has tags beside CloudFormation's own, which need no permission."""
        tags = self.properties.get("Tags") or []
        return any(not str(tag.get("Key", "")).startswith("aws:") for tag in tags if isinstance(tag, dict))


@dataclass(frozen=True)
class Need:
    """One permission."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()
    """Condition keys in lower case."""


Needs = Callable[[Resource, Step], Iterator[Need]]


def passing(role: Any, service: str) -> Iterator[Need]:
    """To hand a role to a service."""
    if isinstance(role, str) and role:
        yield Need("iam:PassRole", role, (("iam:passedtoservice", service),))
