"""Whatever people write: valid blocks, buttons where a question waits, nobody pinged, nothing pretended."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.slack.checks import check_message_blocks, check_view
from orchestrator.core.messages import limits, private
from orchestrator.core.messages.blocks import Message
from orchestrator.core.messages.buttons import Question, question
from orchestrator.core.messages.dialogs import OF_VIEWS, Place, asking_view, closed_view, dialog_id, loading_view, place
from orchestrator.core.messages.facts import Facts
from orchestrator.core.messages.history import history_message, no_history
from orchestrator.core.messages.mail import SUBJECT, end_letter, question_letter
from orchestrator.core.messages.mrkdwn import clean, cut, escape, lines, plain, quote, said, size, unescape
from orchestrator.core.messages.question import question_reply
from orchestrator.core.messages.release_message import brief_message, release_message
from orchestrator.core.messages.votes import comment_reply
from orchestrator.core.messages.why import why_message
from orchestrator.core.plans import ParameterChange, ResourceChange
from orchestrator.core.records import Verdict
from tests.slack_app import hostile, samples

BIDI_CONTROLS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067")
tries = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def check(message: Message) -> None:
    """What holds for every message."""
    assert check_message_blocks(list(message.blocks)) == []
    assert len(message.blocks) <= limits.MESSAGE_BLOCKS
    assert 0 < size(message.text) <= limits.MESSAGE_TEXT
    for _, shown in [*hostile.strings(message.blocks), ("text", message.text)]:
        assert not BIDI_CONTROLS & set(shown)
        assert shown.count("\u2068") == shown.count("\u2069") or "…" in shown
        assert not any(unicodedata.category(character) == "Cs" for character in shown)
        shown.encode()


@tries
@given(hostile.facts(), st.sampled_from(["", "is_archived"]))
def test_every_message_is_valid_and_pings_nobody(facts: Facts, refused_channel: str) -> None:
    for message in (release_message(facts, refused_channel=refused_channel), brief_message(facts)):
        check(message)
        assert hostile.markup([message.blocks, {"text": message.text}]) == []


@tries
@given(hostile.facts(waiting=True))
def test_a_waiting_question_always_has_its_buttons(facts: Facts) -> None:
    waiting = facts.waiting
    assert waiting is not None
    for message in (release_message(facts), brief_message(facts)):
        (row,) = [block for block in message.blocks if block["type"] == "actions"]
        approve, comment, reject, *withdraw = row["elements"]
        assert (approve["action_id"], approve["style"]) == ("approve", "primary")
        assert (comment["action_id"], comment.get("style")) == ("approve_comment", None)
        assert (reject["action_id"], reject["style"]) == ("reject", "danger")
        stands = any(vote.verdict is Verdict.APPROVE for vote in waiting.approval.votes)
        assert [button["action_id"] for button in withdraw] == ["withdraw"] * stands
        for button in row["elements"]:
            assert button["value"] == f"{waiting.approval.approval_id}|{waiting.approval.digest[:16]}"
            assert button["accessibility_label"]
        assert "staging" in approve["confirm"]["text"]["text"]


@tries
@given(hostile.facts())
def test_why_history_and_comments_are_valid_and_ping_nobody(facts: Facts) -> None:
    (approval,) = facts.approvals.values()
    comments = [comment_reply(approval, vote) for vote in approval.votes]
    for message in (why_message(facts), history_message(facts.release.workload, [facts] * 10), *comments):
        check(message)
        assert hostile.markup([message.blocks, {"text": message.text}]) == []


@tries
@given(hostile.facts(waiting=True))
def test_only_the_approvers_are_pinged_by_a_question(facts: Facts) -> None:
    waiting = facts.waiting
    assert waiting is not None
    reply = question_reply(facts, waiting)
    check(reply)
    pings = set(hostile.markup([reply.blocks, {"text": reply.text}]))
    assert pings <= {"<@U0BEN>", "<@U0CHLOE>", "<@U0DEV>"}


@tries
@given(hostile.facts())
def test_every_mail_has_a_plain_subject_and_no_control_characters(facts: Facts) -> None:
    letters = [end_letter(facts)]
    if facts.waiting is not None:
        letters.append(question_letter(facts, facts.waiting, "Slack is not set up."))
    for letter in letters:
        assert letter.subject.isascii()
        assert 0 < len(letter.subject) <= SUBJECT
        assert "\n" not in letter.subject
        assert "\x1b" not in letter.text
        letter.text.encode()


@tries
@given(hostile.text, hostile.text)
def test_every_dialog_is_valid(workload: str, why: str) -> None:
    where = Place(Question("0123456789abcdef0123", "0" * 16), "C0RELEASES", "1.000001")
    external_id = dialog_id("U0BEN", "2.0")
    for view in (
        view
        for dialog in OF_VIEWS.values()
        for view in (
            loading_view(dialog, where, external_id),
            asking_view(dialog, where, external_id, workload, "staging"),
            asking_view(dialog, where, external_id, workload, "staging", removes=True),
            closed_view(dialog, where, external_id, why),
        )
    ):
        assert check_view(view, "modal") == []
        assert hostile.markup(view["blocks"]) == []
        assert place(view["private_metadata"]) == where


@tries
@given(st.lists(hostile.facts(), max_size=3), hostile.text)
def test_every_private_answer_is_valid(some: list[Facts], typed: str) -> None:
    releases = [facts.release for facts in some]
    for message in (
        private.told(typed),
        private.help_message(),
        private.about_plan(private.told(typed), typed, samples.approval()),
        private.asked_since(typed),
        no_history(typed, [typed, typed]),
        private.unknown_command(typed),
        private.no_release(typed),
        private.release_list(releases, samples.facts().installation),
        private.ballot_answer(samples.approval(), typed, counted=True),
    ):
        check(message)
        assert hostile.markup([message.blocks, {"text": message.text}]) == []


def test_ten_thousand_parameters_and_resources_are_cut_and_counted() -> None:
    parameters = [ParameterChange(f"Parameter{n}", "before" * 50, "after" * 50) for n in range(10_000)]
    resources = [ResourceChange("replace", f"Resource{n}", "AWS::X", ("A",) * 30) for n in range(10_000)]
    message = release_message(samples.facts(planned=samples.plan(resources, parameters)))
    check(message)
    shown = "\n".join(text for _, text in hostile.strings(message.blocks))
    assert "10000 resources replaced" in shown
    assert "10000 parameters" in shown
    assert shown.count("… and 99") == 2
    assert any(block["type"] == "actions" for block in message.blocks)


# The small pieces.


@given(hostile.text, st.integers(10, 500))
def test_nothing_is_longer_than_it_may_be(text: str, most: int) -> None:
    assert size(said(text, most)) <= most
    assert size(plain(text, most)) <= most
    assert size(quote(text, most)) <= most
    assert size(cut(clean(text), most)) <= most


@given(st.text(max_size=300))
def test_escaping_is_undone_by_unescaping(text: str) -> None:
    assert unescape(escape(text)) == text
    assert "<" not in escape(text)


@given(hostile.text, st.integers(10, 60))
def test_an_escape_is_never_cut_in_two(text: str, most: int) -> None:
    shown = said(text, most).replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    assert "&" not in shown


@given(st.lists(st.text("ab", max_size=30), max_size=40), st.integers(60, 400))
def test_lines_are_whole_and_the_rest_is_counted(shown: list[str], most: int) -> None:
    text = lines(shown, most)
    assert size(text) <= most
    kept = text.split("\n") if text else []
    more = [line for line in kept if line.startswith("… and ")]
    if more:
        assert len(kept) - 1 + int(more[0].split()[2]) == len(shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<!channel>", "&lt;!channel&gt;"),
        ("a\nb\tc", "a b c"),
        ("\u202eevil", "evil"),
        ("", "–"),
        ("שלום", "\u2068שלום\u2069"),
        ("R&D", "R&amp;D"),
    ],
)
def test_what_becomes_of_text(text: str, shown: str) -> None:
    assert said(text, 100) == shown


@pytest.mark.parametrize("value", ["", "x", None, 7, [], "0123456789abcdef0123", "ABC|DEF", "a" * 70 + "|" + "0" * 16])
def test_only_our_buttons_are_questions(value: object) -> None:
    assert question(value) is None
    assert place(value) is None
