"""Every private name of the pinned emulator that a bridge uses is where the bridge expects it."""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

import pytest

from local.cloud import contract
from local.cloud.contract import ContractBroken, Seam
from local.cloud.server import BRIDGES


def bridge(name: str) -> ModuleType:
    """The bridge's module; the emulator wants its switches in the environment before it is imported."""
    os.environ.setdefault("AUTH", "true")
    return importlib.import_module(f"local.cloud.{name}")


SEAMS = [pytest.param(seam, id=f"{name}: {seam.module}.{seam.name}") for name in BRIDGES for seam in bridge(name).SEAMS]


@pytest.mark.parametrize("name", BRIDGES)
def test_every_bridge_declares_what_it_uses(name: str) -> None:
    module = bridge(name)
    assert module.SEAMS
    assert callable(module.install)


@pytest.mark.parametrize("seam", SEAMS)
def test_the_seam_holds_in_the_pinned_version(seam: Seam) -> None:
    assert seam.problem() is None


MOVED = [
    pytest.param(Seam("local.cloud.contract", "gone"), "has no attribute 'gone'", id="a name that is gone"),
    pytest.param(Seam("local.no_such_module", "x"), "No module named", id="a module that is gone"),
    pytest.param(Seam("local.cloud.contract", "check", ("other",)), "other parameters", id="other parameters"),
    pytest.param(Seam("local.cloud.contract", "__doc__", ()), "no longer callable", id="no longer a function"),
]


@pytest.mark.parametrize(("seam", "words"), MOVED)
def test_a_seam_that_moved_is_told_by_name(seam: Seam, words: str) -> None:
    with pytest.raises(ContractBroken, match=words):
        contract.check([seam])


def test_a_function_is_replaced_where_it_is_held_and_nowhere_else() -> None:
    home, user = ModuleType("local_home"), ModuleType("local_user")
    sys.modules |= {home.__name__: home, user.__name__: user}

    def greet() -> str:
        return "old"

    def other() -> str:
        return "new"

    home.greet = user.greet = greet  # type: ignore[attr-defined]
    contract.replace(greet, other, "local_home", "local_user")
    assert (home.greet(), user.greet()) == ("new", "new")
    with pytest.raises(ContractBroken, match=r"local_home\.greet"):
        contract.replace(greet, other, "local_home")
