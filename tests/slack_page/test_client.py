"""The page as a process, and as Python drives it: started, found again, ended, read and clicked."""

from __future__ import annotations

import http.client
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from slack_sdk import WebClient

from local.slack.client import ROOT, PageError, SlackPage
from tests.slack_page.fake_front import FakeFront
from tests.slack_page.samples import QUESTION, Json, approval_blocks, button, mrkdwn, plain, reject_view

BOT_TOKEN = "xoxb-local-page"


def python(*arguments: str) -> subprocess.Popen[str]:
    """Another Python in the checkout, its output kept."""
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=pipe, stderr=pipe, text=True)  # noqa: S603


def ask(client: WebClient, channel: str = "ml-releases", text: str = QUESTION) -> str:
    return str(client.chat_postMessage(channel=channel, text=text, blocks=approval_blocks())["ts"])


def test_it_outlives_the_python_that_started_it_and_is_found_again(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "slack.log"
    starter = (
        "import sys; from pathlib import Path; from local.slack.client import SlackPage; "
        f"page = SlackPage(signing_secret='s', bot_token='xoxb-1', log_file=Path({str(log)!r})).start(); "
        "print(page.url, page.pid)"
    )
    out, err = python("-c", starter).communicate(timeout=60)
    assert err == ""
    url, pid = out.split()
    page = SlackPage.attach(url)
    try:
        assert page.pid == int(pid)
        WebClient(token="xoxb-1", base_url=page.api_url).chat_postMessage(channel="ml-releases", text="Still here")
        assert page.text_of("ml-releases") == "Still here"
        page.stop()
        assert SlackPage.attach(url).pid == int(pid), "stop of an attached page ends nothing"
    finally:
        os.kill(int(pid), signal.SIGTERM)
    assert log.read_text() == ""


def test_ended_by_its_pid_it_is_gone_for_its_starter_too(tmp_path: Path) -> None:
    """No zombie is left that would look alive to whoever waits for the pid to go."""
    page = SlackPage(signing_secret="s", bot_token=BOT_TOKEN, log_file=tmp_path / "slack.log").start()
    pid = page.pid
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.02)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    page.stop()


def test_sigterm_ends_it_cleanly_also_while_browsers_listen(tmp_path: Path) -> None:
    process = python("-m", "local.slack", "--secret-file", str(tmp_path / "secret.json"))
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Local Slack page: http://127.0.0.1:")
    listening = http.client.HTTPConnection(line.split("//")[1].strip(), timeout=10)
    listening.request("GET", "/_local/state?as=U0BEN")
    epoch = json.loads(listening.getresponse().read())["epoch"]
    listening.request("GET", f"/_local/events?as=U0BEN&after={epoch}-0")
    assert listening.getresponse().status == 200
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


def test_a_missing_secret_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    process = python("-m", "local.slack", "--secret-file", str(secret), "--workspace", "/nowhere.json")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "/nowhere.json" in err
    assert set(json.loads(secret.read_text())) == {"signing_secret", "bot_token"}
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_what_keeps_it_from_starting_is_told(tmp_path: Path) -> None:
    with pytest.raises(PageError, match="cannot be read"):
        SlackPage(signing_secret="s", bot_token=BOT_TOKEN, workspace=tmp_path / "missing.json").start()


def test_secrets_are_not_on_the_command_line(page: SlackPage) -> None:
    assert "xoxb" not in Path(f"/proc/{page.pid}/cmdline").read_text()


def test_the_newest_button_is_found_by_channel_name(client: WebClient, page: SlackPage) -> None:
    assert page.newest_button("ml-releases", "approve") is None
    first, second = ask(client), ask(client)
    found = page.newest_button("ml-releases", "approve")
    assert found is not None
    assert (found.channel, found.ts, found.block_id, found.value) == ("C0RELEASES", second, "decide", "ap-1")
    assert page.newest_button("ml-releases", "approve", "ap-") == found
    assert page.newest_button("ml-releases", "approve", "bp-") is None
    client.chat_update(channel=found.channel, ts=second, text="Approved")
    earlier = page.newest_button("#ml-releases", "approve")
    assert earlier is not None
    assert earlier.ts == first
    assert page.newest_button("C0RELEASES", "withdraw") is None
    with pytest.raises(PageError, match="not in this channel"):
        page.newest_button("nowhere", "approve")


def test_text_of_a_channel_is_what_people_read(client: WebClient, page: SlackPage) -> None:
    client.chat_postMessage(channel="ml-releases", text="Recall &lt; 0.9 *now*")
    blocks: list[Json] = [
        {"type": "section", "text": mrkdwn("See <https://example.com/a?b=1&amp;c=2|the audit trail>")},
        {"type": "actions", "elements": [button("approve", "Approve", "ap-1|0123456789abcdef")]},
    ]
    client.chat_postMessage(channel="ml-releases", text="not shown", blocks=blocks)
    client.chat_postEphemeral(channel="C0RELEASES", user="U0BEN", text="Only Ben")
    assert page.text_of("ml-releases").splitlines() == ["Recall < 0.9 *now*", "See the audit trail", "Approve"]


def test_a_dialog_is_waited_for_until_it_can_be_submitted(front: FakeFront, client: WebClient, page: SlackPage) -> None:
    ts = ask(client)
    page.click("U0BEN", "ml-releases", ts, "reject")
    trigger = front.wait_for(1, "block_actions")[0].payload["trigger_id"]
    loading = {"type": "modal", "title": plain("Reject"), "blocks": [{"type": "section", "text": mrkdwn("Loading…")}]}
    opened = client.views_open(trigger_id=trigger, view=loading)["view"]
    with pytest.raises(PageError, match="no dialog to submit opened for U0BEN"):
        page.wait_for_view("U0BEN", seconds=0.1)
    client.views_update(view_id=opened["id"], view=reject_view())
    view = page.wait_for_view("U0BEN")
    assert (view["id"], view["callback_id"]) == (opened["id"], "reject")


@pytest.mark.parametrize("values", [{"reason": "Recall"}, {"reason": {"text": "Recall"}}], ids=["short", "full"])
def test_a_dialog_takes_answers_by_block_alone_or_in_full(
    front: FakeFront, client: WebClient, page: SlackPage, values: dict[str, object]
) -> None:
    page.click("U0BEN", "ml-releases", ask(client), "reject")
    client.views_open(trigger_id=front.wait_for(1)[0].payload["trigger_id"], view=reject_view())
    result = page.submit_view("U0BEN", page.wait_for_view("U0BEN")["id"], values)
    assert result.ok
    state = front.wait_for(1, "view_submission")[0].payload["view"]["state"]["values"]
    assert state["reason"]["text"] == {"type": "plain_text_input", "value": "Recall"}
    assert page.views("U0BEN") == []


def test_it_is_told_later_where_the_app_is(front: FakeFront) -> None:
    with SlackPage(signing_secret=front.signing_secret, bot_token=BOT_TOKEN) as page:
        client = WebClient(token=BOT_TOKEN, base_url=page.api_url)
        ts = ask(client)
        assert page.click("U0BEN", "ml-releases", ts, "approve").error == "This app did not respond."
        page.point_to(front.url)
        assert page.click("U0BEN", "ml-releases", ts, "approve").ok
        assert [request.valid for request in front.received] == [True]
        with pytest.raises(PageError, match="must start with http"):
            page.point_to("file:///etc/passwd")
