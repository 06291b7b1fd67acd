"""What a cold start of the front loads: the module list, not a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUDGET = 130
UNWANTED = {"asyncio", "boto3", "botocore", "slack_sdk", "slack_bolt", "aws_lambda_powertools", "urllib.request"}
OURS = ("orchestrator", "slack_app")


def loaded() -> set[str]:
    """Modules that importing the handler adds to a bare interpreter's."""
    script = (
        "import sys; before = set(sys.modules); import slack_app.front.handler; "
        "import json; print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run(  # noqa: S603 - a fixed program
        [sys.executable, "-S", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_the_front_loads_the_standard_library_and_little_of_it() -> None:
    modules = loaded()
    assert len(modules) <= BUDGET, sorted(modules)
    assert not modules & UNWANTED
    foreign = {name.split(".")[0] for name in modules} - set(sys.stdlib_module_names) - set(OURS)
    assert not foreign


def test_the_front_loads_no_step_and_no_aws_adapter() -> None:
    ours = {name for name in loaded() if name.startswith("orchestrator.")}
    assert not [name for name in ours if name.startswith("orchestrator.core.steps")]
    assert {name for name in ours if name.startswith("orchestrator.aws")} <= {
        "orchestrator.aws",
        "orchestrator.aws.credentials",
        "orchestrator.aws.environment",
    }
