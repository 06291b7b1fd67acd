"""One model that is served: its files unpacked, a process of its own that answers requests."""

from __future__ import annotations

import io
import logging
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.cloud.sagemaker import container, warm
from local.model_archive import unpack

_LOG = logging.getLogger("local.cloud.sagemaker")

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
            self._container = warm.start(self._directory, environment, self._log)
            self._wait_until_loaded()
        except BaseException:
            self.stop()
            raise

    def predict(self, body: bytes, content_type: str, accept: str) -> Prediction:
        """One request; a process that died answers 500, as a container that crashed does."""
        header = {"content_type": content_type, "accept": accept}
        with self._lock:
            try:
                container.write(self._container.stdin, header, body)
                answer = container.read(self._container.stdout)
            except (OSError, ValueError):
                answer = None
        if answer is None:
            return Prediction(500, b"", "text/plain", "The model's process ended.")
        found, given = answer
        return Prediction(found["status"], given, found.get("content_type", ""), found.get("message", ""))

    def stop(self) -> None:
        """End the process and remove the files."""
        if hasattr(self, "_container"):
            self._container.kill()
        if hasattr(self, "_log"):
            self._log.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _wait_until_loaded(self) -> None:
        first = container.read(self._container.stdout)
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
