"""The contract between the bridges and the pinned emulator: which private names are used, and with what parameters.

Each bridge module declares its ``SEAMS``. They are checked when the server starts and by a test for each module, so
that an upgrade which moves a name fails with a list of what moved rather than with wrong behaviour.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


class ContractBroken(Exception):
    """Names of the emulator that a bridge uses have moved; the message lists them all."""


@dataclass(frozen=True)
class Seam:
    """One private name of the emulator."""

    module: str
    """Dotted module path."""
    name: str
    """Attribute, dotted for an attribute of a class."""
    parameters: tuple[str, ...] | None = None
    """Names of a function's leading parameters; None when it is not called by us."""

    def problem(self) -> str | None:
        """What is wrong with it in the installed version, or None."""
        try:
            found: object = importlib.import_module(self.module)
            for part in self.name.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError) as error:
            return f"{self.module}.{self.name}: {error}"
        if self.parameters is None:
            return None
        if not callable(found):
            return f"{self.module}.{self.name} is no longer callable"
        # A bridge that is installed already has replaced the function by a wrapper with this attribute.
        original = inspect.unwrap(found)
        names = tuple(inspect.signature(original).parameters)
        if names[: len(self.parameters)] != self.parameters:
            return f"{self.module}.{self.name}{names} has other parameters than {self.parameters}"
        return None


def check(seams: Iterable[Seam]) -> None:
    """Raise ContractBroken naming every seam that moved."""
    problems = [problem for problem in (seam.problem() for seam in seams) if problem]
    if problems:
        raise ContractBroken("the installed ministack differs from the pinned one:\n" + "\n".join(problems))


def replace(original: Callable[..., Any], replacement: Callable[..., Any], *modules: str) -> None:
    """Bind ``replacement`` wherever one of the modules holds ``original`` under its own name.

    The emulator's modules import functions from each other by name, so that replacing one in its home alone would leave
    the callers with the original. Raises ContractBroken when a module does not hold it.
    """
    name = original.__name__
    for path in modules:
        module = importlib.import_module(path)
        if getattr(module, name, None) is not original:
            raise ContractBroken(f"{path}.{name} is not the function that the bridge wraps")
        setattr(module, name, replacement)
