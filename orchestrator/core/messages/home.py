"""One person's Home in Slack: what waits for him, what is his, what is live.

An approval is bound to what was shown, so the buttons stand here only beside the whole of it: what would change, the
quality gates, the figures, the warnings. What does not fit is summed up, and decided in the release's message.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from orchestrator.core.installation import Installation
from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Block, actions, context, header, plain_text, section
from orchestrator.core.messages.buttons import decision_buttons
from orchestrator.core.messages.changes import counted
from orchestrator.core.messages.facts import Facts, Waiting
from orchestrator.core.messages.headlines import END_MARKS, headline, requester
from orchestrator.core.messages.mrkdwn import bold, code, date, joined, lines, link, said, size
from orchestrator.core.messages.release_message import judged
from orchestrator.core.records import Release, Verdict

T = TypeVar("T")

CALLBACK = "home"
"""callback_id."""

REVIEW = "review"
"""action_id of the button that leads to a release's message; Slack tells the app of it, and nothing is to be done."""

NOTHING_WAITS = ":herb: Nothing waits for your decision. You are called in the channel when something does."
NOTHING_OWN = ":seedling: No release of yours yet. `/mlops release` starts one, and so does uploading a configuration."
NOTHING_LIVE = ":seedling: Nothing is live yet. It appears here with the first release."
ABOUT = "Kept current for a week after you open it. `/mlops help` says what else there is."
TOO_MUCH = "There is more to it than fits here: please look at the whole of it, and decide, in the release's message."


@dataclass(frozen=True)
class Asked:
    """A question that waits for this person. ``link`` leads to the release's message; empty where it is not known."""

    facts: Facts
    waiting: Waiting
    link: str = ""


@dataclass(frozen=True)
class Own:
    """A release that this person has asked for, or has written the commit of."""

    release: Release
    link: str = ""


@dataclass(frozen=True)
class LivePlace:
    """One release that is live in some stages of a workload."""

    stages: tuple[str, ...]
    release_id: str
    digest: str
    since: str
    by: str
    """Who asked for it, for people to read; empty where that is not known any more."""


@dataclass(frozen=True)
class LiveWorkload:
    """What is live of a workload."""

    workload: str
    places: tuple[LivePlace, ...]


@dataclass(frozen=True)
class Listed(Generic[T]):
    """The first of some things, and how many there are beside them."""

    shown: tuple[T, ...] = ()
    more: int = 0

    @property
    def count(self) -> int:
        """All of them."""
        return len(self.shown) + self.more


@dataclass(frozen=True)
class HomeFacts:
    """What one person's Home shows."""

    installation: Installation
    waiting: Listed[Asked] = Listed()
    own: Listed[Own] = Listed()
    live: Listed[LiveWorkload] = Listed()
    notice: str = ""
    """What came of the person's last click here, in mrkdwn."""


def home_view(facts: HomeFacts) -> Block:
    """The Home as it should read now."""
    blocks = [section(facts.notice), {"type": "divider"}] if facts.notice else []
    blocks += [header(_counted("Waiting for me", facts.waiting.count))]
    for index, asked in enumerate(facts.waiting.shown):
        blocks += [{"type": "divider"}, *_asked(asked)] if index else _asked(asked)
    blocks += _rest(facts.waiting, "`/mlops status`", NOTHING_WAITS)
    blocks += [{"type": "divider"}, header("Mine")]
    blocks += [section(_own(own, facts.installation)) for own in facts.own.shown]
    blocks += _rest(facts.own, "`/mlops status`", NOTHING_OWN)
    blocks += [{"type": "divider"}, header(_counted("Live now", facts.live.count))]
    blocks += [section(_live(found)) for found in facts.live.shown]
    blocks += _rest(facts.live, "`mlops workloads` on a command line", NOTHING_LIVE)
    return _view([*blocks[: limits.VIEW_BLOCKS - 1], context(ABOUT)])


def closed_home(sentence: str) -> Block:
    """For somebody who may see nothing here: why, and nothing else."""
    return _view(
        [
            header("Releases of machine-learning workloads"),
            section(f":wave: {said(sentence, limits.DESCRIPTION)}"),
            context("If that is a mistake, an owner of this workspace or of the releases can help."),
        ]
    )


