"""``python3 local/prepare.py``: everything the project needs, into ``.venv`` and ``node_modules`` of the checkout.

Runs on the system's Python before anything is installed, so it uses the standard library only. Each part leaves a stamp
with a hash of what it was made from; a second run with nothing changed takes a fraction of a second. Long parts say
every few seconds how far they are.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMPS = VENV / "stamps"
BEAT_SECONDS = 5.0
TAIL_LINES = 25

NO_VENV = """\
This Python cannot make virtual environments. Debian and Ubuntu keep that in a package of its own:
    sudo apt-get install -y python3-venv"""


class SetUpFailed(Exception):
    """A part of the set-up failed; the message says which, and what to do."""


def main() -> int:
    """Bring everything up to date; 0 when it is, 1 with the reason when something failed."""
    started = time.monotonic()
    try:
        changed = [part() for part in (virtual_environment, requirements, project, node_modules)]
    except SetUpFailed as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    if any(changed):
        print(f"set-up: done in {time.monotonic() - started:.0f} s", flush=True)
    return 0


def virtual_environment() -> bool:
    """Make ``.venv`` unless it is there and works."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the one program that an older Python may run
        raise SetUpFailed(f"Python 3.11 or later is needed, this is {sys.version.split()[0]}")
    if PYTHON.exists() and _works([str(PYTHON), "-c", "import pip"]):
        return False
    shutil.rmtree(VENV, ignore_errors=True)
    if not _works([sys.executable, "-c", "import ensurepip, venv"]):
        _install_venv_package()
    _run("virtual environment", [sys.executable, "-m", "venv", str(VENV)])
    return True


def requirements() -> bool:
    """Install exactly what ``requirements.lock`` names, checked by hash."""
    wanted = LOCK.read_text().count("==")

    def progress(lines: Sequence[str]) -> str:
        seen = sum(line.lstrip().startswith("Collecting ") for line in lines)
        installing = any(line.startswith("Installing collected packages") for line in lines)
        return "installing" if installing else f"{seen} of about {wanted} packages fetched"

    # What is imported is compiled then: most of what the CDK brings along never is.
    quietly = ["--disable-pip-version-check", "--no-input", "--progress-bar=off", "--no-compile"]
    command = [str(PYTHON), "-m", "pip", "install", *quietly]
    return _once(
        "requirements",
        _digest(LOCK) + sys.version,
        lambda: _run("Python packages", [*command, "--require-hashes", "-r", str(LOCK)], progress),
    )


def project() -> bool:
    """Install the project itself, editable: ``.venv/bin/mlops``."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--no-deps"]
    return _once(
        "project",
        _digest(ROOT / "pyproject.toml"),
        lambda: _run("the mlops command", [*command, "--no-build-isolation", "--editable", str(ROOT)]),
    )


def node_modules() -> bool:
    """Install the CDK CLI from ``package-lock.json`` with the Node.js of the virtual environment."""
    lock = ROOT / "package-lock.json"
    environment = {**os.environ, "PATH": os.pathsep.join([str(VENV / "bin"), os.environ.get("PATH", "")])}
    command = [str(VENV / "bin" / "npm"), "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    stale = not (ROOT / "node_modules" / "aws-cdk").is_dir()
    return _once(
        "node_modules",
        _digest(lock),
        lambda: _run("CDK command line", command, environment=environment),
        stale=stale,
    )


def _install_venv_package() -> None:
    """As root on Debian or Ubuntu the missing package is installed; else the line to run is told."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetUpFailed(NO_VENV)
    _run("package lists", ["apt-get", "update", "-qq"])
    _run("python3-venv", ["apt-get", "install", "-y", "-qq", "python3-venv"])


def _once(name: str, made_from: str, make: Callable[[], None], *, stale: bool = False) -> bool:
    """Make a part unless its stamp says that it was made from the same; the stamp comes last."""
    stamp = STAMPS / name
    wanted = hashlib.sha256(made_from.encode()).hexdigest()
    if not stale and stamp.is_file() and stamp.read_text() == wanted:
        return False
    make()
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)
    return True


def _run(
    what: str,
    command: Sequence[str],
    progress: Callable[[Sequence[str]], str] | None = None,
    environment: dict[str, str] | None = None,
) -> None:
    """Run a command and say every few seconds that it still works; raises SetUpFailed with the end of its output."""
    print(f"set-up: {what} …", flush=True)
    started = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - commands of this module
        list(command),
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    lines: list[str] = []
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    while True:
        try:
            process.wait(BEAT_SECONDS)
            break
        except subprocess.TimeoutExpired:
            told = f", {progress(lines)}" if progress else ""
            print(f"set-up: {what}: {time.monotonic() - started:.0f} s{told}", flush=True)
    reader.join()
    if process.returncode:
        raise SetUpFailed(f"{what} failed; its last lines:\n" + "\n".join(lines[-TAIL_LINES:]))


def _read(process: subprocess.Popen[str], lines: list[str]) -> None:
    if process.stdout is not None:
        for line in process.stdout:
            lines.append(line.rstrip())


def _works(command: Sequence[str]) -> bool:
    return subprocess.run(list(command), capture_output=True, check=False).returncode == 0  # noqa: S603 - as above


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
