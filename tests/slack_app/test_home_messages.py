"""The Home as blocks: valid, whole or without buttons, kind when it is empty, nobody pinged."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.slack.checks import check_message_blocks, check_view
from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Block
from orchestrator.core.messages.facts import Facts
from orchestrator.core.messages.home import (
    ABOUT,
    NOTHING_LIVE,
    NOTHING_OWN,
    NOTHING_WAITS,
    TOO_MUCH,
    Asked,
    HomeFacts,
    Listed,
    LivePlace,
    LiveWorkload,
    Own,
    closed_home,
    fingerprint,
    home_view,
)
from orchestrator.core.messages.outcome_note import approved_note, end_note
from orchestrator.core.plans import ParameterChange, ResourceChange
from orchestrator.core.records import ApprovalStatus, Status
from tests.slack_app import hostile, samples

KINDS = ("add", "modify", "replace", "remove", "maybe_replace")
LINK = "https://acme-ml.slack.com/archives/C0RELEASES/p1772366400000100"
tries = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=60)


def checked(view: Block) -> str:
    """The view as JSON, once it has been found valid."""
    assert check_view(view, "home") == []
    assert len(view["blocks"]) <= limits.VIEW_BLOCKS
    return json.dumps(view, ensure_ascii=False)


def asked(facts: Facts, link: str = LINK) -> Asked:
    assert facts.waiting is not None
    return Asked(facts, facts.waiting, link)


def one(question: Asked, **more: Any) -> HomeFacts:
    return HomeFacts(question.facts.installation, Listed((question,)), **more)


def actions(view: Block) -> list[str]:
    rows = [block for block in view["blocks"] if block["type"] == "actions"]
    return [element["action_id"] for row in rows for element in row["elements"]]


def test_a_question_shows_the_whole_of_what_is_approved_and_its_buttons() -> None:
    view = home_view(one(asked(samples.facts())))
    text = checked(view)
    assert actions(view) == ["approve", "approve_comment", "reject", "review"]
    for told in ("*fraud-detector*: deploy it to *staging*?", "Ana Silva", "Still needed", "Expires", "Endpoint"):
        assert told in text
    assert "ml.m5.large` → `ml.m5.xlarge" in text
    (review,) = [one for block in view["blocks"] for one in block.get("elements", ()) if one.get("url")]
    assert (review["url"], review["accessibility_label"]) == (LINK, "Review fraud-detector for staging")
    assert view["blocks"][0]["text"]["text"] == "Waiting for me (1)"


def test_what_the_message_only_counts_is_listed_here() -> None:
    added = [ResourceChange("add", f"New{n}", "AWS::SQS::Queue") for n in range(3 * limits.ADDITIONS)]
    changed = [ParameterChange(f"P{n}", None, "b") for n in range(2 * limits.PARAMETERS)]
    view = home_view(one(asked(samples.facts(planned=samples.plan(added, changed)))))
    text = checked(view)
    assert all(f"`{change.logical_id}`" in text for change in added)
    assert all(f"• {change.name}: " in text for change in changed)
    assert actions(view) == ["approve", "approve_comment", "reject", "review"]


def test_warnings_are_part_of_the_whole() -> None:
    facts = samples.facts(samples.release(warnings=("Version 3 is older than what is live.",)))
    view = home_view(one(asked(facts)))
    assert ":warning: Version 3 is older than what is live." in checked(view)
    assert actions(view)


@pytest.mark.parametrize(
    ("resources", "parameters"),
    [
        ([ResourceChange("remove", f"{n:03}{'x' * 77}", f"AWS::{'y' * 75}") for n in range(20)], ()),
        ((), [ParameterChange(f"P{n:02}{'x' * 77}", "a" * 120, "b" * 120) for n in range(9)]),
        ([ResourceChange(kind, "x" * 80, "y" * 80) for kind in KINDS for _ in range(14)], ()),
    ],
    ids=["more of a group than a section holds", "more parameters", "more text than three sections hold"],
)
def test_what_is_not_shown_whole_is_not_decided_here(resources: Any, parameters: Any) -> None:
    facts = samples.facts(planned=samples.plan(resources, parameters))
    view = home_view(one(asked(facts)))
    assert TOO_MUCH in checked(view)
    assert actions(view) == ["review"], "the way to the message is there"
    without = home_view(one(asked(facts, link="")))
    assert actions(without) == []
    assert f"`/mlops status` `{samples.RELEASE_ID}`" in checked(without)


def test_a_removal_is_asked_as_one() -> None:
    view = home_view(one(asked(samples.facts(samples.release(removes=True)))))
    assert "remove it from *staging*?" in checked(view)


def test_empty_sections_are_kind() -> None:
    view = home_view(HomeFacts(samples.facts().installation))
    text = checked(view)
    for sentence in (NOTHING_WAITS, NOTHING_OWN, NOTHING_LIVE, ABOUT):
        assert sentence in text
    assert view["blocks"][0]["text"]["text"] == "Waiting for me"


def test_a_notice_stands_first() -> None:
    view = home_view(HomeFacts(samples.facts().installation, notice="Your approval is counted."))
    assert view["blocks"][0]["text"]["text"] == "Your approval is counted."
    assert fingerprint(view) != fingerprint(home_view(HomeFacts(samples.facts().installation)))


def test_ones_own_releases_lead_to_their_messages() -> None:
    own = (Own(samples.release(Status.DEPLOYING), LINK), Own(samples.release(Status.FAILED, reason="x")))
    text = checked(home_view(HomeFacts(samples.facts().installation, own=Listed(own, 3))))
    assert f"<{LINK}|Open>" in text
    assert "fraud-detector: being deployed to staging" in text
    assert "… and 3 more: `/mlops status`" in text
    assert text.count("|Open>") == 1


def test_what_is_live_names_release_version_time_and_person() -> None:
    place = LivePlace(("dev", "staging"), samples.RELEASE_ID, "1a2b3c4d" * 8, samples.ASKED, "Ana Silva")
    live = LiveWorkload("fraud-detector", (place, replace(place, stages=("prod",), by="", digest="")))
    text = checked(home_view(HomeFacts(samples.facts().installation, live=Listed((live,), 475))))
    assert (
        f":large_green_circle: dev and staging: version `1a2b3c4d`, release `{samples.RELEASE_ID}`, since <!date"
        in text
    )
    assert "asked for by Ana Silva" in text
    assert f":large_green_circle: prod: release `{samples.RELEASE_ID}`, since <!date" in text
    assert "… and 475 more: `mlops workloads` on a command line" in text
    assert "Live now (476)" in text


def test_everything_at_its_most_fits() -> None:
    questions = tuple(
        replace(asked(samples.facts()), waiting=replace(waiting, approval=samples.approval(approval_id=f"{n:020x}")))
        for n in range(limits.HOME_WAITING)
        if (waiting := samples.facts().waiting)
    )
    places = tuple(LivePlace((stage,), "r" * 120, "d" * 64, samples.ASKED, "n" * 300) for stage in ("a", "b", "c"))
    facts = HomeFacts(
        samples.facts().installation,
        Listed(questions, 992),
        Listed((Own(samples.release(), LINK),) * limits.HOME_OWN, 90),
        Listed(tuple(LiveWorkload(f"w{n}" * 40, places) for n in range(limits.HOME_LIVE)), 475),
        notice="x" * limits.SECTION_TEXT,
    )
    view = home_view(facts)
    checked(view)
    assert view["blocks"][-1]["elements"][0]["text"] == ABOUT
    assert json.dumps(view["blocks"]).count("… and") + json.dumps(view["blocks"]).count("\\u2026 and") == 3


def test_who_may_see_nothing_is_told_so_and_nothing_else() -> None:
    view = closed_home("Guests may not see or decide about releases.")
    assert "Guests may not see or decide about releases." in checked(view)
    assert actions(view) == []
    assert "fraud" not in json.dumps(view)


_place = st.builds(
    LivePlace,
    st.lists(hostile.text, min_size=1, max_size=4).map(tuple),
    hostile.text,
    hostile.text,
    st.just(samples.ASKED),
    hostile.text,
)
_live = st.builds(LiveWorkload, hostile.text, st.lists(_place, min_size=1, max_size=3).map(tuple))


@tries
@given(hostile.facts(waiting=True), hostile.facts(), st.lists(_live, max_size=4), st.sampled_from([LINK, ""]))
def test_whatever_people_write_the_home_is_valid_and_pings_nobody(
    question: Facts, own: Facts, live: list[LiveWorkload], link: str
) -> None:
    facts = one(asked(question, link), own=Listed((Own(own.release, link),), 2), live=Listed(tuple(live * 6), 500))
    view = home_view(facts)
    checked(view)
    assert set(hostile.markup(view["blocks"])) <= {f"<{LINK}|Open>"}
    buttons = actions(view)
    review = ["review"] if link else []
    votes = ["approve", "approve_comment", "reject"]
    assert buttons in ([*votes, *review], [*votes, "withdraw", *review], review)
    if "approve" in buttons:
        assert TOO_MUCH not in json.dumps(view)


@tries
@given(hostile.facts(), hostile.text, st.sampled_from([LINK, ""]))
def test_whatever_people_write_a_direct_message_is_valid_and_pings_nobody(
    facts: Facts, display: str, link: str
) -> None:
    approval = samples.approval(ApprovalStatus.APPROVED, [samples.vote(display)])
    for message in (end_note(facts, link), approved_note(facts, approval, link)):
        assert check_message_blocks(list(message.blocks)) == []
        found = hostile.markup([message.blocks, {"text": message.text}])
        assert set(found) <= {f"<{LINK}|Open the release's message>"}


@pytest.mark.parametrize(("name", "facts"), samples.every_state().items(), ids=lambda value: str(value)[:30])
def test_every_end_reads_as_a_sentence(name: str, facts: Facts) -> None:
    message = end_note(facts, LINK)
    assert check_message_blocks(list(message.blocks)) == []
    assert re.search(r"[.!?]$", message.text), (name, message.text)
    if name == "rejected":
        assert "*Ben Okafor* said:\n> Recall too low." in json.dumps(message.blocks).replace("\\n", "\n")
