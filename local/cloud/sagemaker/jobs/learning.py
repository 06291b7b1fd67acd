"""Starts a training process and reads what it reports, trial by trial; ends it when the job is stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud.sagemaker.jobs import learner
from local.cloud.sagemaker.jobs.worker import Run

SCRIPT = Path(learner.__file__)
AT_ONCE = threading.Semaphore(2)
"""Training processes that run at the same time: as many as a small machine has cores."""
LOG = "process.log"
LAST_CHARACTERS = 1000


class LearningFailed(Exception):
    """The process ended without a result; the message is the end of what it wrote."""


class TooLong(Exception):
    """The process ran for longer than the job may."""


@dataclass(frozen=True)
class Workshop:
    """A directory with the data, in which models are left."""

    directory: Path

    def model(self, name: str) -> bytes:
        """A trained model, as joblib wrote it."""
        return (self.directory / f"{name}.joblib").read_bytes()


@contextmanager
def workshop(files: dict[str, bytes]) -> Iterator[Workshop]:
    """A directory with files, removed in the end."""
    with tempfile.TemporaryDirectory(prefix="training-") as name:
        directory = Path(name)
        for file, data in files.items():
            (directory / file).write_bytes(data)
        yield Workshop(directory)


def learn(
    run: Run, place: Workshop, request: dict[str, Any], seconds: float, script: Path = SCRIPT
) -> Iterator[dict[str, Any]]:
    """What the process reports, one line after another; raises LearningFailed, TooLong, worker.Stopped."""
    with AT_ONCE, (place.directory / LOG).open("w+") as log:
        run.look()
        process = subprocess.Popen(  # noqa: S603 - a script of this package
            # Without this package's folder on the path, whose modules are not the third party's of the same name.
            [sys.executable, "-P", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A file: a pipe that nobody reads would fill and hold the process up.
            stderr=log,
            cwd=place.directory,
            text=True,
            env={
                "PATH": os.environ.get("PATH", ""),
                "HOME": str(place.directory),
                "PYTHONWARNINGS": "ignore",
                "OMP_NUM_THREADS": "1",
            },
        )
        deadline = time.monotonic() + seconds
        timer = threading.Timer(seconds, process.kill)
        timer.daemon = True
        run.on_stop.append(process.kill)
        try:
            timer.start()
            assert process.stdin is not None  # noqa: S101 - made with pipes
            assert process.stdout is not None  # noqa: S101
            process.stdin.write(json.dumps({**request, "directory": str(place.directory)}))
            process.stdin.close()
            for line in process.stdout:
                yield json.loads(line)
            if process.wait() != 0:
                run.look()
                if time.monotonic() >= deadline:
                    raise TooLong
                log.seek(0)
                said = log.read().strip()[-LAST_CHARACTERS:]
                raise LearningFailed(said or f"the process ended with {process.returncode}")
        finally:
            timer.cancel()
            run.on_stop.remove(process.kill)
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
