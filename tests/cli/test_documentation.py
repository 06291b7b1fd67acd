"""``docs/cli.md`` knows every verb and every option, and names none that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from mlops.main import app

TEXT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
SHARED = "Which installation, and who calls"


def verbs(group: Any, path: tuple[str, ...] = ("mlops",)) -> Iterator[tuple[str, Any]]:
    """Every command by its full name."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from verbs(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def options(command: Any) -> set[str]:
    """The options of a command, as they are written."""
    return {name for parameter in command.params for name in parameter.opts if name.startswith("-")} - {"--help"}


def sections() -> dict[str, str]:
    """Text by title; a verb's section is named after the verb without its arguments."""
    found = {}
    for part in TEXT.split("\n## ")[1:]:
        title, _, body = part.partition("\n")
        found[re.sub(r" (\[?[A-Z]+…?\]?)$", "", title.strip("`"))] = body
    return found


VERBS = dict(verbs(typer.main.get_command(app)))


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_option_is_documented(verb: str) -> None:
    body = sections()[verb]
    written = set(re.findall(r"`(--?[a-z-]+)", body))
    shared = set(re.findall(r"`(--?[a-z-]+)", sections()[SHARED]))
    known = options(VERBS[verb])
    assert known - written - (shared if "--api-url" in known else set()) == set()
    assert written - known == set(), "documented, but not there"


def test_no_section_is_about_a_verb_that_is_not_there() -> None:
    assert {title for title in sections() if title.startswith("mlops ")} == set(VERBS)


def test_every_shared_option_is_there() -> None:
    shared = set(re.findall(r"^\| `(--[a-z-]+)", sections()[SHARED], re.MULTILINE))
    assert shared <= options(VERBS["mlops status"])


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_explains_itself(verb: str) -> None:
    for parameter in VERBS[verb].params:
        assert parameter.help, f"{verb}: {parameter.name} has no help"
