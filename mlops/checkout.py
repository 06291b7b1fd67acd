"""The checkout of the project, where the local installation lives; an installed wheel has none."""

from __future__ import annotations

import sys
from pathlib import Path

from mlops.refusals import Refused

MARK = Path("local") / "installation.py"
STATE = Path(".local") / "state.json"


def own() -> Path | None:
    """The checkout that this very command was installed from with ``pip install -e`` (as ``make setup`` does)."""
    root = Path(__file__).resolve().parents[1]
    return root if (root / MARK).is_file() else None


def around(folder: Path) -> Path | None:
    """The checkout that a folder lies in."""
    return next((root for root in (folder, *folder.parents) if (root / MARK).is_file()), None)


def may_be_up() -> bool:
    """Whether our own checkout has notes of a running local installation. Cheap: decides whether to look closer.

    Another checkout around the working directory does not count: nobody asked to run what happens to lie there.
    """
    root = own()
    return root is not None and (root / STATE).is_file()


def enter() -> Path:
    """Make ``local`` importable; raises ``Refused`` where there is no checkout. Only after a person asked for it."""
    root = own() or around(Path.cwd())
    if root is None:
        raise Refused(
            "The local installation needs a checkout of the project: run this inside one, after `make setup`."
        )
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return root
