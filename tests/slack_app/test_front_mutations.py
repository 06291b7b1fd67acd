"""Five thousand requests that Slack never made: what its own requests become when somebody changes them on the way."""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from orchestrator.aws.environment import variables
from slack_app.front import handler as front_handler
from slack_app.front.answering import Front
from slack_app.front.env import Env
from slack_app.front.replay import FORM
from slack_app.front.secrets import Known
from tests.slack_app.requests import NOW, SECRET, FakeFront, click, command, form, headers, signature, submission

MANY = 5_000
NEEDLE = "needle-in-the-body"
"""Stands in every body, and may stand in no line of the log."""

JSON = "application/json"

GENUINE: dict[str, tuple[bytes, str]] = {
    "approve": (form(click("approve", trigger_id=NEEDLE, message={"ts": "1.000001"})), FORM),
    "reject": (form(click("reject", trigger_id=NEEDLE, message={"ts": "1.000001"})), FORM),
    "reason": (form(submission(f"Because of {NEEDLE}.")), FORM),
    "command": (command(f"status {NEEDLE}"), FORM),
    "url_verification": (json.dumps({"type": "url_verification", "challenge": NEEDLE}).encode(), JSON),
}
"""A request of each kind: body and content type."""


@dataclass
class Request:
    """A request as API Gateway gives it to the function."""

    body: bytes
    headers: dict[str, str]
    method: str = "POST"
    encoded: bool = False
    raw: str | None = None
    """What stands in the event instead of the body."""

    def event(self) -> dict[str, Any]:
        """Payload format 2.0."""
        text = self.raw
        if text is None:
            coded = base64.b64encode(self.body).decode()
            text = coded if self.encoded else self.body.decode("utf-8", "surrogateescape")
        return {
            "version": "2.0",
            "requestContext": {"http": {"method": self.method}},
            "headers": self.headers,
            "body": text,
            "isBase64Encoded": self.encoded,
        }


def genuine(kind: str) -> Request:
    """What Slack sends."""
    body, content_type = GENUINE[kind]
    return Request(body, headers(body, content_type=content_type))


# How a request is changed: what the signature covers, and what it does not.


def another_signature(was: Request, chance: random.Random) -> Request:
    """Some other text of about that shape."""
    right = was.headers["x-slack-signature"]
    at = chance.randrange(len(right))
    other = chance.choice([one for one in "0123456789abcdefABCDEF=v é\x00" if one != right[at]])
    wrong = chance.choice(
        [
            right[:at] + other + right[at + 1 :],
            right[:at],
            right + other,
            right.upper(),
            right.replace("v0=", chance.choice(("v1=", "", "v0", "V0="))),
            signature(was.body, secret="".join(chance.choices("0123456789abcdef", k=32))),
            signature(was.body, secret=""),
            signature(was.body, version="v1"),
            f"v0={'0' * 64}",
        ]
    )
    return replace(was, headers={**was.headers, "x-slack-signature": wrong})


def another_time(was: Request, chance: random.Random) -> Request:
    """The timestamp is moved, without a new signature; or with a good one, to another hour."""
    shift = chance.choice((-1, 1)) * chance.randint(301, 10**9)
    if chance.random() < 0.5:
        stamp = str(NOW + shift)
        return replace(was, headers=headers(was.body, stamp, was.headers["content-type"]))
    near = str(NOW + chance.choice((-1, 1)) * chance.randint(1, 300))
    stamp = chance.choice((near, f" {NOW}", f"+{NOW}", f"{NOW}.0", "", "abc", "١٧٧٢", "9" * 400))
    return replace(was, headers={**was.headers, "x-slack-request-timestamp": stamp})


def another_body(was: Request, chance: random.Random) -> Request:
    """A byte more, less, or another one; or another request's body under this signature."""
    at = chance.randrange(len(was.body))
    byte = bytes([(was.body[at] + chance.randint(1, 255)) % 256])
    others = [body for body, _ in GENUINE.values() if body != was.body]
    changed = chance.choice(
        [
            was.body[:at] + byte + was.body[at + 1 :],
            was.body[:at],
            was.body[:at] + byte + was.body[at:],
            was.body + byte,
            chance.choice(others),
            b"",
        ]
    )
    return replace(was, body=changed, encoded=chance.random() < 0.7 or not changed.isascii())


def missing_header(was: Request, chance: random.Random) -> Request:
    """One of the two headers is not there, or stands under another name."""
    name = chance.choice(("x-slack-signature", "x-slack-request-timestamp"))
    kept = {other: value for other, value in was.headers.items() if other != name}
    if chance.random() < 0.5:
        kept[chance.choice((f"{name}-2", name.replace("-", "_"), f" {name}"))] = was.headers[name]
    return replace(was, headers=kept)


