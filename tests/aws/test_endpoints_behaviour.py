"""One suite for the fake endpoint and SageMaker's over a real connection: time runs out, and nothing is repeated."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from orchestrator.aws import clients
from orchestrator.aws.credentials import RoleCredentials
from orchestrator.aws.endpoints import SageMakerEndpoints
from orchestrator.core.ports import Answer, Endpoints
from tests.fakes.services import FakeEndpoints

ANSWER = Answer(200, b"[0.9]", "application/json")
OBSERVER = RoleCredentials("arn:observe", "ASIAKEY", "secret", "token")


class Runtime(ThreadingHTTPServer):
    """SageMaker's runtime with one endpoint, which can fall silent before its answer or in the middle of it."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.silent_after: int | None = None
        """Bytes of the body that still come; with None, all of it."""
        self.status_sent = True
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), Invocation)


class Invocation(BaseHTTPRequestHandler):
    """``POST /endpoints/NAME/invocations``."""

    server: Runtime

    def do_POST(self) -> None:
        """Answer as far as the endpoint does."""
        self.server.asked.append(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.server.status_sent:
            self.server.over.wait()
            return
        self.send_response(200)
        self.send_header("Content-Type", ANSWER.content_type)
        self.send_header("Content-Length", str(len(ANSWER.body)))
        self.end_headers()
        self.wfile.write(ANSWER.body[: self.server.silent_after])
        self.wfile.flush()
        if self.server.silent_after is not None:
            self.server.over.wait()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclass
class Served:
    """One of the two, how its model falls silent, and which samples it was sent."""

    endpoints: Endpoints
    fall_silent: Callable[[], None]
    asked: Callable[[], list[bytes]]


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """The server, to which the clients of this test go."""
    with Runtime() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", f"http://127.0.0.1:{server.server_address[1]}")
        clients.session.cache_clear()
        yield server
        clients.session.cache_clear()
        server.over.set()
        server.shutdown()
        thread.join()


def sagemaker() -> SageMakerEndpoints:
    """The adapter with the clients that functions have."""
    return SageMakerEndpoints(
        clients.client("sagemaker", OBSERVER),
        lambda seconds: clients.client("sagemaker-runtime", OBSERVER, seconds),
        OBSERVER.role_arn,
    )


@pytest.fixture(params=["fake", "sagemaker"])
def either(request: pytest.FixtureRequest) -> Served:
    """The fake, and SageMaker."""
    if request.param == "fake":
        fake = FakeEndpoints(ANSWER)

        def think() -> None:
            fake.seconds = float("inf")

        return Served(fake, think, lambda: [body for _, body, _ in fake.asked])
    server: Runtime = request.getfixturevalue("runtime")

    def hold() -> None:
        server.status_sent = False

    return Served(sagemaker(), hold, lambda: server.asked)


def test_an_answer_is_taken_as_it_is(either: Served) -> None:
    assert either.endpoints.invoke("fraud", b"1,2", "text/csv", 60) == ANSWER
    assert either.asked() == [b"1,2"]


def test_no_answer_in_time_is_none_and_the_sample_is_not_sent_again(either: Served) -> None:
    either.fall_silent()
    assert either.endpoints.invoke("fraud", b"1,2", "text/csv", 1) is None
    assert either.asked() == [b"1,2"]


def test_half_an_answer_in_time_is_none(runtime: Runtime) -> None:
    runtime.silent_after = 2
    assert sagemaker().invoke("fraud", b"1,2", "text/csv", 1) is None
    assert runtime.asked == [b"1,2"]
