"""Follows one release over the product's own API, and says each step once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.credentials import Credentials

from local.installation import Running
from local.settings import ORCHESTRATOR, REGION
from local.signed import Reply, call

ENDS = frozenset({"succeeded", "unchanged", "rejected", "expired", "superseded", "failed", "refused"})
PATIENCE_SECONDS = 3600


@dataclass(frozen=True)
class EndedStage:
    """One stage of an ended release."""

    name: str
    status: str
    outputs: dict[str, str]

    @property
    def deployed(self) -> bool:
        """Whether this release deployed anything there."""
        return self.status in {"deploying", "deployed", "verified"}


@dataclass(frozen=True)
class Ended:
    """A release that has ended."""

    release_id: str
    status: str
    reason: str
    execution_arn: str
    stack_name: str
    source: str
    """Where it came from, such as an object version."""
    created_at: str
    """ISO 8601: when the event had become a release."""
    pipeline: str
    """Name of the CodePipeline that has deployed it; empty where none has."""
    stages: tuple[EndedStage, ...]

    def stage(self, name: str) -> EndedStage:
        """The stage of this name."""
        return next(stage for stage in self.stages if stage.name == name)


@dataclass
class Follower:
    """Asks the API how a release stands."""

    running: Running
    say: Callable[[str], None]
    _said: set[str] = field(default_factory=set)

    def api(self, method: str, path: str, body: object = None) -> Reply:
        """One call of the product's API by the orchestrator account's administrator."""
        url = self.running.cloud.local_url(self.running.outputs["ApiUrl"]).rstrip("/") + path
        return call(method, url, Credentials(ORCHESTRATOR, "local"), REGION, body)

    def releases(self) -> list[dict[str, Any]]:
        """Newest first."""
        found: list[dict[str, Any]] = self.api("GET", "/releases").json()["releases"]
        return found

    def first_release(self, known: frozenset[str] = frozenset()) -> str:
        """Wait for a release that is not among the known ones; its id."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            new = [found["release_id"] for found in self.releases() if found["release_id"] not in known]
            if new:
                return str(new[-1])
            time.sleep(0.5)
        raise TimeoutError("no release started within two minutes of the upload")

    def until_end(self, release_id: str, decide: Callable[[str], None] | None = None) -> Ended:
        """Follow a release to its end; ``decide`` is called with the id of each approval that is asked."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        decided: set[str] = set()
        while time.monotonic() < deadline:
            found = self.api("GET", f"/releases/{release_id}").json()
            self._tell(found)
            if found["status"] in ENDS:
                return _ended(found)
            if decide is not None:
                asked = waiting_approval(found)
                if asked and asked not in decided:
                    decide(asked)
                    decided.add(asked)
            time.sleep(0.7)
        raise TimeoutError(f"release {release_id} did not end within {PATIENCE_SECONDS} s")

    def _tell(self, found: dict[str, Any]) -> None:
        stage = f" {found['stage']}" if found["stage"] and found["status"] not in ENDS else ""
        line = f"{found['release_id']}: {found['status'].replace('_', ' ')}{stage}"
        if line not in self._said:
            self._said.add(line)
            self.say(line)


def waiting_approval(found: dict[str, Any]) -> str:
    """Id of the approval that a release waits for; empty when it waits for none."""
    for stage in found.get("stages", []):
        approval = stage["approval"]
        if approval and approval["status"] == "pending":
            return str(approval["approval_id"])
    return ""


def _ended(found: dict[str, Any]) -> Ended:
    stages = tuple(EndedStage(stage["stage"], stage["status"], stage["outputs"]) for stage in found["stages"])
    fields = ("release_id", "status", "reason", "execution_arn", "stack_name", "source", "created_at")
    pipeline = (found["pipeline"] or {}).get("name", "")
    return Ended(**{name: found[name] for name in fields}, pipeline=pipeline, stages=stages)
