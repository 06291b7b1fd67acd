"""Slack user groups of approver roles: is each there, and which of its members do the settings know?"""

from __future__ import annotations

from orchestrator.core.errors import ChatRefused
from orchestrator.core.examination.approvers import asking
from orchestrator.core.examination.findings import Check, Finding
from orchestrator.core.examination.ports import Workspace
from orchestrator.core.installation import Installation
from orchestrator.core.people import Identity, IdentityKind, People, is_group
from orchestrator.core.problems import listing

MOST_LOOKED_UP = 30
"""Members whose e-mail address is asked for, each by a call of its own."""


def user_groups(installation: Installation) -> tuple[str, ...]:
    """Groups that the roles of the installation's own policies name."""
    used = {role for _, policy in asking(installation) for alternative in policy.any_of for role, _ in alternative}
    named = (member for role in sorted(used) for member in installation.roles.get(role, ()))
    return tuple(dict.fromkeys(member for member in named if is_group(member)))


def look_at_group(
    group: str, installation: Installation, workspace: Workspace | None
) -> tuple[frozenset[str] | None, Finding]:
    """Comparable keys of the group's members whom the settings know, and how it stands; None where Slack did not say.

    Raises ``ChatUnavailable``.
    """
    if workspace is None:
        return None, Finding.skipped(Check.USER_GROUP, "Slack cannot be asked", group)
    try:
        ids = workspace.members(group)
        if ids is None:
            fix = "Copy the id of a group of this workspace (its ⋯ menu), and deploy MlopsOrchestrator."
            return frozenset(), Finding.fault(Check.USER_GROUP, "is no user group of this workspace", fix, group)
        known = {user: _key(user, installation.people, workspace) for user in sorted(ids)[:MOST_LOOKED_UP]}
    except ChatRefused as error:
        # Of a token that lacks a scope: nobody counts as a member then.
        what = f"Slack does not tell who is in it ({error.code}), so nobody counts as its member"
        fix = (
            "Give the app the scope usergroups:read: put the manifest of `mlops slack manifest` into it and reinstall."
        )
        return frozenset(), Finding.fault(Check.USER_GROUP, what, fix, group)
    keys = frozenset(key for key in known.values() if key)
    strangers = [user for user, key in known.items() if not key]
    fix = "Add them to people, with their Slack ids, or take them out of the group."
    if not ids:
        return keys, Finding.fault(Check.USER_GROUP, "has no members", "Add people to the group in Slack.", group)
    if not keys:
        return keys, Finding.fault(Check.USER_GROUP, "has no member whom people of the settings knows", fix, group)
    if strangers:
        what = f"may decide, but not {listing(strangers)}, whom people of the settings does not know"
        return keys, Finding.warning(Check.USER_GROUP, what, fix, group)
    count = "one member" if len(ids) == 1 else f"{len(ids)} members"
    return keys, Finding.ok(Check.USER_GROUP, f"has {count}, who may decide", group)


def _key(user: str, people: People, workspace: Workspace) -> str:
    """Empty for nobody of ``people``."""
    account = Identity(IdentityKind.SLACK, user, verified=True)
    if people.find(account) is not None:
        return people.key(account)
    profile = (workspace.account(user) or {}).get("profile") or {}
    by_mail = Identity(IdentityKind.EMAIL, str(profile.get("email") or ""), verified=True)
    return people.key(by_mail) if people.find(by_mail) is not None else ""
