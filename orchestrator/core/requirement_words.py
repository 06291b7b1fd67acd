"""Why an approval waits, in sentences: the same in Slack, in the API and on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.approvals import Outcome, PolicySource, Reason
from orchestrator.core.requirements import Explanation, Missing, OpenWay, Requirement

NAMES = 12
"""People named in one place; a role can have hundreds."""

_WHOSE = {
    PolicySource.INSTALLATION: "The installation's rules",
    PolicySource.CONFIGURATION: "The configuration's own rules",
}
_WHY_NOT = {
    Reason.IS_THE_REQUESTER: "asked for this release",
    Reason.IS_THE_AUTHOR: "wrote its commit",
}


def sentences(found: Explanation) -> list[str]:
    """What is missing, whoever may not give it, and whether it can be had at all."""
    match found.decision.outcome:
        case Outcome.APPROVED:
            return ["Nothing more is needed."]
        case Outcome.REJECTED:
            return ["An approver has rejected it."]
        case Outcome.WAIT:
            told = [_requirement(one) for one in found.requirements]
    if any(way.one_more for one in found.requirements for way in one.ways):
        told.append(
            "It is not known for certain who asked for this release, so one approval more is needed than the rules "
            f"say, of anybody who may approve: {_anybody(found.could)}."
        )
    told += [
        f"{one.name} {_WHY_NOT[one.reason]}, and may not approve it; rejecting is allowed." for one in found.excluded
    ]
    if not found.possible:
        told.append(
            "This can never be approved: even if everybody approves who may, something is missing. It waits until it "
            "expires, or is rejected; the settings must name more people."
        )
    return told


def _requirement(one: Requirement) -> str:
    needed = "; or ".join(_way(way) for way in one.ways)
    return f"{_WHOSE[one.source]} still need {needed or 'approvers, but name none'}."


def _way(way: OpenWay) -> str:
    told = " and ".join(_missing(one) for one in way.missing) or "one approval more"
    return told if way.possible else f"{told} (which cannot be had)"


def _missing(one: Missing) -> str:
    return f"{one.count} × {' or '.join(one.roles)} ({_anybody(one.could)})"


def _anybody(names: Sequence[str]) -> str:
    shown = [*names[:NAMES], *([f"{len(names) - NAMES} others"] if len(names) > NAMES else [])]
    if not shown:
        return "nobody is left who may"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
