"""The local installation: embedded cloud, deployed product and Slack page, brought up, described and ended.

``up`` leaves two background processes behind (the cloud and the Slack page) and a state file that names them; ``down``
ends them. Everything lives under ``.local/`` of the checkout and listens on 127.0.0.1.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local.cloud.client import EmbeddedCloud
from local.deploy import ROOT, Target, deploy_everywhere, synthesise, timed
from local.settings import CHANNEL, ORCHESTRATOR, REGION, Mode, settings, stage_accounts
from local.slack.client import SlackPage
from orchestrator.core.installation import Engine

HOME = ROOT / ".local"

Say = Callable[[str], None]
Before = Callable[[EmbeddedCloud, Path], None]
"""Called with the cloud and the synthesised app."""


@dataclass(frozen=True)
class Running:
    """A local installation that is up."""

    mode: Mode
    cloud_url: str
    cloud_pid: int
    slack_url: str
    slack_pid: int
    outputs: dict[str, str]
    """Outputs of the deployed stacks, by name."""
    engine: Engine = "cloudformation"

    @property
    def cloud(self) -> EmbeddedCloud:
        """The embedded cloud, attached."""
        return EmbeddedCloud.attach(self.cloud_url)

    @property
    def slack(self) -> SlackPage:
        """The Slack page, attached."""
        return SlackPage.attach(self.slack_url)

    @property
    def stages(self) -> dict[str, str]:
        """Stage → account number."""
        return stage_accounts(self.mode)


def up(
    mode: Mode = "multi",
    *,
    engine: Engine = "cloudformation",
    home: Path = HOME,
    say: Say = print,
    changes: Mapping[str, Any] | None = None,
    before: Before | None = None,
) -> Running:
    """Bring the installation up, or say that it is; tells what it does and how long it took.

    ``engine`` deploys; ``changes`` replace keys of the settings; ``before`` is called when everything is ready to be
    deployed: what an organisation has, such as a bucket, is made there.
    """
    known = status(home=home)
    if known is not None:
        if (known.mode, known.engine) != (mode, engine):
            raise RuntimeError(
                f"A {known.mode}-account installation is up, where {known.engine} deploys, not a {mode}-account one "
                f"with {engine}. Go on with it by `--mode {known.mode} --engine {known.engine}`, or end it with "
                "`mlops local down`, which empties it."
            )
        say(f"The local installation is up already; the Slack page is {known.slack_url}")
        return known
    with _alone(home):
        return _up(mode, engine, home, say, changes or {}, before)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Raises RuntimeError while another process brings an installation up there."""
    claim = home.with_name(f"{home.name}.starting")
    claim.parent.mkdir(parents=True, exist_ok=True)
    with claim.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError("Another `mlops local up` is on its way; wait until it is done.") from None
        try:
            yield
        finally:
            claim.unlink(missing_ok=True)


def _up(mode: Mode, engine: Engine, home: Path, say: Say, changes: Mapping[str, Any], before: Before | None) -> Running:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    started = time.monotonic()
    cloud = EmbeddedCloud(data_dir=home / "cloud")
    secret = {"bot_token": f"xoxb-local-{secrets.token_hex(12)}", "signing_secret": secrets.token_hex(16)}
    slack = SlackPage(
        bot_token=secret["bot_token"], signing_secret=secret["signing_secret"], log_file=home / "slack.log"
    )
    try:
        running = _bring_up(mode, engine, home, cloud, slack, secret, say, changes, before)
    except BaseException:
        slack.stop()
        cloud.stop()
        raise
    (home / "state.json").write_text(json.dumps(asdict(running), indent=2))
    say(f"The product is deployed and running ({time.monotonic() - started:.0f} s in all)")
    return running


def down(*, home: Path = HOME, say: Say = print) -> None:
    """End the background processes and forget their state."""
    running = status(home=home)
    state = home / "state.json"
    if running is not None:
        for pid in (running.slack_pid, running.cloud_pid):
            _end(pid)
        say("The local installation is down.")
    else:
        say("No local installation is up.")
    state.unlink(missing_ok=True)


def status(*, home: Path = HOME) -> Running | None:
    """The installation that is up, or None."""
    state = home / "state.json"
    if not state.is_file():
        return None
    running = Running(**json.loads(state.read_text()))
    return running if _alive(running.cloud_pid) and _alive(running.slack_pid) else None


def _bring_up(
    mode: Mode,
    engine: Engine,
    home: Path,
    cloud: EmbeddedCloud,
    slack: SlackPage,
    secret: dict[str, str],
    say: Say,
    changes: Mapping[str, Any],
    before: Before | None,
) -> Running:
    assembly = home / "cdk.out"
    with timed("local Slack page started", say):
        slack.start()
    settings_file = home / "settings.json"
    chosen = {**settings(mode, slack.api_url, CHANNEL), "deploy_engine": engine, **changes}
    settings_file.write_text(json.dumps(chosen, indent=2, ensure_ascii=False))
    with ThreadPoolExecutor(max_workers=1) as pool:
        synthesis = pool.submit(synthesise, settings_file, assembly, home / "synth.log")
        with timed("embedded cloud started (every account, IAM enforcement on)", say):
            cloud.start()
        with timed("CDK app synthesised", say):
            synthesis.result()
    if before is not None:
        before(cloud, assembly)
    outputs = deploy_everywhere(targets(mode), assembly, REGION, cloud.environment, home, say)
    cloud.client("secretsmanager", ORCHESTRATOR, region=REGION).put_secret_value(
        SecretId=outputs["SlackSecretArn"], SecretString=json.dumps(secret)
    )
    slack.point_to(front_url(cloud, outputs))
    return Running(mode, cloud.endpoint_url, cloud.pid, slack.url, slack.pid, outputs, engine)


def targets(mode: Mode) -> list[Target]:
    """Which stacks go into which account."""
    if mode == "single":
        return [Target(ORCHESTRATOR, ("MlopsOrchestrator", "MlopsStage-prod"), bootstrap=True)]
    stages = [
        Target(account, (f"MlopsStage-{name}",), bootstrap=False) for name, account in stage_accounts(mode).items()
    ]
    return [Target(ORCHESTRATOR, ("MlopsOrchestrator", "MlopsStage-orchestrator"), bootstrap=True), *stages]


def front_url(cloud: EmbeddedCloud, outputs: dict[str, Any]) -> str:
    """Where Slack's requests go: the deployed HTTP API, by its local address."""
    return cloud.local_url(outputs["SlackRequestUrl"]).removesuffix("/slack/events")


def _alive(pid: int) -> bool:
    with suppress(ChildProcessError):
        # A child of this process that has ended stays a zombie until somebody asks for its status.
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _end(pid: int) -> None:
    """SIGTERM, and wait until the process is gone: the cloud ends its own workers first."""
    if not _alive(pid):
        return
    os.kill(pid, signal.SIGTERM)
    for _ in range(100):
        if not _alive(pid):
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
