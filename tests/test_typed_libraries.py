"""mypy reads the construct libraries that are used: it skips all others, and one that it skips is typed as anything."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("stacks", "tests", "local", "bench")


def imported() -> set[str]:
    """Modules of aws_cdk that this project imports."""
    found: set[str] = set()
    for path in [ROOT / "app.py", *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "aws_cdk":
                module = str(node.module)
                submodules = {f"{module}.{name.name}" for name in node.names if name.name.startswith("aws_")}
                found |= submodules or {module}
    return found


def test_what_is_imported_of_the_cdk_is_read_by_mypy() -> None:
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    [read] = [set(one["module"]) for one in overrides if one.get("follow_imports") == "normal"]
    assert imported() | {"aws_cdk"} == read
