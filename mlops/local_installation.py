"""``mlops local``: the product on this computer, in the embedded cloud and with the local Slack page."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

from mlops import checkout
from mlops.refusals import Refused
from mlops.screen import Screen
from mlops.validation import AsJson

app = typer.Typer(
    help="The product on this computer: embedded cloud, every account, local Slack page. Needs a checkout.",
    no_args_is_help=True,
    rich_markup_mode="rich" if sys.stderr.isatty() else None,
)


@app.command()
def up(
    mode: Annotated[
        Literal["multi", "single"], typer.Option("--mode", help="An account for each stage, or one for all.")
    ] = "multi",
    engine: Annotated[
        Literal["cloudformation", "codepipeline"], typer.Option("--engine", help="What deploys: `deploy_engine`.")
    ] = "cloudformation",
    as_json: AsJson = False,
) -> None:
    """Bring the local installation up and leave it running."""
    screen = Screen(as_json)
    installation = _installation()
    running = _told(lambda: installation.up(mode, engine=engine, say=screen.note))
    _show(running, screen)


@app.command()
def down() -> None:
    """End the local installation."""
    screen = Screen()
    installation = _installation()
    _told(lambda: installation.down(say=screen.line))


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say whether the local installation is up, and where it is."""
    screen = Screen(as_json)
    running = _installation().status()
    if running is None:
        raise Refused("No local installation is up. Bring one up with `mlops local up`.", {"up": False})
    _show(running, screen)


@app.command()
def slack(
    channel: Annotated[
        str, typer.Option("--channel", help="Id of a channel of the workspace that the app has been invited to.")
    ],
    persons: Annotated[
        list[str] | None,
        typer.Option(
            "--person",
            metavar="PERSON=SLACK_ID",
            help="Whose Slack account stands for ana, ben, chloe or dev; may be repeated.",
        ),
    ] = None,
    api_url: Annotated[str, typer.Option("--api-url", help="Slack's Web API.")] = "https://slack.com/api/",
) -> None:
    """Let the local installation use a real Slack workspace, over Socket Mode, until Ctrl-C."""
    screen = Screen()
    accounts = dict(_account(person) for person in persons or [])
    running = _installation().status()
    if running is None:
        raise Refused("No local installation is up. Bring one up with `mlops local up`.")
    from local.real_workspace import Tokens, UnknownPerson, Workspace, connected, serve

    tokens = Tokens(bot=_token("SLACK_BOT_TOKEN", "xoxb-"), app=_token("SLACK_APP_TOKEN", "xapp-"))
    try:
        with connected(running, tokens.bot, Workspace(channel, accounts, api_url)):
            screen.note(f"Messages go to {channel} within a minute. Ctrl-C ends it.")
            status = serve(running, tokens)
    except UnknownPerson as error:
        raise typer.BadParameter(str(error), param_hint="--person") from None
    screen.note("The local Slack page is in use again.")
    if status:
        raise Refused(f"The app has ended with status {status}; what it printed is above.")


def _account(given: str) -> tuple[str, str]:
    """``ben=U0123456789`` as person and Slack id."""
    person, _, user = given.partition("=")
    if not person or not re.fullmatch(r"[UW][A-Z0-9]+", user):
        raise typer.BadParameter(f"{given!r} should be such as ben=U0123456789", param_hint="--person")
    return person, user


def _token(variable: str, beginning: str) -> str:
    """A token from the environment: on a command line everybody at this computer could read it."""
    token = os.environ.get(variable, "")
    if not token.startswith(beginning):
        raise typer.BadParameter(f"the variable {variable} should hold a token that begins with {beginning}")
    return token


def _installation() -> Any:
    checkout.enter()
    try:
        from local import installation
    except ImportError as error:
        raise Refused(f"The local installation lacks {error.name}; run `make setup` in the checkout.") from None
    return installation


def _told(what: Callable[[], Any]) -> Any:
    """What the local installation cannot do is a refusal, with its own words."""
    from local.cloud.client import CloudDidNotStart
    from local.deploy import DeploymentFailed
    from local.slack.client import PageError

    try:
        return what()
    except (CloudDidNotStart, DeploymentFailed, PageError, RuntimeError) as error:
        raise Refused(str(error)) from None


def _show(running: Any, screen: Screen) -> None:
    api = running.cloud.local_url(running.outputs["ApiUrl"]).rstrip("/")
    if screen.json:
        screen.answer(
            {
                "up": True,
                "mode": running.mode,
                "engine": running.engine,
                "slack_url": running.slack_url,
                "cloud_url": running.cloud_url,
                "api_url": api,
                "stages": running.stages,
                "outputs": running.outputs,
            }
        )
    screen.line(f"The local {running.mode}-account installation is up.", "green")
    facts = {
        "Deployed by": {"cloudformation": "CloudFormation", "codepipeline": "CodePipeline"}[running.engine],
        "Slack page": running.slack_url,
        "API": api,
        "AWS endpoint": running.cloud_url,
        "Assets": f"s3://{running.outputs['AssetsBucketName']}/",
        **{f"Stage {stage}": f"account {account}" for stage, account in running.stages.items()},
    }
    for name, value in facts.items():
        screen.line(f"  {name:14} {value}")
