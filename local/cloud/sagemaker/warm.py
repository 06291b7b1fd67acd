"""One process that has imported what most models need, and becomes a container for each: the import of scikit-learn
takes longer than everything else that an endpoint does here.

``start`` is called in the cloud. Run by path, this file is the process that forks: it imports nothing of ours but
``container``, has one thread, and reads requests from a socket: JSON, and the three streams of the container with it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

CONTAINER = Path(__file__).with_name("container.py")
WELL_KNOWN = ("joblib", "sklearn.ensemble", "sklearn.linear_model", "sklearn.pipeline", "sklearn.preprocessing")
CHUNK = 64 * 1024
END = b"\n"
"""After each request, which has no other line break."""

ONE_THREAD = {
    # One endpoint is one small model: threads of a numerics library cost more than they bring, and cannot be forked.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Container:
    """A container's process, and the two ends of its conversation."""

    pid: int
    stdin: BinaryIO
    stdout: BinaryIO

    def kill(self) -> None:
        """End it, and wait until it has ended."""
        _ask({"kill": self.pid})
        with suppress(BrokenPipeError):
            self.stdin.close()
        self.stdout.close()


def start(directory: Path, environment: Mapping[str, str], log: BinaryIO) -> Container:
    """A container that serves the model of a directory; its standard error goes to the log."""
    theirs_in, ours_in = os.pipe()
    ours_out, theirs_out = os.pipe()
    asked = {"directory": str(directory), "environment": {**ONE_THREAD, **environment}}
    try:
        pid = _ask(asked, [theirs_in, theirs_out, log.fileno()])
    except BaseException:
        os.close(ours_in)
        os.close(ours_out)
        raise
    finally:
        os.close(theirs_in)
        os.close(theirs_out)
    return Container(pid, os.fdopen(ours_in, "wb"), os.fdopen(ours_out, "rb"))


_lock = threading.Lock()
_line: list[socket.socket] = []
"""Our end of the socket, once there is a process."""


def _ask(request: Mapping[str, Any], streams: list[int] | None = None) -> int:
    """The answer to one request; a process that is gone is started anew, once."""
    data = json.dumps(request).encode() + END
    with _lock:
        for last in (False, True):
            if not _line:
                _line.append(_forking_process())
            try:
                sent = socket.send_fds(_line[0], [data], streams or [])
                _line[0].sendall(data[sent:])
                answer = _line[0].recv(CHUNK)
            except OSError:
                answer = b""
            if answer:
                return int(json.loads(answer))
            _line.pop().close()
            if last or "kill" in request:
                break
    if "kill" in request:
        return 0  # its children went with it
    raise OSError("the process that starts containers ended")


def _forking_process() -> socket.socket:
    ours, theirs = socket.socketpair()
    with theirs:
        subprocess.Popen(  # noqa: S603 - this file
            [sys.executable, "-u", "-P", __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", ""), **ONE_THREAD},
        )
    return ours


# -- in the process of its own ---------------------------------------------------------------------------------------


def main() -> int:
    """Fork a container for each request, until the cloud has gone."""
    # Elsewhere the system's own libraries must not be loaded when a process forks.
    if sys.platform == "linux":
        for name in WELL_KNOWN:
            if importlib.util.find_spec(name.split(".")[0]) is not None:
                importlib.import_module(name)
    line = socket.socket(fileno=int(sys.argv[1]))
    children: set[int] = set()
    while True:
        data, streams, _, _ = socket.recv_fds(line, CHUNK, 3)
        while data and not data.endswith(END):
            data += line.recv(CHUNK) or END
        if not data:
            return 0
        request = json.loads(data)
        if "kill" in request:
            # One of a process before this one ends by itself, since nobody holds its standard input any more.
            if request["kill"] in children:
                children.remove(request["kill"])
                os.kill(request["kill"], signal.SIGKILL)  # until it is waited for, the number is still its own
                os.waitpid(request["kill"], 0)
            line.send(b"0")
            continue
        pid = os.fork()
        if pid == 0:
            line.close()
            _become(request, streams)
        for stream in streams:
            os.close(stream)
        children.add(pid)
        line.send(json.dumps(pid).encode())


def _become(request: dict[str, Any], streams: list[int]) -> None:
    """What the fork does instead of returning."""
    status, path = 1, os.environ.get("PATH", "")
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        directory = request["directory"]
        os.environ.clear()
        os.environ.update({"PATH": path, "HOME": directory, **request["environment"]})
        os.chdir(directory)
        sys.argv = [str(CONTAINER), directory]
        spec = importlib.util.spec_from_file_location("container", CONTAINER)
        assert spec is not None  # noqa: S101 - a file beside this one
        assert spec.loader is not None  # noqa: S101
        container = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(container)
        status = container.main()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
