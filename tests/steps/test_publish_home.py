"""Homes are published when they are opened and when they show something else; one that fails disturbs no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from local.slack.checks import check_view
from orchestrator.core.chat import Posted
from orchestrator.core.errors import ChatRefused, ChatUnavailable, NotAllowed
from orchestrator.core.messages.blocks import Block
from orchestrator.core.opened_homes import KEPT_DAYS, MOST_KEPT, OpenedHome
from orchestrator.core.outbox import ChatMessage
from orchestrator.core.people import Person
from orchestrator.core.records import Release
from orchestrator.core.steps.message_links import message_link
from orchestrator.core.steps.publish_home import (
    NOTICE_STAYS,
    Studio,
    refresh_homes,
    show_home,
    show_nothing,
    tell_at_home,
)
from tests.fakes.memory_world import ANA, BEN, CHLOE, DEV, MemoryWorld, slack
from tests.steps.journeys import asked

TEAM = "T0ACME"


@dataclass
class FakeHomes:
    """Slack: what each person's Home shows, with its hash."""

    shown: dict[str, tuple[Block, str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    refuses: dict[str, Exception] = field(default_factory=dict)
    """By person."""
    unfit: dict[str, str] = field(default_factory=dict)
    before_publish: Callable[[], object] | None = None
    loses_answer: bool = False

    def publish(self, user: str, view: Block, hash: str) -> str:
        """See ``publish_home.Homes``."""
        then, self.before_publish = self.before_publish, None
        if then is not None:
            then()
        self.calls.append(user)
        assert check_view(view, "home") == []
        if user in self.refuses:
            raise self.refuses[user]
        if hash and user in self.shown and self.shown[user][1] != hash:
            raise ChatRefused("hash_conflict")
        self.shown[user] = (view, f"h{len(self.calls)}")
        if self.loses_answer:
            self.loses_answer = False
            raise ChatUnavailable("the answer did not arrive")
        return self.shown[user][1]

    def check(self, user: str, workspace: str) -> None:
        """See ``publish_home.Homes``."""
        assert workspace == TEAM
        self.calls.append(f"check {user}")
        if user in self.unfit:
            raise NotAllowed(self.unfit[user])

    def link(self, posted: Posted) -> str:
        """See ``ports.Chat``."""
        self.calls.append("link")
        if "link" in self.refuses:
            raise self.refuses["link"]
        return f"https://slack.test/{posted.channel}/{posted.ts}"

    def text(self, user: str) -> str:
        """What a person reads there."""
        return json.dumps(self.shown[user][0], ensure_ascii=False)


@dataclass
class Scene:
    """A world, and the Homes of its people."""

    world: MemoryWorld = field(default_factory=MemoryWorld)
    homes: FakeHomes = field(default_factory=FakeHomes)

    @property
    def studio(self) -> Studio:
        return Studio(self.world.store, self.homes, self.world.installation, self.world.clock)

    def open(self, person: Person, hash: str | None = None) -> None:
        """He looks at his Home; Slack says which view it shows."""
        user = person.slack_ids[0]
        known = self.homes.shown[user][1] if user in self.homes.shown else ""
        show_home(user, slack(person), TEAM, known if hash is None else hash, self.studio)

    def refresh(self, in_time: Callable[[], bool] = lambda: True) -> tuple[int, int, int]:
        """The stream tells of changes: published, unchanged, left."""
        done = refresh_homes(self.studio, in_time)
        return done.published, done.unchanged, done.left

    def row(self, person: Person) -> OpenedHome:
        found = self.world.memory.get(OpenedHome, (f"HOME#{person.slack_ids[0]}", "HOME"))
        assert found is not None
        return found

    def ask(self) -> Release:
        release = asked(self.world)
        self.world.memory.insert(ChatMessage(release.release_id, "C1", "1.5"))
        return release

    def vote(self, person: Person, release: Release) -> None:
        self.world.vote(person, self.world.approval(release.release_id, "staging"))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_an_opened_home_is_published_and_the_same_is_not_published_twice(scene: Scene) -> None:
    scene.open(BEN)
    assert "Waiting for me" in scene.homes.text("U0BEN")
    scene.open(BEN)
    assert scene.homes.calls == ["U0BEN"]
    assert scene.row(BEN).expires_at > scene.world.clock().timestamp()


def test_a_view_that_slack_has_lost_is_published_again(scene: Scene) -> None:
    scene.open(BEN)
    scene.homes.shown.clear()
    scene.open(BEN)
    assert "U0BEN" in scene.homes.shown
    scene.open(BEN, hash="of-another")
    assert scene.homes.calls.count("U0BEN") == 4, "another view stands there than he was told of: replaced all the same"


def test_only_those_are_published_whose_view_has_changed(scene: Scene) -> None:
    for person in (BEN, CHLOE, ANA):
        scene.open(person)
    release = scene.ask()
    assert scene.refresh() == (3, 0, 0)
    assert '"approve"' in scene.homes.text("U0BEN")
    assert '"approve"' not in scene.homes.text("U0ANA")
    scene.homes.calls.clear()
    assert scene.refresh() == (0, 3, 0)
    assert scene.homes.calls == []
    scene.vote(CHLOE, release)
    assert scene.refresh() == (2, 1, 0), "Ana's shows the release as it did"
    assert '"approve"' not in scene.homes.text("U0BEN")


def test_the_messages_address_is_asked_for_once(scene: Scene) -> None:
    scene.open(BEN)
    release = scene.ask()
    scene.refresh()
    assert "https://slack.test/C1/1.5" in scene.homes.text("U0BEN")
    scene.open(CHLOE)
    assert scene.homes.calls.count("link") == 1
    row = ChatMessage(release.release_id)
    scene.world.memory.update(ChatMessage, row.key(), lambda found: replace(found, ts="2.5"))
    assert message_link(release.release_id, scene.world.store, scene.homes) == "https://slack.test/C1/2.5"


@pytest.mark.parametrize("trouble", [ChatRefused("message_not_found"), ChatUnavailable("down")])
def test_without_an_address_the_home_is_shown_all_the_same(scene: Scene, trouble: Exception) -> None:
    scene.homes.refuses["link"] = trouble
    scene.ask()
    scene.open(BEN)
    assert '"approve"' in scene.homes.text("U0BEN")
    assert '"review"' not in scene.homes.text("U0BEN")


def test_one_whom_slack_refuses_disturbs_no_other_and_is_left_alone_from_then_on(scene: Scene) -> None:
    for person in (BEN, CHLOE, DEV):
        scene.open(person)
    scene.homes.refuses["U0CHLOE"] = ChatRefused("user_not_found")
    scene.ask()
    assert scene.refresh() == (2, 0, 0)
    assert scene.row(CHLOE).closed
    assert scene.refresh() == (0, 2, 0)
    del scene.homes.refuses["U0CHLOE"]
    scene.open(CHLOE)
    assert not scene.row(CHLOE).closed


def test_who_became_a_guest_sees_nothing_new_and_nothing_old(scene: Scene) -> None:
    scene.open(BEN)
    scene.homes.unfit["U0BEN"] = "Guests may not see or decide about releases."
    release = scene.ask()
    scene.refresh()
    assert "Guests may not" in scene.homes.text("U0BEN")
    assert release.workload not in scene.homes.text("U0BEN")
    assert scene.refresh() == (0, 0, 0)


def test_slack_asking_for_a_slower_pace_ends_the_round_and_the_next_one_goes_on(scene: Scene) -> None:
    for person in (ANA, BEN, CHLOE):
        scene.open(person)
        scene.world.clock.pass_seconds(1)
    scene.ask()
    scene.homes.refuses["U0BEN"] = ChatUnavailable("slower")
    assert scene.refresh() == (1, 0, 2), "who has opened his last is first"
    assert '"approve"' in scene.homes.text("U0CHLOE")
    scene.homes.refuses.clear()
    assert scene.refresh() == (2, 1, 0)


def test_a_round_ends_with_its_time(scene: Scene) -> None:
    for person in (ANA, BEN, CHLOE):
        scene.open(person)
    scene.ask()
    answers = iter([True, False])
    assert scene.refresh(lambda: next(answers)) == (1, 0, 2)


def test_homes_of_long_ago_and_too_many_are_not_kept(scene: Scene) -> None:
    scene.open(BEN)
    scene.world.clock.pass_seconds(KEPT_DAYS * 86_400 + 1)
    scene.ask()
    assert scene.refresh() == (0, 0, 0)
    scene.open(BEN)
    for number in range(MOST_KEPT + 5):
        scene.world.memory.insert(replace(scene.row(BEN), user=f"U{number}", opened_at="2999-01-01T00:00:00.000Z"))
    published, unchanged, left = scene.refresh()
    assert published + unchanged + left == MOST_KEPT


def test_an_older_view_never_overwrites_a_newer(scene: Scene) -> None:
    release = scene.ask()
    scene.open(BEN)
    scene.world.clock.pass_seconds(1)
    scene.vote(CHLOE, release)

    def another_round() -> None:
        scene.world.end(release.release_id, scene.world.of(release.release_id).status.FAILED, cause="no capacity")
        scene.refresh()

    scene.homes.before_publish = another_round
    scene.refresh()
    shown, hash = scene.homes.shown["U0BEN"]
    assert (scene.row(BEN).hash, '"approve"' in json.dumps(shown)) == (hash, False)


def test_a_publication_that_was_not_noted_is_repeated(scene: Scene) -> None:
    scene.open(BEN)
    scene.ask()
    scene.homes.loses_answer = True
    assert scene.refresh() == (0, 0, 1)
    assert scene.refresh() == (1, 0, 0)
    assert scene.row(BEN).hash == scene.homes.shown["U0BEN"][1]


def test_what_came_of_a_click_is_told_for_a_while_or_until_the_next_opening(scene: Scene) -> None:
    assert tell_at_home("U0BEN", "Counted.", scene.studio) is False, "nobody's Home"
    scene.open(BEN)
    assert tell_at_home("U0BEN", "Counted.", scene.studio) is True
    assert "Counted." in scene.homes.text("U0BEN")
    scene.ask()
    scene.refresh()
    assert "Counted." in scene.homes.text("U0BEN"), "the next refresh does not take it away"
    scene.world.clock.pass_seconds(NOTICE_STAYS.total_seconds() + 1)
    scene.refresh()
    assert "Counted." not in scene.homes.text("U0BEN")
    tell_at_home("U0BEN", "Counted.", scene.studio)
    scene.open(BEN)
    assert "Counted." not in scene.homes.text("U0BEN")


def test_who_may_see_nothing_is_not_kept(scene: Scene) -> None:
    show_nothing("U0GUS", "Guests may not see or decide about releases.", scene.studio)
    assert "Guests may not" in scene.homes.text("U0GUS")
    scene.ask()
    assert scene.refresh() == (0, 0, 0)
