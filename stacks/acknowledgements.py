"""Findings of cdk-nag that are left as they are, each with its reason, said where the thing is made.

A test allows ten at most. Findings about wildcards in IAM policies are not among them: each stands on the reviewed
list of ``tests/stacks/wildcards.py``.
"""

from __future__ import annotations

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct

PACK = "AwsSolutions"


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Leave a finding of the pack AwsSolutions on this construct, and on those below it."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{PACK}::{rule}", reason=reason))
