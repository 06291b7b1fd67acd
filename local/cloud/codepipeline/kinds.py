"""The kinds of actions that run here, and what each takes.

Numbers of artifacts and configuration keys: "Number of input and output artifacts for each action type" and the action
references of the AWS CodePipeline User Guide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from local.cloud.codepipeline import approvals, deliveries, deployments, sources
from local.cloud.codepipeline.task import Result, Task


@dataclass(frozen=True)
class Kind:
    """One kind of action."""

    work: Callable[[Task], Result]
    inputs: tuple[int, int]
    """At least and at most so many input artifacts."""
    outputs: tuple[int, int]
    required: frozenset[str]
    """Configuration keys that it needs."""
    optional: frozenset[str] = frozenset()


KINDS: dict[tuple[str, str], Kind] = {
    ("Source", "S3"): Kind(
        sources.from_s3,
        (0, 0),
        (1, 1),
        frozenset({"S3Bucket", "S3ObjectKey"}),
        frozenset({"PollForSourceChanges", "AllowOverrideForS3ObjectKey"}),
    ),
    ("Source", "CodeStarSourceConnection"): Kind(
        sources.from_connection,
        (0, 0),
        (1, 1),
        frozenset({"ConnectionArn", "FullRepositoryId", "BranchName"}),
        frozenset({"OutputArtifactFormat", "DetectChanges"}),
    ),
    ("Deploy", "S3"): Kind(
        deliveries.to_s3,
        (1, 1),
        (0, 0),
        frozenset({"BucketName", "Extract"}),
        frozenset({"ObjectKey", "KMSEncryptionKeyARN"}),
    ),
    ("Deploy", "CloudFormation"): Kind(
        deployments.cloudformation,
        (0, 10),
        (0, 1),
        frozenset({"ActionMode", "StackName"}),
        frozenset(
            {
                *("ChangeSetName", "RoleArn", "TemplatePath", "TemplateConfiguration", "ParameterOverrides"),
                *("Capabilities", "OutputFileName"),
            }
        ),
    ),
    ("Approval", "Manual"): Kind(
        approvals.manual,
        (0, 0),
        (0, 0),
        frozenset(),
        frozenset({"NotificationArn", "ExternalEntityLink", "CustomData"}),
    ),
}
"""Category and provider → kind."""
