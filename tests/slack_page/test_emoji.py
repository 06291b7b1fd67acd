"""Every emoji that the product's messages name is one that the page can draw."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from local.slack.client import ROOT

STATIC = ROOT / "local" / "slack" / "static"
SOURCES = sorted(
    path
    for folder in ("orchestrator/core", "slack_app", "functions/notify")
    for path in (ROOT / folder).rglob("*.py")
    if re.search(r"[\"' ]:[a-z_]+:", path.read_text(encoding="utf-8"))
)


def drawable() -> dict[str, str]:
    """Name and sign of each emoji of the page."""
    listed = (STATIC / "emoji.js").read_text(encoding="utf-8").split("`")[1].split()
    return dict(zip(listed[::2], listed[1::2], strict=True))


def test_the_list_is_names_and_signs_in_turn() -> None:
    for name, sign in drawable().items():
        assert re.fullmatch(r"[a-z0-9_+-]+", name), name
        assert not re.search(r"[a-z_]", sign), (name, sign)


@pytest.mark.parametrize("source", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_what_the_product_names_can_be_drawn(source: Path) -> None:
    named = set(re.findall(r"(?<![\w:])(?::)([a-z][a-z_0-9]+):(?![\w:])", source.read_text(encoding="utf-8")))
    assert named - drawable().keys() == set()
