"""The local installation in a real Slack workspace, for a while: ``mlops local slack``.

The installation's settings and secret, as its functions read them, name the real workspace until the end: messages go
there, and what is clicked there comes back through Socket Mode (``python -m slack_app.socket_mode``, in a process of
its own, with the environment of the deployed worker). Afterwards the local Slack page is what it was.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local.deploy import ROOT, environment
from local.installation import Running
from local.settings import ORCHESTRATOR, REGION

SLACK = "https://slack.com/api/"
WORKER = "mlops-slack-worker"


@dataclass(frozen=True)
class Tokens:
    """What the real app is known by; prints as nothing."""

    bot: str = field(repr=False)
    app: str = field(repr=False)


@dataclass(frozen=True)
class Workspace:
    """Where messages go, and whose accounts stand for which people of the local installation."""

    channel: str
    accounts: Mapping[str, str]
    """Person (``ana``, ``ben`` …) → Slack id; whoever is not named has none there."""
    api_url: str = SLACK


class UnknownPerson(ValueError):
    """The local installation has no such person."""


@contextmanager
def connected(running: Running, bot_token: str, workspace: Workspace) -> Iterator[None]:
    """Settings and secret of the real workspace, for the length of the block; raises ``UnknownPerson``.

    Functions read the settings anew after a minute at most.
    """
    cloud = running.cloud
    parameters = cloud.client("ssm", ORCHESTRATOR, region=REGION)
    secrets = cloud.client("secretsmanager", ORCHESTRATOR, region=REGION)
    variables = worker_environment(running)
    name, secret = variables["SETTINGS_PARAMETER"], variables["SLACK_SECRET_ARN"]
    settings = parameters.get_parameter(Name=name)["Parameter"]["Value"]
    keys = secrets.get_secret_value(SecretId=secret)["SecretString"]
    changed = json.dumps(settings_of(json.loads(settings), workspace), sort_keys=True)
    try:
        parameters.put_parameter(Name=name, Value=changed, Overwrite=True)
        secrets.put_secret_value(SecretId=secret, SecretString=json.dumps({**json.loads(keys), "bot_token": bot_token}))
        yield
    finally:
        parameters.put_parameter(Name=name, Value=settings, Overwrite=True)
        secrets.put_secret_value(SecretId=secret, SecretString=keys)


def settings_of(settings: dict[str, Any], workspace: Workspace) -> dict[str, Any]:
    """The installation's settings with the real workspace's addresses and accounts."""
    everybody = settings["people"]["everybody"]
    known = {person["email"].partition("@")[0]: person for person in everybody}
    unknown = sorted(set(workspace.accounts) - set(known))
    if unknown:
        raise UnknownPerson(f"there is no {unknown[0]!r} here; known: {', '.join(known)}")
    people = [
        {**person, "slack_ids": [workspace.accounts[name]] if name in workspace.accounts else []}
        for name, person in known.items()
    ]
    return {
        **settings,
        "people": {**settings["people"], "everybody": people},
        "slack_api_url": workspace.api_url,
        "slack_pace": 1,
        "slack_channel": workspace.channel,
        "slack_team": "",
    }


def worker_environment(running: Running) -> dict[str, str]:
    """The environment of the deployed worker."""
    functions = running.cloud.client("lambda", ORCHESTRATOR, region=REGION)
    found: dict[str, str] = functions.get_function_configuration(FunctionName=WORKER)["Environment"]["Variables"]
    return found


def serve(running: Running, tokens: Tokens) -> int:
    """Run the app over Socket Mode until it ends, or somebody presses Ctrl-C; its exit status."""
    process = subprocess.Popen(
        [sys.executable, "-m", "slack_app.socket_mode"],
        cwd=ROOT,
        env={
            **environment(running.cloud.environment(ORCHESTRATOR)),
            **worker_environment(running),
            "SLACK_APP_TOKEN": tokens.app,
        },
        stdin=subprocess.DEVNULL,
        # Ctrl-C reaches both; this one waits for the other's end.
        start_new_session=False,
    )
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
    finally:
        signal.signal(signal.SIGTERM, before)
