"""Generate ``schema.json`` anew, in a folder of its own: the tools are no dependency of the product or its tests."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.slack_page.slack_types import GENERATOR, SCHEMA, TYPES

HERE = Path(__file__).parent
OPTIONS = {
    "compilerOptions": {"module": "nodenext", "moduleResolution": "nodenext", "strict": True, "types": []},
    "files": ["payloads.ts"],
}


def main() -> None:
    """Install the two packages, and write what the generator makes of ``payloads.ts``."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copy(HERE / "payloads.ts", work)
        (work / "tsconfig.json").write_text(json.dumps(OPTIONS))
        (work / "package.json").write_text('{"private": true}')
        _run(work, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", TYPES, GENERATOR)
        _run(
            work,
            *("npx", "--no-install", "ts-json-schema-generator", "--path", "payloads.ts", "--tsconfig"),
            *("tsconfig.json", "--type", "Payloads", "--no-type-check", "--jsDoc", "none", "--out", "schema.json"),
        )
        made = json.loads((work / "schema.json").read_text())
    SCHEMA.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n")


def _run(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603 - pinned tools, nothing of others


if __name__ == "__main__":
    main()