def another_encoding(was: Request, chance: random.Random) -> Request:
    """The event says that the body is encoded, or is not, and is wrong; or the code is broken."""
    coded = base64.b64encode(was.body).decode()
    at = chance.randrange(len(coded) - 4)
    broken = coded[:at] + chance.choice(("%", "é", "\n", " ")) + coded[at:]
    return chance.choice(
        [
            replace(was, raw=coded, encoded=False),
            replace(was, raw=was.body.decode() + "%", encoded=True),
            replace(was, raw=broken, encoded=True),
            replace(was, raw=was.body.decode("latin-1") + "\ud800"),
        ]
    )


def another_method(was: Request, chance: random.Random) -> Request:
    """Signed, and no POST."""
    return replace(was, method=chance.choice(("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "post2")))


def another_type(was: Request, chance: random.Random) -> Request:
    """The content type is not signed: what is read by another one must do nothing that the genuine one does not."""
    wrong = JSON if was.headers["content-type"] == FORM else FORM
    kind = chance.choice((wrong, f"{wrong}; charset=utf-16", "multipart/form-data; boundary=x", "", "\x00", "é" * 200))
    return replace(was, headers={**was.headers, "content-type": kind})


def another_header(was: Request, chance: random.Random) -> Request:
    """Headers that nobody asked for; names in capitals, as HTTP/1.1 has them."""
    more = {f"x-{chance.getrandbits(32):08x}": "".join(chr(chance.randrange(1, 0x2FF)) for _ in range(20))}
    told = {"x-slack-retry-num": str(chance.randint(1, 3)), "x-forwarded-for": "127.0.0.1", **more}
    named = {(name.upper() if chance.random() < 0.5 else name): value for name, value in was.headers.items()}
    return replace(was, headers={**named, **told})


UNSIGNED = (another_signature, another_time, another_body, missing_header, another_encoding)
"""Slack's signature does not fit any more."""

REPLAYED = (another_method, another_type, another_header)
"""It does: somebody plays a request of Slack's again, within its five minutes."""


@dataclass
class Effects:
    """What the front has done."""

    fake: FakeFront = field(default_factory=FakeFront)

    def front(self) -> Front:
        """The front's collaborators."""
        return Front(self.fake, self.fake.send, lambda *view: self.fake.opened.append(view), lambda: float(NOW))

    @property
    def clicks(self) -> set[str]:
        """What the FIFO queue keeps of what it was sent."""
        return {replay.deduplication for replay in self.fake.queue}


@pytest.fixture
def effects(monkeypatch: pytest.MonkeyPatch) -> Effects:
    found = Effects(FakeFront(secrets=[Known((SECRET,), "xoxb-1")]))
    env = Env(queue_url="https://sqs", slack_secret_arn="arn:aws:x:y:z", slack_api_url="https://slack.com/api/")
    for name, value in variables(env).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(front_handler, "_front", lambda env: found.front())
    return found


def test_each_genuine_request_is_taken(effects: Effects) -> None:
    for kind in GENUINE:
        assert front_handler.handler(genuine(kind).event(), None)["statusCode"] == 200, kind
    assert len(effects.clicks) == 4


def test_five_thousand_changed_requests_do_nothing(effects: Effects, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in GENUINE:
        front_handler.handler(genuine(kind).event(), None)
    before, dialogs = effects.clicks, len(effects.fake.opened)
    capsys.readouterr()
    chance = random.Random(20261126)  # noqa: S311 - a sample, no secret
    changes: list[Callable[[Request, random.Random], Request]] = [*UNSIGNED, *UNSIGNED, *UNSIGNED, *REPLAYED]
    seen: Counter[tuple[str, int]] = Counter()
    for number in range(MANY):
        change = chance.choice(changes)
        was = genuine(chance.choice(list(GENUINE)))
        changed = change(was, chance)
        assert changed.event() != was.event(), change.__name__
        sent, opened = len(effects.fake.queue), len(effects.fake.opened)
        status = front_handler.handler(changed.event(), None)["statusCode"]
        seen[(change.__name__, status)] += 1
        told = f"number {number}: {change.__name__} was answered {status}: {changed!r:.300}"
        assert status < 500, told
        assert effects.clicks == before, told
        if change in UNSIGNED:
            assert status in {400, 401}, told
            assert len(effects.fake.queue) == sent, told
            assert len(effects.fake.opened) == opened, told
        if change is another_method:
            assert status == 405, told
            assert len(effects.fake.queue) == sent, told
    assert sum(seen.values()) == MANY
    assert {name for name, _ in seen} == {change.__name__ for change in changes}
    assert dialogs == 1
    logged = capsys.readouterr().out
    assert NEEDLE not in logged
    lines = [json.loads(line) for line in logged.splitlines()]
    assert len(lines) == MANY
    assert {name for line in lines for name in line} == {
        *("service", "level", "request_id", "outcome", "status", "milliseconds")
    }
    assert len({line["outcome"] for line in lines}) < 12, "of a few words that the front chooses"