def fingerprint(view: Block) -> str:
    """SHA-256 of what is shown: the same view has the same one."""
    return hashlib.sha256(json.dumps(view, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _view(blocks: Sequence[Block]) -> Block:
    return {"type": "home", "callback_id": CALLBACK, "blocks": list(blocks)}


def _counted(title: str, count: int) -> str:
    return f"{title} ({count})" if count else title


def _rest(listed: Listed[T], where: str, nothing: str) -> list[Block]:
    if not listed.count:
        return [section(nothing)]
    return [context(f"… and {listed.more} more: {where}")] if listed.more else []


def _asked(asked: Asked) -> list[Block]:
    head, whole = section(_question(asked)), _whole(asked)
    review = [_review(asked)] if asked.link else []
    if whole is not None:
        row = decision_buttons(asked.facts.release, asked.waiting.approval)
        return [head, *whole, row | {"elements": [*row["elements"], *review]}]
    plan = asked.waiting.record.plan
    told = f"*What would change:* {counted(plan)}.\n" if plan else ""
    where = "" if review else f" `/mlops status` {code(asked.facts.release.release_id, limits.VALUE)} shows it."
    rows = [actions(f"review-{asked.waiting.approval.approval_id}", *review)] if review else []
    return [head, section(f"{told}:mag: {TOO_MUCH}{where}"), *rows]


def _question(asked: Asked) -> str:
    facts, approval = asked.facts, asked.waiting.approval
    release = facts.release
    what = "remove it from" if release.removes else "deploy it to"
    who = said(requester(facts), limits.NAME * 2)
    told = [
        f"{bold(release.workload, limits.NAME)}: {what} {bold(approval.stage, limits.NAME)}?",
        f":bust_in_silhouette: Asked for by {who}, {date(release.created_at)}",
    ]
    approved = [said(vote.display, limits.NAME) for vote in approval.votes if vote.verdict is Verdict.APPROVE]
    told += [f":white_check_mark: Approved so far by {joined(approved[: limits.VOTES])}"] if approved else []
    needed = facts.needed(approval)
    told += [f"*Still needed:* {said(needed, limits.DESCRIPTION)}"] if needed else []
    return "\n".join([*told, f":hourglass: Expires {date(approval.expires_at)}"])


def _review(asked: Asked) -> Block:
    label = f"Review {asked.facts.release.workload} for {asked.waiting.approval.stage}"
    return {
        "type": "button",
        "action_id": REVIEW,
        "text": plain_text("Review", limits.BUTTON_TEXT),
        "url": asked.link,
        "accessibility_label": plain_text(label, limits.BUTTON_TEXT)["text"],
    }


def _whole(asked: Asked) -> list[Block] | None:
    """All that an approver has to judge, in up to three sections; None where it does not fit, or something was cut."""
    told: list[str] = []
    for block in judged(asked.facts, asked.waiting, whole=True):
        if block["type"] != "section" or "text" not in block:
            return None
        told += block["text"]["text"].split("\n")
    told += [f":warning: {said(warning, limits.DESCRIPTION)}" for warning in asked.facts.release.warnings]
    if not told or any(line.startswith("… and ") for line in told):
        return None
    packed = [""]
    for line in told:
        if size(packed[-1]) + size(line) + 1 > limits.SECTION_TEXT:
            packed.append("")
        packed[-1] += f"\n{line}" if packed[-1] else line
    return [section(text) for text in packed] if len(packed) <= limits.HOME_SECTIONS else None


def _own(own: Own, installation: Installation) -> str:
    release = own.release
    mark = END_MARKS.get(release.status, ":hourglass_flowing_sand:")
    how = headline(Facts(release, installation))
    when = f"ended {date(release.updated_at)}" if release.status.ended else f"asked for {date(release.created_at)}"
    address = f" · {link(own.link, 'Open')}" if own.link else ""
    return f"{mark} {bold(how, limits.NAME * 2)}\n{code(release.release_id, limits.VALUE)} · {when}{address}"


def _live(found: LiveWorkload) -> str:
    return lines([bold(found.workload, limits.NAME), *(_place(place) for place in found.places)], limits.SECTION_TEXT)


def _place(place: LivePlace) -> str:
    stages = joined(said(stage, limits.NAME) for stage in place.stages)
    by = f", asked for by {said(place.by, limits.NAME)}" if place.by else ""
    version = f"version {code(place.digest[:8], 20)}, " if place.digest else ""
    return (
        f":large_green_circle: {stages}: {version}release {code(place.release_id, limits.VALUE)}, "
        f"since {date(place.since)}{by}"
    )
