"""How the API is called, and what the command makes of bad answers."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlops.main import app
from orchestrator.core.records import Release
from tests.cli.conftest import Command
from tests.cli.gateway import REGION, Gateway

NO_RESOURCE = (403, b'{"message":"Missing Authentication Token"}')
NOT_ALLOWED = (403, b'{"Message":"User: arn:aws:iam::1:user/x is not authorized to perform: execute-api:Invoke"}')


def run(gateway: Gateway, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit status, and what was said on standard error."""
    given = {"MLOPS_API_URL": gateway.url, "AWS_ACCESS_KEY_ID": "ANA", "AWS_SECRET_ACCESS_KEY": "secret-of-ana"}
    result = CliRunner().invoke(app, list(arguments), env={**given, **environment})
    return result.exit_code, " ".join(result.stderr.split())


def test_a_wrong_secret_is_a_wrong_signature(gateway: Gateway) -> None:
    status, said = run(gateway, "status", AWS_SECRET_ACCESS_KEY="guessed")
    assert status == 1
    assert "signature" in said
    assert "guessed" not in said


def test_the_body_is_signed(gateway: Gateway, mlops: Command, configuration_file: Path) -> None:
    assert mlops("release", str(configuration_file)).exit_code == 0
    request = gateway.received[0]
    assert gateway.caller(request) == "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Engineer/ana"
    altered = type(request)(request.method, request.path, request.headers, request.body + b" ")
    assert gateway.caller(altered) is None


def test_a_session_token_travels_along(gateway: Gateway) -> None:
    status, _ = run(gateway, "status", AWS_SESSION_TOKEN="of-a-role")
    assert status == 0
    assert gateway.received[0].headers["x-amz-security-token"] == "of-a-role"


def test_another_region_is_another_signature(gateway: Gateway) -> None:
    status, said = run(gateway, "status", "--region", "us-west-2")
    assert status == 1
    assert "signature" in said


@pytest.mark.parametrize(
    ("answers", "attempts", "status", "said"),
    [
        ([(502, b"<html>"), (429, b"{}")], 3, 0, ""),
        ([(503, b'{"message": "down"}')] * 3, 3, 1, "answered 503: down"),
        ([(500, b"oops")] * 3, 3, 1, "without JSON"),
        ([NOT_ALLOWED], 1, 1, "is not authorized to perform: execute-api:Invoke"),
        ([NO_RESOURCE], 1, 1, "Is it the output ApiUrl, with its stage?"),
        ([(409, b'{"message": "not now"}')], 1, 1, "not now"),
        ([(418, b"{}")], 1, 1, "the API answered 418"),
        ([(200, b"[]")], 1, 1, "is this the product's API?"),
    ],
    ids=["recovers", "stays down", "breaks", "denied", "no resource", "refused", "odd", "something else"],
)
def test_answers(gateway: Gateway, answers: list[tuple[int, bytes]], attempts: int, status: int, said: str) -> None:
    gateway.canned = list(answers)
    found, text = run(gateway, "status")
    assert (found, len(gateway.received)) == (status, attempts)
    assert said in text


def test_a_lost_answer_starts_no_second_release(gateway: Gateway, mlops: Command, configuration_file: Path) -> None:
    first = mlops.json("release", str(configuration_file))["release_id"]
    # The same request once more, as after an answer that never arrived.
    gateway.answer(gateway.received[0])
    assert [release.release_id for release in gateway.world.memory.all(Release)] == [first]


def test_an_api_that_is_not_there_is_told(gateway: Gateway) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/prod"
        status, said = run(gateway, "status", MLOPS_API_URL=url)
    assert status == 1
    assert f"The API at {url} cannot be reached" in said


def test_a_refusal_with_json_is_json(mlops: Command) -> None:
    assert "nobody" in mlops.json("status", "nobody", exit_code=1)["message"]


@pytest.mark.parametrize(
    ("url", "region"),
    [("https://abc123.execute-api.ap-south-1.amazonaws.com/prod/", "ap-south-1"), ("https://ml.example.com", REGION)],
    ids=["of the address", "of the environment"],
)
def test_the_region(url: str, region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlops.screen import Screen
    from mlops.target import Target

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ANA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-ana")
    api = Target(api_url=url).api(Screen())
    assert (api.url, api.region) == (url.rstrip("/"), region)
    assert "secret-of-ana" not in repr(api)
