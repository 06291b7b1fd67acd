"""The page's documentation names everything there is: faults, methods, options."""

from __future__ import annotations

from dataclasses import fields

import pytest

from local.slack import __main__ as command
from local.slack.client import ROOT
from local.slack.faults import Faults
from local.slack.web_api import METHODS

DOCS = (ROOT / "docs" / "slack-page.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [field.name for field in fields(Faults)] + sorted(METHODS))
def test_it_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCS


def test_every_option_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--help"])
    options = {word.strip("[],") for word in capsys.readouterr().out.split() if word.strip("[],").startswith("--")}
    assert {option for option in options if f"`{option}`" not in DOCS} == {"--help"}
