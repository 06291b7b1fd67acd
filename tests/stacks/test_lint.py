"""cfn-lint finds nothing in what is deployed: the synthesised stacks, and the templates of workloads."""

from __future__ import annotations

from pathlib import Path

import pytest
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

from tests.stacks.templates import ROOT, Synthesised

ARGUMENTS = ManualArgs(
    ignore_checks=[
        "W3005",  # CDK writes a function's dependency on its role twice, which changes nothing
    ]
)

JSONATA_TIMEOUT = "E3601", "/TimeoutSeconds'"
"""cfn-lint's schema of state machines has numbers only; in JSONata TimeoutSeconds may be an expression (Amazon States
Language, "Task")."""


def findings(path: Path, arguments: ManualArgs = ARGUMENTS) -> list[str]:
    return [
        f"{match.rule.id} {match.message} ({match.filename}:{match.linenumber})"
        for match in lint_file(path, arguments)
        if not (match.rule.id == JSONATA_TIMEOUT[0] and match.message.endswith(JSONATA_TIMEOUT[1]))
    ]


def test_nothing_is_found_in_the_stacks(synthesised: Synthesised) -> None:
    found = [
        finding for path in sorted(synthesised.folder.glob("*.template.json")) for finding in findings(path, ARGUMENTS)
    ]

    assert found == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "templates").glob("*/template.yaml")), ids=lambda path: path.parent.name
)
def test_nothing_is_found_in_the_template_of_a_workload(path: Path) -> None:
    # What a template says of itself (Metadata, cfn-lint) counts only where nothing is said here.
    assert findings(path, ManualArgs()) == []
