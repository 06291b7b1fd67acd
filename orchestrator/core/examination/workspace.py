"""The app in the workspace: whose token it is, what it may, and whether it is in the channel."""

from __future__ import annotations

from orchestrator.core.errors import ChatRefused, ChatUnavailable
from orchestrator.core.examination.findings import Check, Finding
from orchestrator.core.examination.ports import App, Workspace
from orchestrator.core.examination.slack_secret import COPY_TOKEN
from orchestrator.core.installation import Installation
from orchestrator.core.problems import listing
from orchestrator.core.slack_methods import SCOPES, methods_of

REINSTALL = (
    "Put the manifest of `mlops slack manifest` into the app (App Manifest), reinstall it (Install App), and put its "
    "bot token into the secret, if it is another one."
)

NO_TOKEN_ANY_MORE = {
    "invalid_auth": "Slack does not know the bot token",
    "not_authed": "Slack does not know the bot token",
    "account_inactive": "the bot token is of an app that has been removed from the workspace",
    "token_revoked": "the bot token has been revoked",
    "token_expired": "the bot token has expired",
    "team_access_not_granted": "the bot token is not of this workspace",
}
"""What auth.test refuses a token for."""


def look_at_token(workspace: Workspace) -> tuple[App | None, tuple[Finding, ...]]:
    """Whose the token is; None where it is nobody's."""
    try:
        app = workspace.app()
    except ChatRefused as error:
        what = NO_TOKEN_ANY_MORE.get(error.code, f"Slack refuses the bot token ({error.code})")
        return None, (Finding.fault(Check.TOKEN, what, f"{COPY_TOKEN} Reinstall the app where it was removed."),)
    except ChatUnavailable as error:
        what = f"Slack could not be asked: {error}"
        return None, (Finding.fault(Check.TOKEN, what, "Try again; see https://slack-status.com."),)
    return app, (Finding.ok(Check.TOKEN, f"works: it is {app.bot}'s, in the workspace {app.team}"),)


def look_at_workspace(app: App, installation: Installation) -> tuple[Finding, ...]:
    """Whether clicks of the token's workspace count."""
    wanted = installation.slack_team
    if not wanted:
        return (Finding.ok(Check.WORKSPACE, f"clicks count in the workspace of the token, {app.team} ({app.team_id})"),)
    if wanted in {app.team_id, app.enterprise_id}:
        return (Finding.ok(Check.WORKSPACE, f"clicks count in {wanted}, which slack_team names"),)
    what = f"slack_team is {wanted}, but the bot token is of {app.team} ({app.team_id}): no click counts"
    fix = "Set slack_team to the id of the workspace that has the app, or leave it out, and deploy MlopsOrchestrator."
    return (Finding.fault(Check.WORKSPACE, what, fix),)


def look_at_scopes(app: App) -> tuple[Finding, ...]:
    """What the token lacks, and what it has without need."""
    if app.scopes is None:
        return (Finding.skipped(Check.SCOPES, "Slack did not say which scopes the token has"),)
    found: list[Finding] = []
    for name, scope in SCOPES.items():
        if name in app.scopes:
            continue
        methods = methods_of(name)
        used = f" ({listing(methods)})" if methods else ""
        what = f"{name} is missing{used}: by it the app {scope.why}"
        make = Finding.fault if scope.needed else Finding.warning
        found.append(make(Check.SCOPES, what, REINSTALL, name))
    for name in sorted(app.scopes - set(SCOPES)):
        fix = "Take it out under OAuth & Permissions and reinstall the app, unless something of yours uses it."
        found.append(Finding.warning(Check.SCOPES, f"{name} is there, and nothing needs it", fix, name))
    return tuple(found) or (Finding.ok(Check.SCOPES, f"are those that the app needs: {listing(SCOPES)}"),)


def look_at_channel(named: str, workspace: Workspace, app: App) -> tuple[Finding, ...]:
    """Whether messages can be posted there."""
    about = named if _is_id(named) else f"#{named}"
    try:
        channel = workspace.channel(named)
    except ChatRefused as error:
        if error.code == "missing_scope":
            return (Finding.skipped(Check.CHANNEL, "a scope is missing to look at channels", about),)
        return (Finding.fault(Check.CHANNEL, f"Slack refuses to tell of it ({error.code})", _settings(), about),)
    invite = f"In Slack, in the channel: /invite @{app.bot}."
    if channel is None:
        what = "is not there, or is private and the app is not in it"
        return (Finding.fault(Check.CHANNEL, what, f"{invite} If there is no such channel: {_settings()}", about),)
    kind = "private" if channel.is_private else "public"
    if channel.is_archived:
        return (Finding.fault(Check.CHANNEL, "is archived", f"Unarchive it in Slack, or: {_settings()}", about),)
    if not channel.is_member:
        return (Finding.fault(Check.CHANNEL, f"is {kind}, and the app is not in it", invite, about),)
    if channel.is_shared:
        what = f"is {kind}, the app is in it, and so are people of other workspaces, who see every release"
        return (Finding.warning(Check.CHANNEL, what, "Use another channel unless that is meant.", about),)
    return (Finding.ok(Check.CHANNEL, f"is {kind}, and the app is in it ({channel.name}, {channel.id})", about),)


def _settings() -> str:
    return (
        "Name another channel in the settings (slack_channel, channels), by its id where the name does not do, and "
        "deploy MlopsOrchestrator."
    )


def _is_id(named: str) -> bool:
    return named[:1] in {"C", "G"} and named.upper() == named and named.isalnum()
