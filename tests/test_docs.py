"""The documentation names what there is: every error, every configuration key, and no file that is not there."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from orchestrator.core import errors
from orchestrator.core.errors import OrchestratorError, TryAgain
from orchestrator.core.problems import BadConfiguration
from tests.configuration_reference import PAGE, known, written
from tests.configuration_reference import PAGES as GENERATED

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

ABSTRACT = {OrchestratorError, TryAgain}
"""Never raised themselves."""


def every_error() -> dict[str, type[OrchestratorError]]:
    """The classes of the tree, by name."""
    found = {
        name: cls for name, cls in vars(errors).items() if inspect.isclass(cls) and issubclass(cls, OrchestratorError)
    }
    return found | {"BadConfiguration": BadConfiguration}


def rows(page: Path) -> dict[str, list[str]]:
    """Cells of each table row of a page, by what stands in backticks in the first."""
    told: dict[str, list[str]] = {}
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `"):
            told |= dict.fromkeys(re.findall(r"`([^`]+)`", cells[0]), cells)
    return told


@pytest.mark.parametrize("name", [name for name, cls in every_error().items() if cls not in ABSTRACT])
def test_every_error_is_explained_with_a_remedy(name: str) -> None:
    cells = rows(DOCS / "errors.md")[name]
    assert len(cells) == 3
    assert all(len(cell) > 3 for cell in cells)


def test_no_error_is_explained_that_does_not_exist() -> None:
    named = {name for name in rows(DOCS / "errors.md") if re.fullmatch(r"[A-Z]\w+", name)}
    assert named - {"MissingVariable"} <= set(every_error())


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    (?P<indent>[│ ]*)(?:[├└]── )?(?P<name>[A-Z]\w+)", line):
            depth = (len(line) - len(line.lstrip(" │├└─"))) // 4 - 1
            above = [*above[:depth], match["name"]]
            drawn[match["name"]] = above[depth - 1] if depth else ""
    real = {name: cls.__mro__[1].__name__ for name, cls in every_error().items()}
    assert drawn == real | {"OrchestratorError": ""}


def test_each_error_says_what_it_means() -> None:
    for name, cls in every_error().items():
        assert (cls.__doc__ or "").strip(), name


@pytest.mark.parametrize("page", GENERATED, ids=lambda page: page.stem)
def test_the_tables_of_keys_are_those_of_the_schemas(page: Path) -> None:
    """``python -m tests.configuration_reference`` writes them anew."""
    assert "<!-- keys: " in page.read_text()
    assert written(page.read_text(), *known()) == page.read_text()


def test_every_key_of_every_type_is_in_the_configurations_page() -> None:
    catalogue, common = known()
    named = set(rows(PAGE))
    assert set(common["properties"]) <= named
    for one in catalogue.types.values():
        assert one.own_keys <= named, one.name
        assert f"### `{one.name}`" in PAGE.read_text()


PAGES = sorted(
    {*DOCS.glob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("templates/*/README.md"), *ROOT.glob("examples/*/README.md")}
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose)
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []
