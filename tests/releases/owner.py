"""What the platform owner sees of an installation: its accounts' stacks, the table, the logs, the mail."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local.installation import Running
from local.settings import ORCHESTRATOR, REGION
from orchestrator.core.events import MANAGED_STACK_PREFIX


@dataclass
class Owner:
    """Looks after one installation."""

    running: Running

    @property
    def assets_bucket(self) -> str:
        """Where people upload."""
        return self.running.outputs["AssetsBucketName"]

    def client(self, service: str, account: str) -> Any:
        """A client of an account's root."""
        return self.running.cloud.client(service, account, region=REGION)

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

    def rows(self, kind: str, members: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """Bodies of all rows of a kind, as DynamoDB returns them; ``members`` are texts by their path in the body."""
        conditions, names, values = ["#kind = :kind"], {"#kind": "kind"}, {":kind": {"S": kind}}
        for number, (path, text) in enumerate((members or {}).items()):
            parts = ["body", *path.split(".")]
            conditions.append(f"{'.'.join(f'#{part}' for part in parts)} = :{number}")
            names |= {f"#{part}": part for part in parts}
            values[f":{number}"] = {"S": text}
        pages = self.client("dynamodb", ORCHESTRATOR).get_paginator("scan")
        found = pages.paginate(
            TableName=self.running.outputs["TableName"],
            FilterExpression=" AND ".join(conditions),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ConsistentRead=True,
        )
        return [item["body"]["M"] for page in found for item in page["Items"]]

    def open_waits(self, release_id: str) -> list[dict[str, str]]:
        """What the release's steps wait for: subject and client request token."""
        return [
            {"subject": body["subject"]["S"], "request_token": body["request_token"]["S"]}
            for body in self.rows("wait", {"release_id": release_id})
        ]

    def log_lines(self, function: str) -> list[str]:
        """What a function has logged, the platform's own lines included."""
        pages = self.client("logs", ORCHESTRATOR).get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=f"/aws/lambda/mlops-{function}")
        return [event["message"] for page in found for event in page["events"]]

    def queued(self) -> dict[str, list[str]]:
        """By queue, dead-letter queues among them, the messages that wait in it; they are back a second later."""
        sqs = self.client("sqs", ORCHESTRATOR)
        found: dict[str, list[str]] = {}
        for url in sqs.list_queues().get("QueueUrls", []):
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1)
            found[url.rsplit("/", 1)[-1]] = [json.dumps(one, default=str) for one in answer.get("Messages", [])]
        return found

    def invocations(self, function: str) -> int:
        """How often a function has run to its end."""
        return sum(line.startswith("REPORT ") for line in self.log_lines(function))

    def logged(self, function: str) -> list[dict[str, Any]]:
        """The lines that a function has logged itself."""
        return [json.loads(line) for line in self.log_lines(function) if line.startswith("{")]

    def functions(self) -> list[str]:
        """The product's functions, without their prefix."""
        listed = self.client("lambda", ORCHESTRATOR).list_functions()["Functions"]
        names = [str(one["FunctionName"]) for one in listed]
        return [name.removeprefix("mlops-") for name in names if name.startswith("mlops-")]

    def mails(self, release_id: str) -> list[dict[str, Any]]:
        """E-mails about a release."""
        return [mail for mail in self.running.cloud.mail() if f"mlops status {release_id}" in mail["message"]]
