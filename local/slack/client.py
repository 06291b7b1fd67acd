"""Start the local Slack page from Python, and do on it what people do in the browser."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from urllib.parse import quote, urlencode, urlsplit

from local.slack.acting import Result
from local.slack.schema import Json

ROOT = Path(__file__).resolve().parents[2]


class PageError(RuntimeError):
    """The page refused: there is no such message, button, answer or person; or it did not start."""

    def __init__(self, sentence: str, code: str = "") -> None:
        self.code = code
        super().__init__(sentence)


@dataclass(frozen=True)
class Button:
    """A button that stands in a message now. `channel` is the channel's id, `value` what the app put into it."""

    channel: str
    ts: str
    block_id: str
    action_id: str
    value: str


class SlackPage:
    """The page in a process of its own, on a free port.

    >>> with SlackPage(front_url="http://127.0.0.1:8000", signing_secret="…", bot_token="xoxb-local") as page:
    ...     client = WebClient(token="xoxb-local", base_url=page.api_url)
    ...     client.chat_postMessage(channel="ml-releases", text="Hello", blocks=[…])
    ...     page.click("U0BEN", "ml-releases", ts, "approve")

    Without `with`, `start` begins the process and `stop` ends it; with `log_file` it may outlive the Python that
    started it, and another finds it again by `SlackPage.attach(url)`. What is clicked here goes through the same code,
    and the same signed request, as a click in the browser. Channels are named by id or by name."""

    def __init__(
        self,
        *,
        front_url: str = "",
        signing_secret: str,
        bot_token: str,
        workspace: Path | None = None,
        port: int = 0,
        log_file: Path | None = None,
        start_seconds: float = 20.0,
    ) -> None:
        self._front_url = front_url
        self._secret = {"signing_secret": signing_secret, "bot_token": bot_token}
        self._workspace = workspace
        self._port = port
        self._log_file = log_file
        self._start_seconds = start_seconds
        self._process: subprocess.Popen[str] | None = None
        self._url = ""

    @classmethod
    def attach(cls, url: str) -> SlackPage:
        """A page that runs already. `stop` leaves it running: its starter, or SIGTERM to its `pid`, ends it."""
        page = cls(signing_secret="", bot_token="")
        page._url = url.rstrip("/")
        return page

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> SlackPage:
        """Start the process and wait until it listens. Raises PageError with what it printed if it does not."""
        with tempfile.TemporaryDirectory() as folder, self._errors() as errors:
            secret = Path(folder) / "secret.json"
            secret.touch(mode=0o600)
            secret.write_text(json.dumps(self._secret), encoding="utf-8")
            command = [sys.executable, "-m", "local.slack", "--port", str(self._port)]
            command += ["--front-url", self._front_url, "--secret-file", str(secret)]
            command += ["--workspace", str(self._workspace)] if self._workspace else []
            # Its only line of output is its address, read here; all it may say later goes into a file, so that no
            # pipe can fill up, or break when this Python ends.
            process = subprocess.Popen(  # noqa: S603  fixed program, arguments of our own caller, no shell
                command,
                cwd=ROOT,
                env=dict(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=self._log_file is not None,
            )
            watchdog = threading.Timer(self._start_seconds, process.kill)
            watchdog.start()
            line = process.stdout.readline() if process.stdout else ""
            watchdog.cancel()
            if not line:
                process.wait()
                errors.seek(0)
                raise PageError(f"the local Slack page did not start: {errors.read().strip()}")
        # Ended by its pid, it would stay a zombie of this process and look alive.
        threading.Thread(target=process.wait, daemon=True).start()
        self._process, self._url = process, line.rpartition(" ")[2].strip()
        return self

    def stop(self) -> None:
        """End the process that `start` began."""
        process, self._process, self._url = self._process, None, ""
        if process:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()

    @contextmanager
    def _errors(self) -> Iterator[IO[str]]:
        """Where the process writes what goes wrong inside it."""
        if self._log_file is None:
            with tempfile.TemporaryFile("w+", encoding="utf-8") as unnamed:
                yield unnamed
        else:
            self._log_file.parent.mkdir(parents=True, exist_ok=True)
            with self._log_file.open("w+", encoding="utf-8") as named:
                yield named

    def __enter__(self) -> SlackPage:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The page for a browser, such as http://127.0.0.1:40123 ."""
        if not self._url:
            raise PageError("the local Slack page is not running")
        return self._url

    @property
    def api_url(self) -> str:
        """base_url for slack_sdk's WebClient."""
        return f"{self.url}/api/"

    @property
    def pid(self) -> int:
        """The server's process id."""
        return int(self._get("ready")["pid"])

    # -- what is there -------------------------------------------------------------------------------------------

    def messages(self, channel: str) -> list[Json]:
        """Everybody's messages of a channel, oldest first, replies among them (they have a thread_ts)."""
        return list(self._get("messages", channel=channel)["messages"])

    def text_of(self, channel: str) -> str:
        """All that everybody reads in a channel now, one line for each text, oldest message first."""
        return str(self._get("text", channel=channel)["text"])

    def newest_button(self, channel: str, action_id: str, beginning: str = "") -> Button | None:
        """The button with this action_id in the newest message that has one now; None when there is none.

        Only buttons whose value begins so.
        """
        found = self._get("newest-button", channel=channel, action_id=action_id, beginning=beginning)["button"]
        return Button(**found) if found else None

    def ephemerals(self, user: str) -> list[Json]:
        """What only this person sees, in all channels, oldest first."""
        return list(self._get("ephemerals", user=user)["messages"])

    def views(self, user: str) -> list[Json]:
        """The person's open modals, the one in front last."""
        return list(self._get("views", user=user)["views"])

    def wait_for_view(self, user: str, seconds: float = 20.0) -> Json:
        """The person's modal in front, once it can be submitted: apps open a loading view and fill it later.

        Raises PageError when there is none in time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            view: Json | None = self._get("form", user=user, seconds=str(min(left, 10.0)))["view"]
            if view:
                return view
        raise PageError(f"no dialog to submit opened for {user} within {seconds:g} s")

    def home(self, user: str) -> Json | None:
        """The person's Home tab of the app, if one was published."""
        home: Json | None = self._get("views", user=user)["home"]
        return home

    def direct_channel(self, user: str) -> str:
        """The id of the direct-message channel between the app and this person."""
        return str(self._get("state", **{"as": user})["app"]["dm"])

    def log(self) -> list[Json]:
        """Requests in both directions: {seq, at, direction, what, status, ok, error, …}, without credentials."""
        return list(self._get("log")["log"])

    # -- what people do ------------------------------------------------------------------------------------------

    def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        value: object = None,
        *,
        values: Json | None = None,
        block_id: str | None = None,
        stale: bool = False,
    ) -> Result:
        """Use a button or select of a message. Raises PageError where a person would find nothing to click.

        `value` picks one of several buttons, or is a select's answer; `stale` clicks an element that an update of the
        message has taken away, as somebody with a lagging screen does."""
        body = {"channel": channel, "ts": ts, "action_id": action_id, "value": value, "values": values}
        return self._do("click", user, {**body, "block_id": block_id, "stale": stale})

    def act_in_view(
        self, user: str, view_id: str, action_id: str, value: object = None, values: Json | None = None
    ) -> Result:
        """Use a button or select of a modal or of the Home tab."""
        return self._do("act", user, {"view_id": view_id, "action_id": action_id, "value": value, "values": values})

    def submit_view(self, user: str, view_id: str, values: Json) -> Result:
        """Submit a modal. `values` is {block_id: {action_id: answer}}, or shorter {block_id: answer}.

        An answer is a text, an option's value, an id, or a list of these."""
        return self._do("submit", user, {"view_id": view_id, "values": values})

    def close_view(self, user: str, view_id: str) -> Result:
        return self._do("close", user, {"view_id": view_id})

    def slash(self, user: str, command: str, text: str, channel: str) -> Result:
        """Run a slash command such as /mlops."""
        return self._do("slash", user, {"command": command, "text": text, "channel": channel})

    def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> str:
        """Write a message as a person; answers its ts."""
        body = {"as": user, "channel": channel, "text": text, "thread_ts": thread_ts}
        return str(self._post("say", body)["ts"])

    def open_home(self, user: str) -> Result:
        """Look at the app's Home tab: the app receives app_home_opened."""
        return self._do("home", user, {})

    # -- controls ------------------------------------------------------------------------------------------------

    def regroup(self, group: str, *users: str) -> None:
        """Let a user group (by id) have these members, and no others."""
        self._post("usergroup", {"id": group, "users": list(users)})

    def point_to(self, front_url: str) -> None:
        """Tell the page where the app is, once it is known."""
        self._post("front", {"url": front_url})

    def verify_url(self) -> bool:
        """Slack's url_verification: whether the app answers the challenge."""
        return bool(self._post("verify", {})["ok"])

    def faults(self, **wanted: object) -> Json:
        """Switch Slack's bad sides on and off; names as in `faults.Faults`. Answers what is in force."""
        found: Json = self._post("faults", dict(wanted))["faults"]
        return found

    # -- inside --------------------------------------------------------------------------------------------------

    def _do(self, what: str, user: str, body: Json) -> Result:
        answer = self._post(what, {"as": user, **body})
        return Result(answer["ok"], answer["error"], answer["errors"], answer["status"], answer["seconds"])

    def _get(self, what: str, **query: str) -> Json:
        return self._request("GET", f"/_local/{quote(what)}?{urlencode(query)}", None)

    def _post(self, what: str, body: Json) -> Json:
        return self._request("POST", f"/_local/{quote(what)}", json.dumps(body))

    def _request(self, method: str, path: str, body: str | None) -> Json:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            response = connection.getresponse()
            answer: Any = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise PageError(answer.get("error", "refused"), answer.get("code", ""))
        found: Json = answer
        return found
