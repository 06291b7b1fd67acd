"""The workspace file: read, or refused with every problem and its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from local.settings import settings
from local.slack.client import ROOT
from local.slack.people import Kind, WorkspaceFileError, default_spec, load_spec, parse_spec

GOOD: dict[str, Any] = {
    "name": "Acme",
    "people": [
        {"id": "U0ANA", "name": "ana", "real_name": "Ana Silva", "email": "ana@example.com"},
        {"id": "U0APP", "name": "mlops", "real_name": "MLOps", "kind": "bot"},
    ],
    "channels": [{"id": "C0REL", "name": "ml-releases", "members": ["U0ANA", "U0APP"]}],
    "commands": [{"name": "/mlops"}],
}


def test_a_workspace_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(GOOD))
    spec = load_spec(path)
    assert (spec.name, spec.bot.id, spec.channels[0].members) == ("Acme", "U0APP", ("U0ANA", "U0APP"))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"people": "all"}, "people: must be a list"),
        ({"colour": "red"}, "colour: unknown; known are people"),
        ({"people": [{"id": "U0ANA", "name": "ana"}]}, "people[0].real_name: missing"),
        ({"people": [{**GOOD["people"][0], "kind": "boss"}, GOOD["people"][1]]}, "people[0].kind: 'boss' is not one"),
        ({"people": GOOD["people"][:1]}, "exactly one must have kind bot"),
        ({"people": [GOOD["people"][0], *GOOD["people"]]}, "U0ANA is there twice"),
        ({"people": [{**GOOD["people"][0], "id": "ana"}, GOOD["people"][1]]}, "id 'ana' must be U or W"),
        ({"channels": []}, "channels: at least one is needed"),
        ({"channels": [{**GOOD["channels"][0], "members": ["U0X"]}]}, "member U0X is nobody's id"),
        ({"channels": [{**GOOD["channels"][0], "private": "yes"}]}, "channels[0].private: must be true or false"),
        ({"commands": [{"name": "mlops"}]}, "'mlops' must be a slash"),
    ],
)
def test_a_problem_is_told_with_its_place(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(WorkspaceFileError) as caught:
        parse_spec({**GOOD, **change})
    assert any(problem in each for each in caught.value.problems), caught.value.problems


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(WorkspaceFileError) as caught:
        parse_spec({"people": [{"id": 7}], "channels": 7, "more": 1})
    assert len(caught.value.problems) >= 5


def test_the_workspace_without_a_file_is_that_of_the_local_installation() -> None:
    """The people whom the local settings make approvers are here, under the same ids and e-mails."""
    wanted = settings("multi", "http://127.0.0.1/api/", "ml-releases")
    spec = default_spec()
    emails = {person.id: person.email for person in spec.people}
    for person in wanted["people"]:
        assert [emails[slack_id] for slack_id in person["slack_ids"]] == [person["email"]]
    channel = next(channel for channel in spec.channels if channel.name == wanted["slack_channel"])
    assert spec.bot.id in channel.members
    assert {kind for kind in Kind if kind is not Kind.DELETED} == {person.kind for person in spec.people}


def test_the_app_is_the_one_of_the_manifest() -> None:
    manifest = yaml.safe_load((ROOT / "slack_app" / "manifest.yaml").read_text(encoding="utf-8"))
    commands = [
        (each["command"], each["usage_hint"], each["description"]) for each in manifest["features"]["slash_commands"]
    ]
    spec = default_spec()
    assert [(each.name, each.hint, each.description) for each in spec.commands] == commands
    assert spec.bot.real_name == manifest["features"]["bot_user"]["display_name"]
    assert spec.bot.colour == manifest["display_information"]["background_color"]
