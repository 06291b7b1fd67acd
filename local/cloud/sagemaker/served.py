"""One model that is served: its files unpacked, a process of its own that answers requests."""

from __future__ import annotations

import io
import logging
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.cloud.sagemaker import container
from local.model_archive import unpack

_LOG = logging.getLogger("local.cloud.sagemaker")

SCRIPT = Path(container.__file__)
MAX_UNPACKED = 2 * 1024**3
"""Bytes of a model on disk; more is refused here, far below SageMaker's own limits."""

LAST_LINES = 20


class NotServing(Exception):
    """The model could not be loaded; the message says why."""


@dataclass(frozen=True)
class Prediction:
    """What the model answered: an HTTP status, and a message when it refused."""

    status: int
    body: bytes
    content_type: str
    message: str = ""


class ServedModel:
    """A process that serves the model of one ``model.tar.gz``; one request at a time, as one worker does."""

    def __init__(self, archive: bytes, environment: Mapping[str, str], name: str) -> None:
        """Unpack, start and load; raises NotServing."""
        self._lock = threading.Lock()
        self._name = name
        self._directory = Path(tempfile.mkdtemp(prefix="model-"))
        try:
            _unpack(archive, self._directory)
            self._log = (self._directory / "container.log").open("ab+")
            self._process = self._start(environment)
            self._wait_until_loaded()
        except BaseException:
            self.stop()
            raise

    def predict(self, body: bytes, content_type: str, accept: str) -> Prediction:
        """One request; a process that died answers 500, as a container that crashed does."""
        header = {"content_type": content_type, "accept": accept}
        with self._lock:
            assert self._process.stdin is not None  # noqa: S101 - made with pipes
            assert self._process.stdout is not None  # noqa: S101
            try:
                container.write(self._process.stdin, header, body)  # type: ignore[arg-type]
                answer = container.read(self._process.stdout)  # type: ignore[arg-type]
            except (OSError, ValueError):
                answer = None
        if answer is None:
            return Prediction(500, b"", "text/plain", "The model's process ended.")
        found, given = answer
        return Prediction(found["status"], given, found.get("content_type", ""), found.get("message", ""))

    def stop(self) -> None:
        """End the process and remove the files."""
        process = getattr(self, "_process", None)
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        if hasattr(self, "_log"):
            self._log.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _start(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - the script of this package
            [sys.executable, "-u", str(SCRIPT), str(self._directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=self._directory,
            bufsize=0,
            env={
                "PATH": os.environ.get("PATH", ""),
                "HOME": str(self._directory),
                "PYTHONDONTWRITEBYTECODE": "1",
                # One endpoint is one small model: threads of a numerics library cost more than they bring.
                "OMP_NUM_THREADS": "1",
                **environment,
            },
        )

    def _wait_until_loaded(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - made with pipes
        first = container.read(self._process.stdout)  # type: ignore[arg-type]
        if first is None or not first[0]["ok"]:
            self._log.seek(0)
            tail = self._log.read().decode(errors="replace").splitlines()[-LAST_LINES:]
            _LOG.warning("%s did not load:\n%s", self._name, "\n".join(tail))
            raise NotServing(first[0]["reason"] if first else "the container ended")


def _unpack(archive: bytes, directory: Path) -> None:
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
            members = files.getmembers()
            if sum(member.size for member in members) > MAX_UNPACKED:
                raise NotServing(f"model.tar.gz unpacks to more than {MAX_UNPACKED} bytes")
            unpack(files, directory)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise NotServing(f"model.tar.gz cannot be unpacked ({error})") from error
