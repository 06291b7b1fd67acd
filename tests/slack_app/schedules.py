"""Random schedules of everything that can happen around an approval in Slack, and what must be true afterwards.

The core's own steps, the state machines, the front, the worker's Bolt app, the outbox and Slack's client run as they
are; table, AWS and Slack are in memory, and the clock is the schedule's.
"""

from __future__ import annotations

import io
import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from functions.notify.slack_chat import SlackChat
from local.slack.interactions import NoSuchElement
from local.slack.redraw import redraw
from local.slack.workspace import SlackError
from orchestrator.core.errors import Refused
from orchestrator.core.ledger.changes import Change
from orchestrator.core.messages.buttons import question_of
from orchestrator.core.messages.release_message import brief_message, release_message
from orchestrator.core.notices import SHOWN
from orchestrator.core.outbox import OUTBOX, ChatMessage, Unsaid
from orchestrator.core.people import Identity, IdentityKind
from orchestrator.core.records import Approval, ApprovalStatus, Release, TaskToken, Verdict
from orchestrator.core.steps.decide_approval import Ballot, vote
from orchestrator.core.steps.notify_release import gather
from orchestrator.core.steps.progress import stamp
from slack_app.app import build_app
from slack_app.desk import Desk
from slack_app.worker import replay_batch
from tests.fakes.machine import Machines
from tests.fakes.memory_world import BEN, CHLOE, ROLES, MemoryWorld, configuration, installation
from tests.fakes.outbox import note, send, sending_of
from tests.fakes.services import FakeTasks
from tests.slack_app.in_process import API_URL, BOT_TOKEN, CHANNEL, Died, SlackInProcess

APPROVERS = ("U0BEN", "U0CHLOE", "U0DEV")
OTHERS = ("U0ANA", "U0GUS", "U0PIA")
"""Who asked, a guest, and somebody of another workspace: they may not decide."""

REASON = {"reason": {"reason": "The recall is too low."}}
STALE_AFTER = 5
"""Deliveries after which the queue gives a message up."""


