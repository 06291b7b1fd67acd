"""Whether the model packages of a release may still be deployed: the Model Registry may have changed its mind.

Package resolves and pins a version; days may lie between that and the last stage, and a version that has been rejected
or deleted meanwhile must go nowhere it has not gone yet. Asked before people are, and again before a plan is executed.
"""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.core.errors import ModelWithdrawn
from orchestrator.core.ports import ModelRegistry
from orchestrator.core.steps.released import ReleasedPackage

APPROVED = "Approved"
"""ModelApprovalStatus of a version that may be deployed (DescribeModelPackage)."""

Registry = Callable[[], ModelRegistry]
"""The registry, made when it is first needed: most releases have nothing in it."""


def check_models(package: ReleasedPackage, registry: Registry) -> None:
    """Raise ``ModelWithdrawn`` where a version of the package is approved no more."""
    for arn in package.model_packages:
        version = registry().version(arn)
        if version is None:
            raise ModelWithdrawn(f"{arn} is no longer in the Model Registry")
        if version.approval != APPROVED:
            standing = version.approval or "without an approval status"
            raise ModelWithdrawn(
                f"{arn} is {standing} in the Model Registry now, and was {APPROVED} when it was packaged"
            )
