"""Every builder of what people read, found by its type, under hostile text: valid, nobody pinged, no secret shown.

A builder that is new has to be put into ``BUILDERS``: the first test fails until it is.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.slack.checks import check_message_blocks, check_view
from orchestrator.core import messages
from orchestrator.core.messages import (
    access,
    blocks,
    buttons,
    changes,
    details,
    dialogs,
    gates,
    history,
    home,
    jobs,
    mail,
    notice,
    outcome_note,
    private,
    question,
    release_form,
    release_message,
    reminder,
    rollback_dialog,
    rollbacks,
    votes,
    why,
)
from orchestrator.core.messages.blocks import File, Message
from orchestrator.core.messages.facts import Facts, Waiting
from orchestrator.core.messages.mail import SUBJECT, Letter
from orchestrator.core.messages.mrkdwn import said, size
from orchestrator.core.messages.release_form import Choice, Filled
from orchestrator.core.notices import Notice
from orchestrator.core.plans import AccessChange, Area, ParameterChange, Plan, Reach, ResourceChange
from orchestrator.core.records import TaskToken, Verdict, Vote
from orchestrator.core.steps.progress import rules_for
from tests.slack_app import hostile, samples
from tests.slack_page.slack_types import problem

MADE = {"Message", "Block", "list[Block]", "Letter", "File"}
"""Return types, as they are written, of what is shown to people."""

CALLS = {"question.question_reply", "reminder.reminder_reply"}
APPROVERS = {"<@U0BEN>", "<@U0CHLOE>", "<@U0DEV>"}
WHERE = dialogs.Place(buttons.Question("0123456789abcdef0123", "0" * 16), "C0RELEASES", "1.000001")
LINK = "https://acme-ml.slack.com/archives/C0RELEASES/p1772366400000100"
NOW = datetime(2026, 3, 1, 13, tzinfo=UTC)
SHOWN = rollback_dialog.Shown("C0", "fraud-detector", "fraud-0001", "fraud-0002")
TOKEN = "AQCEAAAAKgAAAAMAAAAA-task-token"


@dataclass(frozen=True)
class Case:
    """Hostile records and words."""

    facts: Facts
    words: Sequence[str]

    @property
    def waiting(self) -> Waiting:
        found = self.facts.waiting
        assert found is not None
        return found

    @property
    def plan(self) -> Plan:
        found = self.waiting.record.plan
        assert found is not None
        return found


def _form(case: Case) -> Any:
    one, two, three = case.words
    choices = [Choice(f"{number}", one) for number in range(3)]
    wrong, came_from = said(two, 500), said(three, 500)
    named = [f"w{number}" for number in range(150)]
    return release_form.asking_form("C0", named, Filled("w1", "1", True), choices, came_from, wrong, "x")


def _dialog(case: Case) -> dialogs.Dialog:
    return dialogs.REJECTION if len(case.words[0]) % 2 else dialogs.COMMENT


def _home(case: Case) -> Any:
    asked = home.Asked(case.facts, case.waiting, LINK)
    place = home.LivePlace(("dev", "prod"), "fraud-0001", "d" * 64, case.waiting.approval.asked_at, case.words[0])
    return home.home_view(
        home.HomeFacts(
            case.facts.installation,
            home.Listed((asked,), 2),
            home.Listed((home.Own(case.facts.release, LINK),) * 5),
            home.Listed((home.LiveWorkload(case.words[1], (place,) * 3),) * 5),
            said(case.words[2], 500),
        )
    )


def _rules(case: Case) -> Any:
    rules = rules_for(case.facts.installation, case.facts.release, case.waiting.approval.stage)
    assert rules is not None
    return rules


def _side(case: Case) -> rollback_dialog.Side:
    return rollback_dialog.Side("fraud-0001", tuple(said(word, 300) for word in case.words))


def _comment(case: Case) -> Vote:
    return Vote("ben@example.com", case.words[0], Verdict.APPROVE, case.waiting.approval.asked_at, case.words[1])


BUILDERS: Mapping[str, Callable[[Case], Any]] = {
    "access.access_blocks": lambda case: access.access_blocks(case.plan),
    "blocks.actions": lambda case: blocks.actions(
        "id", *buttons.decision_buttons(case.facts.release, case.waiting.approval)["elements"]
    ),
    "blocks.context": lambda case: blocks.context(*(said(word, 2_000) for word in case.words)),
    "blocks.header": lambda case: blocks.header(case.words[0]),
    "blocks.message": lambda case: blocks.message(
        said(case.words[0], 4_000), [blocks.section(said(case.words[1], 3_000))] * 60
    ),
    "blocks.mrkdwn": lambda case: {"type": "section", "text": blocks.mrkdwn(said(case.words[0], 3_000))},
    "blocks.plain_text": lambda case: {"type": "header", "text": blocks.plain_text(case.words[0], 150)},
    "blocks.section": lambda case: blocks.section(said(case.words[0], 3_000)),
    "buttons.decision_buttons": lambda case: buttons.decision_buttons(case.facts.release, case.waiting.approval),
    "changes.change_blocks": lambda case: changes.change_blocks(case.plan),
    "details.plan_file": lambda case: details.plan_file(case.facts, case.waiting, case.plan),
    "dialogs.asking_view": lambda case: dialogs.asking_view(
        _dialog(case), WHERE, "x", case.words[0], case.words[1], removes=len(case.words[2]) % 2 == 0
    ),
    "dialogs.closed_view": lambda case: dialogs.closed_view(_dialog(case), WHERE, "x", case.words[0]),
    "dialogs.loading_view": lambda case: dialogs.loading_view(_dialog(case), WHERE, "x"),
    "gates.gate_blocks": lambda case: gates.gate_blocks(case.waiting.record.gates),
    "history.history_message": lambda case: history.history_message(case.words[0], [case.facts] * 12),
    "history.no_history": lambda case: history.no_history(case.words[0], case.words[1:]),
    "home.closed_home": lambda case: home.closed_home(case.words[0]),
    "home.home_view": _home,
    "jobs.job_blocks": lambda case: jobs.job_blocks(case.facts),
    "mail.end_letter": lambda case: mail.end_letter(case.facts),
    "mail.letter": lambda case: mail.letter(f"[x] {case.words[0]}", list(case.words)),
    "mail.question_letter": lambda case: mail.question_letter(case.facts, case.waiting, case.words[0]),
    "notice.notice_letter": lambda case: notice.notice_letter(_notice(case)),
    "notice.notice_message": lambda case: notice.notice_message(_notice(case)),
    "outcome_note.approved_note": lambda case: outcome_note.approved_note(case.facts, case.waiting.approval, LINK),
    "outcome_note.end_note": lambda case: outcome_note.end_note(case.facts, LINK),
    "private.about_plan": lambda case: private.about_plan(
        private.told(case.words[0]), case.facts.release.release_id, case.waiting.approval
    ),
    "private.asked_since": lambda case: private.asked_since(case.words[0]),
    "private.ballot_answer": lambda case: private.ballot_answer(case.waiting.approval, case.words[0], counted=False),
    "private.help_message": lambda case: private.help_message(),
    "private.in_markup": lambda case: private.in_markup(said(case.words[0], 3_000)),
    "private.no_release": lambda case: private.no_release(case.words[0]),
    "private.release_list": lambda case: private.release_list([case.facts.release] * 12, case.facts.installation),
    "private.told": lambda case: private.told(case.words[0]),
    "private.unknown_command": lambda case: private.unknown_command(case.words[0]),
    "question.question_reply": lambda case: question.question_reply(case.facts, case.waiting),
    "release_form.asking_form": _form,
    "release_form.loading_form": lambda case: release_form.loading_form("C0", "x"),
    "release_form.starting_form": lambda case: release_form.starting_form("C0", "x"),
    "release_form.told_form": lambda case: release_form.told_form(
        "C0", "x", release_form.started(case.words[0], case.words)
    ),
    "release_message.brief_message": lambda case: release_message.brief_message(case.facts),
    "release_message.judged": lambda case: release_message.judged(case.facts, case.waiting),
    "release_message.release_message": lambda case: release_message.release_message(
        case.facts, refused_channel=case.words[0][:60], file=len(case.words[1]) % 2 == 0
    ),
    "reminder.reminder_letter": lambda case: reminder.reminder_letter(case.facts, case.waiting, NOW),
    "reminder.reminder_reply": lambda case: reminder.reminder_reply(case.facts, case.waiting, _rules(case), NOW),
    "rollback_dialog.asking_rollback": lambda case: rollback_dialog.asking_rollback(
        SHOWN, "x", _side(case), _side(case) if len(case.words[0]) % 2 else None, [said(case.words[2], 200)] * 30
    ),
    "rollback_dialog.loading_rollback": lambda case: rollback_dialog.loading_rollback("C0", "x"),
    "rollback_dialog.starting_rollback": lambda case: rollback_dialog.starting_rollback(SHOWN, "x"),
    "rollback_dialog.told_rollback": lambda case: rollback_dialog.told_rollback("C0", "x", said(case.words[0], 3_000)),
    "rollbacks.roll_back_button": lambda case: blocks.actions(
        "id", rollbacks.roll_back_button(case.facts.release.release_id, "fraud-0001", case.words[0])["elements"][0]
    ),
    "rollbacks.rollback_blocks": lambda case: rollbacks.rollback_blocks(
        replace(case.facts.release, goes_back_to="fraud-0001", instead_of="fraud-0002", asked_because=case.words[0])
    ),
    "votes.comment_reply": lambda case: votes.comment_reply(case.waiting.approval, _comment(case)),
    "why.why_message": lambda case: why.why_message(case.facts),
}


def _notice(case: Case) -> Notice:
    return replace(_A_NOTICE, subject=case.words[0], lines=tuple(case.words[1:]))


_A_NOTICE = Notice(release_id="r", notice_id="n", subject="s")


def builders() -> Iterator[str]:
    """Every public function of the package that makes something people read."""
    for module in pkgutil.iter_modules(messages.__path__):
        found = importlib.import_module(f"{messages.__name__}.{module.name}")
        for name, function in vars(found).items():
            own = inspect.isfunction(function) and function.__module__ == found.__name__
            if own and not name.startswith("_") and function.__annotations__.get("return") in MADE:
                yield f"{module.name}.{name}"


def test_every_builder_is_fuzzed() -> None:
    assert sorted(builders()) == sorted(BUILDERS), "put the new builder into BUILDERS, or take out the one that is gone"


def check(made: Any) -> None:
    """What holds for everything that people are shown."""
    assert TOKEN not in repr(made)
    match made:
        case Message():
            assert check_message_blocks(list(made.blocks)) == []
            assert problem("Message", {"blocks": list(made.blocks)}) == ""
            assert 0 < size(made.text) <= 4_000
        case Letter():
            assert made.subject.isascii()
            assert 0 < len(made.subject) <= SUBJECT
            made.text.encode()
        case File():
            assert made.name.isascii()
            assert made.title
            made.text.encode()
        case list():
            assert check_message_blocks(made) == []
        case {"type": "home"}:
            assert check_view(made, "home") == []
        case {"type": "modal"}:
            assert check_view(made, "modal") == []
            assert problem("Modal", made) == ""
        case _:
            assert check_message_blocks([made]) == []


cases = st.builds(Case, hostile.facts(waiting=True), st.lists(hostile.text, min_size=3, max_size=3))


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cases)
def test_whatever_people_write_it_is_valid_and_pings_nobody(case: Case) -> None:
    approvals = {key: replace(one, token=TaskToken(TOKEN)) for key, one in case.facts.approvals.items()}
    case = replace(case, facts=replace(case.facts, approvals=approvals))
    for name, build in BUILDERS.items():
        made = build(case)
        check(made)
        shown = [made.blocks, {"text": made.text}] if isinstance(made, Message) else made
        if not isinstance(made, Letter | File):  # plain text, which nothing looks for mentions in
            pings = {found for found in hostile.markup(shown) if not found.startswith(f"<{LINK}|")}
            assert pings <= (APPROVERS if name in CALLS else set()), name


def test_ten_thousand_of_everything() -> None:
    many = range(10_000)
    plan = replace(
        samples.plan(
            [ResourceChange("replace", f"Resource{n}", "AWS::X", ("A",) * 30) for n in many],
            [ParameterChange(f"Parameter{n}", "before" * 50, "after" * 50) for n in many],
        ),
        access=tuple(AccessChange(Area.IAM, Reach.WIDENS, f"Role{n}", "AWS::IAM::Role", "may " * 90) for n in many),
    )
    case = Case(samples.facts(planned=plan), ("x", "y", "z"))
    for name, build in BUILDERS.items():
        if name.startswith(("access.", "changes.", "details.", "release_message.", "question.", "mail.question")):
            check(build(case))
    shown = json.dumps(release_message.release_message(case.facts).blocks)
    for words in (
        "10000 resources replaced",
        "10000 parameters",
        "*Widens IAM access* (10000)",
        '"approve"',
        '"reject"',
    ):
        assert words in shown
    whole = details.plan_file(case.facts, case.waiting, plan).text
    assert all(f"{name}9999" in whole for name in ("Resource", "Parameter", "Role"))
