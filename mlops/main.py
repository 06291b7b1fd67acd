"""The verbs together, and errors as exit statuses: 0 done, 1 refused, 2 wrong usage."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mlops import (
    audit,
    cards,
    decisions,
    doctor,
    local_installation,
    packages,
    releases,
    rollbacks,
    starting,
    validation,
    workloads,
)
from mlops.refusals import Denied, Problems, Refused
from mlops.screen import Screen, problem_lines
from orchestrator.core.version import VERSION


class Verbs(TyperGroup):
    """Turns a refusal of any verb into its message and exit status 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb."""
        try:
            return super().invoke(ctx)
        except Refused as error:
            _tell(error, as_json="--json" in ctx.obj["arguments"])
            raise typer.Exit(1) from None

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the arguments as they came: whether JSON was asked for decides how a refusal is told."""
        ctx.obj = {"arguments": tuple(args)}
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=Verbs,
    name="mlops",
    help="Release machine-learning workloads on AWS, follow and decide about releases, check configurations.",
    no_args_is_help=True,
    add_completion=False,
    # Frames and colours in help and usage errors on a terminal only.
    rich_markup_mode="rich" if sys.stderr.isatty() else None,
    # A traceback with local variables could show credentials.
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        Screen().line(VERSION)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Options of the command itself."""


for verb in (
    starting.init,
    starting.schema,
    validation.validate,
    packages.package,
    releases.release,
    releases.status,
    decisions.approve,
    decisions.reject,
    decisions.withdraw,
    decisions.why,
    rollbacks.rollback,
    releases.history,
    audit.audit,
    workloads.workloads,
    workloads.remove,
    doctor.doctor,
):
    app.command()(verb)
app.add_typer(doctor.slack, name="slack")
app.add_typer(cards.app, name="card")
app.add_typer(local_installation.app, name="local")


def main() -> None:
    """Entry point of the installed command."""
    app()


def _tell(error: Refused, *, as_json: bool) -> None:
    screen = Screen(as_json)
    if as_json:
        screen.answer(error.answer)
        return
    screen.note(str(error), "red")
    if isinstance(error, Problems):
        for problem in error.problems:
            screen.note(f"  {problem_lines(dict(problem))}", "yellow" if problem["severity"] == "warning" else "")
    if isinstance(error, Denied):
        screen.note("Who you are to the API: `aws sts get-caller-identity`; on the local installation: --as PERSON.")
