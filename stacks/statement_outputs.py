"""Policy statements that the owner of a thing adds to its policy, given out as JSON by an output of the stack."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aws_cdk import CfnOutput, Stack

from stacks.stage_reads import Statement


def statements_output(stack: Stack, name: str, statements: Sequence[Statement], description: str) -> None:
    """One output, a JSON list; none where there is nothing to add."""
    if statements:
        CfnOutput(stack, name, value=json.dumps(list(statements)), description=description)
