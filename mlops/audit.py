"""``mlops audit``: the ledger of a workload, printed, verified here, and exported as evidence.

Nothing that the API says about the ledger's soundness is asked for: every hash is computed here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from mlops.evidence import Evidence, read_pack, write_pack
from mlops.evidence_page import mapping
from mlops.refusals import Refused, Unreachable
from mlops.screen import Screen, moment, status_word
from mlops.target import Target, on_target
from mlops.validation import AsJson
from mlops.workloads import checked_name
from orchestrator.core.ledger.chain import REQUESTS
from orchestrator.core.ledger.verification import Anchor

COLUMNS = ("ENTRY", "WHEN", "WHAT", "STAGE", "OUTCOME", "WHO", "VIA", "RELEASE", "REASON")

_ANCHOR = re.compile(r"([1-9][0-9]{0,10}):([0-9a-f]{64})")


def _checked_ledger(name: str) -> str:
    return name if name == REQUESTS else checked_name(name)


@on_target
def audit(
    workload: Annotated[
        str,
        typer.Argument(
            metavar="WORKLOAD",
            help=f"Name of the workload; {REQUESTS} for requests that became no release of one.",
            callback=_checked_ledger,
        ),
    ],
    verify: Annotated[bool, typer.Option("--verify", help="Compute every hash; name the first broken entry.")] = False,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="DIR", help="Write the ledger as evidence.", file_okay=False)
    ] = None,
    anchors: Annotated[
        list[str],
        typer.Option(
            "--anchor", metavar="ENTRY:HASH", help="A hash that was noted earlier; must still hold. May be repeated."
        ),
    ] = [],  # noqa: B006 - typer copies it
    pack: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Read an exported ledger.json, not an installation.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """Show everything that happened to a workload, from its audit ledger."""
    screen = Screen(as_json)
    noted = [_anchor(text) for text in anchors]
    found = read_pack(pack) if pack is not None else _read(workload, target, screen)
    if found.ledger != workload:
        raise Refused(f"{pack} holds the ledger of {found.ledger}.")
    verdict = found.verdict(noted)
    written = write_pack(found, verdict, export, datetime.now(UTC)) if export is not None else {}
    if as_json:
        screen.answer(
            {
                "ledger": found.ledger,
                "head": found.head,
                "verification": found.told(verdict),
                "written": {str(path): digest for path, digest in written.items()},
                "entries": [] if verify or written else list(found.entries),
            }
        )
    elif not (verify or written):
        _show(found.entries, screen)
    for path, digest in written.items():
        screen.line(f"{path}  sha256 {digest}")
    if verdict.broken is not None:
        broken = verdict.broken
        told = f"{found.ledger} is broken at entry {broken.sequence}: {broken.sentence} ({status_word(broken.fault)})."
        (screen.line if verify or written else screen.note)(told, "red")
    elif verify or written:
        screen.line(f"{found.ledger}: {_count(verdict.entries)} verified.", "green")
    if verdict.head is not None:
        last = "The last sound entry" if verdict.broken else "The last entry"
        screen.note(f"{last}, as an anchor for another day: {verdict.head.sequence}:{verdict.head.hash}")
    if verdict.broken is not None and (verify or written):
        raise typer.Exit(1)


def _read(workload: str, target: Target, screen: Screen) -> Evidence:
    """Every page, until an empty one: rows behind the head would show too."""
    api = target.api(screen)
    entries: list[Any] = []
    after = 0
    while True:
        page = api.ledger(workload, after)
        entries += page["entries"]
        following = page["next"]
        if following is None:
            return Evidence(workload, tuple(entries), page["head"], api.url)
        if not isinstance(following, int) or following <= after:
            raise Unreachable(f"The API at {api.url} pages backwards, from entry {after} to {following}.")
        after = following


def _anchor(text: str) -> Anchor:
    match = _ANCHOR.fullmatch(text)
    if match is None:
        raise typer.BadParameter(
            f"{text!r} is no anchor; it is ENTRY:HASH, as --verify prints it", param_hint="--anchor"
        )
    return Anchor(int(match[1]), match[2])


def _show(entries: Sequence[Any], screen: Screen) -> None:
    if not entries:
        screen.line("The ledger has no entry yet.")
        return
    screen.table(COLUMNS, [_cells(found) for found in entries])


def _cells(found: Any) -> tuple[str, ...]:
    """One row; of an entry that is none, what there is to see."""
    row = mapping(found)
    entry = mapping(row.get("entry"))
    actor = mapping(entry.get("actor"))
    said = {name: str(entry.get(name) or "") for name in ("at", "kind", "stage", "outcome", "via", "release", "reason")}
    return (
        str(row.get("sequence", "")),
        moment(said["at"]),
        status_word(said["kind"]) or "(unreadable)",
        said["stage"],
        status_word(said["outcome"]),
        str(actor.get("display") or ""),
        said["via"],
        said["release"],
        said["reason"],
    )


def _count(entries: int) -> str:
    return "1 entry" if entries == 1 else f"{entries:,} entries"
