"""Do the accounts that workloads are deployed to trust this orchestrator?

The one role that only looks is assumed, as the functions assume it. Of those that deploy and start jobs the trust
policies are read through it: who examines needs no right to deploy anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from orchestrator.core.errors import StepFailed
from orchestrator.core.examination.findings import Check, Finding
from orchestrator.core.examination.ports import Role, StageRoles
from orchestrator.core.installation import ORCHESTRATOR, Installation
from orchestrator.core.problems import listing
from orchestrator.core.stage_roles import ASSUMED_BY, OBSERVE, SERVICE, function_role_arn

NAMES = (*ASSUMED_BY, SERVICE)


def places(installation: Installation) -> tuple[str, ...]:
    """Every stage that has a stack of roles."""
    own = (ORCHESTRATOR,) if installation.mode == "multi" else ()
    return (*installation.stage_names, *own)


def look_at_stage(stage: str, installation: Installation, stages: StageRoles) -> tuple[Finding, ...]:
    """Assume the observing role, and read the trust of the others."""
    account = installation.stage(stage).account
    again = f"Deploy MlopsStage-{stage} again, with these settings, in the account {account}."
    try:
        roles = stages.roles(stage, NAMES)
    except StepFailed as error:
        why = f": {error}" if installation.detailed_errors else ""
        what = f"the role {OBSERVE} of the account {account} cannot be used{why}"
        return (Finding.fault(Check.STAGE, what, again, stage),)
    wrong = [f"{role.name} {fault}" for role in roles for fault in trust_faults(role, installation)]
    if wrong:
        return (Finding.fault(Check.STAGE, f"in the account {account}: {'; '.join(wrong)}", again, stage),)
    return (Finding.ok(Check.STAGE, f"the roles of the account {account} trust this orchestrator", stage),)


def trust_faults(role: Role, installation: Installation) -> list[str]:
    """Why a role does not let in whoever has to come in; empty when it does."""
    if role.trust is None:
        return ["is not there"]
    if role.name == SERVICE:
        services = [name for statement in _allowing(role.trust) for name in _texts(_principal(statement, "Service"))]
        return [] if any(name.startswith("cloudformation.") for name in services) else ["is not CloudFormation's"]
    functions = ASSUMED_BY[role.name]
    wanted = {name: function_role_arn(installation.partition, installation.account, name) for name in functions}
    ours = [one for one in _allowing(role.trust) if _names_account(one, installation.account)]
    if not ours:
        return [f"does not trust the account {installation.account}"]
    ours = [one for one in ours if _demands(one, "StringEquals", "sts:ExternalId", installation.external_id)]
    if not ours:
        return ["demands another external_id than the settings have"]
    shut_out = [name for name, arn in wanted.items() if not any(_lets_in(one, arn) for one in ours)]
    return [f"does not trust the function {listing(shut_out)}"] if shut_out else []


def _allowing(trust: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    statements = trust.get("Statement", [])
    statements = [statements] if isinstance(statements, Mapping) else statements
    return [one for one in statements if one.get("Effect") == "Allow" and "sts:AssumeRole" in _texts(one.get("Action"))]


def _principal(statement: Mapping[str, Any], kind: str) -> Any:
    principal = statement.get("Principal")
    return principal.get(kind) if isinstance(principal, Mapping) else principal


def _names_account(statement: Mapping[str, Any], account: str) -> bool:
    return any(account in principal for principal in _texts(_principal(statement, "AWS")))


def _condition(statement: Mapping[str, Any], operator: str, key: str) -> Sequence[str] | None:
    """The values of a condition; None where there is none."""
    tests = (statement.get("Condition") or {}).get(operator) or {}
    return _texts(tests[key]) if key in tests else None


def _demands(statement: Mapping[str, Any], operator: str, key: str, value: str) -> bool:
    values = _condition(statement, operator, key)
    return values is None or value in values


def _lets_in(statement: Mapping[str, Any], arn: str) -> bool:
    patterns = _condition(statement, "ArnLike", "aws:PrincipalArn")
    return patterns is None or any(fnmatchcase(arn, pattern) for pattern in patterns)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(one) for one in value] if isinstance(value, Iterable) and not isinstance(value, Mapping) else []
