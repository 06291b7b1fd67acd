"""The ASGI server of the embedded cloud: bridges first, then the emulator, control endpoints beside it.

Every request reaches the emulator marked as HTTPS, so that TLS-only policies (``aws:SecureTransport``) pass on the
loopback interface as they pass on AWS for a client that uses TLS; the server accepts loopback connections only.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from local.cloud import contract, control

BRIDGES = (
    "faults",
    "calls",
    "apigateway",
    "principals",
    "leading_keys",
    "buckets",
    "roles",
    "checksums",
    "object_keys",
    "object_events",
    "event_buses",
    "stack_yaml",
    "stack_conditions",
    "stack_contexts",
    "stack_requests",
    "stack_resources",
    "stack_events",
    "log_groups",
    "secret_arns",
    "function_errors",
    "waiting_tasks",
    "sagemaker.api",
    "sagemaker.resources",
    "autoscaling.api",
    "autoscaling.resources",
    "projects",
    "codebuild.api",
    "repositories",
    "codecommit.api",
    "codepipeline.api",
    "stack_schedules",
    "alarms",
    "sagemaker.jobs.api",
    "streams",
    "schedules",
    "mail",
)
"""Modules of this package with ``SEAMS`` and ``install()``, in the order in which they are installed."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def install_bridges() -> None:
    """Check every seam, then install every bridge."""
    modules = [importlib.import_module(f"local.cloud.{name}") for name in BRIDGES]
    contract.check(seam for module in modules for seam in module.SEAMS)
    for module in modules:
        module.install()


def over_tls(app: App) -> App:
    """The app, told that each request came by HTTPS; control endpoints are answered before it."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(control.PREFIX):
            await control.answer(scope, receive, send)
            return
        if scope["type"] == "http":
            kept = [(name, value) for name, value in scope["headers"] if name.lower() != b"x-forwarded-proto"]
            scope = {**scope, "headers": [*kept, (b"x-forwarded-proto", b"https")]}
        await app(scope, receive, send)

    return wrapped


def serve(port: int, data_dir: Path) -> None:
    """Serve until SIGTERM or SIGINT, then end every worker process."""
    data_dir.mkdir(parents=True, exist_ok=True)
    install_bridges()
    # Read by the emulator on import; functions must not inherit it, they would log at this level too.
    level = os.environ.pop("LOG_LEVEL", "WARNING")
    asyncio.run(_serve(port, level))
    # The emulator's executor threads may still wait for a client or a long poll; nothing is to be kept.
    os._exit(0)


async def _serve(port: int, level: str) -> None:
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config
    from ministack.app import app

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.shutdown_timeout = 2
    config.loglevel = level.upper()

    async def asked_to_stop() -> None:
        await stop.wait()
        # While workers run, requests of theirs keep connections open; ending them first makes the shutdown short.
        await asyncio.to_thread(end_children)

    try:
        await hypercorn_serve(over_tls(app), config, shutdown_trigger=asked_to_stop)  # type: ignore[arg-type]
    finally:
        end_children()
        os._exit(0)


def end_children(patience_seconds: float = 2.0) -> None:
    """End every process started by this one: SIGTERM, then SIGKILL for those that remain."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + patience_seconds
        for pid in children(os.getpid()):
            _signal(pid, number)
        while children(os.getpid()) and time.monotonic() < deadline:
            _reap()
            time.sleep(0.02)
        if not children(os.getpid()):
            return


def children(pid: int) -> list[int]:
    """Live descendants of a process, by ``ps``, which Linux and macOS both have."""
    import subprocess

    listing = subprocess.run(["/bin/ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=False)
    parents: dict[int, list[int]] = {}
    for line in listing.stdout.splitlines():
        child, parent, state = line.split(None, 2)
        if not state.startswith("Z"):
            parents.setdefault(int(parent), []).append(int(child))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        direct = parents.get(waiting.pop(), [])
        found += direct
        waiting += direct
    return [child for child in found if _alive(child)]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return
