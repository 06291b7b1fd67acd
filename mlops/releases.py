"""``mlops release``, ``status`` and ``history``: starting releases, and seeing how they stand and stood."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mlops.cards import show_answer
from mlops.following import tell_started
from mlops.plans import show_approval, show_gates, show_metrics, show_plan, summary
from mlops.refusals import Refused
from mlops.screen import STYLES, Screen, moment, status_word
from mlops.target import Target, on_target
from mlops.validation import AsJson
from orchestrator.core.origins import Commit

LISTED = 100
"""Releases that the API lists at most."""

MAX_BYTES = 262_144
"""Of a configuration, as the API has it."""

_RELEASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,79}")


def checked_id(release_id: str) -> str:
    """The id, if it can be one; raises ``typer.BadParameter``."""
    if not _RELEASE_ID.fullmatch(release_id):
        raise typer.BadParameter(f"{release_id!r} is no release id; `mlops status` lists them", param_hint="RELEASE")
    return release_id


ReleaseId = Annotated[str, typer.Argument(metavar="RELEASE", help="Id of the release.", callback=checked_id)]


@on_target
def release(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration.", exists=True, dir_okay=False)],
    force: Annotated[bool, typer.Option("--force", help="Also when the same content is live already.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the release to its end.")] = False,
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """Release the workloads of a configuration."""
    screen = Screen(as_json)
    data = file.read_bytes()
    if len(data) > MAX_BYTES:
        raise Refused(f"{file} has {len(data):,} bytes; a configuration may have {MAX_BYTES:,}.")
    api = target.api(screen)
    answer = api.provision(data, str(uuid.uuid4()), force=force)
    if "release_id" not in answer:
        show_answer(answer, screen)  # a model-card operation: answered, not released
        return
    ids = answer.get("release_ids") or [answer["release_id"]]
    for warning in answer.get("warnings", []):
        screen.note(f"warning: {warning}", "yellow")
    tell_started(answer, ids, api, screen, wait=wait, as_json=as_json)


@on_target
def status(
    release_id: Annotated[
        str,
        typer.Argument(
            metavar="RELEASE",
            help="Id of a release; without it the newest are listed.",
            callback=lambda value: checked_id(value) if value else value,
        ),
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=LISTED, help="Releases to list.")] = 20,
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """Show the newest releases, or one with its stages, plans and votes."""
    screen = Screen(as_json)
    api = target.api(screen)
    if release_id:
        found = api.release(release_id)
        if as_json:
            screen.answer(found)
        show_release(found, screen)
        return
    releases = api.releases(limit)
    if as_json:
        screen.answer({"releases": releases})
    elif not releases:
        screen.line("There is no release yet.")
    else:
        screen.table(
            ("RELEASE", "TYPE", "STATUS", "STAGE", "ASKED BY", "UPDATED"),
            [
                (
                    found["release_id"],
                    found["workload_type"],
                    status_word(found["status"]),
                    found["stage"],
                    found["requester"],
                    moment(found["updated_at"]),
                )
                for found in releases
            ],
        )


@on_target
def history(
    workload: Annotated[str, typer.Argument(metavar="WORKLOAD", help="Name of the workload.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=LISTED, help="Releases to show.")] = 10,
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """Show what was released of a workload, who asked and who decided, newest first."""
    screen = Screen(as_json)
    api = target.api(screen)
    listed = api.releases(LISTED)
    if len(listed) == LISTED:
        screen.note(f"Only the newest {LISTED} releases of the installation are looked at.")
    ids = [found["release_id"] for found in listed if found["workload"] == workload][:limit]
    if not ids:
        others = sorted({found["workload"] for found in listed if found["workload_type"]})
        raise Refused(f"There is no release of {workload!r}. Released were: {', '.join(others) or 'none'}.")
    releases = [api.release(release_id) for release_id in ids]
    if as_json:
        screen.answer({"workload": workload, "releases": releases})
    for found in releases:
        ended = status_word(found["status"])
        screen.line(f"{moment(found['created_at'])}  {found['release_id']}  {ended}", STYLES.get(ended, ""))
        what = {"removal": "its removal asked by", "rollback": "rollback asked by"}.get(found["kind"], "asked by")
        screen.line(f"  {what} {found['requester']}, from {found['source']}")
        for name, value in _commit_facts(found["commit"]):
            if value and name != "Link":
                screen.line(f"  {name.lower()}: {value}")
        for stage in found["stages"]:
            _show_votes(stage, screen)
        if found["goes_back_to"]:
            screen.line(f"  from {found['instead_of'] or 'nothing'} to {found['goes_back_to']}")
        if found["asked_because"]:
            screen.line(f"  because: {found['asked_because']}")
        if found["status"] == "superseded" and found["ended_by"]:
            screen.line(f"  {found['ended_by']} took its place")
        if found["reason"] and not found["ended_by"]:
            screen.line(f"  {found['reason']}")


def _commit_facts(commit: Mapping[str, str] | None) -> Sequence[tuple[str, str]]:
    """Author and message are what the commit claims."""
    if commit is None:
        return ()
    named = ("repository", "branch", "commit_id", "author_name", "author_email")
    author = Commit(**{name: commit[name] for name in named}).author
    return (
        ("Commit", f"{commit['commit_id']} on {commit['branch']}"),
        ("Author", f"{author} (as the commit says)" if author else ""),
        ("Message", commit["message"]),
        ("Link", commit["url"]),
    )


def kind_facts(found: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """What a removal or a rollback is, and why it was asked for; values are empty for any other release."""
    way = f"from {found['instead_of'] or 'nothing'} to {found['goes_back_to']}" if found["goes_back_to"] else ""
    return (
        ("Kind", "removal of the workload" if found["kind"] == "removal" else ""),
        ("Rollback", way),
        ("Because", found["asked_because"]),
    )


def show_release(found: Mapping[str, Any], screen: Screen) -> None:
    """One release: what it is, how it stands, and each stage."""
    word = status_word(found["status"])
    where = f" ({found['stage']})" if found["stage"] else ""
    screen.line(f"{found['release_id']}: {word}{where}", STYLES.get(word, "bold"))
    facts = (
        ("Workload", f"{found['workload']} ({found['workload_type']})" if found["workload_type"] else ""),
        *kind_facts(found),
        ("Description", found["description"]),
        ("Asked by", found["requester"]),
        ("From", found["source"]),
        *_commit_facts(found["commit"]),
        *(("Pinned", f"{name} at {version}") for name, version in found["pins"].items()),
        ("Stack", found["stack_name"]),
        ("Pipeline", " ".join((found["pipeline"] or {}).get(name, "") for name in ("name", "console")).strip()),
        ("Content", found["digest"]),
        ("Started", moment(found["created_at"])),
        ("Updated", moment(found["updated_at"])),
        ("Ended by", found["ended_by"]),
        ("Reason", found["reason"]),
    )
    for name, value in facts:
        if value:
            screen.line(f"  {name:12} {value}")
    show_metrics(found["metrics"], screen)
    for problem in found["problems"]:
        screen.line(f"  problem: {problem}", "red")
    for warning in found["warnings"]:
        screen.line(f"  warning: {warning}", "yellow")
    for stage in found["stages"]:
        _show_stage(stage, screen)


def _show_stage(stage: Mapping[str, Any], screen: Screen) -> None:
    word = status_word(stage["status"])
    screen.line()
    screen.line(f"{stage['stage']}: {word}", STYLES.get(word, "bold"))
    if stage["note"]:
        screen.line(f"  {stage['note']}")
    if stage.get("live_since"):
        screen.line(f"  Live here since {moment(stage['live_since'])}")
    show_gates(stage.get("gates", []), stage["stage"], screen)
    plan = stage["plan"]
    if plan and stage["status"] in {"planned", "awaiting_approval"}:
        show_plan(plan, stage["stage"], screen)
    elif plan:
        screen.line(f"  Plan: {summary(plan)}")
    if stage["approval"]:
        show_approval(stage["approval"], screen)
    job = stage.get("job")
    if job:
        screen.line(f"  Job {job['name']}: {status_word(job['status'])}, {job['console']}")
        if job["reason"]:
            screen.line(f"    {job['reason']}")
    for name, value in stage["outputs"].items():
        screen.line(f"  {name}: {value}")


def _show_votes(stage: Mapping[str, Any], screen: Screen) -> None:
    for vote in (stage["approval"] or {}).get("votes", []):
        said = "approved" if vote["verdict"] == "approve" else "rejected"
        reason = f': "{vote["reason"]}"' if vote["reason"] else ""
        screen.line(f"  {stage['stage']} {said} by {vote['by']} at {moment(vote['at'])} (by {vote['via']}){reason}")
    for one in (stage["approval"] or {}).get("withdrawals", []):
        screen.line(f"  {stage['stage']} approval of {one['by']} withdrawn at {moment(one['at'])} (by {one['via']})")
