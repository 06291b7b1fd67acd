"""What a command shows: tables and colours on a terminal, plain text elsewhere, JSON where it is asked for.

Everything that came from somebody else is cleaned of control characters first: a model's description must not be able
to rewrite the terminal of the person who is about to approve it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""C0 and C1 controls but tab and line feed, and Unicode's direction controls."""

STYLES = {
    "succeeded": "green",
    "verified": "green",
    "approved": "green",
    "unchanged": "green",
    "awaiting approval": "yellow",
    "pending": "yellow",
    "failed": "red",
    "rejected": "red",
    "refused": "red",
    "expired": "red",
    "superseded": "dim",
}
"""Colour of a status."""


def clean(text: object) -> str:
    """Text without control characters; each becomes U+FFFD."""
    return _CONTROL.sub("\ufffd", str(text))


def status_word(status: str) -> str:
    """A status as people read it: ``awaiting_approval`` → ``awaiting approval``."""
    return clean(status).replace("_", " ")


def moment(stamp: str) -> str:
    """A time of the API as people read it: ``2026-03-01T12:00:00.017Z`` → ``2026-03-01 12:00:00 UTC``."""
    return re.sub(r"^(\S{10})T(\d\d:\d\d:\d\d)(\.\d+)?Z$", r"\1 \2 UTC", stamp)


def _console(*, stderr: bool) -> Console:
    # Whatever is not a terminal gets lines as long as they are: wrapped lines could not be searched.
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(stderr=stderr, highlight=False, markup=False, emoji=False, no_color=True, width=10_000)
    return console


@dataclass
class Screen:
    """Standard output for the answer, standard error for everything beside it."""

    json: bool = False
    """Whether the answer is JSON; then nothing else goes to standard output."""
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked: standard input and standard error are terminals."""
        import sys

        return sys.stdin.isatty() and self.err.is_terminal

    def answer(self, value: object) -> None:
        """Print the command's answer as JSON."""
        self.out.file.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def line(self, text: str = "", style: str = "") -> None:
        """One line of the answer; left out where the answer is JSON."""
        if not self.json:
            self.out.print(Text(clean(text), style=style), soft_wrap=True)

    def note(self, text: str, style: str = "dim") -> None:
        """One line beside the answer."""
        self.err.print(Text(clean(text), style=style), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table; where there is no terminal, aligned columns without any frame or cut."""
        if self.json:
            return
        if not self.out.is_terminal:
            self._plain(columns, rows)
            return
        table = Table(box=None, header_style="bold", pad_edge=False)
        for index, column in enumerate(columns):
            # The first column is an id that people copy.
            table.add_column(column, no_wrap=index == 0, overflow="fold")
        for row in rows:
            table.add_row(*(Text(clean(cell), style=STYLES.get(cell, "")) for cell in row))
        self.out.print(table)

    def _plain(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        cells = [[clean(cell).replace("\n", " ") for cell in row] for row in (columns, *rows)]
        widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
        for row in cells:
            self.line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def problem_lines(problem: dict[str, Any]) -> str:
    """One problem of a configuration in one line: path, what is wrong, what to do."""
    return f"{problem['path']}: {str(problem['what']).rstrip('.')}. {problem['fix']}".strip()
