"""Every access that a plan opens, the gravest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from orchestrator.core.access import iam, network
from orchestrator.core.access.contexts import ResourceContext
from orchestrator.core.plans import AccessChange, Area, Reach

MOST = 200
"""Changes that a plan keeps: a row of the table holds 400 KB."""

_RANK = {Reach.WIDENS: 0, Reach.MAY_WIDEN: 1, Reach.MOVES: 2, Reach.GRANTS: 3}
_AREAS = list(Area)

_TELLING = frozenset(
    {
        *("AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns", "PermissionsBoundary", "PolicyDocument"),
        *(
            "VpcConfig",
            "NetworkConfig",
            "EnableNetworkIsolation",
            "PublicAccessBlockConfiguration",
            *iam.ROLE_PROPERTIES,
        ),
        *iam.RESOURCE_POLICIES.values(),
    }
)
"""Properties whose change matters where CloudFormation does not tell their values."""


def access_changes(contexts: Iterable[ResourceContext], *, creates_stack: bool) -> tuple[AccessChange, ...]:
    """All of them; of a stack that is new, what is granted."""
    found = [change for context in contexts for change in _of(context)]
    if creates_stack:
        found = [replace(change, reach=Reach.GRANTS) for change in found]
    return tuple(sorted(dict.fromkeys(found), key=_order))


def kept(changes: tuple[AccessChange, ...]) -> tuple[AccessChange, ...]:
    """What of them a plan keeps; the last one says how many more there are."""
    if len(changes) <= MOST:
        return changes
    more = f"and {len(changes) - MOST + 1} more, which the change set in the AWS console shows"
    return (*changes[: MOST - 1], replace(changes[MOST - 1], logical_id="…", resource_type="", told=more))


def _of(context: ResourceContext) -> Iterable[AccessChange]:
    if context.readable:
        return [*iam.findings(context), *network.findings(context)]
    matters = context.resource_type in {*iam.TYPES, *network.TYPES} and not context.properties
    named = _TELLING & set(context.properties)
    if not (matters or named):
        return []
    area = Area.NETWORK if context.resource_type in network.TYPES else Area.IAM
    told = f"changes {', '.join(sorted(named))}" if named else "changes"
    return [context.opens(area, f"{told}, which CloudFormation does not show", certain=False)]


_BROAD = ("anything", "anybody", "everybody", "internet", "0.0.0.0/0", "::/0")
"""Words of what reaches farthest."""


def _order(change: AccessChange) -> tuple[int, int, bool, str, str]:
    narrow = not any(word in change.told for word in _BROAD)
    return _RANK[change.reach], _AREAS.index(change.area), narrow, change.logical_id, change.told
