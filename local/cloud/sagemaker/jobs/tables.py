"""CSV tables that baselines and analyses read: rows by column name, numbers where they are numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass


class NoTable(Exception):
    """The data is no table; the message says why."""


@dataclass(frozen=True)
class Table:
    """Columns by name, in their order; a cell is its text."""

    columns: dict[str, list[str]]

    @property
    def names(self) -> list[str]:
        """Column names."""
        return list(self.columns)

    @property
    def rows(self) -> int:
        """How many."""
        return len(next(iter(self.columns.values()), []))

    def column(self, name: str | int) -> list[str]:
        """A column by its name or position; raises NoTable."""
        if isinstance(name, int):
            if not 0 <= name < len(self.columns):
                raise NoTable(f"there is no column number {name}")
            return self.columns[self.names[name]]
        if name not in self.columns:
            raise NoTable(f"there is no column {name}; the columns are {', '.join(self.names)}")
        return self.columns[name]

    def without(self, names: Sequence[str]) -> Table:
        """The table without some columns."""
        return Table({name: cells for name, cells in self.columns.items() if name not in names})


def read(parts: Sequence[bytes], header: bool, names: Sequence[str] = ()) -> Table:
    """A table of several files; ``names`` stand in for a missing header. Raises NoTable."""
    found: list[str] = list(names)
    rows: list[list[str]] = []
    for part in parts:
        try:
            lines = [row for row in csv.reader(io.StringIO(part.decode("utf-8-sig"))) if row]
        except (UnicodeDecodeError, csv.Error) as problem:
            raise NoTable(f"the data is no CSV ({problem})") from problem
        if header and lines:
            found = found or [cell.strip() for cell in lines[0]]
            lines = lines[1:]
        rows += lines
    if not rows:
        raise NoTable("the data has no rows")
    found = found or [f"_c{index}" for index in range(len(rows[0]))]
    if len(set(found)) < len(found):
        raise NoTable("the data has two columns of one name")
    ragged = next((number for number, row in enumerate(rows, start=1) if len(row) != len(found)), None)
    if ragged is not None:
        raise NoTable(f"row {ragged} has {len(rows[ragged - 1])} cells, not {len(found)}")
    return Table({name: [row[index].strip() for row in rows] for index, name in enumerate(found)})


def numbers(cells: Sequence[str]) -> list[float] | None:
    """The numbers of a column's cells that are not empty; None when one of them is no number."""
    try:
        return [float(cell) for cell in cells if cell != ""]
    except ValueError:
        return None


def whole(values: Sequence[float]) -> bool:
    """Whether all numbers are integers."""
    return all(value.is_integer() for value in values)


def same(cell: str, wanted: object) -> bool:
    """Whether a cell is a value of a configuration, as text or as a number: ``1`` is ``1.0``."""
    if cell == str(wanted):
        return True
    try:
        return float(cell) == float(str(wanted))
    except ValueError:
        return False
