"""The people around a release, as the tests play them: who uploads, who clicks in Slack, who looks after it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from botocore.credentials import Credentials

from local import deciding
from local.deploy import ROOT
from local.follow import ENDS, Ended, Follower, waiting_approval
from local.people import credentials_of
from local.settings import CHANNEL, ORCHESTRATOR
from local.upload import Example, upload_example
from tests.releases.owner import Owner

T = TypeVar("T")

MLOPS = "from mlops.main import main; raise SystemExit(main())"
"""The command, in a process of its own."""

PATIENCE_SECONDS = 90.0


def eventually(what: str, look: Callable[[], T | None], patience: float = PATIENCE_SECONDS) -> T:
    """Look again until there is something to see; fails with what was waited for."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.25)
    raise AssertionError(f"not within {patience:.0f} s: {what}")


@dataclass
class Team(Owner):
    """Works with one installation."""

    example: Example
    said: list[str] = field(default_factory=list)

    @property
    def follower(self) -> Follower:
        """The product's API."""
        return Follower(self.running, self.said.append)

    @property
    def example_workload(self) -> str:
        """What the example is called in Slack and the table."""
        return f"{json.loads(self.example.configuration.read_text())['model_name']}-realtime"

    # -- the ML engineer -----------------------------------------------------------------------------------------

    def configuration(self, name: str, **changes: Any) -> dict[str, Any]:
        """The example's configuration under another model name; assets stay under their own keys."""
        found: dict[str, Any] = json.loads(self.example.configuration.read_text())
        found["model_name"] = name
        return {key: value for key, value in (found | changes).items() if value is not None}

    def upload(self, name: str, configuration: dict[str, Any] | bytes) -> str:
        """Upload a configuration to ``<name>/mlops-config.json``; its version."""
        body = configuration if isinstance(configuration, bytes) else json.dumps(configuration, indent=2).encode()
        version: str = self.client("s3", ORCHESTRATOR).put_object(
            Bucket=self.assets_bucket, Key=f"{name}/mlops-config.json", Body=body
        )["VersionId"]
        return version

    def upload_asset(self, key: str, body: bytes) -> str:
        """Upload an asset; its version."""
        version: str = self.client("s3", ORCHESTRATOR).put_object(Bucket=self.assets_bucket, Key=key, Body=body)[
            "VersionId"
        ]
        return version

    def started(self, workload: str, known: frozenset[str] = frozenset(), *, by: str = "") -> str:
        """Id of the workload's newest release that is not among the known ones, and was started ``by`` a source of this
        kind (any, where empty): assets of the same moment may be heard of later, and start one that changes nothing."""

        def look() -> str | None:
            new = [str(found["release_id"]) for found in self.releases(workload) if found["release_id"] not in known]
            return next((one for one in new if not by or self.show(one)["source_kind"] == by), None)

        return eventually(f"a release of {workload}", look, 60)

    def release_example(self) -> str:
        """Release the example to its end; the release's id."""
        upload_example(self.running, self.example)
        release_id = self.started(self.example_workload, by="s3")
        ended = self.follower.until_end(release_id, decide=self.approve)
        assert ended.status == "succeeded", ended.reason
        return release_id

    def release(self, name: str, configuration: dict[str, Any], *, approve: bool = True) -> dict[str, Any]:
        """Upload, follow to the end, approve what is asked; the release as the API shows it."""
        workload = f"{name}-realtime"
        known = frozenset(found["release_id"] for found in self.releases(workload))
        self.upload(name, configuration)
        release_id = self.started(workload, known, by="s3")
        self.follower.until_end(release_id, decide=self.approve if approve else None)
        return self.show(release_id)

    # -- the approvers -------------------------------------------------------------------------------------------

    def approve(self, approval_id: str) -> None:
        """Both approvers click Approve on this question."""
        deciding.approve(self.running.slack, approval_id)

    def reject(self, release_id: str, reason: str, user: str = deciding.APPROVERS[0]) -> None:
        """Click Reject on the release's open question, and say why in the dialog."""
        deciding.reject(self.running.slack, waiting_approval(self.show(release_id)), reason, user)

    def put_aside(
        self, release_id: str, reason: str = "Enough for this test.", user: str = deciding.APPROVERS[0]
    ) -> None:
        """Reject what is asked, and see the release end so."""
        self.reject(release_id, reason, user)
        assert self.ended(release_id).status == "rejected"

    def message(self, release_id: str, *words: str) -> str:
        """The release's message, with its blocks, as JSON, once it has these words: it is drawn after the records."""
        told = f"{', '.join(words) or 'nothing yet'} in the message of {release_id}"
        return eventually(told, lambda: self.message_with(release_id, *words), 30)

    def message_with(self, release_id: str, *words: str) -> str:
        """The release's message when it has these words in it by now; else empty."""
        record = self.row(f"RELEASE#{release_id}", "MESSAGE")
        ts = record["body"]["M"]["ts"]["S"] if record else ""
        posted = [message for message in self.running.slack.messages(CHANNEL) if message["ts"] == ts]
        found = json.dumps(posted[0], ensure_ascii=False) if posted else ""
        return found if all(one in found for one in words) else ""

    def files(self, release_id: str) -> list[dict[str, Any]]:
        """Files in the thread of the release's message."""
        message = json.loads(self.message(release_id))
        replies = [one for one in self.running.slack.messages(CHANNEL) if one.get("thread_ts") == message["ts"]]
        return [file for reply in replies for file in reply.get("files", [])]

    def file_text(self, file: dict[str, Any]) -> str:
        """What a file says to whoever opens it."""
        with urllib.request.urlopen(file["url_private"]) as answer:  # noqa: S310 - the local Slack page
            text: str = answer.read().decode()
        return text

    def private_words(self, user: str, words: str) -> str:
        """What only this person was told, if it has these words; else empty."""
        told = [json.dumps(message, ensure_ascii=False) for message in self.running.slack.ephemerals(user)]
        return next((text for text in reversed(told) if words in text), "")

    def home(self, user: str, *words: str) -> str:
        """What this person's Home in Slack shows, as JSON, if it has these words by now; else empty."""
        found = json.dumps((self.running.slack.home(user) or {}).get("blocks"), ensure_ascii=False)
        return found if all(word in found for word in words) else ""

    def direct_words(self, user: str, words: str) -> str:
        """The direct message from the app to this person that has these words; else empty."""
        slack = self.running.slack
        told = [json.dumps(message, ensure_ascii=False) for message in slack.messages(slack.direct_channel(user))]
        return next((text for text in told if words in text), "")

    def credentials_of(self, person: str) -> Credentials:
        """Credentials of a person's own session: ana, ben, chloe or dev."""
        return credentials_of(self.running, person)

    # -- whoever follows a release -------------------------------------------------------------------------------

    def releases(self, workload: str) -> list[dict[str, Any]]:
        """The workload's releases, newest first."""
        answer = self.follower.api("GET", "/releases?limit=100").json()["releases"]
        return [found for found in answer if found["workload"] == workload]

    def show(self, release_id: str) -> dict[str, Any]:
        """``GET /releases/{id}``."""
        found: dict[str, Any] = self.follower.api("GET", f"/releases/{release_id}").json()
        return found

    def ledger(self, workload: str, until: str = "") -> tuple[list[dict[str, Any]], Any]:
        """``GET /workloads/{id}/ledger``, every page: the rows and the head, once a release's outcome is told there."""

        def look() -> tuple[list[dict[str, Any]], Any] | None:
            rows: list[dict[str, Any]] = []
            after, head = 0, None
            while after is not None:
                page = self.follower.api("GET", f"/workloads/{workload}/ledger?after={after}&limit=7").json()
                rows += page["entries"]
                after, head = page["next"], page["head"]
            told = {(row["entry"]["release"], row["entry"]["kind"]) for row in rows}
            return (rows, head) if not until or (until, "outcome") in told else None

        return eventually(f"the ledger of {workload} to tell the outcome of {until}", look, 30)

    def until(self, release_id: str, status: str) -> dict[str, Any]:
        """Wait until the release stands so; fails at once when it has ended otherwise."""

        def look() -> dict[str, Any] | None:
            found = self.show(release_id)
            if found["status"] == status:
                return found
            assert found["status"] not in ENDS, f"{found['status']}: {found['reason']}"
            return None

        return eventually(f"{release_id} {status}", look)

    def until_asked(self, release_id: str, stage: str) -> dict[str, Any]:
        """Wait until people are asked about a stage; the release as it then stands."""

        def look() -> dict[str, Any] | None:
            found = self.until(release_id, "awaiting_approval")
            return found if found["stage"] == stage and waiting_approval(found) else None

        return eventually(f"a question about {stage}", look)

    def ended(self, release_id: str) -> Ended:
        """Follow to the end without deciding anything."""
        return self.follower.until_end(release_id)

    def of_commit(self, commit_id: str) -> list[dict[str, Any]]:
        """Releases and notices of a commit, as the API shows them."""
        found = self.rows("release", {"commit.commit_id": commit_id})
        return [self.show(row["release_id"]["S"]) for row in found]

    def until_of_commit(self, commit_id: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until a commit has so many releases and notices."""

        def look() -> list[dict[str, Any]] | None:
            found = self.of_commit(commit_id)
            return found if len(found) == count else None

        return eventually(f"{count} of the commit {commit_id}", look)

    def printed_status(self, release_id: str) -> str:
        """What ``mlops status`` prints, called by Ana."""
        return self.mlops("ana", "status", release_id)

    def mlops(self, person: str, *arguments: str) -> str:
        """What the command prints, called by somebody."""
        credentials = self.credentials_of(person)
        address = self.running.cloud.local_url(self.running.outputs["ApiUrl"])
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-c", MLOPS, *arguments, "--api-url", address],
            cwd=ROOT,
            env={
                **self.running.cloud.environment(ORCHESTRATOR),
                "AWS_ACCESS_KEY_ID": str(credentials.access_key),
                "AWS_SECRET_ACCESS_KEY": str(credentials.secret_key),
                "AWS_SESSION_TOKEN": str(credentials.token),
                "PATH": "/usr/bin:/bin",
                "COLUMNS": "200",
            },
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def secrets(self, release_id: str) -> list[str]:
        """Everything that must never be seen: the Slack secret's values, and the task token of the open question."""
        text = self.client("secretsmanager", ORCHESTRATOR).get_secret_value(
            SecretId=self.running.outputs["SlackSecretArn"]
        )["SecretString"]
        approval_id = waiting_approval(self.show(release_id))
        approval = self.row(f"APPROVAL#{approval_id}", "APPROVAL")
        assert approval is not None
        return [*json.loads(text).values(), approval["body"]["M"]["token"]["M"]["value"]["S"]]


def stage(found: dict[str, Any], name: str) -> dict[str, Any]:
    """One stage of a release as the API shows it."""
    return next(one for one in found["stages"] if one["stage"] == name)
