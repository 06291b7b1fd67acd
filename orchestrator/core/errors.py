"""Every error the product raises on purpose, in one tree.

::

    OrchestratorError
    ├── Refused                    told to the person who asked; nothing was changed
    │   ├── BadConfiguration       the configuration has problems; carries all of them (core/problems.py)
    │   ├── BadRequest             the request itself has the wrong shape
    │   ├── NotAllowed             this person may not do that; says why
    │   ├── UnknownRelease         no release has this id
    │   ├── UnknownWorkload        no workload has this name, or it has been removed
    │   ├── BodyTooLarge           the body of a call has more bytes than a configuration may have
    │   ├── UnknownModelCard       no model card has this name, or not this version
    │   └── UnversionedObject      the object has no version; the bucket must be versioned
    ├── StepFailed                 the release ends Failed; the message is shown in Slack and in the e-mail
    │   ├── SourceGone             the configuration or an asset was deleted before it was packaged
    │   ├── PackageDamaged         a package does not match its manifest
    │   ├── TurnLost               another release of the workload has its turn by now, or this one has ended
    │   ├── PlanFailed             CloudFormation refused the change set
    │   ├── PlanKeepsMoving        the stage changed under three plans in a row
    │   ├── PipelineFailed         the workload's CodePipeline could not be made or changed
    │   ├── ApprovedOutside        a stage was approved in CodePipeline before anybody was asked
    │   ├── ModelWithdrawn         the Model Registry no longer approves a version that the release deploys
    │   ├── GatesFailed            the model's figures break a quality gate of the stage
    │   ├── DeploymentFailed       CloudFormation rolled the stage back; carries its reason
    │   ├── RemovalFailed          CloudFormation could not delete the stack; carries its reason
    │   ├── JobFailed              the job of the release did not complete
    │   ├── VerificationFailed     the deployed workload did not pass its check
    │   ├── AccessDenied           IAM refused a call; names the role and the action
    │   └── CallRefused            an AWS service refused a call for another reason; carries its words
    ├── TryAgain                   the state machine retries the step
    │   ├── ChangeSetPending       the change set is still being made
    │   ├── WorkloadBusy           another release of the workload is deploying
    │   ├── StackBusy              the stack has an operation of somebody else in progress
    │   ├── Throttled              an AWS service asked for a slower pace, or was not there for a moment
    │   └── ChatUnavailable        Slack did not take a message; the notice is repeated
    │       └── ChatPutOff         Slack may not be called before a moment; nothing was sent
    ├── ChatRefused                Slack will never take this message as it is; carries Slack's error code
    └── Conflict                   a conditional write lost its race; read again and decide anew

Lambda reports the class name as ``errorType``, so the state machines name these classes in ``ErrorEquals``.
"""

from __future__ import annotations


class OrchestratorError(Exception):
    """Root of the tree; never raised itself."""


class Refused(OrchestratorError):
    """The request is refused before anything changes; the message is for the person who asked."""


class BadRequest(Refused):
    """The request has the wrong shape; the message names the place and what would be right."""


class NotAllowed(Refused):
    """This person may not do that; the message says why."""


class UnknownRelease(Refused):
    """No release has this id."""


class UnknownWorkload(Refused):
    """No workload has this name, or it has been removed."""


class BodyTooLarge(Refused):
    """The body of a call has more bytes than a configuration may have."""


class UnknownModelCard(Refused):
    """No model card of the account and region has this name, or it has no such version."""


class UnversionedObject(Refused):
    """An S3 event or object without a version id: which bytes were meant cannot be known."""


class StepFailed(OrchestratorError):
    """The release ends Failed with this message."""


class SourceGone(StepFailed):
    """An object version that the release refers to no longer exists."""


class PackageDamaged(StepFailed):
    """A package's bytes do not match its manifest."""


class TurnLost(StepFailed):
    """The release no longer has the workload's turn, or has ended: whatever its late step still wants is not done."""


class PlanFailed(StepFailed):
    """CloudFormation could not make the change set."""


class ModelWithdrawn(StepFailed):
    """A version of the Model Registry that the release deploys has been rejected, or deleted, since it was packaged."""


class GatesFailed(StepFailed):
    """Quality gates stop the release before a stage; the message names each with figure and limit."""


class PlanKeepsMoving(StepFailed):
    """Three plans of one stage in a row were overtaken by other changes of its stack."""


class PipelineFailed(StepFailed):
    """CloudFormation could not make or change the workload's CodePipeline; the message is its own reason."""


class ApprovedOutside(StepFailed):
    """Somebody has answered the approval of a stage in CodePipeline before anybody was asked; the message says who."""


class DeploymentFailed(StepFailed):
    """CloudFormation did not reach the planned state; the message is its own reason."""


class RemovalFailed(StepFailed):
    """CloudFormation could not delete a stack; the message is its own reason, with the resource that stays."""


class JobFailed(StepFailed):
    """The job that the release runs did not complete."""


class VerificationFailed(StepFailed):
    """The deployed workload did not answer as its configuration demands."""


class AccessDenied(StepFailed):
    """IAM refused a call; the message names the role and the action."""


class CallRefused(StepFailed):
    """An AWS service refused a call for a reason of its own; the message names service and operation, in its words."""


class TryAgain(OrchestratorError):
    """Nothing is wrong yet; the state machine tries the step again."""


class ChangeSetPending(TryAgain):
    """CloudFormation is still making the change set."""


class WorkloadBusy(TryAgain):
    """Another release of the same workload is deploying; this one waits its turn."""


class StackBusy(TryAgain):
    """The stack has an operation in progress that is not this release's."""


class Throttled(TryAgain):
    """An AWS service throttled a call, was out of order or out of reach, beyond the SDK's own retries."""


class ChatUnavailable(TryAgain):
    """Slack did not take a call (outage, time-out, slower pace asked for); whether it had an effect is not known."""


class ChatPutOff(ChatUnavailable):
    """Slack was not called, or took nothing: it has asked for a pause of ``seconds``, or was out of reach just now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"Slack may not be called for another {seconds:.0f} s")


class ChatRefused(OrchestratorError):
    """Slack refused a call for good; ``code`` is its own error code, such as ``not_in_channel``."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"Slack refused the message: {code}")


class Conflict(OrchestratorError):
    """A conditional write lost its race."""
