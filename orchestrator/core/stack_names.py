"""Names that derive from a workload: its stack, and the name people call it by.

Both derive from the configuration alone, so a release of the same workload always finds the same stack. Sources of the
limits: "StackName" of CloudFormation's CreateChangeSet, "EndpointName" of SageMaker's CreateEndpoint.
"""

from __future__ import annotations

import hashlib
import re

STACK_PREFIX = "mlops-pipeline-"
MAX_STACK_NAME = 128
STACK_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*")

MAX_WORKLOAD_NAME = 63
WORKLOAD_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")

_HASH_DIGITS = 8


def infix(name: str) -> str:
    """A model or pipeline name as it appears in the stack name: stripped and lower case, as the old product did."""
    return name.strip().lower()


def stack_name(name: str, suffix: str) -> str:
    """``mlops-pipeline-<name>-<suffix>``; may still break a rule, see ``stack_name_fault``."""
    return f"{STACK_PREFIX}{infix(name)}-{suffix}"


def fitting_stack_name(name: str, suffix: str) -> str:
    """As ``stack_name`` where that is legal; else what can stay of the name, and a hash of the whole.

    An image tag such as ``v1.0`` becomes ``mlops-pipeline-v1-0-<hash>-…``, which no tag ``v1-0`` shares.
    """
    plain = stack_name(name, suffix)
    if not stack_name_fault(plain):
        return plain
    digest = hashlib.sha256(infix(name).encode()).hexdigest()[:_HASH_DIGITS]
    room = MAX_STACK_NAME - len(f"{STACK_PREFIX}-{digest}-{suffix}")
    readable = re.sub(r"[^a-z0-9]+", "-", infix(name)).strip("-")[:room].rstrip("-")
    return f"{STACK_PREFIX}{'-'.join(filter(None, [readable, digest, suffix]))}"


def stack_name_fault(stack: str) -> str:
    """What CloudFormation would refuse about the name, as a clause; empty when nothing."""
    if not STACK_NAME.fullmatch(stack):
        bad = sorted(set(re.sub(r"[-a-zA-Z0-9]", "", stack)))
        return f"may hold letters, digits and hyphens only, not {' '.join(repr(character) for character in bad)}"
    if len(stack) > MAX_STACK_NAME:
        return f"is {len(stack)} characters long, {MAX_STACK_NAME} are allowed"
    return ""


def workload_name(name: str, suffix: str) -> str:
    """The workload's name in Slack, the CLI and the table: always matches ``WORKLOAD_NAME``.

    ``<name>-<suffix>`` where that fits. A name that is too long or starts with a digit (CloudFormation allows both
    inside a stack name) keeps its readable part and is told apart by a hash of the whole.
    """
    whole = f"{infix(name)}-{suffix}"
    if WORKLOAD_NAME.fullmatch(whole):
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:_HASH_DIGITS]
    readable = re.sub(r"[^a-z0-9-]", "-", whole).strip("-")
    if not readable[:1].isalpha():
        readable = f"w-{readable}"
    return f"{readable[: MAX_WORKLOAD_NAME - _HASH_DIGITS - 1].rstrip('-')}-{digest}"
