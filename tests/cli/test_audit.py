"""``mlops audit``: the ledger printed, verified here, and exported as evidence."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.evidence import Evidence, read_pack, write_pack
from mlops.evidence_page import page
from mlops.refusals import Refused
from orchestrator.core.ledger.chain import REQUESTS, Actor, Draft, EntryKind, Head, canonical, seal
from orchestrator.core.ledger.verification import verify
from orchestrator.core.records import Release, Verdict
from tests.cli.conftest import Command
from tests.cli.gateway import Gateway
from tests.fakes.memory_world import BEN, configuration
from tests.slack_app.hostile import NASTY
from tests.steps import journeys

WORKLOAD = "fraud-detector-realtime"
MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FILES = ["ledger.html", "ledger.json", "verify.py"]


@pytest.fixture
def live(gateway: Gateway) -> Release:
    """A release that went all the way."""
    return journeys.live(gateway.world)


def tampered(gateway: Gateway, sequence: int, **members: Any) -> None:
    """Somebody with access to the table writes other members into an entry, and leaves its hash."""
    rows = gateway.world.ledgers.entries[WORKLOAD]
    entry = {**json.loads(rows[sequence].text), **members}
    rows[sequence] = replace(rows[sequence], text=canonical(entry))


def test_everything_that_happened_is_printed_one_line_each(mlops: Command, live: Release) -> None:
    result = mlops("audit", WORKLOAD)
    assert result.exit_code == 0, result.output
    header, *lines = result.stdout.splitlines()
    assert header.split() == ["ENTRY", "WHEN", "WHAT", "STAGE", "OUTCOME", "WHO", "VIA", "RELEASE", "REASON"]
    assert len(lines) == 21
    assert re.match(r"1 +2026-03-01 12:00:00 UTC +request +Ana Silva +api +" + live.release_id, lines[0])
    vote = next(line for line in lines if " vote " in line and " prod " in line)
    assert "approve" in vote
    assert "Chloé Martin" in vote
    assert re.match(r"21 .* outcome +prod +succeeded", lines[-1])
    assert "The last entry, as an anchor for another day: 21:" in result.stderr


def test_a_reason_is_printed(mlops: Command, gateway: Gateway) -> None:
    release = journeys.asked(gateway.world)
    approval = gateway.world.approval(release.release_id, "staging")
    gateway.world.vote(BEN, approval, Verdict.REJECT, "Too\nold \x1b[31m")
    lines = mlops("audit", WORKLOAD).stdout.splitlines()
    assert lines[-1].endswith("Too old \ufffd[31m")


def test_as_json_it_is_what_the_api_gave_and_the_verdict(mlops: Command, live: Release) -> None:
    answer = mlops.json("audit", WORKLOAD)
    assert (answer["ledger"], len(answer["entries"]), answer["verification"]["sound"]) == (WORKLOAD, 21, True)
    assert answer["head"] == answer["verification"]["last_sound"]
    assert answer["entries"][0]["entry"]["kind"] == "request"


def test_a_long_ledger_is_read_page_by_page(
    mlops: Command, gateway: Gateway, live: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops.api.LEDGER_PAGE", 8)
    assert len(mlops.json("audit", WORKLOAD)["entries"]) == 21
    assert [request.path.partition("?")[2] for request in gateway.received] == [
        f"after={after}&limit=8" for after in (0, 8, 16, 21)
    ]


def test_an_api_that_pages_backwards_is_not_followed_for_ever(mlops: Command, gateway: Gateway) -> None:
    answer: dict[str, Any] = {"ledger": WORKLOAD, "head": None, "entries": [], "next": 0}
    gateway.canned = [(200, json.dumps(answer).encode())] * 9
    result = mlops("audit", WORKLOAD)
    assert (result.exit_code, len(gateway.received)) == (1, 1)
    assert "pages backwards" in result.output


def test_an_empty_ledger_says_so(mlops: Command) -> None:
    assert mlops("audit", REQUESTS).stdout == "The ledger has no entry yet.\n"
    assert mlops("audit", REQUESTS, "--verify").stdout == "_requests: 0 entries verified.\n"


def test_an_unknown_workload_is_refused_in_the_apis_words(mlops: Command) -> None:
    result = mlops("audit", "nobody")
    assert (result.exit_code, "there is no workload 'nobody'" in result.output) == (1, True)


@pytest.mark.parametrize(
    "wrong",
    [
        ("../x",),
        ("a/b",),
        (WORKLOAD, "--anchor", "1"),
        (WORKLOAD, "--anchor", "0:" + "a" * 64),
        (WORKLOAD, "--from", "x"),
    ],
)
def test_wrong_usage_asks_nobody(mlops: Command, gateway: Gateway, wrong: tuple[str, ...]) -> None:
    assert mlops("audit", *wrong).exit_code == 2
    assert gateway.received == []


# --verify


def test_a_sound_ledger_verifies(mlops: Command, gateway: Gateway, live: Release) -> None:
    result = mlops("audit", WORKLOAD, "--verify")
    head = gateway.world.ledgers.heads[WORKLOAD]
    assert (result.exit_code, result.stdout) == (0, f"{WORKLOAD}: 21 entries verified.\n")
    assert f"{head.sequence}:{head.hash}" in result.stderr
    assert mlops("audit", WORKLOAD, "--verify", "--anchor", f"{head.sequence}:{head.hash}").exit_code == 0


def test_the_first_broken_entry_is_named_and_what_is_wrong_with_it(
    mlops: Command, gateway: Gateway, live: Release
) -> None:
    tampered(gateway, 16, outcome="approve", reason="forged")
    tampered(gateway, 18, reason="forged too")
    result = mlops("audit", WORKLOAD, "--verify")
    assert result.exit_code == 1
    assert result.stdout == (
        f"{WORKLOAD} is broken at entry 16: its content is not what its hash was made of (content changed).\n"
    )
    assert "The last sound entry, as an anchor for another day: 15:" in result.stderr
    answer = mlops.json("audit", WORKLOAD, "--verify", exit_code=1)
    assert answer["verification"]["broken"] == {
        "sequence": 16,
        "fault": "content_changed",
        "what": "its content is not what its hash was made of",
    }


def test_a_gap_and_a_missing_head_are_named(mlops: Command, gateway: Gateway, live: Release) -> None:
    ledgers = gateway.world.ledgers
    kept = ledgers.entries[WORKLOAD].pop(7)
    assert "is broken at entry 7: it is missing (missing)." in mlops("audit", WORKLOAD, "--verify").stdout
    ledgers.entries[WORKLOAD][7] = kept
    del ledgers.heads[WORKLOAD]
    assert "is broken at entry 21: the ledger's head is missing" in mlops("audit", WORKLOAD, "--verify").stdout


def test_who_only_prints_a_broken_ledger_is_told_beside_it(mlops: Command, gateway: Gateway, live: Release) -> None:
    tampered(gateway, 3, reason="forged")
    result = mlops("audit", WORKLOAD)
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 22)
    assert "is broken at entry 3" in result.stderr


def test_a_ledger_that_was_written_anew_does_not_hold_against_an_anchor(
    mlops: Command, gateway: Gateway, live: Release
) -> None:
    row = gateway.world.ledgers.entries[WORKLOAD][4]
    other = "f" * 64
    assert mlops("audit", WORKLOAD, "--verify", "--anchor", f"4:{row.hash}").exit_code == 0
    result = mlops("audit", WORKLOAD, "--verify", "--anchor", f"4:{row.hash}", "--anchor", f"9:{other}")
    assert (result.exit_code, "is broken at entry 9: its hash is not the one that was noted" in result.stdout) == (
        1,
        True,
    )
    assert "is broken at entry 40" in mlops("audit", WORKLOAD, "--verify", "--anchor", f"40:{other}").stdout


def test_a_row_that_is_no_entry_is_printed_as_one(mlops: Command, gateway: Gateway, live: Release) -> None:
    rows = gateway.world.ledgers.entries[WORKLOAD]
    rows[2] = replace(rows[2], text="[]")
    lines = mlops("audit", WORKLOAD).stdout.splitlines()
    assert lines[2].split() == ["2", "(unreadable)"]


# --export


def verifier(folder: Path) -> tuple[int, str]:
    """What the pack's own program says, in a Python that has nothing of ours."""
    run = subprocess.run(  # noqa: S603 - the program of the pack
        [sys.executable, "-I", "-S", str(folder / "verify.py")], capture_output=True, text=True, check=False
    )
    return run.returncode, run.stdout + run.stderr


