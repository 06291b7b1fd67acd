"""``mlops workloads`` and ``remove``: what is live where, and taking it away."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from mlops.following import tell_started
from mlops.screen import Screen, moment
from mlops.target import Target, on_target
from mlops.validation import AsJson

LISTED = 1000
"""Workloads that the API lists at most."""

NOTHING = "-"

_WORKLOAD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,126}")


def checked_name(name: str) -> str:
    """The name, if it can be one; raises ``typer.BadParameter``."""
    if not _WORKLOAD.fullmatch(name):
        raise typer.BadParameter(f"{name!r} is no name of a workload; `mlops workloads` lists them")
    return name


@on_target
def workloads(
    limit: Annotated[int, typer.Option("--limit", min=1, max=LISTED, help="Workloads to list.")] = 100,
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """Show the workloads, what is live of each in every stage, and which release is on its way."""
    screen = Screen(as_json)
    api = target.api(screen)
    found = api.workloads(limit)
    if as_json:
        screen.answer({"workloads": found})
    elif not found:
        screen.line("There is no workload yet.")
    else:
        columns = ("WORKLOAD", "TYPE", "STAGE", "LIVE RELEASE", "SINCE", "ON ITS WAY")
        screen.table(columns, [row for one in found for row in _rows(one)])


def _rows(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """One row for each stage that has something, one for a workload that has nothing anywhere."""
    named = (found["workload"], found["workload_type"])
    running = found["running_release"] or NOTHING
    live = [(one["stage"], one["release_id"], moment(one["since"])) for one in found["live"]]
    return [(*named, *stage, running) for stage in live or [(NOTHING, NOTHING, NOTHING)]]


@on_target
def remove(
    workload: Annotated[str, typer.Argument(metavar="WORKLOAD", help="Name of the workload.", callback=checked_name)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the removal to its end.")] = False,
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """Remove a workload from every stage, with the approvals that each stage asks for."""
    screen = Screen(as_json)
    if not yes and not screen.interactive:
        raise typer.BadParameter("nobody can be asked here; add --yes to remove without being asked")
    api = target.api(screen)
    if not yes:
        _confirm(workload, api.workloads(LISTED), screen)
    answer = api.remove(workload, str(uuid.uuid4()))
    tell_started(answer, [str(answer["release_id"])], api, screen, wait=wait, as_json=as_json)


def _confirm(workload: str, known: list[dict[str, Any]], screen: Screen) -> None:
    """Show what is live, and ask; a workload that is not listed is left to the API's own words."""
    found = next((one for one in known if one["workload"] == workload), None)
    if found is None:
        return
    for stage in found["live"]:
        screen.note(f"{stage['stage']}: {stage['release_id']}, live since {moment(stage['since'])}", "bold")
    typer.confirm(f"Remove {workload} from every stage?", abort=True, err=True)
