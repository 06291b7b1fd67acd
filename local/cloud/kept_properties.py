"""Properties that the emulator's own handlers leave out without a word: a template that sets one fails here.

Nothing that a template asks for may vanish: what is not kept could not be read back, and would differ on AWS.
"""

from __future__ import annotations

from typing import Any

LEFT_OUT: dict[str, tuple[str, ...]] = {
    "AWS::CloudWatch::Alarm": (
        "ActionConfiguration",
        "EvaluateLowSampleCountPercentile",
        "EvaluationCriteria",
        "EvaluationInterval",
        "EvaluationWindow",
        "Metrics",
        "ThresholdMetricId",
        "WarmUpConfiguration",
    ),
    "AWS::ECR::Repository": ("ImageTagMutabilityExclusionFilters",),
}
"""Resource type → properties of its schema that nothing keeps."""


class NotKept(Exception):
    """A template sets what the embedded cloud would leave out; the message names it."""


def check(resource_type: str, logical_id: str, properties: dict[str, Any]) -> None:
    """Raise NotKept for the first such property."""
    for name in LEFT_OUT.get(resource_type, ()):
        if name in properties:
            raise NotKept(f"The embedded cloud does not keep {name} of {resource_type} ({logical_id}).")