def test_the_pack_proves_itself(mlops: Command, gateway: Gateway, live: Release, tmp_path: Path) -> None:
    folder = tmp_path / "evidence" / "2026"
    result = mlops("audit", WORKLOAD, "--export", str(folder))
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in folder.iterdir()) == FILES
    for name in FILES:
        assert f"{folder / name}  sha256 {hashlib.sha256((folder / name).read_bytes()).hexdigest()}" in result.stdout
    pack = json.loads((folder / "ledger.json").read_bytes())
    head = gateway.world.ledgers.heads[WORKLOAD]
    assert pack["verification"]["sound"] is True
    assert pack["head"] == {"sequence": head.sequence, "hash": head.hash}
    assert pack["exported_from"] == gateway.url
    assert "RFC 8785" in pack["canonical_form"]
    assert len(pack["how_to_verify"]) > 4
    for row in pack["entries"]:
        assert hashlib.sha256(row["canonical"].encode()).hexdigest() == row["hash"]
        assert json.loads(row["canonical"]) == row["entry"]
    assert verifier(folder) == (0, f"sound: 21 entries\n21:{head.hash}\n")


def test_evidence_is_not_written_over(mlops: Command, live: Release, tmp_path: Path) -> None:
    (tmp_path / "ledger.html").write_text("mine")
    result = mlops("audit", WORKLOAD, "--export", str(tmp_path))
    assert (result.exit_code, "has ledger.html already" in result.output) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.html"]


