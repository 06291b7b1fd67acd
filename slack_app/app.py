"""The Bolt app: what people do in Slack, by listener; the front has verified every request and answered it long ago."""

from __future__ import annotations

import logging

from slack_bolt import App, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from slack_app.desk import Desk
from slack_app.listeners import approve, approve_comment, command, home, reject, release, roll_back, withdraw

TIMEOUT_SECONDS = 10

logger = logging.getLogger("slack_app")


def build_app(desk: Desk, bot_token: str) -> App:
    """The app for one workspace.

    ``authorize=`` rather than ``token=``: with the latter the first request of a cold process would call auth.test.
    Request verification is off, since the queue may be older than Slack's five minutes.
    """

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=bot_token)

    app = App(
        name="mlops-orchestrator",
        logger=logger,
        client=WebClient(
            base_url=desk.installation.slack_api_url,
            timeout=TIMEOUT_SECONDS,
            retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=2)],
        ),
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
        ignoring_self_events_enabled=False,
    )
    app.error(_failed)
    for listener in (approve, approve_comment, reject, withdraw, command, release, home, roll_back):
        listener.register(app, desk)
    return app


def _failed(error: Exception) -> BoltResponse:
    """Say what kind of error it was, and nothing of the request; the queue delivers it again."""
    logger.error("a request failed: %s: %s", type(error).__name__, error)
    return BoltResponse(status=500, body="")
