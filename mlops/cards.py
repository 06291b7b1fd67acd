"""``mlops card``: SageMaker model cards, made and read through the installation's API."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from mlops.refusals import Problems, Refused
from mlops.screen import Screen
from mlops.target import Target, on_target
from mlops.validation import AsJson
from orchestrator.core.model_cards.request import model_card_in
from orchestrator.core.problems import BadConfiguration

app = typer.Typer(
    help="SageMaker model cards: create, update, describe, list, export, delete.",
    no_args_is_help=True,
    rich_markup_mode="rich" if sys.stderr.isatty() else None,
)

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="The card, as JSON; docs/model-cards.md has its keys.", exists=True, dir_okay=False
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the card.")]


@app.command()
@on_target
def create(
    file: File,
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """Create a model card."""
    _with_file("create_model_card", file, target, as_json)


@app.command()
@on_target
def update(
    file: File,
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """Replace the sections of a model card that the file has; the others stay."""
    _with_file("update_model_card", file, target, as_json)


@app.command()
@on_target
def describe(
    name: Name,
    version: Annotated[int | None, typer.Option("--version", min=1, help="By itself the latest.")] = None,
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """Show a model card."""
    body = {"pipeline_type": "describe_model_card", "name": name, **({"version": version} if version else {})}
    _perform(body, target, as_json)


@app.command(name="list")
@on_target
def list_cards(
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """List the model cards of the orchestrator's account."""
    _perform({"pipeline_type": "list_model_cards"}, target, as_json)


@app.command()
@on_target
def export(
    name: Name,
    version: Annotated[int | None, typer.Option("--version", min=1, help="By itself the latest.")] = None,
    job: Annotated[str, typer.Option("--job", help="Name of the export job.")] = "",
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """Export a model card to PDF, into the assets bucket."""
    body: dict[str, Any] = {"pipeline_type": "export_model_card", "name": name}
    if version:
        body["model_card_version"] = version
    if job:
        body["export_job_name"] = job
    _perform(body, target, as_json)


@app.command()
@on_target
def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
    *,
    target: Target,
) -> None:
    """Delete a model card with all its versions."""
    screen = Screen(as_json)
    if not yes:
        if not screen.interactive:
            raise typer.BadParameter("nobody can be asked here; say --yes", param_hint="--yes")
        typer.confirm(f"Delete the model card {name} with all its versions?", abort=True, err=True)
    _perform({"pipeline_type": "delete_model_card", "name": name}, target, as_json)


def show_answer(answer: Mapping[str, Any], screen: Screen) -> None:
    """What a model-card operation answered."""
    message = answer["message"]
    if screen.json:
        screen.answer(answer)
        return
    if not isinstance(message, Mapping):
        screen.line(str(message))
        return
    if "ModelCardSummaries" in message:
        rows = [
            (str(card["ModelCardName"]), str(card["ModelCardStatus"]), str(card.get("CreationTime", ""))[:19])
            for card in message["ModelCardSummaries"]
        ]
        if rows:
            screen.table(("CARD", "STATUS", "CREATED"), rows)
        else:
            screen.line("There is no model card yet.")
        return
    version, status = message["ModelCardVersion"], message["ModelCardStatus"]
    screen.line(f"{message['ModelCardName']}, version {version}, {status}", "bold")
    screen.line(str(message["ModelCardArn"]))
    screen.line(json.dumps(json.loads(message["Content"] or "{}"), indent=2, ensure_ascii=False))


def _with_file(operation: str, file: Path, target: Target, as_json: bool) -> None:
    """The file needs no ``pipeline_type``: the verb says it. One that says another is refused."""
    try:
        values = json.loads(file.read_bytes())
    except ValueError as error:
        raise Refused(f"{file} is no JSON: {error}") from None
    if not isinstance(values, dict):
        raise Refused(f"{file} should hold a JSON object.")
    if values.get("pipeline_type", operation) != operation:
        raise Refused(
            f"{file} says {values['pipeline_type']}, this would {operation}. Mend pipeline_type, or remove it."
        )
    _perform({**values, "pipeline_type": operation}, target, as_json)


def _perform(body: Mapping[str, Any], target: Target, as_json: bool) -> None:
    screen = Screen(as_json)
    data = json.dumps(body).encode()
    try:
        request = model_card_in(data)
    except BadConfiguration as error:
        raise Problems.of(error) from None
    for warning in request.warnings if request else ():
        screen.note(f"warning: {warning.sentence}", "yellow")
    show_answer(target.api(screen).provision(data, str(uuid.uuid4()), force=False), screen)
