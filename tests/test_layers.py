"""Imports point one way, and each module keeps to its layer: read from the sources, all of them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LAYERS: dict[str, set[str]] = {
    "orchestrator.core": {"orchestrator.core"},
    "orchestrator.aws": {"orchestrator.core", "orchestrator.aws"},
    "functions": {"orchestrator.core", "orchestrator.aws", "functions"},
    "slack_app": {"orchestrator.core", "orchestrator.aws", "slack_app"},
    "mlops": {"orchestrator.core", "orchestrator.aws", "mlops", "local"},
    "local": {"orchestrator.core", "orchestrator.aws", "local"},
    "stacks": {"orchestrator.core", "stacks", "functions", "slack_app"},
}
"""Each layer, and the product's own packages that it may import."""

CORE_ALLOWS = {"fastjsonschema"}
"""Third-party code of the core; everything else there is the standard library."""

FORBIDDEN_NAMES = {"common", "shared", "lib", "libs", "util", "utils", "helper", "helpers", "misc"}

MOST_LINES = 400


@cache
def sources() -> tuple[Path, ...]:
    """Every Python file that Git knows or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(path for name in sorted(listed.stdout.split()) if (path := ROOT / name).is_file())


def module_of(path: Path) -> str:
    """Dotted name of a file's module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(module: str) -> str:
    """The layer that a module belongs to; empty for tests, examples and the like."""
    return next((layer for layer in LAYERS if module == layer or module.startswith(f"{layer}.")), "")


def imports(path: Path) -> Iterator[tuple[str, int, bool]]:
    """Dotted names that a file imports (also late and for types), the line, and whether it is for types alone."""
    tree = ast.parse(path.read_text(), str(path))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno, id(node) in for_types
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno, id(node) in for_types


def own(name: str) -> bool:
    """Whether a dotted name is of the product."""
    return name.partition(".")[0] in {"orchestrator", *LAYERS}


def files(*layers: str) -> list[Path]:
    """The files of some layers; of all, when none is named."""
    return [path for path in sources() if (layer := layer_of(module_of(path))) and (not layers or layer in layers)]


def relative(path: Path) -> str:
    """A test's id."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", files(), ids=relative)
def test_imports_point_one_way(path: Path) -> None:
    layer = layer_of(module_of(path))
    for name, line, _ in imports(path):
        if own(name):
            assert layer_of(name) in LAYERS[layer], f"{relative(path)}:{line} imports {name}"


@pytest.mark.parametrize("path", files("orchestrator.core"), ids=relative)
def test_the_core_is_the_standard_library(path: Path) -> None:
    for name, line, _ in imports(path):
        top = name.partition(".")[0]
        allowed = own(name) or top in sys.stdlib_module_names or top in CORE_ALLOWS or top == "__future__"
        assert allowed, f"{relative(path)}:{line} imports {name}"


@pytest.mark.parametrize("path", files("stacks"), ids=relative)
def test_stacks_take_of_functions_and_slack_app_the_environment_alone(path: Path) -> None:
    """Nothing that runs in Lambda runs while the stacks are synthesised, nor the other way round."""
    for name, line, _ in imports(path):
        if layer_of(name) in {"functions", "slack_app"}:
            assert "env" in name.split("."), f"{relative(path)}:{line} imports {name}"


def test_slack_bolt_is_of_slack_app_alone() -> None:
    found = {
        relative(path)
        for path in files()
        for name, _, _ in imports(path)
        if name.partition(".")[0] == "slack_bolt" and layer_of(module_of(path)) != "slack_app"
    }
    assert found == set()


def test_a_function_takes_no_code_of_another_function() -> None:
    """Its bundle holds ``orchestrator/`` and its own folder only."""
    for path in files("functions"):
        folder = path.relative_to(ROOT).parts[1]
        for name, line, _ in imports(path):
            if name.startswith("functions."):
                assert name.split(".")[1] == folder, f"{relative(path)}:{line} imports {name}"


def test_the_sdk_is_imported_late_or_for_types() -> None:
    """In what runs in Lambda: a cold start pays for each import, and most calls need one client."""
    early: list[str] = []
    for path in files("orchestrator.aws", "functions"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                early += [f"{relative(path)}:{node.lineno} {name}" for name in names if name.startswith("boto")]
    assert early == []


def test_nothing_but_one_module_reads_the_environment() -> None:
    readers = set()
    for path in files("orchestrator.core", "orchestrator.aws", "functions", "slack_app"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
                readers.add(relative(path))
    assert readers == {"orchestrator/aws/environment.py"}


@pytest.mark.parametrize("path", sources(), ids=relative)
def test_a_module_is_named_after_a_noun_of_the_field(path: Path) -> None:
    assert not FORBIDDEN_NAMES & set(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", [path for path in sources() if "tests" not in path.parts], ids=relative)
def test_a_file_is_short_enough_to_be_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", files(), ids=relative)
def test_a_module_tells_what_it_is(path: Path) -> None:
    text = path.read_text()
    assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{relative(path)} has no docstring"


HANDLERS = sorted((ROOT / "functions").glob("*/handler.py"))


@pytest.mark.parametrize("path", HANDLERS, ids=relative)
def test_a_function_has_its_environment_and_its_test(path: Path) -> None:
    name = path.parent.name
    assert (path.parent / "env.py").is_file()
    assert any((ROOT / "tests").rglob(f"test_{name}*.py")), f"{name} has no test of its name"
