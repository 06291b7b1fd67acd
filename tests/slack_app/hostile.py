"""Other people's text at its worst, and the records that hold it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from orchestrator.core.gate_results import Fault, GateResult, GateStatus
from orchestrator.core.messages.facts import Facts
from orchestrator.core.origins import Commit, Source, SourceKind
from orchestrator.core.people import Identity, IdentityKind
from orchestrator.core.plans import AccessChange, Area, ParameterChange, Reach, ResourceChange
from orchestrator.core.records import ApprovalStatus, Figure, StageStatus, Status, Verdict
from orchestrator.core.withdrawals import Withdrawal
from tests.slack_app import samples

NASTY = (
    "<!channel> <!here> <!everyone> <@U0BEN> <#C0RELEASES> <!subteam^S0OWNERS>",
    "@channel @here <http://evil.example|Approved by everybody>",
    "`code` *bold* _italic_ ~struck~ > quote\n*Nothing more is needed.*\n• `x`",
    "&lt;!channel&gt; &amp; &amp;lt;",
    "&" * 3_100,
    "<" * 3_100,
    "عملية إصدار النموذج رقم ١٢٣",
    "\u202egpj.etats\u202c \u2066isolated\u2069 \u200f",
    "👩\u200d🔬" * 800,
    "\U0001f1f5\U0001f1f9" * 900,
    "a\u0301" * 1_600,
    "\x00\x07\x1b[31mred\x1b[0m\u2028next\u2029",
    "\ud800 lone \udfff",
    "x" * 4_200,
    "line\n" * 700,
    "",
    " \t\n",
    "………",
)

text = st.sampled_from(NASTY) | st.text(max_size=200) | st.text("<>&!@#`*_|^\n", max_size=80)
"""Text as somebody who wishes us ill would write it, and as nobody would."""

_resource = st.builds(
    ResourceChange,
    st.sampled_from(["add", "modify", "remove", "replace", "maybe_replace", "import"]),
    text,
    text,
    st.lists(text, max_size=8).map(tuple),
)
_parameter = st.builds(ParameterChange, text, st.none() | text, st.none() | text)
_access = st.lists(
    st.builds(AccessChange, st.sampled_from(list(Area)), st.sampled_from(list(Reach)), text, text, text), max_size=40
).map(tuple)
_commit = st.builds(Commit, text, text, text, text, text, text, text)
_vote = st.builds(
    lambda who, verdict, reason: replace(samples.vote(who, verdict, reason)),
    text,
    st.sampled_from(list(Verdict)),
    text,
)
_withdrawal = st.builds(
    Withdrawal, st.just("ben@example.com"), text, st.just(samples.ASKED), st.just(samples.ASKED), text
)
_number = st.floats(allow_nan=False, allow_infinity=False).map(repr) | st.integers(-(10**300), 10**300).map(str)
_figures = st.lists(st.builds(Figure, st.sampled_from(["auc"]) | text, _number), max_size=12).map(tuple)
_json_number = st.just("") | _number
_gate = st.builds(
    GateResult,
    st.sampled_from(["auc"]) | text,
    st.sampled_from(list(GateStatus)),
    st.lists(st.sampled_from(list(Fault)), max_size=4).map(tuple),
    *(_json_number, _json_number, text, _json_number, _json_number, _json_number),
    st.booleans(),
)
"""Also what no gate can come to: a passed one with faults, one that compares with nothing."""
_gates = st.lists(_gate, max_size=30).map(tuple)
_source = st.builds(Source, st.sampled_from(list(SourceKind)), bucket=text, key=text, version_id=text, request=text)
_requester = st.builds(Identity, st.sampled_from(list(IdentityKind)), text, st.booleans())


@st.composite
def facts(draw: st.DrawFn, waiting: bool | None = None) -> Facts:
    """Any release, hostile in every text that people or AWS can put into it; ``waiting`` for a decision if asked."""
    asks = draw(st.booleans()) if waiting is None else waiting
    status = Status.AWAITING_APPROVAL if asks else draw(st.sampled_from(list(Status)))
    planned = samples.plan(draw(st.lists(_resource, max_size=60)), draw(st.lists(_parameter, max_size=60)))
    planned = replace(planned, access=draw(_access))
    question = samples.approval(
        ApprovalStatus.PENDING if asks else draw(st.sampled_from(list(ApprovalStatus))),
        draw(st.lists(_vote, max_size=30)),
        withdrawals=draw(st.lists(_withdrawal, max_size=5).map(tuple)),
    )
    many = st.lists(text, max_size=40).map(tuple)
    release = samples.release(
        status,
        workload=draw(text),
        source=draw(_source),
        requester=draw(_requester),
        description=draw(text),
        channel=draw(text),
        reason=draw(text),
        ended_by=draw(text),
        problems=draw(many),
        warnings=draw(many),
        metrics=draw(_figures),
        commit=draw(st.none() | _commit),
    )
    outputs = tuple((f"Endpoint{draw(text)}", draw(text)) for _ in range(draw(st.integers(0, 4))))
    known = samples.facts(release, question, planned)
    dev = samples.stage("dev", draw(st.sampled_from(list(StageStatus))), outputs=outputs)
    staging = replace(known.stages["staging"], gates=draw(_gates))
    since = draw(st.sampled_from([{}, {"dev": samples.ASKED}]))
    return replace(known, stages={"dev": dev, "staging": staging}, live=draw(_figures), live_since=since)


def strings(value: Any) -> Iterator[tuple[str, str]]:
    """Every text in blocks, with the key it stands under."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str):
                yield key, inner
            else:
                yield from strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings(inner)


_DATE = re.compile(r"<!date\^\d+\^(\{date_short_pretty\} \{time\}|\{ago\})\|[0-9: -]+UTC>")


def markup(blocks: Any) -> list[str]:
    """What Slack would take for a mention, link or command in these blocks; our own dates are left out."""
    found = []
    for _, shown in strings(blocks):
        found += re.findall(r"<[^>]*>?", _DATE.sub("", shown))
    return found
