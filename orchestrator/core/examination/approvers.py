"""Can those decide who may have to? Each approver as a person in Slack, and each stage's approval with those who can.

A person is recognised by a Slack id of the settings, else by the account's e-mail address; one who has an IAM principal
can decide by the API and the command line as well, or instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from orchestrator.core.approvals import Outcome, Rules, best_case, identify
from orchestrator.core.errors import ChatRefused
from orchestrator.core.examination.findings import Check, Finding
from orchestrator.core.examination.ports import Workspace
from orchestrator.core.installation import ORCHESTRATOR, ApprovalPolicy, Installation
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind, Person, is_group, principal_name
from orchestrator.core.problems import listing
from orchestrator.core.slack_accounts import Unfit, unfit
from orchestrator.core.user_groups import assumed

_UNFIT = {
    Unfit.DELETED: "is deactivated",
    Unfit.BOT: "is a bot",
    Unfit.ELSEWHERE: "is of another workspace",
    Unfit.GUEST: "is a guest",
}


class Reach(StrEnum):
    """Whether somebody can decide."""

    CAN = "can"
    CANNOT = "cannot"
    UNKNOWN = "unknown"
    """Slack could not be asked."""


@dataclass(frozen=True)
class Approver:
    """Somebody who may decide about a stage."""

    key: str
    """Comparable key of the human, as ``Rules`` has it."""
    name: str
    slack_ids: tuple[str, ...]
    email: str
    """Of a person of the settings; empty for a bare id or principal."""
    principals: tuple[str, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Looked:
    """What was found about one approver."""

    reach: Reach
    finding: Finding


def asking(installation: Installation) -> Iterator[tuple[str, ApprovalPolicy]]:
    """Every stage that asks, with its policy."""
    for stage in installation.stages:
        if stage.approval is not None:
            yield stage.name, stage.approval
    if installation.orchestrator_approval is not None:
        yield ORCHESTRATOR, installation.orchestrator_approval


def approvers(installation: Installation) -> tuple[Approver, ...]:
    """Everybody whom a policy's roles name, each human once, in the settings' order."""
    used = {role for _, policy in asking(installation) for alternative in policy.any_of for role, _ in alternative}
    found: dict[str, Approver] = {}
    roles: dict[str, list[str]] = {}
    for role, members in installation.roles.items():
        for member in members if role in used else ():
            if is_group(member):
                continue
            identity = identify(member)
            key = installation.people.key(identity)
            roles.setdefault(key, []).append(role)
            found.setdefault(key, _approver(key, identity, installation.people.find(identity)))
    return tuple(
        Approver(one.key, one.name, one.slack_ids, one.email, one.principals, tuple(roles[key]))
        for key, one in found.items()
    )


def _approver(key: str, member: Identity, person: Person | None) -> Approver:
    if person is not None:
        return Approver(key, person.name, person.slack_ids, person.email, person.iam_principals, ())
    slack = (member.value,) if member.kind is IdentityKind.SLACK else ()
    iam = (member.value,) if member.kind is IdentityKind.IAM else ()
    return Approver(key, principal_name(member.value), slack, "", iam, ())


def look_at_approver(approver: Approver, workspace: Workspace | None, team: str) -> Looked:
    """Whether this human can decide, and how. Without a workspace only what IAM says is known.

    Raises ``ChatUnavailable``.
    """
    about = f"{approver.name} ({', '.join(approver.roles)})"
    by_api = bool(approver.principals)
    if not approver.slack_ids and not approver.email:
        return Looked(Reach.CAN, Finding.ok(Check.APPROVER, "decides by the API and `mlops approve`", about))
    if workspace is None:
        reach = Reach.CAN if by_api else Reach.UNKNOWN
        return Looked(reach, Finding.skipped(Check.APPROVER, "Slack cannot be asked", about))
    try:
        found, troubles = _accounts(approver, workspace, team)
    except ChatRefused as error:
        # Of a token that lacks a scope; which one is told by the check of the scopes.
        reach = Reach.CAN if by_api else Reach.UNKNOWN
        return Looked(reach, Finding.skipped(Check.APPROVER, f"Slack does not tell of people ({error.code})", about))
    also = ", or by the API" if by_api else ""
    if found and not troubles:
        return Looked(Reach.CAN, Finding.ok(Check.APPROVER, f"decides in Slack as {found}{also}", about))
    fix = "Mend slack_ids (profile → ⋯ → Copy member ID) or email in people, or take the person out of the role."
    what = "; ".join(troubles)
    if found:
        return Looked(
            Reach.CAN, Finding.warning(Check.APPROVER, f"decides in Slack as {found}{also}, but {what}", fix, about)
        )
    if by_api:
        what = f"decides by the API alone: {what}"
        return Looked(Reach.CAN, Finding.warning(Check.APPROVER, what, fix, about))
    return Looked(Reach.CANNOT, Finding.fault(Check.APPROVER, f"cannot decide: {what}", fix, about))


def _accounts(approver: Approver, workspace: Workspace, team: str) -> tuple[str, list[str]]:
    """The account that counts, for people to read (empty: none does), and what is wrong with the others."""
    good: list[str] = []
    troubles: list[str] = []
    for user in approver.slack_ids:
        account = workspace.account(user)
        if account is None:
            troubles.append(f"the Slack id {user} is nobody's in this workspace")
            continue
        reason = unfit({**account, "id": user}, team)
        if reason is None:
            good.append(_shown(account, user))
        else:
            troubles.append(f"the account {_shown(account, user)} {_UNFIT[reason]}")
    if good or not approver.email:
        return listing(good), troubles
    try:
        account = workspace.account_of(approver.email)
    except ChatRefused as error:
        if not troubles:
            raise
        return "", [*troubles, f"Slack does not tell whose address {approver.email} is ({error.code})"]
    if account is None:
        return "", [*troubles, f"no account that is in use has the address {approver.email}"]
    user = str(account.get("id", ""))
    reason = unfit(account, team)
    if reason is None:
        return _shown(account, user), troubles
    return "", [*troubles, f"the account {_shown(account, user)} {_UNFIT[reason]}"]


def _shown(account: Mapping[str, Any], user: str) -> str:
    name = str(account.get("name") or "")
    return f"@{name} ({user})" if name else user


def look_at_approvals(
    installation: Installation, cannot: Collection[str], groups: Mapping[str, frozenset[str]]
) -> tuple[Finding, ...]:
    """Of each stage: whether its approval can be met by those who can decide. ``cannot``: keys of those who cannot;
    ``groups``: keys of the members of each user group that Slack has told of."""
    found: list[Finding] = []
    policies = dict(asking(installation))
    for stage in (*installation.stage_names, *([ORCHESTRATOR] if ORCHESTRATOR in policies else [])):
        policy = policies.get(stage)
        if policy is None:
            found.append(Finding.ok(Check.APPROVAL, "is deployed without asking", stage))
        else:
            found.append(_approval(stage, policy, installation, cannot, groups))
    return tuple(found)


def _approval(
    stage: str,
    policy: ApprovalPolicy,
    installation: Installation,
    cannot: Collection[str],
    groups: Mapping[str, frozenset[str]],
) -> Finding:
    people = installation.people
    roles = {
        role: tuple(member for member in members if is_group(member) or people.key(identify(member)) not in cannot)
        for role, members in installation.roles.items()
    }
    rules = assumed(Rules((policy,), roles, people))
    if rules.groups is not None:
        # Of a group that Slack was not asked about nothing is known, so nothing is found wrong with it here.
        rules = replace(rules, groups={name: groups.get(name, keys) for name, keys in rules.groups.items()})
    fix = f"Add members who can decide to the roles of approvals.{stage}, and deploy MlopsOrchestrator."
    askers = [(person.name, Identity(IdentityKind.EMAIL, person.email, verified=True)) for person in people.everybody]
    stuck = [name for name, identity in askers if best_case(rules, identity).outcome is not Outcome.APPROVED]
    if not askers or len(stuck) == len(askers):
        missing = best_case(rules, askers[0][1] if askers else UNKNOWN).missing
        what = f"can never be met by those who can decide: it lacks {missing}"
        return Finding.fault(Check.APPROVAL, what, fix, stage)
    if stuck:
        what = f"can never be met for a release that {listing(stuck)} asks for, who may not approve an own one"
        return Finding.warning(Check.APPROVAL, what, fix, stage)
    if best_case(rules, UNKNOWN).outcome is not Outcome.APPROVED:
        what = (
            "is never met for a release whose requester is not known for certain, such as one from an upload to S3, "
            "which takes one approval more"
        )
        leave = "Where all requests come by the API, the command or Slack, it is right as it is."
        return Finding.warning(Check.APPROVAL, what, f"{leave} Else: {fix}", stage)
    return Finding.ok(Check.APPROVAL, "can be met", stage)
