"""An evidence pack: a ledger as it was read, in a form that proves itself, for people who have no access here.

``ledger.json`` has every entry with the text that its hash is of, ``ledger.html`` shows the same to people, and
``verify.py`` verifies the former with nothing but Python. What was wrong with a ledger when it was exported is exported
too, and said in each of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops import verify_pack
from mlops.evidence_page import page
from mlops.refusals import Refused
from orchestrator.core.ledger.chain import FORMAT, canonical
from orchestrator.core.ledger.verification import Anchor, Verdict, head_of, row_of, verify
from orchestrator.core.version import VERSION

LEDGER, PAGE, VERIFIER = "ledger.json", "ledger.html", "verify.py"

CANONICAL_FORM = (
    "The canonical form of an entry is its JSON by RFC 8785 (JSON Canonicalization Scheme): members sorted by name, no "
    "white space, UTF-8, nothing escaped but quotation marks, backslashes and control characters. Beside each entry it "
    "stands as the text 'canonical'."
)

HOW_TO_VERIFY = (
    "For each entry, the canonical form of 'entry' is the text 'canonical', and the SHA-256 of this text, as "
    "hexadecimal digits, is 'hash'.",
    "The member 'sequence' inside of the entries counts 1, 2, 3 and so on without a gap, and 'ledger' is the name at "
    "the top of the file.",
    "The member 'previous' of each entry is the hash of the entry before it; of the first entry it is 64 zeros.",
    "The head at the top of the file is the sequence number and the hash of the last entry.",
    "A hash of any entry that was noted at another time or place (an earlier export, the log group "
    "/aws/lambda/mlops-append-ledger, which names each entry's hash as it is appended) is still the hash of that "
    "entry: a chain that somebody had written anew as a whole would be sound in itself, but not this.",
    "`python3 verify.py` does the first four; `mlops audit WORKLOAD --from ledger.json --verify --anchor ENTRY:HASH` "
    "does all of them.",
)


@dataclass(frozen=True)
class Evidence:
    """A ledger as it was read."""

    ledger: str
    entries: tuple[Any, ...]
    """As the API gives them: sequence number, hash and entry of each."""
    head: Any
    source: str
    """Address of the API."""

    def verdict(self, anchors: Sequence[Anchor] = ()) -> Verdict:
        """Verify it, here and now."""
        return verify(self.ledger, map(row_of, self.entries), head_of(self.head), anchors)

    @staticmethod
    def told(verdict: Verdict) -> dict[str, Any]:
        """A verdict as JSON."""
        broken, head = verdict.broken, verdict.head
        return {
            "sound": verdict.sound,
            "entries": verdict.entries,
            "last_sound": {"sequence": head.sequence, "hash": head.hash} if head else None,
            "broken": {"sequence": broken.sequence, "fault": broken.fault.value, "what": broken.sentence}
            if broken
            else None,
        }


def write_pack(found: Evidence, verdict: Verdict, folder: Path, moment: datetime) -> Mapping[Path, str]:
    """Write the pack; the SHA-256 of each of its files. Raises ``Refused`` rather than replacing evidence."""
    exported_at = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
    document = {
        "format": FORMAT,
        "ledger": found.ledger,
        "exported_at": exported_at,
        "exported_from": found.source,
        "product_version": VERSION,
        "head": found.head,
        "verification": found.told(verdict),
        "canonical_form": CANONICAL_FORM,
        "how_to_verify": list(HOW_TO_VERIFY),
        "entries": [_with_canonical(one) for one in found.entries],
    }
    files = {
        LEDGER: json.dumps(document, indent=1, ensure_ascii=False) + "\n",
        PAGE: page(found.ledger, found.entries, verdict, exported_at, found.source, (CANONICAL_FORM, *HOW_TO_VERIFY)),
        VERIFIER: Path(verify_pack.__file__).read_text(encoding="utf-8"),
    }
    if there := [name for name in files if (folder / name).exists()]:
        raise Refused(f"{folder} has {', '.join(there)} already; evidence is not written over. Name another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = {}
        for name, text in files.items():
            data = text.encode("utf-8", "replace")
            with (folder / name).open("xb") as file:
                file.write(data)
            written[folder / name] = hashlib.sha256(data).hexdigest()
    except OSError as error:
        raise Refused(f"The evidence could not be written to {folder}: {error.strerror}.") from None
    return written


def _with_canonical(found: Any) -> Any:
    if not isinstance(found, Mapping):
        return found
    try:
        return {**found, "canonical": canonical(found.get("entry"))}
    except (TypeError, ValueError):
        return dict(found)


def read_pack(file: Path) -> Evidence:
    """An exported ``ledger.json``; raises ``Refused`` for what is none."""
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise Refused(f"{file} cannot be read as JSON: {error}") from None
    entries = document.get("entries") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(entries, list) or document.get("format") != FORMAT:
        raise Refused(f"{file} is no {LEDGER} of format {FORMAT}, as `mlops audit --export` writes it.")
    kept = tuple(
        {name: value for name, value in one.items() if name != "canonical"} if isinstance(one, dict) else one
        for one in entries
    )
    return Evidence(str(document.get("ledger")), kept, document.get("head"), str(document.get("exported_from") or ""))
