"""The setting `repositories`: every mistake is told with its place; what is left out has its default."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.core.installation import Installation, Repository
from stacks.settings import parse
from tests.stacks.test_settings import REMOVED, given, problems

ARN = "arn:aws:codeconnections:us-east-1:111111111111:connection/0a1b2c3d-0000-1111-2222-333344445555"
OWN = {"name": "ml-models", "branch": "main"}
CONNECTED = {
    "name": "github-models",
    "branch": "release/1.x",
    "provider": "connection",
    "connection_arn": ARN,
    "repository": "example/group/ml-models",
}


def with_repositories(*repositories: Any) -> dict[str, Any]:
    return given(repositories=list(repositories))


def test_repositories_are_part_of_the_installation() -> None:
    found = parse(with_repositories(OWN, CONNECTED)).installation
    assert found.repositories == (
        Repository("ml-models", "main"),
        Repository("github-models", "release/1.x", "connection", ARN, "example/group/ml-models"),
    )
    assert Installation.from_json(found.to_json()) == found
    assert found.watched("codecommit", "ml-models") == found.repositories[0]
    assert found.watched("connection", "ml-models") is None


def test_without_repositories_there_are_none() -> None:
    assert parse(given(repositories=REMOVED)).installation.repositories == ()


@pytest.mark.parametrize(
    ("repository", "path", "words"),
    [
        pytest.param("ml-models", "", "Write an object", id="a name alone"),
        pytest.param({"branch": "main"}, ".name", "is missing", id="without name"),
        pytest.param({"name": "ml-models"}, ".branch", "is missing", id="without branch"),
        pytest.param({**OWN, "name": "ml models"}, ".name", "CodeCommit repository", id="name with a space"),
        pytest.param({**OWN, "name": "x.git"}, ".name", "CodeCommit repository", id="name of a folder"),
        pytest.param({**OWN, "branch": "release/*"}, ".branch", "one branch's name", id="a pattern"),
        pytest.param({**OWN, "branch": "refs/heads/main"}, ".branch", "Write main", id="a whole reference"),
        pytest.param({**OWN, "provider": "github"}, ".provider", "codecommit, connection", id="provider"),
        pytest.param({**OWN, "brnch": "main"}, ".brnch", 'Did you mean "branch"?', id="misspelt"),
        pytest.param(
            {**OWN, "connection_arn": ARN},
            ".connection_arn",
            '"provider": "connection"',
            id="CodeCommit with connection",
        ),
        pytest.param(
            {key: value for key, value in CONNECTED.items() if key != "connection_arn"},
            ".connection_arn",
            "is missing",
            id="connection without ARN",
        ),
        pytest.param(
            {**CONNECTED, "connection_arn": ARN.replace("us-east-1", "eu-west-1")},
            ".connection_arn",
            "its own region, which is us-east-1",
            id="connection of another region",
        ),
        pytest.param({**CONNECTED, "connection_arn": ARN[:-3]}, ".connection_arn", "whole ARN", id="part of an ARN"),
        pytest.param({**CONNECTED, "repository": "ml-models"}, ".repository", "owner/name", id="without owner"),
        pytest.param({**CONNECTED, "name": "GitHub"}, ".name", "lower case", id="name of a pipeline"),
    ],
)
def test_a_mistake_is_told_with_its_place(repository: Any, path: str, words: str) -> None:
    (problem,) = problems(with_repositories(repository))
    assert problem[0] == f"$.repositories[0]{path}"
    assert words in problem[1]


def test_a_repository_is_named_once() -> None:
    (problem,) = problems(with_repositories(OWN, {**OWN, "branch": "other"}))
    assert problem == (
        "$.repositories[1].name",
        'is "ml-models" twice. One branch of a repository is released; name each once.',
    )


def test_there_are_twenty_at_most() -> None:
    (problem,) = problems(with_repositories(*({"name": f"r{number}", "branch": "main"} for number in range(21))))
    assert problem[0] == "$.repositories"