class CountingTasks(FakeTasks):
    """Remembers every answer that Step Functions took."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: Counter[str] = Counter()

    def succeed(self, token: TaskToken, output: Mapping[str, object]) -> bool:
        """See ``ports.Tasks``."""
        taken = super().succeed(token, output)
        self.taken[token.value] += taken
        return taken

    def fail(self, token: TaskToken, error: str, cause: str) -> bool:
        """See ``ports.Tasks``."""
        taken = super().fail(token, error, cause)
        self.taken[token.value] += taken
        return taken


class CanaryWorld(MemoryWorld):
    """Its task tokens are long and odd enough to be found wherever they should not be."""

    def token(self) -> TaskToken:
        """See ``MemoryWorld``."""
        return TaskToken(f"canary-{super().token().value}-{'x' * 24}")


class Schedule:
    """One schedule, made by a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a schedule, no secret
        self.world = CanaryWorld(
            installation=installation(slack_api_url=API_URL, slack_channel="ml-releases", slack_team="T0ACME"),
            fake_tasks=CountingTasks(),
        )
        self.world.clock.look = self.world.clock.look / 100
        self.slack = SlackInProcess(self.world.clock)
        self.machines = Machines(self.world)
        self.changes = 0
        self.pending: list[str] = []
        """Releases whose changes the stream has not delivered yet."""
        self.delivered: list[str] = []
        self.dead: list[dict[str, Any]] = []
        """What the worker's queue gave up."""
        self.tries: Counter[str] = Counter()
        self.rights = [("", frozenset(member for role in ROLES.values() for member in role))]
        """Since when who could decide."""
        self.out = io.StringIO()

    # -- what happens --------------------------------------------------------------------------------------------

    def run(self, steps: int) -> None:
        """So many things happen; then everything is well again, and comes to rest."""
        handler = logging.StreamHandler(self.out)
        root = logging.getLogger()
        before = root.level
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        try:
            with self.slack.wired():
                self.start()
                for _ in range(steps):
                    self.something()
                self.heal()
        finally:
            root.removeHandler(handler)
            root.setLevel(before)

    def something(self) -> None:
        """One thing more."""
        weighted: list[tuple[int, Callable[[], None]]] = [
            (8, self.machines_move),
            (6, self.people_click),
            (2, self.two_at_once),
            (3, self.somebody_submits),
            (7, self.worker_works),
            (8, self.stream_delivers),
            (4, self.minute_passes),
            (2, self.front_hears_again),
            (1, self.start),
            (3, self.slack_falters),
            (2, self.message_is_deleted),
            (1, self.rights_change),
            (1, self.api_decides),
            (2, self.sender_dies),
            (1, self.time_passes),
        ]
        ways, weights = [way for _, way in weighted], [weight for weight, _ in weighted]
        self.random.choices(ways, weights)[0]()
        self.notice_changes()

    def notice_changes(self) -> None:
        """What has changed waits in the stream."""
        fresh, self.changes = self.world.memory.changes[self.changes :], len(self.world.memory.changes)
        self.pending += [change.release_id for change in fresh if _wakes(change)]

    def start(self) -> None:
        """Somebody asks for a release; a newer one of a workload supersedes one that waits."""
        if len(self.world.memory.all(Release)) < 3:
            name = self.random.choice(("fraud-detector", "fraud-detector", "churn"))
            self.world.clock.pass_seconds(1)
            self.world.release(
                configuration(
                    model_name=name,
                    data_capture_location=f"capture-bucket/{name}",
                    description=f"number {len(self.world.memory.all(Release))}",
                    channel=self.random.choice((None, None, "ml-platform")),
                )
            )
            self.machines.running()
            self.machines_move()

    def machines_move(self) -> None:
        """Executions go on until they wait."""
        for _ in range(self.random.randint(1, 6)):
            for execution in self.machines.running():
                self.machines.tick(execution)
        self.world.sweep()

    def questions(self) -> list[tuple[str, str, bool]]:
        """Channel and ts of every message that has, or had, buttons; whether they are gone."""
        found = []
        for message in self.slack.messages():
            now = [block for block in message.blocks if block["type"] == "actions"]
            past = [block for blocks in message.past for block in blocks if block["type"] == "actions"]
            if now or past:
                found.append((message.channel, message.ts, not now))
        return found

    def click(self, user: str, action: str) -> None:
        """Somebody clicks on some message; a screen may lag behind."""
        questions = self.questions()
        if not questions:
            return
        channel, ts, stale = self.random.choice(questions)
        value = None
        if stale:
            message = self.slack.workspace.find(channel, ts)
            values = [
                element["value"]
                for blocks in message.past
                for block in blocks
                if block["type"] == "actions"
                for element in block["elements"]
                if element["action_id"] == action
            ]
            value = self.random.choice(values) if values else None
        try:
            self.slack.people.click(user, channel, ts, action, value, stale=stale)
        except (SlackError, NoSuchElement):
            return  # not in this channel, or nothing to click there

    def people_click(self) -> None:
        """One person, once or twice."""
        user = self.random.choice((*APPROVERS, *APPROVERS, *OTHERS))
        action = self.random.choice(("approve", "approve", "approve", "reject"))
        for _ in range(self.random.choice((1, 1, 2))):
            self.click(user, action)

    def two_at_once(self) -> None:
        """Two approvers click before anything is worked on."""
        for user in self.random.sample(APPROVERS, 2):
            self.click(user, self.random.choice(("approve", "reject")))

    def somebody_submits(self) -> None:
        """A dialog is submitted, however long ago it was opened."""
        for user in self.random.sample((*APPROVERS, *OTHERS), 6):
            open_views = [view for view in self.slack.views.stack(user) if view.payload.get("submit")]
            if open_views:
                self.slack.people.submit(user, open_views[-1].id, REASON)
                return

    def worker_works(self) -> None:
        """The worker takes some of the queue, in any order, perhaps twice."""
        taken = self.random.sample(self.slack.queue, min(len(self.slack.queue), self.random.randint(1, 3)))
        twice = [*taken, *taken] if self.random.random() < 0.2 else taken
        if self.random.random() < 0.2:
            # Between its reading of an approval and its writing, somebody else decides.
            self.world.memory.before_write_of[Approval] = self.api_decides
        self.work(twice)
        self.world.memory.before_write_of.pop(Approval, None)

    def work(self, messages: list[dict[str, Any]]) -> None:
        """The worker is given these; what failed stays in the queue until it is given up."""
        if not messages:
            return
        app = build_app(Desk(self.world.reception), BOT_TOKEN)
        failed = {one["itemIdentifier"] for one in replay_batch(messages, app)["batchItemFailures"]}
        for message in messages:
            name = message["messageId"]
            self.tries[name] += name in failed
            if message in self.slack.queue and (name not in failed or self.tries[name] >= STALE_AFTER):
                self.slack.queue.remove(message)
                self.dead += [message] if name in failed else []

    def stream_delivers(self) -> None:
        """Some changes, in any order, old ones among them."""
        fresh = self.random.sample(self.pending, min(len(self.pending), self.random.randint(0, 6)))
        for release_id in fresh:
            self.pending.remove(release_id)
        again = self.random.sample(self.delivered, min(len(self.delivered), self.random.choice((0, 0, 2))))
        self.delivered = [*self.delivered, *fresh][-20:]
        self.notify([*fresh, *again], seconds=10)

    def notify(self, release_ids: list[str], seconds: float) -> None:
        """The function Notify, called by the stream or the schedule."""
        note(self.world, release_ids)
        sending = sending_of(self.world)
        chat = SlackChat(BOT_TOKEN, API_URL, sending)
        try:
            send(self.world, chat, sending, seconds=seconds)
        except Died:
            return

    def minute_passes(self) -> None:
        """The schedules' next minute."""
        self.world.clock.pass_seconds(60)
        self.world.sweep()
        self.notify([], seconds=50)

    def time_passes(self) -> None:
        """Ten minutes; seldom two days, which is longer than people have."""
        self.world.clock.pass_seconds(600 if self.random.random() < 0.9 else 200_000)

    def front_hears_again(self) -> None:
        """Slack, or somebody who listened, delivers a request once more."""
        if self.slack.requests:
            headers, body = self.random.choice(self.slack.requests[-20:])
            self.slack.deliver(headers, body)

    def slack_falters(self) -> None:
        """An outage begins or ends, a pace is asked for, a channel is archived or opened again."""
        what = self.random.choice(("outage", "outage", "rate_limit", "rate_limit", "archived", "well", "well"))
        if what == "outage":
            self.slack.faults.change({"outage": True})
        elif what == "rate_limit":
            self.slack.faults.change({"rate_limit": self.random.randint(1, 3), "retry_after": 30})
        elif what == "archived":
            self.slack.faults.change({"archived": [CHANNEL]})
        else:
            self.slack.faults.change({"outage": False, "archived": []})

    def message_is_deleted(self) -> None:
        """Somebody deletes a message."""
        messages = self.slack.messages()
        if messages and self.random.random() < 0.5:
            self.slack.workspace.delete(self.random.choice(messages))

    def rights_change(self) -> None:
        """An approver is no approver any more, or again."""
        fewer = {"ml-owner": ("chloe@example.com", "dev@example.com"), "risk": ("chloe@example.com",)}
        roles = self.random.choice((ROLES, fewer))
        self.world.clock.pass_seconds(1)
        self.world.installation = replace(self.world.installation, roles=roles)
        self.rights.append((stamp(self.world.clock()), frozenset(member for role in roles.values() for member in role)))
        self.world.clock.pass_seconds(1)

    def api_decides(self) -> None:
        """Somebody decides by the API, which goes the same way as Slack."""
        waiting = [one for one in self.world.memory.all(Approval) if one.status is ApprovalStatus.PENDING]
        if waiting:
            approval = self.random.choice(waiting)
            who = Identity(IdentityKind.SLACK, self.random.choice((BEN, CHLOE)).slack_ids[0], verified=True)
            verdict = self.random.choice((Verdict.APPROVE, Verdict.APPROVE, Verdict.REJECT))
            ballot = Ballot(
                approval.approval_id, question_of(approval).digest_prefix, who, verdict, "Too low.", via="api"
            )
            try:
                vote(
                    ballot,
                    store=self.world.store,
                    tasks=self.world.tasks,
                    installation=self.world.installation,
                    now=self.world.clock,
                )
            except Refused:
                return

    def sender_dies(self) -> None:
        """The function dies right after Slack did what it was asked for."""
        self.slack.dies_after = self.random.choice(("chat.postMessage", "chat.update"))
        self.stream_delivers()
        self.slack.dies_after = ""

    # -- the end -------------------------------------------------------------------------------------------------

    def heal(self) -> None:
        """Slack is well, everything is delivered, and time passes until nothing is left to do."""
        self.slack.faults.change({"outage": False, "archived": [], "rate_limit": 0})
        for _ in range(400):
            self.notice_changes()
            for execution in self.machines.running():
                self.machines.tick(execution)
            self.work(list(self.slack.queue))
            self.notice_changes()
            everything, self.pending = self.pending, []
            self.notify(everything, seconds=10)
            self.minute_passes()
            self.notice_changes()
            unsaid = self.world.memory.under(Unsaid, OUTBOX)
            if not self.pending and not self.slack.queue and not unsaid and not self.moves():
                return
        raise AssertionError(f"it never comes to rest: {self.world.memory.under(Unsaid, OUTBOX)}")

    def moves(self) -> bool:
        """Whether an execution can go on by itself."""
        moved = [self.machines.tick(execution) for execution in self.machines.running()]
        self.notice_changes()
        return any(moved) or bool(self.pending)

    # -- what must be true ---------------------------------------------------------------------------------------

    def check(self) -> None:
        """Everything at once."""
        self.check_answers()
        self.check_messages()
        self.check_canary()
        assert not [status for status in self.slack.statuses if status >= 500]

    def check_answers(self) -> None:
        """Every task was answered once at most, and a settled one exactly once, with what the votes say."""
        tasks = self.world.fake_tasks
        assert isinstance(tasks, CountingTasks)
        assert not [token for token, times in tasks.taken.items() if times > 1]
        asked: dict[str, str] = {}
        for record in self.world.memory.written:
            if isinstance(record, Approval) and record.token is not None:
                asked.setdefault(record.approval_id, record.token.value)
                asked[record.approval_id] = record.token.value
        for approval in self.world.memory.all(Approval):
            token = asked[approval.approval_id]
            if approval.status in {ApprovalStatus.APPROVED, ApprovalStatus.REJECTED}:
                assert approval.token is None, "the state machine was answered"
                assert tasks.taken[token] == 1 or token in tasks.retired
                assert tasks.answers.get(token, {}).get("decision") in {approval.status.value, None}
            people = [one.person for one in approval.votes]
            assert len(people) == len(set(people)), "one vote a person"
            for one in approval.votes:
                allowed = [members for since, members in self.rights if since <= one.at][-1]
                assert one.person in allowed, f"{one.person} could not decide at {one.at}"

    def check_messages(self) -> None:
        """Every message that is there shows what the records say; no release has two."""
        abandoned = {record.ts for record in self.world.memory.written if isinstance(record, ChatMessage)}
        for release in self.world.memory.all(Release):
            row = self.world.memory.get(ChatMessage, (f"RELEASE#{release.release_id}", "MESSAGE"))
            assert row is not None
            assert row.ts, f"nobody was told of {release.release_id}"
            facts = gather(release.release_id, self.world.memory, self.world.installation)
            shown = [
                message
                for message in self.slack.messages()
                if message.metadata and message.metadata["event_payload"]["key"] == f"message:{release.release_id}"
            ]
            assert len(shown) <= 1 or {message.ts for message in shown} <= abandoned
            wanted = release_message(facts, refused_channel=row.refused_channel)
            for message in shown:
                drawn = {_plain(redraw(list(one.blocks), str)) for one in (wanted, brief_message(facts))}
                assert _plain(message.blocks) in drawn, f"{release.release_id} shows something else"

    def check_canary(self) -> None:
        """No task token is in anything that Slack, the log, the e-mail or a queue has seen."""
        said = json.dumps(
            [
                self.slack.log.rows(),
                [vars(message) for rows in self.slack.workspace.messages.values() for message in rows],
                self.world.mail.sent,
                [[headers, body.decode()] for headers, body in self.slack.requests],
                self.slack.queue,
                self.dead,
                self.out.getvalue(),
                sorted(self.slack.queued),
            ],
            default=str,
        )
        assert "canary-" not in said


def _wakes(change: Change) -> bool:
    return isinstance(change.after, SHOWN)


def _plain(blocks: list[Any]) -> str:
    """Blocks without the ids that Slack makes up."""
    return json.dumps([{**block, "block_id": ""} for block in blocks], sort_keys=True)
