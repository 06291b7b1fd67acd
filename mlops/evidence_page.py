"""The readable page of an evidence pack: one file that loads nothing, runs nothing, and escapes everything it shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from mlops.screen import clean, moment, status_word
from orchestrator.core.ledger.verification import Verdict

GOOD = frozenset({"approved", "approve", "deployed", "removed", "succeeded", "verified", "unchanged", "empty"})
BAD = frozenset({"rejected", "reject", "failed", "expired", "refused", "stopped", "absent"})

COLUMNS = ("Entry", "When (UTC)", "What", "Stage", "Outcome", "Who", "Release", "Reason and facts")

MAX_DEPTH = 6
"""Levels of a fact that are shown; those of our own entries have three."""

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2330; --dim: #586174; --line: #d9dee7; --tint: #f5f7fa;
  --good: #14683c; --bad: #a3211d; --accent: #23539c; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171d; --ink: #e6e9ef; --dim: #a2abbb; --line: #333a47;
  --tint: #1c2029; --good: #6fd39b; --bad: #ff9089; --accent: #8db8ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 88rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { font-size: 1.6rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p, li { max-width: 75ch; }
code, .hash { font: .85em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.verdict { border-left: .3rem solid var(--good); background: var(--tint); padding: .7rem 1rem; margin: 1rem 0; }
.verdict.broken { border-color: var(--bad); }
.verdict strong { color: var(--good); }
.verdict.broken strong { color: var(--bad); }
.dim, dt, th { color: var(--dim); }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: 600; font-size: .85rem; position: sticky; top: 0; background: var(--paper); }
th, td { padding: .45rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
td:nth-child(-n+5), td:nth-child(7) { overflow-wrap: break-word; }
th { overflow-wrap: normal; } td:nth-child(2) { min-width: 7.5rem; }
td:nth-child(6), td:nth-child(7) { min-width: 12rem; }
td:nth-child(8) { min-width: 20rem; width: 40%; }
tr.broken td { background: color-mix(in srgb, var(--bad) 14%, transparent); }
.what { font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); }
summary { cursor: pointer; color: var(--accent); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .8rem; margin: .4rem 0; }
dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; min-width: 0; }
@media (max-width: 60rem) {
  body { padding: 1rem; }
  thead { display: none; }
  table, tbody, tr, td { display: block; width: 100%; }
  tr { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .75rem; margin-bottom: .75rem; }
  td { border: 0; padding: .1rem 0; min-width: 0 !important; }
  td:empty { display: none; }
  td:not(:nth-child(3))::before { content: attr(data-label) " "; color: var(--dim); font-size: .85rem; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: .3rem; }
}
@media print { details > * { display: block; } th { position: static; } }
"""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Should anything ever get past the escaping, no browser loads or runs it."""


def page(
    ledger: str, entries: Sequence[Any], verdict: Verdict, exported_at: str, source: str, explained: Sequence[str]
) -> str:
    """The whole page."""
    return "".join(_page(ledger, entries, verdict, exported_at, source, explained))


def _page(
    ledger: str, entries: Sequence[Any], verdict: Verdict, exported_at: str, source: str, explained: Sequence[str]
) -> Iterator[str]:
    title = f"Audit ledger of {_text(ledger)}"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="referrer" content="no-referrer">\n'
    yield f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    yield f'<p class="dim">Exported {_text(moment(exported_at))} from {_text(source) or "a file"}.</p>\n'
    yield _verdict(verdict)
    yield from _table(entries, verdict)
    yield "<h2>How to verify this yourself</h2>\n"
    yield "<p>The file ledger.json beside this page holds the same entries.</p>\n<ol>\n"
    yield from (f"<li>{_text(sentence)}</li>\n" for sentence in explained)
    yield "</ol>\n</body>\n</html>\n"


def _verdict(verdict: Verdict) -> str:
    head = verdict.head
    anchor = f'<br><span class="hash">{head.sequence}:{_text(head.hash)}</span>' if head else ""
    if verdict.broken is None:
        count = "1 entry" if verdict.entries == 1 else f"{verdict.entries:,} entries"
        return f'<p class="verdict"><strong>Sound.</strong> {count} verified when it was exported.{anchor}</p>\n'
    broken = verdict.broken
    return (
        f'<p class="verdict broken"><strong>Broken at entry {broken.sequence}:</strong> {_text(broken.sentence)} '
        f"({_text(status_word(broken.fault))}). Nothing from there on is proven. "
        f"The last sound entry:{anchor or ' none'}</p>\n"
    )


def _table(entries: Sequence[Any], verdict: Verdict) -> Iterator[str]:
    if not entries:
        yield "<p>The ledger has no entry.</p>\n"
        return
    yield "<h2>What happened</h2>\n<table>\n<thead><tr>"
    yield from (f'<th scope="col">{column}</th>' for column in COLUMNS)
    yield "</tr></thead>\n<tbody>\n"
    for found in entries:
        yield _row(found, verdict)
    yield "</tbody>\n</table>\n"


def _row(found: Any, verdict: Verdict) -> str:
    row = mapping(found)
    entry = mapping(row.get("entry"))
    sequence, outcome = row.get("sequence", "?"), str(entry.get("outcome") or "")
    broken = verdict.broken is not None and sequence == verdict.broken.sequence
    tone = "good" if outcome in GOOD else "bad" if outcome in BAD else ""
    cells = (
        _text(sequence),
        _text(moment(str(entry.get("at") or "")).removesuffix(" UTC")),
        f'<span class="what">{_text(status_word(str(entry.get("kind") or "unreadable")))}</span>',
        _text(entry.get("stage") or ""),
        f'<span class="{tone}">{_text(status_word(outcome))}</span>' if outcome else "",
        _who(entry),
        _text(entry.get("release") or ""),
        f"{_text(entry.get('reason') or '')}{_details(row, entry)}",
    )
    labelled = zip(COLUMNS, cells, strict=True)
    filled = "".join(f'<td data-label="{column}">{cell}</td>' for column, cell in labelled)
    marked = ' class="broken"' if broken else ""
    return f"<tr{marked}>{filled}</tr>\n"


def _who(entry: Mapping[str, Any]) -> str:
    actor = mapping(entry.get("actor"))
    if not actor:
        return '<span class="dim">the orchestrator</span>' if entry else ""
    known = "verified" if actor.get("verified") is True else "claimed, not verified"
    via = f", via {_text(entry['via'])}" if entry.get("via") else ""
    return (
        f"{_text(actor.get('display') or '')}<br>"
        f'<span class="dim">{_text(actor.get("kind") or "")} {_text(actor.get("identity") or "")} ({known}{via})</span>'
    )


def _details(row: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    """The facts, and what the chain has of the entry; of one that is none, all there is."""
    if not entry:
        return f"<dl>{_pairs([('stored', row.get('entry')), ('hash', row.get('hash'))])}</dl>"
    facts = list(mapping(entry.get("facts")).items())
    chain = [(name, entry.get(name)) for name in ("recorded_at", "previous", "change")]
    pairs = _pairs([*facts, *chain, ("hash", row.get("hash"))])
    return f"<details><summary>Facts</summary><dl>{pairs}</dl></details>"


def _pairs(facts: Iterable[tuple[str, Any]]) -> str:
    return "".join(
        f"<dt>{_text(status_word(str(name)))}</dt><dd>{_value(value)}</dd>"
        for name, value in facts
        if value not in ("", None, [], {})
    )


def _value(value: Any, depth: int = 0) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case Mapping() if depth < MAX_DEPTH:
            members = (f"{_text(status_word(str(name)))}: {_value(one, depth + 1)}" for name, one in value.items())
            return "<br>".join(members)
        case list() if depth < MAX_DEPTH:
            return "<br>".join(_value(one, depth + 1) for one in value)
        case Mapping() | list():
            return "…"
        case _:
            return _text(value)


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    """Safe in any place of the page, attributes too; controls and Unicode's direction marks become visible."""
    return escape(clean(value), quote=True)
