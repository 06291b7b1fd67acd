"""Verify the ledger.json beside this file, or the one that is named: with Python 3 alone, nothing installed.

    python3 verify.py [ledger.json]

Exit status 0: every entry is what it was when it was appended, none is missing, none was added, as far as the chain
itself can tell; compare the last line with a hash that was noted elsewhere. 1: the first broken entry is named.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any


def fault(document: Any) -> str:
    """What is wrong with the first broken entry; empty where none is broken."""
    previous, number = "0" * 64, 0
    for row in document["entries"]:
        number += 1
        entry = row["entry"]
        text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if not isinstance(entry, dict):
            return f"entry {number} is no entry"
        if row["sequence"] != number or entry.get("sequence") != number:
            return f"entry {number} is missing or out of place"
        if row["canonical"] != text or hashlib.sha256(text.encode()).hexdigest() != row["hash"]:
            return f"entry {number} was changed: its content is not what its hash was made of"
        if entry.get("ledger") != document["ledger"]:
            return f"entry {number} is of another ledger"
        if entry.get("previous") != previous:
            return f"entry {number - 1} was rewritten, or is missing: entry {number} was written after another one"
        previous = row["hash"]
    head = document["head"]
    if head is None:
        return "the head is missing" if number else ""
    if head != {"sequence": number, "hash": previous}:
        return f"the head is not entry {number}: later entries are missing, or were rewritten"
    return ""


def main(file: Path) -> int:
    """Print the verdict; the exit status."""
    document = json.loads(file.read_bytes())
    try:
        found = fault(document)
    except (KeyError, TypeError, ValueError) as error:
        found = f"the file is not as it was exported ({type(error).__name__}: {error})"
    entries = len(document.get("entries", [])) if isinstance(document, dict) else 0
    print(found or f"sound: {entries} entries")
    if not found and entries:
        print(f"{entries}:{document['entries'][-1]['hash']}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("ledger.json")))
