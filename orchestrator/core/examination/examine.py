"""The whole examination: every check side by side, each for itself, within a time.

Slack is asked after the secret has been read, and about people after the token has answered; everything else runs at
once. Threads, because each check waits for somebody else's answer; the caller's pool decides how many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from functools import partial

from orchestrator.core.errors import OrchestratorError, TryAgain
from orchestrator.core.examination.approvers import (
    Approver,
    Looked,
    Reach,
    approvers,
    look_at_approvals,
    look_at_approver,
)
from orchestrator.core.examination.findings import Check, Finding, ordered
from orchestrator.core.examination.front import look_at_front
from orchestrator.core.examination.mail import look_at_mail
from orchestrator.core.examination.ports import App, Front, StageRoles, Subscriptions, Workspace
from orchestrator.core.examination.slack_secret import FILL, Keys, look_at_secret
from orchestrator.core.examination.stages import look_at_stage, places
from orchestrator.core.examination.user_groups import look_at_group, user_groups
from orchestrator.core.examination.workspace import (
    look_at_channel,
    look_at_scopes,
    look_at_token,
    look_at_workspace,
)
from orchestrator.core.installation import Installation
from orchestrator.core.routing import every_channel

Findings = tuple[Finding, ...]


@dataclass(frozen=True)
class Practice:
    """What the examination works with."""

    secret: Callable[[], str]
    """The Slack secret's text."""
    workspace: Callable[[str], Workspace]
    """Slack, with a bot token."""
    front: Front
    stages: StageRoles
    subscriptions: Subscriptions
    pool: Executor
    seconds_left: Callable[[], float]
    failed: Callable[[Check, Exception], None]
    """Told of a check that failed in a way nobody expected, for the log."""


@dataclass(frozen=True)
class _Task:
    """One check; ``about`` is told when it fails or is late."""

    check: Check
    run: Callable[[], Findings]
    about: str = ""


@dataclass(frozen=True)
class _Slack:
    """What is known of Slack."""

    keys: Keys
    workspace: Workspace | None = None
    app: App | None = None


def examine(installation: Installation, practice: Practice) -> Findings:
    """Everything that was found, in the order of the checks."""
    beside = _begin(
        practice,
        [
            _Task(Check.MAIL, lambda: look_at_mail(practice.subscriptions)),
            *(
                _Task(Check.STAGE, partial(look_at_stage, stage, installation, practice.stages), stage)
                for stage in places(installation)
            ),
        ],
    )
    slack, found = _slack(installation, practice)
    looked: dict[str, Looked] = {}
    members: dict[str, frozenset[str]] = {}
    tasks = [
        *_front(slack, practice),
        *_channels(slack, installation),
        *(_group(one, slack, installation, members) for one in user_groups(installation)),
        *(_person(one, slack, looked) for one in approvers(installation)),
    ]
    more = _begin(practice, tasks)
    found += _ended(practice, [*beside, *more])
    cannot = {key for key, one in looked.items() if one.reach is Reach.CANNOT}
    return ordered([*found, *look_at_approvals(installation, cannot, members)])


def _slack(installation: Installation, practice: Practice) -> tuple[_Slack, list[Finding]]:
    """The secret, then the token, then what the token tells at once."""
    try:
        keys, said = look_at_secret(practice.secret())
    except OrchestratorError as error:
        return _Slack(Keys()), [Finding.fault(Check.SECRET, f"cannot be read: {error}", FILL)]
    found = list(said)
    if not keys.bot_token:
        return _Slack(keys), [*found, Finding.skipped(Check.TOKEN, "there is no bot token to try")]
    workspace = practice.workspace(keys.bot_token)
    app, token_said = look_at_token(workspace)
    found += token_said
    if app is None:
        return _Slack(keys), found
    found += look_at_workspace(app, installation)
    found += look_at_scopes(app)
    return _Slack(keys, workspace, app), found


def _front(slack: _Slack, practice: Practice) -> list[_Task]:
    if not slack.keys.signing_secret:
        skipped = Finding.skipped(Check.FRONT, "there is no signing secret to sign with")
        return [_Task(Check.FRONT, lambda: (skipped,))]
    return [_Task(Check.FRONT, lambda: look_at_front(practice.front, slack.keys.signing_secret))]


def _channels(slack: _Slack, installation: Installation) -> list[_Task]:
    workspace, app = slack.workspace, slack.app
    if workspace is None or app is None:
        return []
    return [
        _Task(Check.CHANNEL, partial(look_at_channel, named, workspace, app), f"#{named}")
        for named in every_channel(installation)
    ]


def _person(approver: Approver, slack: _Slack, looked: dict[str, Looked]) -> _Task:
    # Installed for a whole organisation, the app has no workspace of its own.
    team = slack.app.team_id if slack.app and slack.app.team_id != slack.app.enterprise_id else ""

    def look() -> Findings:
        found = look_at_approver(approver, slack.workspace, team)
        looked[approver.key] = found
        return (found.finding,)

    return _Task(Check.APPROVER, look, approver.name)


def _group(group: str, slack: _Slack, installation: Installation, members: dict[str, frozenset[str]]) -> _Task:
    def look() -> Findings:
        keys, finding = look_at_group(group, installation, slack.workspace)
        if keys is not None:
            members[group] = keys
        return (finding,)

    return _Task(Check.USER_GROUP, look, group)


def _begin(practice: Practice, tasks: Sequence[_Task]) -> list[tuple[_Task, Future[Findings]]]:
    return [(task, practice.pool.submit(task.run)) for task in tasks]


def _ended(practice: Practice, begun: Sequence[tuple[_Task, Future[Findings]]]) -> list[Finding]:
    """What the checks say by now; whoever is not done is not waited for."""
    wait([future for _, future in begun], timeout=max(0.0, practice.seconds_left()))
    found: list[Finding] = []
    for task, future in begun:
        if not future.done():
            future.cancel()
            late = "was not answered in time"
            found.append(Finding.warning(task.check, late, "Run `mlops doctor` again.", task.about))
            continue
        error = future.exception()
        if error is None:
            found += future.result()
        elif isinstance(error, TryAgain):
            found.append(Finding.warning(task.check, str(error), "Run `mlops doctor` again in a minute.", task.about))
        elif isinstance(error, OrchestratorError):
            found.append(Finding.fault(task.check, f"could not be looked at: {error}", _LOG, task.about))
        elif isinstance(error, Exception):
            practice.failed(task.check, error)
            what = f"could not be looked at ({type(error).__name__})"
            found.append(Finding.fault(task.check, what, _LOG, task.about))
        else:
            raise error
    return found


_LOG = "Look at the log /aws/lambda/mlops-examine."
