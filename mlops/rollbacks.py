"""``mlops rollback``: deploy the package of an earlier release again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from mlops.following import tell_started
from mlops.plans import show_metrics
from mlops.releases import checked_id
from mlops.screen import Screen, moment
from mlops.target import Target, on_target
from mlops.validation import AsJson
from mlops.workloads import checked_name


@on_target
def rollback(
    workload: Annotated[str, typer.Argument(metavar="WORKLOAD", help="Name of the workload.", callback=checked_name)],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="RELEASE",
            help="The release to go back to; without it the one that was live before, which is shown and asked about.",
            callback=lambda value: checked_id(value) if value else value,
        ),
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; shown to those who decide.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Also when the same content is live already.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the rollback to its end.")] = False,
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """Deploy the package of an earlier release again, byte for byte, with a plan and the approvals of each stage."""
    screen = Screen(as_json)
    if not (to or yes or screen.interactive):
        raise typer.BadParameter("nobody can be asked here; name the release with --to, or add --yes")
    api = target.api(screen)
    found = api.rollback_of(workload, to)
    chosen = str(found["to"]["release_id"])
    _show(found, screen)
    if not (to or yes):
        typer.confirm(f"Roll {workload} back to {chosen}?", abort=True, err=True)
    answer = api.roll_back(chosen, {"reason": reason, "force": force}, str(uuid.uuid4()))
    tell_started(answer, [str(answer["release_id"])], api, screen, wait=wait, as_json=as_json)


def _show(found: Mapping[str, Any], screen: Screen) -> None:
    """From what to what, and how good both are."""
    to, live = found["to"], found["live"]
    if live is not None:
        screen.note(f"live now:      {live['release_id']}, asked by {live['requester']}", "bold")
    until = f", until {moment(to['live_until'])}" if to["live_until"] else ""
    screen.note(
        f"goes back to:  {to['release_id']}, asked by {to['requester']}, live since {moment(to['live_from'])}{until}",
        "bold",
    )
    screen.note(f"               {to['source']}")
    show_metrics(found["metrics"], screen)
