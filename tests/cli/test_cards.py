"""``mlops card``: against the real API's routes, as a person would use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command

CARD = {"name": "fraud", "intended_uses": {"purpose_of_model": "Scores card payments.", "risk_rating": "High"}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A card, without pipeline_type."""
    path = tmp_path / "card.json"
    path.write_text(json.dumps(CARD))
    return path


def test_a_card_from_its_creation_to_its_end(mlops: Command, file: Path) -> None:
    assert "There is no model card yet." in mlops("card", "list").stdout
    created = mlops("card", "create", str(file))
    assert created.exit_code == 0, created.output
    assert "fraud, version 1, Draft" in created.stdout
    assert "Scores card payments." in created.stdout
    file.write_text(json.dumps({"name": "fraud", "status": "Approved"}))
    assert "fraud, version 1, Approved" in mlops("card", "update", str(file)).stdout
    assert "fraud  Approved" in mlops("card", "list").stdout
    described = mlops.json("card", "describe", "fraud")
    assert json.loads(described["message"]["Content"])["intended_uses"] == CARD["intended_uses"]
    assert "model_card_exports" in mlops("card", "export", "fraud", "--version", "1", "--job", "mine").stdout
    assert "has been deleted" in mlops("card", "delete", "fraud", "--yes").stdout
    gone = mlops("card", "describe", "fraud")
    assert gone.exit_code == 1
    assert 'no model card "fraud"' in gone.stderr


def test_nothing_is_deleted_unasked(mlops: Command, file: Path) -> None:
    mlops("card", "create", str(file))
    refused = mlops("card", "delete", "fraud")
    assert refused.exit_code == 2
    assert "--yes" in refused.stderr
    assert "fraud" in mlops("card", "list").stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"name": "fraud", "status": "draft"}, 'Did you mean "Draft"?'),
        ({"name": "fraud", "pipeline_type": "delete_model_card"}, "this would create_model_card"),
        ([], "should hold a JSON object"),
        ("{", "is no JSON"),
    ],
)
def test_a_file_that_is_wrong_is_refused_before_anything_is_sent(
    mlops: Command, file: Path, content: Any, words: str
) -> None:
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    refused = mlops("card", "create", str(file))
    assert refused.exit_code == 1
    assert words in refused.stderr
    assert mlops.gateway.received == []


def test_release_takes_a_card_too_and_validate_knows_it(mlops: Command, file: Path) -> None:
    file.write_text(json.dumps({**CARD, "pipeline_type": "create_model_card", "colour": "blue"}))
    checked = mlops("validate", str(file))
    assert checked.exit_code == 0
    assert "the model-card operation create_model_card" in checked.stdout
    assert "warning: $.colour" in checked.stdout
    released = mlops("release", str(file))
    assert released.exit_code == 0, released.output
    assert "fraud, version 1, Draft" in released.stdout
