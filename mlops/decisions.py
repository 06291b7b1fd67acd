"""``mlops approve``, ``reject`` and ``withdraw``, and ``why``: what a release waits for.

The plan is shown before a vote, and the vote carries the digest of what was shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from mlops.plans import show_approval, show_gates, show_metrics, show_plan
from mlops.refusals import Refused
from mlops.releases import ReleaseId, kind_facts
from mlops.screen import STYLES, Screen, moment, status_word
from mlops.target import Target, on_target
from mlops.validation import AsJson

MIN_DIGEST = 16
"""Hex digits that the API wants at least."""

Stage = Annotated[str, typer.Option("--stage", help="The stage to decide on; by itself the one that waits.")]
Digest = Annotated[
    str,
    typer.Option("--digest", help="Decide only if the plan's digest starts like this: for scripts that have seen one."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


@on_target
def approve(
    release_id: ReleaseId,
    stage: Stage = "",
    comment: Annotated[
        str,
        typer.Option(
            "--comment", "--reason", help="A word for the record, shown with the vote; at most 512 characters."
        ),
    ] = "",
    digest: Digest = "",
    yes: Yes = False,
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """Approve the plan of the stage that waits."""
    screen = Screen(as_json)
    _decide("approve", release_id, stage, comment, digest, yes, target, screen)


@on_target
def reject(
    release_id: ReleaseId,
    stage: Stage = "",
    reason: Annotated[str, typer.Option("--reason", help="Why: 3 to 512 characters. Asked for if missing.")] = "",
    digest: Digest = "",
    yes: Yes = False,
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """Reject the plan of the stage that waits; the release ends."""
    screen = Screen(as_json)
    if not reason and not screen.interactive:
        raise typer.BadParameter("a rejection needs a reason", param_hint="--reason")
    _decide("reject", release_id, stage, reason, digest, yes, target, screen)


@on_target
def withdraw(release_id: ReleaseId, stage: Stage = "", as_json: AsJson = False, *, target: Target) -> None:
    """Take your approval back, while others are still missing."""
    screen = Screen(as_json)
    api = target.api(screen)
    waiting = _waiting(api.release(release_id), stage)
    body = {"decision": "withdraw", "stage": waiting["stage"], "digest": waiting["approval"]["digest"]}
    answer = api.decide(release_id, body)
    if as_json:
        screen.answer(answer)
    screen.line(str(answer["message"]))


@on_target
def why(release_id: ReleaseId, as_json: AsJson = False, *, target: Target) -> None:
    """Say what a release waits for: which approvals are missing, and who could give them."""
    screen = Screen(as_json)
    found = target.api(screen).release(release_id)
    waiting = [stage for stage in found["stages"] if stage["approval"] and stage["approval"]["requirements"]]
    if as_json:
        approvals = [{"stage": stage["stage"], **stage["approval"]["requirements"]} for stage in waiting]
        screen.answer(
            {"release_id": release_id, "status": found["status"], "reason": found["reason"], "waits_for": approvals}
        )
    word = status_word(found["status"])
    where = f" ({found['stage']})" if found["stage"] else ""
    screen.line(f"{found['release_id']}: {word}{where}", STYLES.get(word, "bold"))
    if found["reason"]:
        screen.line(f"  {found['reason']}")
    for stage in waiting:
        show_approval(stage["approval"], screen, needed=False)
        for sentence in stage["approval"]["requirements"]["told"]:
            screen.line(f"  {sentence}")
        show_gates(stage.get("gates", []), stage["stage"], screen)


def _decide(
    verdict: str, release_id: str, stage: str, reason: str, digest: str, yes: bool, target: Target, screen: Screen
) -> None:
    if not yes and not screen.interactive:
        raise typer.BadParameter("nobody can be asked here; add --yes to decide without being asked")
    if digest and len(digest) < MIN_DIGEST:
        raise typer.BadParameter(f"give at least {MIN_DIGEST} characters", param_hint="--digest")
    api = target.api(screen)
    found = api.release(release_id)
    waiting = _waiting(found, stage)
    plan = waiting["plan"]
    if not plan["digest"].startswith(digest):
        raise Refused(f"The plan for {waiting['stage']} is another one by now: its digest is {plan['digest']}.")
    # Where the answer is JSON, a person who is asked still has to see what is being decided.
    shown = screen if not screen.json else Screen(out=screen.err)
    shown.line(f"{found['release_id']}, asked for by {found['requester']}", "bold")
    for name, value in kind_facts(found):
        if value:
            shown.line(f"  {name}: {value}")
    if found["description"]:
        shown.line(f"  {found['description']}")
    show_metrics(found["metrics"], shown)
    show_gates(waiting.get("gates", []), waiting["stage"], shown)
    for reached in found["stages"]:
        if reached.get("live_since"):
            shown.line(f"  In {reached['stage']} since {moment(reached['live_since'])}")
    show_plan(plan, waiting["stage"], shown)
    show_approval(waiting["approval"], shown)
    if verdict == "reject" and not reason:
        reason = typer.prompt("Why", err=True)
    if not yes:
        typer.confirm(f"{verdict.capitalize()} this for {waiting['stage']}?", abort=True, err=True)
    body = {"decision": verdict, "stage": waiting["stage"], "digest": plan["digest"], "reason": reason}
    answer = api.decide(release_id, body)
    if screen.json:
        screen.answer(answer)
    screen.line(str(answer["message"]), "green" if verdict == "approve" else "")


def _waiting(found: Mapping[str, Any], wanted: str) -> Mapping[str, Any]:
    """The stage that waits for a decision; raises ``Refused`` where none does."""
    stages: list[Mapping[str, Any]] = found["stages"]
    waiting = [stage for stage in stages if stage["approval"] and stage["approval"]["status"] == "pending"]
    chosen = [stage for stage in waiting if not wanted or stage["stage"] == wanted]
    if not chosen:
        others = ", ".join(stage["stage"] for stage in waiting)
        where = f" in {wanted}" if wanted else ""
        settled = [
            f"{stage['stage']} is {status_word(stage['approval']['status'])}"
            for stage in stages
            if stage["approval"] and stage["approval"]["status"] != "pending"
        ]
        hint = f" It waits in {others}." if others else f" {'; '.join(settled).capitalize()}." if settled else ""
        if found["status"] == "superseded" and found["ended_by"]:
            hint += f" {found['ended_by']} took its place."
        raise Refused(f"{found['release_id']} waits for no decision{where}.{hint}")
    if not chosen[0]["plan"]:
        raise Refused(f"{found['release_id']} has no plan for {chosen[0]['stage']} (any more); look again.")
    return chosen[0]