def test_a_folder_that_cannot_be_written_is_told(mlops: Command, live: Release, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = mlops("audit", WORKLOAD, "--export", str(tmp_path / "file" / "below"))
    assert (result.exit_code, "could not be written" in result.output) == (1, True)


def test_a_broken_ledger_is_exported_as_what_it_is(
    mlops: Command, gateway: Gateway, live: Release, tmp_path: Path
) -> None:
    tampered(gateway, 5, reason="forged")
    result = mlops("audit", WORKLOAD, "--export", str(tmp_path))
    assert (result.exit_code, "is broken at entry 5" in result.stdout) == (1, True)
    assert json.loads((tmp_path / "ledger.json").read_bytes())["verification"]["broken"]["sequence"] == 5
    assert "Broken at entry 5:" in (tmp_path / "ledger.html").read_text()
    status, said = verifier(tmp_path)
    assert (status, "entry 5 was changed" in said) == (1, True)


PACK_TAMPERING: dict[str, Any] = {
    "entry": lambda pack: pack["entries"][4]["entry"].update(reason="forged"),
    "canonical": lambda pack: pack["entries"][4].update(canonical="{}"),
    "hash": lambda pack: pack["entries"][4].update(hash="f" * 64),
    "gap": lambda pack: pack["entries"].pop(4),
    "swap": lambda pack: pack["entries"].insert(4, pack["entries"].pop(5)),
    "end": lambda pack: pack["entries"].pop(),
    "head": lambda pack: pack.update(head=None),
    "head's hash": lambda pack: pack["head"].update(hash="f" * 64),
    "ledger": lambda pack: pack.update(ledger="churn"),
    "no row": lambda pack: pack["entries"].insert(4, None),
    "no entry": lambda pack: pack["entries"][4].update(entry=None),
}


@pytest.mark.parametrize("how", PACK_TAMPERING)
def test_a_pack_that_was_tampered_with_proves_that(mlops: Command, live: Release, tmp_path: Path, how: str) -> None:
    mlops("audit", WORKLOAD, "--export", str(tmp_path))
    file = tmp_path / "ledger.json"
    pack = json.loads(file.read_bytes())
    PACK_TAMPERING[how](pack)
    file.write_text(json.dumps(pack))
    assert verifier(tmp_path)[0] == 1
    if how != "canonical":  # which is computed anew
        assert mlops("audit", WORKLOAD, "--from", str(file), "--verify").exit_code == 1


def test_a_pack_is_read_without_any_installation(
    mlops: Command, gateway: Gateway, live: Release, tmp_path: Path
) -> None:
    mlops("audit", WORKLOAD, "--export", str(tmp_path))
    gateway.received.clear()
    file = str(tmp_path / "ledger.json")
    assert len(mlops("audit", WORKLOAD, "--from", file).stdout.splitlines()) == 22
    assert mlops("audit", WORKLOAD, "--from", file, "--verify").stdout == f"{WORKLOAD}: 21 entries verified.\n"
    again = tmp_path / "again"
    assert mlops("audit", WORKLOAD, "--from", file, "--export", str(again)).exit_code == 0
    assert json.loads((again / "ledger.json").read_bytes())["entries"] == json.loads(Path(file).read_bytes())["entries"]
    assert "holds the ledger of" in mlops("audit", "churn-realtime", "--from", file).output
    assert gateway.received == []


@pytest.mark.parametrize("text", ["", "[", "[]", "{}", '{"entries": [], "format": 2}', '{"entries": {}, "format": 1}'])
def test_what_is_no_pack_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ledger.json"
    file.write_text(text)
    with pytest.raises(Refused):
        read_pack(file)


# The page.


class Reader(HTMLParser):
    """What a browser sees of a page: its elements, their attributes, its text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)


OURS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "h2",
        "p",
        "strong",
        "br",
        "span",
        "table",
        "thead",
        "tr",
    ),
    *("th", "tbody", "td", "details", "summary", "dl", "dt", "dd", "ol", "li"),
}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "scope", "data-label"}


def written_with(text: str) -> str:
    """The page of a ledger in which everything that somebody may write is this text."""
    actor = Actor(text, text, text, verified=False)
    draft = Draft(EntryKind.VOTE, "c", text, text, text, actor, text, text, text, {"a": text, "b": [text, {"c": text}]})
    sealed = seal(draft, "fraud", Head(), text)
    entries = [
        {"sequence": 1, "hash": sealed.hash, "entry": json.loads(sealed.text)},
        {"sequence": text, "hash": text, "entry": text},
        {
            "sequence": 3,
            "hash": text,
            "entry": {"kind": text, text: text, "actor": text, "facts": text, "outcome": [text]},
        },
        text,
    ]
    verdict = Evidence("fraud", tuple(entries), {"sequence": 1, "hash": sealed.hash}, text).verdict()
    return page(text, entries, verdict, text, text, (text,))


def assert_harmless(text: str) -> None:
    """Nothing but our own elements and attributes, whatever was written."""
    read = Reader(text)
    assert read.open == []
    assert set(read.elements) <= OURS
    assert {name for name, _ in read.attributes} <= ATTRIBUTES
    assert not re.search(r"\b(src|href|url|import|srcset|action)\s*[=(]", re.sub(r">[^<]*<", "><", text))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize(
    "hostile",
    [
        *NASTY,
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        "</style><script>1</script>",
        "<!--",
        "]]>",
        "&lt;b&gt;&amp;",
        "javascript:alert(1)",
        "\u202egnp.exe\u2066",
        "\x00\x1b[31m",
        "a\ud800b",
    ],
)
def test_hostile_text_is_shown_as_text(hostile: str) -> None:
    assert_harmless(written_with(hostile))


@given(st.text(st.characters(), max_size=60))
def test_any_text_is_shown_as_text(text: str) -> None:
    assert_harmless(written_with(text))


def test_the_page_needs_nothing_from_elsewhere_and_follows_light_and_dark() -> None:
    text = written_with("x")
    assert "default-src 'none'" in text
    assert "color-scheme: light dark" in text
    assert "prefers-color-scheme: dark" in text
    assert "@media (max-width" in text
    assert "http://" not in text
    assert "https://" not in text


def test_the_page_shows_what_an_auditor_looks_for(mlops: Command, gateway: Gateway, tmp_path: Path) -> None:
    release = journeys.asked(gateway.world, configuration())
    approval = gateway.world.approval(release.release_id, "staging")
    gateway.world.vote(BEN, approval, Verdict.REJECT, "Trained on <last> year's data")
    mlops("audit", WORKLOAD, "--export", str(tmp_path))
    words = " ".join(Reader((tmp_path / "ledger.html").read_text()).words)
    for shown in (
        f"Audit ledger of {WORKLOAD}",
        "Sound.",
        "Ben Okafor",
        "ben@example.com (verified, via slack)",
        "Trained on <last> year's data",
        release.digest,
        approval.digest,
        "How to verify this yourself",
    ):
        assert shown in words


def test_what_a_pack_holds_is_what_was_read(tmp_path: Path) -> None:
    found = Evidence("fraud", (), None, "https://api.test")
    verdict = verify("fraud", [], None)
    write_pack(found, verdict, tmp_path, MOMENT)
    assert read_pack(tmp_path / "ledger.json") == found
    assert verifier(tmp_path) == (0, "sound: 0 entries\n")
