"""``docs/migrating.md``: the bodies it shows are taken, and the settings it names exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.core.config import CheckContext, check_file
from tests.fakes.memory_world import catalogue

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "migrating.md").read_text()
BODIES = re.findall(r"<!-- body: (single|multi) -->\n```json\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("accounts", "body"), BODIES)
def test_a_body_of_the_page_is_taken_without_a_warning(accounts: str, body: str) -> None:
    (one,) = check_file(body.encode(), catalogue(), CheckContext("multi" if accounts == "multi" else "single"))
    assert one.warnings == ()


def test_there_are_bodies_for_a_new_name_and_an_old_one() -> None:
    assert len(BODIES) == len(re.findall(r"<!-- body", PAGE)) >= 2


def test_every_setting_it_names_is_one() -> None:
    table = PAGE.split("## Launch options")[1].split("## What to do")[0]
    settings = (DOCS / "settings.md").read_text()
    cells = [line.split(" | ")[1] for line in table.splitlines() if line.startswith("| ") and "---" not in line]
    named = {name for cell in cells for name in re.findall(r"`([a-z_]+(?:\[\])?(?:\.[a-z_]+)?)`", cell)}
    missing = sorted(name for name in named if f"`{name}`" not in settings)
    assert missing == []
