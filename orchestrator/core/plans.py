"""A change set, or the deletion of a stack, described so that a human can judge it, as the records keep it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ParameterChange:
    """One template parameter before and after; ``before`` is None for a new one, ``after`` None for a dropped one."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class ResourceChange:
    """One resource of a change set."""

    action: str
    """add, modify, remove, replace, or maybe_replace where CloudFormation cannot tell before it deploys."""
    logical_id: str
    resource_type: str
    properties: tuple[str, ...] = ()
    """Names of the changed properties, for modify and replace."""


@dataclass(frozen=True)
class Plan:
    """A change set, or the deletion of a stack, described so that a human can judge it."""

    change_set_arn: str
    """Empty for a deletion."""
    stack_id: str
    stack_name: str
    digest: str
    """What an approval is bound to: SHA-256 over change-set ARN, template, parameters and content digest, or over what
    is deleted."""
    creates_stack: bool
    empty: bool
    resources: tuple[ResourceChange, ...]
    parameters: tuple[ParameterChange, ...]
    base: str = ""
    """The stack's last update when the plan was made (ISO 8601); a different one later means the stack moved."""
    removes: bool = False
    """Whether it deletes the stack: there is no change set then, and the resources are all that the stack has."""
