"""``mlops doctor`` and ``mlops slack manifest``: is the installation well, and what its Slack app is made from.

The command asks the API alone. What needs the Slack secret or the stages' roles is looked at in AWS; of the secret
nothing reaches this computer.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from mlops.refusals import Denied, Refused, Unreachable
from mlops.screen import Screen
from mlops.target import Target, on_target
from mlops.validation import AsJson
from orchestrator.core.examination.findings import Check, Finding, State
from orchestrator.core.version import VERSION

slack = typer.Typer(
    help="The installation's Slack app.",
    no_args_is_help=True,
    rich_markup_mode="rich" if sys.stderr.isatty() else None,
)

COLOURS = {State.OK: "green", State.WARNING: "yellow", State.FAULT: "red", State.SKIPPED: "dim"}

SIGN_IN = "Sign in (`aws sso login`, `aws configure`), or name a --profile."
CALL = "Let the caller invoke GET /doctor: docs/api.md, “Who may call”."
URL = "Compare --api-url (MLOPS_API_URL) with the output ApiUrl of the stack MlopsOrchestrator."
UPGRADE = "Use the command of the installation's version, or deploy MlopsOrchestrator again."


@on_target
def doctor(as_json: AsJson = False, *, target: Target) -> None:
    """Look at the installation: credentials, API, Slack app, approvers, stages, e-mails, and say what to do."""
    screen = Screen(as_json)
    known, findings = _looked(target, screen)
    states = Counter(finding["state"] for finding in findings)
    worst = next((state for state in (State.FAULT, State.WARNING) if states[state]), State.OK)
    if as_json:
        screen.answer({"state": worst, **known, "findings": findings})
    else:
        _show(findings, screen)
        screen.line()
        screen.line(_summary(states), COLOURS[worst])
    if states[State.FAULT]:
        raise typer.Exit(1)


@slack.command()
@on_target
def manifest(
    link: Annotated[bool, typer.Option("--link", help="Print the link that creates the app, instead.")] = False,
    socket_mode: Annotated[
        bool, typer.Option("--socket-mode", help="Of an app for development, which needs no request URL.")
    ] = False,
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """Print the manifest of the Slack app, with the installation's request URL in it."""
    screen = Screen(as_json)
    answer = target.api(screen).slack_manifest(socket_mode=socket_mode)
    if as_json:
        screen.answer(answer)
    elif link:
        screen.line(answer["link"])
    else:
        screen.line(answer["manifest"].rstrip("\n"))


def _looked(target: Target, screen: Screen) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """What is known of the installation, and every finding; one that could not be asked is a fault itself."""
    try:
        api = target.api(screen)
    except Refused as error:
        return {}, [_told(Finding.fault(Check.CREDENTIALS, _clause(error), SIGN_IN))]
    try:
        answer = api.doctor()
    except Denied as error:
        return {}, [_told(Finding.fault(Check.API, f"{api.url} lets the caller not in: {_clause(error)}", CALL))]
    except Refused as error:
        fix = URL if isinstance(error, Unreachable) else "Look at the log /aws/lambda/mlops-api."
        return {}, [_told(Finding.fault(Check.API, _clause(error), fix))]
    known = {name: answer[name] for name in ("version", "mode", "region", "account", "caller")}
    where = f"{api.url} answers: {known['mode']}-account, {known['region']}, {known['account']}"
    own = [
        _told(Finding.ok(Check.CREDENTIALS, f"are good: the API knows you as {known['caller']}")),
        _told(Finding.ok(Check.API, f"{where}, version {known['version']}")),
    ]
    if known["version"] != VERSION:
        what = f"is of version {known['version']}, and this command of version {VERSION}"
        own.append(_told(Finding.warning(Check.API, what, UPGRADE)))
    return known, [*own, *answer["findings"]]


def _told(finding: Finding) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(finding).items()}


def _clause(error: Refused) -> str:
    return str(error).rstrip(".")


def _show(findings: Sequence[Mapping[str, str]], screen: Screen) -> None:
    for finding in findings:
        title = finding["check"].replace("-", " ")
        about = f" {finding['about']}" if finding["about"] else ""
        colour = COLOURS.get(State(finding["state"]), "") if finding["state"] in set(State) else ""
        screen.line(f"{finding['state']:8} {title}{about}: {finding['what']}", colour)
        if finding["fix"]:
            screen.line(f"{'':8} → {finding['fix']}")


def _summary(states: Mapping[str, int]) -> str:
    counts = [
        f"{states[state]} {word if states[state] == 1 else many}"
        for state, word, many in (
            (State.FAULT, "fault", "faults"),
            (State.WARNING, "warning", "warnings"),
            (State.SKIPPED, "not looked at", "not looked at"),
            (State.OK, "ok", "ok"),
        )
        if states.get(state)
    ]
    return ", ".join(counts)
