"""The people around a release, as the tests play them: who uploads, who clicks in Slack, who looks after it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local import deciding
from local.follow import ENDS, Ended, Follower, waiting_approval
from local.installation import Running
from local.people import credentials_of
from local.settings import CHANNEL, ORCHESTRATOR, REGION
from local.upload import Example
from orchestrator.core.events import MANAGED_STACK_PREFIX

T = TypeVar("T")

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
class Team:
    """Works with one installation."""

    running: Running
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

    def started(self, workload: str, known: frozenset[str] = frozenset()) -> str:
        """Id of the workload's newest release that is not among the known ones."""

        def look() -> str | None:
            new = [found for found in self.releases(workload) if found["release_id"] not in known]
            return str(new[0]["release_id"]) if new else None

        return eventually(f"a release of {workload}", look, 60)

    def release(self, name: str, configuration: dict[str, Any], *, approve: bool = True) -> dict[str, Any]:
        """Upload, follow to the end, approve what is asked; the release as the API shows it."""
        workload = f"{name}-realtime"
        known = frozenset(found["release_id"] for found in self.releases(workload))
        self.upload(name, configuration)
        release_id = self.started(workload, known)
        self.follower.until_end(release_id, decide=self.approve if approve else None)
        return self.show(release_id)

    # -- the approvers -------------------------------------------------------------------------------------------

    def approve(self, approval_id: str) -> None:
        """Both approvers click Approve on this question."""
        deciding.approve(self.running.slack, approval_id)

    def reject(self, release_id: str, reason: str, user: str = deciding.APPROVERS[0]) -> None:
        """Click Reject on the release's open question, and say why in the dialog."""
        deciding.reject(self.running.slack, waiting_approval(self.show(release_id)), reason, user)

    def message(self, release_id: str) -> str:
        """The release's message as it now stands in the channel, with its blocks, as JSON."""
        return eventually(f"the message of {release_id}", lambda: self.message_with(release_id, ""), 30)

    def message_with(self, release_id: str, words: str) -> str:
        """The release's message when it has these words in it by now; else empty."""
        record = self.row(f"RELEASE#{release_id}", "MESSAGE")
        ts = record["body"]["M"]["ts"]["S"] if record else ""
        posted = [message for message in self.running.slack.messages(CHANNEL) if message["ts"] == ts]
        found = json.dumps(posted[0], ensure_ascii=False) if posted else ""
        return found if words in found else ""

    def private_words(self, user: str, words: str) -> str:
        """What only this person was told, if it has these words; else empty."""
        told = [json.dumps(message, ensure_ascii=False) for message in self.running.slack.ephemerals(user)]
        return next((text for text in reversed(told) if words in text), "")

    def credentials_of(self, person: str) -> Credentials:
        """Credentials of a person's own session: ana, ben, chloe or dev."""
        return credentials_of(self.running, person)

    # -- the platform owner --------------------------------------------------------------------------------------

    @property
    def assets_bucket(self) -> str:
        """Where people upload."""
        return self.running.outputs["AssetsBucketName"]

    def client(self, service: str, account: str) -> Any:
        """A client of an account's root."""
        return self.running.cloud.client(service, account, region=REGION)

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

    def mails(self, release_id: str) -> list[dict[str, Any]]:
        """E-mails about a release."""
        return [mail for mail in self.running.cloud.mail() if f"mlops status {release_id}" in mail["message"]]

    def stack(self, account: str, name: str) -> dict[str, Any] | None:
        """A stack of an account, or None."""
        try:
            found: dict[str, Any] = self.client("cloudformation", account).describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            assert "does not exist" in str(error)  # noqa: PT017 - any other refusal is a failure of the test
            return None
        return found

    def stack_updates(self) -> dict[str, list[tuple[str, str, str]]]:
        """Every workload's stack in every stage's account with its status and last change: what a deployment moves."""
        return {
            account: sorted(
                (one["StackName"], one["StackStatus"], str(one.get("LastUpdatedTime") or one["CreationTime"]))
                for one in self.client("cloudformation", account).describe_stacks()["Stacks"]
                if one["StackName"].startswith(MANAGED_STACK_PREFIX)
            )
            for account in self.running.stages.values()
        }

    def row(self, pk: str, sk: str) -> dict[str, Any] | None:
        """One row of the table, as DynamoDB returns it."""
        table = self.running.outputs["TableName"]
        found: dict[str, Any] | None = (
            self.client("dynamodb", ORCHESTRATOR)
            .get_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True)
            .get("Item")
        )
        return found

    def open_waits(self, release_id: str) -> list[dict[str, str]]:
        """What the release's steps wait for: subject and client request token."""
        answer = self.client("dynamodb", ORCHESTRATOR).scan(
            TableName=self.running.outputs["TableName"],
            FilterExpression="kind = :wait AND body.release_id = :release",
            ExpressionAttributeValues={":wait": {"S": "wait"}, ":release": {"S": release_id}},
        )
        bodies = [item["body"]["M"] for item in answer["Items"]]
        return [{"subject": body["subject"]["S"], "request_token": body["request_token"]["S"]} for body in bodies]

    def log_lines(self, function: str) -> list[str]:
        """What a function has logged, the platform's own lines included."""
        pages = self.client("logs", ORCHESTRATOR).get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=f"/aws/lambda/mlops-{function}")
        return [event["message"] for page in found for event in page["events"]]

    def invocations(self, function: str) -> int:
        """How often a function has run to its end."""
        return sum(line.startswith("REPORT ") for line in self.log_lines(function))

    def functions(self) -> list[str]:
        """The product's functions, without their prefix."""
        listed = self.client("lambda", ORCHESTRATOR).list_functions()["Functions"]
        names = [str(one["FunctionName"]) for one in listed]
        return [name.removeprefix("mlops-") for name in names if name.startswith("mlops-")]

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
