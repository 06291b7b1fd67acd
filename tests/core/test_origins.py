"""What a commit says of its author, and who is taken for him."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.origins import Commit
from orchestrator.core.people import UNKNOWN, Identity, IdentityKind
from orchestrator.core.records import Release
from orchestrator.core.steps.progress import rules_for
from tests.fakes.memory_world import MemoryWorld, installation


@pytest.mark.parametrize(
    ("address", "taken_for"),
    [
        ("ben@example.com", "ben@example.com"),
        (" ben@example.com\t", "ben@example.com"),
        ("b" * 300, "b" * 254),
        ("  ", ""),
        ("", ""),
    ],
    ids=["an address", "blanks around it", "longer than an address can be", "blanks only", "none"],
)
def test_the_author_is_a_claim(address: str, taken_for: str) -> None:
    claimed = Commit("repo", "main", "c" * 40, "Ben", address).claimed_by
    assert claimed == (Identity(IdentityKind.GIT, taken_for, verified=False) if taken_for else UNKNOWN)


def test_whoever_is_taken_for_the_requester_is_kept_from_approving_too() -> None:
    world = MemoryWorld()
    commit = Commit("repo", "main", "c" * 40, "Ben", " ben@example.com ")
    release: Release = replace(world.release(), commit=commit, requester=commit.claimed_by)
    rules = rules_for(installation(), release, "prod")
    assert rules is not None
    assert rules.author == release.requester
