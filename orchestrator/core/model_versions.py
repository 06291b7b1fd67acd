"""Versions of the Model Registry by their ARNs: which group they belong to, and which of two is the older.

An ARN ends in ``model-package-group/<group>``, in ``model-package/<group>/<number>``, or, for a package without
versions, in ``model-package/<name>`` (API_ModelPackage of the Amazon SageMaker API Reference).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from orchestrator.core.problems import listing

_GROUP, _PACKAGE = "model-package-group", "model-package"


def group_of(arn: str) -> str:
    """Name of the group that an ARN means or belongs to; empty for a package without versions."""
    match _resource(arn):
        case [kind, group] if kind == _GROUP:
            return group
        case [kind, group, number] if kind == _PACKAGE and number.isdecimal():
            return group
        case _:
            return ""


def group_arn(arn: str) -> str:
    """ARN of that group; empty for a package without versions."""
    group = group_of(arn)
    return f"{arn.rsplit(':', 1)[0]}:{_GROUP}/{group}" if group else ""


def number_of(arn: str) -> int:
    """A version's number; 0 for what is none."""
    last = _resource(arn)[-1]
    return int(last) if len(_resource(arn)) == 3 and last.isdecimal() else 0


def downgrades(wanted: Iterable[str], live: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A sentence for each version that is older than what is live of its group; ``live`` holds ARNs by stage."""
    for arn in wanted:
        newer = {
            stage: number_of(other)
            for stage, others in live.items()
            for other in others
            if group_arn(other) == group_arn(arn) != "" and number_of(other) > number_of(arn)
        }
        for number in sorted(set(newer.values()), reverse=True):
            stages = listing([stage for stage, found in newer.items() if found == number])
            yield (
                f"This is a downgrade: it deploys version {number_of(arn)} of {group_of(arn)}, and version {number} is "
                f"live in {stages}."
            )


def _resource(arn: str) -> list[str]:
    return arn.rsplit(":", 1)[-1].split("/")
