"""What is wrong with a configuration, as a table: each input with every place at fault and what is said of it.

``wrong_inputs.json`` has one row a line: a type's minimal (or ``"body": "full"``) body with members set or
left out, or a text; ``context`` is the installation where it is not the usual one; ``told`` lists path and problem.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.config import CheckContext, check_file
from orchestrator.core.problems import BadConfiguration
from tests.fakes.memory_world import catalogue
from tests.templates.folders import BODIES, TYPES

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).with_name("wrong_inputs.json")).read_bytes())

SAYS_WHAT_IS_RIGHT = re.compile(r"must be|at least|at most|are allowed|is empty|twice")
"""Problems that say by themselves what would be right."""


def identified(row: dict[str, Any]) -> str:
    given = {key: row[key] for key in ("set", "without", "text", "bytes", "context") if key in row}
    return f"{row.get('type', 'text')}-{json.dumps(given, ensure_ascii=True)[:80]}"


def data(row: dict[str, Any]) -> bytes:
    if "text" in row:
        return str(row["text"]).encode()
    if "bytes" in row:
        return bytes.fromhex(row["bytes"])
    if "repeat" in row:
        start, text, times, end = row["repeat"]
        return f"{start}{text * times}{end}".encode()
    body = json.loads((BODIES / row["type"] / f"{row.get('body', 'minimal')}.multi.json").read_bytes())
    changed = {key: value for key, value in (body | row.get("set", {})).items() if key not in row.get("without", [])}
    return json.dumps(changed).encode()


@pytest.mark.parametrize("row", ROWS, ids=identified)
def test_every_place_is_told_with_what_is_wrong(row: dict[str, Any]) -> None:
    context = CheckContext(**{"accounts": "multi", **row.get("context", {})})
    with pytest.raises(BadConfiguration) as refused:
        check_file(data(row), catalogue(), context)
    errors = [problem for problem in refused.value.problems if problem.severity == "error"]
    assert [[problem.path, problem.what] for problem in errors] == row["told"]
    for problem in errors:
        assert problem.fix or SAYS_WHAT_IS_RIGHT.search(problem.what), problem


def test_the_table_is_long_and_knows_every_type() -> None:
    assert len(ROWS) >= 250
    assert {row["type"] for row in ROWS if "type" in row} == set(TYPES)
