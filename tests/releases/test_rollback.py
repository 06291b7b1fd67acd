"""The way back: what was live before is deployed again, byte for byte, by a button in Slack and the usual approvals."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from local.settings import CHANNEL, DEV, ORCHESTRATOR, PROD, STAGING
from local.slack.client import Button
from tests.browser.chromium import DESKTOP, PHONE, opened
from tests.browser.seeing import faint, outside, scrolls_sideways
from tests.releases.team import Team, eventually, stage

NAME = "returning"
WORKLOAD = f"{NAME}-realtime"
MULTI = {"dev": DEV, "staging": STAGING, "prod": PROD}

Deployed = dict[str, tuple[Any, list[Any], list[Any]]]


@dataclass(frozen=True)
class Live:
    """Two releases that were live one after the other, and what the first one had deployed, by stage."""

    first: dict[str, Any]
    second: dict[str, Any]
    then: Deployed


def deployed(team: Team, name: str, accounts: dict[str, str]) -> Deployed:
    """Template, parameters and tags of the stack in each stage, as CloudFormation has them."""
    found: Deployed = {}
    for where, account in accounts.items():
        stack = team.stack(account, name)
        assert stack is not None
        template = team.client("cloudformation", account).get_template(StackName=name)["TemplateBody"]
        parameters = sorted(stack["Parameters"], key=lambda one: one["ParameterKey"])
        found[where] = (template, parameters, sorted(stack["Tags"], key=lambda one: one["Key"]))
    return found


def package_of(team: Team, release_id: str) -> tuple[str, str]:
    """Key and version of the object that the release deploys."""
    row = team.row(f"RELEASE#{release_id}", "RELEASE")
    assert row is not None
    body = row["body"]["M"]
    return body["package_key"]["S"], body["package_version"]["S"]


def both(team: Team, accounts: dict[str, str]) -> Live:
    """Release two, the second with another instance and another model below the same key."""
    first = team.release(NAME, team.configuration(NAME, description="The one that worked."))
    assert first["status"] == "succeeded", first["reason"]
    then = deployed(team, first["stack_name"], accounts)
    second = team.release(NAME, team.configuration(NAME, inference_instance="ml.m5.2xlarge"))
    assert second["status"] == "succeeded", second["reason"]
    assert deployed(team, first["stack_name"], accounts) != then
    return Live(first, second, then)


@pytest.fixture(scope="module")
def released(multi: Team, live: str) -> Live:
    return both(multi, MULTI)


def button(team: Team, release_id: str) -> Button:
    """The button of the release's message, once it is there."""
    return eventually(
        f"the way back in the message of {release_id}",
        lambda: team.running.slack.newest_button(CHANNEL, "roll_back", release_id),
    )


@pytest.mark.browser
@pytest.mark.parametrize(
    ("size", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")], ids=["light", "dark", "phone"]
)
def test_the_dialog_says_from_what_to_what(
    multi: Team, released: Live, browser: Browser, tmp_path: Path, size: tuple[int, int], scheme: Any
) -> None:
    second = released.second["release_id"]
    button(multi, second)
    with opened(browser, f"{multi.running.slack_url}/?as=U0ANA", size, scheme) as ana:
        message(ana, second).get_by_role("button", name=f"Roll back {WORKLOAD}").click()
        dialog = ana.get_by_role("dialog", name="Roll back")
        for told in (released.first["release_id"], second, "The one that worked.", "Live now", "Goes back to"):
            expect(dialog).to_contain_text(told, timeout=30_000)
        assert (scrolls_sideways(ana), outside(ana), faint(ana)) == ([], [], [])
        ana.screenshot(path=tmp_path / "dialog.png")
        dialog.get_by_role("button", name="Cancel").click()


def message(page: Page, release_id: str) -> Locator:
    """The message that the release's button stands in."""
    return page.locator("article.message", has=page.get_by_role("button", name="Roll back")).filter(has_text=release_id)


def test_what_was_live_before_is_deployed_again_byte_for_byte(multi: Team, released: Live) -> None:
    first, second = released.first["release_id"], released.second["release_id"]
    slack, known = multi.running.slack, frozenset({first, second})
    found = button(multi, second)
    slack.click("U0ANA", found.channel, found.ts, "roll_back", found.value, stale=True)
    view = eventually("the dialog, filled", lambda: filled(multi, "U0ANA", first))
    slack.submit_view("U0ANA", view["id"], {"why": "It answers too slowly."})
    rollback = multi.started(WORKLOAD, known)
    asked = multi.until_asked(rollback, "staging")
    assert (asked["kind"], asked["goes_back_to"], asked["instead_of"]) == ("rollback", first, second)
    assert (asked["requester"], asked["asked_because"]) == ("Ana Silva", "It answers too slowly.")
    assert stage(asked, "staging")["plan"]["parameters"], "what would change is shown"
    question = eventually(
        "the question in Slack", lambda: multi.message_with(rollback, f"{WORKLOAD}: roll back staging?")
    )
    for told in (first, second, "It answers too slowly.", '"action_id": "approve"'):
        assert told in question
    ended = multi.follower.until_end(rollback, decide=multi.approve)
    assert ended.status == "succeeded", ended.reason
    assert package_of(multi, rollback) == package_of(multi, first)
    assert deployed(multi, released.first["stack_name"], MULTI) == released.then
    eventually("the end in Slack", lambda: multi.message_with(rollback, f"{WORKLOAD} was rolled back to {first}"))
    assert "Roll back to this" in eventually(
        "what can be gone back to now", lambda: multi.message_with(second, "Roll back to this")
    )
    rows, _ = multi.ledger(WORKLOAD, rollback)
    (request,) = [
        row["entry"] for row in rows if (row["entry"]["release"], row["entry"]["kind"]) == (rollback, "request")
    ]
    assert (request["facts"]["goes_back_to"], request["reason"]) == (first, "It answers too slowly.")


def filled(team: Team, user: str, words: str) -> dict[str, Any] | None:
    """The user's dialog, once it has these words."""
    views = [view for view in team.running.slack.views(user) if words in json.dumps(view["blocks"])]
    return views[-1] if views else None


@pytest.mark.long
def test_in_one_account_by_the_api(single: Team, live_single: str) -> None:
    accounts = {"prod": ORCHESTRATOR}
    released = both(single, accounts)
    found = single.follower.api("GET", f"/workloads/{WORKLOAD}/rollback").json()
    assert found["to"]["release_id"] == released.first["release_id"]
    reply = single.follower.api("POST", f"/releases/{found['to']['release_id']}/rollback")
    assert reply.status == 202, reply.body
    ended = single.follower.until_end(reply.json()["release_id"], decide=single.approve)
    assert ended.status == "succeeded", ended.reason
    assert deployed(single, released.first["stack_name"], accounts) == released.then
