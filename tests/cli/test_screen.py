"""What reaches the terminal: nothing that could rewrite it, and no frames where there is none."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from mlops.plans import show_plan
from mlops.screen import Screen, clean


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\x1b[2Jgone", "\ufffd[2Jgone"),
        ("\x9b31m", "\ufffd31m"),
        ("carriage\rreturn", "carriage\ufffdreturn"),
        ("\u202eknad\u202c", "\ufffdknad\ufffd"),
        ("Chloé [bold]", "Chloé [bold]"),
    ],
)
def test_control_characters_are_shown_as_such(text: str, shown: str) -> None:
    assert clean(text) == shown


def screen(*, terminal: bool, width: int = 60) -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=width, highlight=False, markup=False, emoji=False)
    return Screen(out=console, err=console), out


PLAN = {
    "digest": "d" * 64,
    "creates_stack": False,
    "empty": False,
    "job": "",
    "resources": [
        {"action": "replace", "logical_id": "Model", "type": "AWS::SageMaker::Model", "properties": ["ModelDataUrl"]},
        {"action": "modify", "logical_id": "Endpoint", "type": "AWS::SageMaker::Endpoint", "properties": []},
        {"action": "conjure", "logical_id": "New", "type": "AWS::New::Thing", "properties": []},
    ],
    "parameters": [
        {"name": "ModelKey", "before": "a\x1b]0;owned\x07", "after": None},
        {"name": "EndpointName", "before": "", "after": "fraud"},
        {"name": "InstanceCount", "before": None, "after": "2"},
    ],
}


def test_what_runs_once_a_plan_is_deployed_is_told() -> None:
    shown, out = screen(terminal=False, width=120)
    show_plan({**PLAN, "job": "codebuild"}, "prod", shown)
    assert "    Once it is deployed, its job runs in prod: a CodeBuild build." in out.getvalue().splitlines()


def test_a_plan_on_paper() -> None:
    shown, out = screen(terminal=False)
    show_plan(PLAN, "prod", shown)
    lines = out.getvalue().splitlines()
    assert lines[0] == "  Plan for prod: resources: 1 replaced, 1 changed, 1 conjure"
    assert lines[1] == "    ± Model     AWS::SageMaker::Model, replaced  (ModelDataUrl)"
    assert "      ModelKey: a\ufffd]0;owned\ufffd (dropped)" in lines
    assert '      EndpointName: "" → fraud' in lines
    assert "      InstanceCount: 2" in lines
    assert "\x1b" not in out.getvalue()


def test_what_a_plan_opens_comes_first() -> None:
    shown, out = screen(terminal=False, width=100)
    opened = {"area": "iam", "reach": "widens", "logical_id": "Role", "type": "AWS::IAM::Role", "told": "may s3:*"}
    show_plan({**PLAN, "access": [opened, {**opened, "area": "encryption", "reach": "may_widen"}]}, "prod", shown)
    assert out.getvalue().splitlines()[1:3] == [
        "    ! widens IAM access: Role may s3:*",
        "    ! may weaken encryption: Role may s3:*",
    ]


def test_a_plan_in_colours() -> None:
    shown, out = screen(terminal=True)
    show_plan(PLAN, "prod", shown)
    assert "\x1b[31m    ± Model" in out.getvalue()


def test_an_empty_plan_says_so() -> None:
    shown, out = screen(terminal=False)
    show_plan({**PLAN, "empty": True, "resources": [], "parameters": []}, "prod", shown)
    assert out.getvalue().startswith("  Plan for prod: nothing changes\n")


def test_without_a_terminal_a_row_is_a_line() -> None:
    shown, out = screen(terminal=False, width=20)
    shown.table(("ID", "WORDS"), [("a-rather-long-release-id-0123456789", "many words\nof somebody")])
    assert out.getvalue().splitlines() == [
        "ID                                   WORDS",
        "a-rather-long-release-id-0123456789  many words of somebody",
    ]


def test_json_screens_show_nothing_else() -> None:
    shown, out = screen(terminal=False)
    shown.json = True
    shown.line("words")
    shown.table(("A",), [("b",)])
    assert out.getvalue() == ""
