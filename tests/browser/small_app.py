"""A small app behind the Slack page that does with clicks what the product does: dialogs, updates, private answers."""

from __future__ import annotations

import json
import threading
from typing import Any

from slack_sdk import WebClient

from local.slack.client import SlackPage
from orchestrator.core.messages.release_form import (
    RELEASE_VIEW,
    Choice,
    Filled,
    asking_form,
    filled_in,
    form_problems,
    told_form,
)
from tests.slack_page.fake_front import Answer, FakeFront, Received
from tests.slack_page.samples import QUESTION, Json, approval_blocks, button, mrkdwn, plain, reject_view

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BOT_TOKEN = "xoxb-local-page"
CHANNEL = "C0RELEASES"

WORKLOADS = ("churn-realtime", "fraud-realtime")

CONFIRM: Json = {
    "title": plain("Approve for staging?"),
    "text": mrkdwn("*fraud-detector* `1a2b3c` goes to *staging*."),
    "confirm": plain("Yes, approve"),
    "deny": plain("Not yet"),
    "style": "primary",
}
LOADING: Json = {"type": "modal", "title": plain("Reject"), "blocks": [{"type": "section", "text": mrkdwn("Loading…")}]}


class SmallApp:
    """Its Slack page, its Web API client and its front, for the length of a `with` block."""

    def __init__(self) -> None:
        self.front = FakeFront(SIGNING_SECRET, answer=self._answer)
        self.slack = SlackPage(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN)
        self.may_decide = {"U0BEN", "U0CHLOE"}

    def __enter__(self) -> SmallApp:
        self._server = self.front.start()
        self.slack.start()
        self.slack.point_to(self.front.url)
        self.client = WebClient(token=BOT_TOKEN, base_url=self.slack.api_url)
        return self

    def __exit__(self, *_: object) -> None:
        self.slack.stop()
        self._server.shutdown()
        self._server.server_close()

    def ask(self, channel: str = CHANNEL) -> str:
        """Post an approval whose Approve button asks once more; answers its ts."""
        blocks = approval_blocks()
        blocks[-1]["elements"][0]["confirm"] = CONFIRM
        return str(self.client.chat_postMessage(channel=channel, text=QUESTION, blocks=blocks)["ts"])

    def decided(self, ts: str, sentence: str) -> None:
        """Rewrite the approval: what was decided instead of the buttons."""
        blocks = [*approval_blocks()[:-1], {"type": "context", "elements": [mrkdwn(sentence)]}]
        self.client.chat_update(channel=CHANNEL, ts=ts, text="Decided", blocks=blocks)

    # -- what it does with requests, answering at once and working later, as the product does --------------------

    def _answer(self, request: Received) -> Answer:
        payload = request.payload
        if payload.get("view", {}).get("callback_id") == RELEASE_VIEW:
            return self._release_form(request)
        if request.kind == "view_submission":
            reason = payload["view"]["state"]["values"]["reason"]["text"]["value"]
            if len(reason) < 10:
                errors = {"reason": "A reason has at least 10 characters."}
                return 200, json.dumps({"response_action": "errors", "errors": errors})
            self._later(self.decided, payload["view"]["private_metadata"], f":no_entry: Rejected: {reason}")
        elif request.kind == "block_actions":
            self._later(self._clicked, payload)
        elif request.kind == "command" and payload["text"].strip() == "release":
            self._later(self._ask_what_to_release, payload["trigger_id"])
        elif request.kind == "command":
            return 200, f"You asked for: {payload['text']}"
        elif request.kind == "app_home_opened":
            self._later(self._publish, payload["event"]["user"])
        return 200, ""

    def _ask_what_to_release(self, trigger: str) -> None:
        self.client.views_open(trigger_id=trigger, view=asking_form(CHANNEL, WORKLOADS, Filled()))

    def _release_form(self, request: Received) -> Answer:
        view = request.payload["view"]
        filled = filled_in(view["state"])
        if request.kind == "block_actions":
            choices = [Choice(f"{filled.workload}-2", "the newest"), Choice(f"{filled.workload}-1", "the one before")]
            form = asking_form(CHANNEL, WORKLOADS, filled, choices)
            self._later(lambda: self.client.views_update(view_id=view["id"], view=form))
        elif form_problems(filled):
            return 200, json.dumps({"response_action": "errors", "errors": form_problems(filled)})
        elif request.kind == "view_submission":
            told = told_form(CHANNEL, "", f"{filled.workload}, {filled.version}, {filled.force}")
            return 200, json.dumps({"response_action": "update", "view": told})
        return 200, ""

    def _later(self, work: Any, *arguments: object) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()

    def _clicked(self, payload: Json) -> None:
        user, action = payload["user"]["id"], payload["actions"][0]["action_id"]
        if action in ("approve", "reject") and user not in self.may_decide:
            self.client.chat_postEphemeral(
                channel=payload["channel"]["id"], user=user, text=":no_entry: You asked for this release yourself."
            )
        elif action == "approve":
            self.decided(payload["message"]["ts"], f":white_check_mark: Approved by <@{user}>")
        elif action == "reject":
            loading = self.client.views_open(trigger_id=payload["trigger_id"], view=LOADING)["view"]
            filled = {**reject_view(), "private_metadata": payload["message"]["ts"]}
            self.client.views_update(view_id=loading["id"], view=filled)

    def _publish(self, user: str) -> None:
        waiting = {
            "type": "section",
            "text": mrkdwn("*fraud-detector* `1a2b3c` → *staging*"),
            "accessory": button("review", "Review"),
        }
        blocks = [{"type": "header", "text": plain("Waiting for you")}, waiting]
        self.client.views_publish(user_id=user, view={"type": "home", "blocks": blocks})
