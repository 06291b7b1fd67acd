"""Workload types of a test's own: the real-time type under another name, with what the test changes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.core.workloads import Catalogue, load_types
from tests.fakes.memory_world import TEMPLATES

BASE = "byom_realtime_builtin"


def own_type(folder: Path, name: str, documents: Mapping[str, Any] | None = None, **changes: Any) -> Path:
    """Write the type into ``folder``; ``changes`` are members of its ``workload.json``, ``documents`` files of it."""
    own = folder / name
    shutil.copytree(TEMPLATES / BASE, own)
    file = own / "workload.json"
    values = json.loads(file.read_text())
    if name != BASE:
        values["stack_name"] |= {"suffix": name.replace("_", ""), "workload_suffix": name.replace("_", "-")}
    if documents:
        (own / "files").mkdir(exist_ok=True)
        for document, content in documents.items():
            (own / "files" / document).write_text(json.dumps(content))
        changes["documents"] = [*values.get("documents", ()), *documents]
    file.write_text(json.dumps({**values, **changes}))
    return own


def with_own(folder: Path) -> Catalogue:
    """The product's types, and those in the folder."""
    return load_types([TEMPLATES, folder])
