"""A change set, or the deletion of a stack, described so that a human can judge it, as the records keep it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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


class Area(StrEnum):
    """What kind of access a plan opens."""

    IAM = "iam"
    NETWORK = "network"
    ENCRYPTION = "encryption"


class Reach(StrEnum):
    """How a plan changes an access."""

    WIDENS = "widens"
    MAY_WIDEN = "may_widen"
    """Neither that it does nor that it does not can be told before it is deployed."""
    MOVES = "moves"
    """One object may be reached in the place of another one of the same bucket."""
    GRANTS = "grants"
    """There was nothing before: the stack is new."""


@dataclass(frozen=True)
class AccessChange:
    """An access that a plan opens or opens further, see ``core.access``; what narrows one is none."""

    area: Area
    reach: Reach
    logical_id: str
    resource_type: str
    told: str
    """What may be done from then on, or what no longer holds it back; goes on after the resource and a colon."""


STALE = "The stack changed after the plan was made; it is planned anew."
"""What is noted of a plan that would no longer do what was shown, and told CodePipeline where it has made it."""


@dataclass(frozen=True)
class PackageVersion:
    """The object version that an execution of a CodePipeline deploys."""

    key: str
    version_id: str


@dataclass(frozen=True)
class ArtifactStore:
    """Where pipelines hand packages on from stage to stage; empty where no CodePipeline deploys."""

    bucket: str
    key_arn: str


@dataclass(frozen=True)
class PipelineStage:
    """One stage of one execution of a pipeline."""

    pipeline: str
    """The pipeline's name; it is of the orchestrator's own account."""
    execution_id: str
    stage: str
    """As the pipeline calls it, such as ``DeployStaging``."""

    @property
    def subject(self) -> str:
        """What a wait for the execution is kept under."""
        return execution_subject(self.pipeline, self.execution_id)


def execution_subject(pipeline: str, execution_id: str) -> str:
    """See ``PipelineStage.subject``; a pipeline's name is unique in the orchestrator's account."""
    return f"codepipeline:{pipeline}/{execution_id}"


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
    access: tuple[AccessChange, ...] = ()
    """Everything by which it opens an access, the gravest first; what the digest binds too."""
    pipeline: PipelineStage | None = None
    """The CodePipeline that has made its change set and executes it; None where we do so ourselves."""


_WORDS = {Reach.WIDENS: "widens", Reach.MAY_WIDEN: "may widen", Reach.MOVES: "moves", Reach.GRANTS: "grants"}
_AREAS = {Area.IAM: "IAM access", Area.NETWORK: "network access", Area.ENCRYPTION: "encryption"}


def access_title(reach: Reach, area: Area) -> str:
    """``widens IAM access``; encryption is not widened but weakened."""
    if area is Area.ENCRYPTION:
        return "may weaken encryption" if reach is Reach.MAY_WIDEN else "weakens encryption"
    return f"{_WORDS[reach]} {_AREAS[area]}"


def access_sentence(change: AccessChange) -> str:
    """``widens IAM access: Role (AWS::IAM::Role): may s3:* on anything``, as it stands in lists of plain text."""
    named = f"{change.logical_id} ({change.resource_type})" if change.resource_type else change.logical_id
    return f"{access_title(change.reach, change.area)}: {named}: {change.told}"
