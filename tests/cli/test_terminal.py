"""On a real terminal: colours, and the question before a decision."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.gateway import Gateway

ROOT = Path(__file__).parents[2]


def at_a_terminal(gateway: Gateway, typed: bytes, *arguments: str) -> tuple[int, str]:
    """Run the command with a pseudo-terminal on all three streams; exit status and what was to be seen."""
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm-256color",
        "MLOPS_API_URL": gateway.url,
        "AWS_ACCESS_KEY_ID": "BEN",
        "AWS_SECRET_ACCESS_KEY": "secret-of-ben",
    }
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-c", "from mlops.main import main; main()", *arguments]
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True
    )
    os.close(theirs)
    os.write(ours, typed)
    seen = b""
    try:
        while block := os.read(ours, 65_536):
            seen += block
    except OSError:
        pass  # Linux's word for the end of a pseudo-terminal
    os.close(ours)
    return process.wait(), seen.decode("utf-8", "replace")


@pytest.mark.parametrize(("typed", "status"), [(b"y\n", 0), (b"n\n", 1)], ids=["yes", "no"])
def test_the_plan_is_coloured_and_the_question_asked(
    gateway: Gateway, mlops: Command, configuration_file: Path, typed: bytes, status: int
) -> None:
    release_id = str(mlops.json("release", str(configuration_file))["release_id"])
    found, seen = at_a_terminal(gateway, typed, "approve", release_id)
    assert found == status, seen
    assert "\x1b[32m    + Endpoint" in seen
    assert "Approve this for staging?" in seen
    voted = any(request.path.endswith("/decision") for request in gateway.received)
    assert voted == (status == 0)
