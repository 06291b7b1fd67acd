"""Slack's way in: HTTP API → front → FIFO queue → worker. One URL takes events, clicks and commands."""

from __future__ import annotations

import json
from urllib.parse import quote

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_apigatewayv2 as http
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from orchestrator.core.slack_manifest import link_parts, manifest
from stacks.acknowledgements import acknowledge
from stacks.bundles import ROOT
from stacks.functions import Function
from stacks.log_groups import log_group
from stacks.queues import failures
from stacks.settings import Settings

PATH = "/slack/events"

WORKER_SECONDS = 60

BURST, RATE = 100, 50
"""Requests at once and a second. A workspace's clicks are few; more than this is nobody's."""


_LOGGED = {
    name: f"$context.{name}"
    for name in (
        "requestId",
        "requestTime",
        "identity.sourceIp",
        "routeKey",
        "status",
        "responseLength",
        "responseLatency",
    )
}
"""Of each request; nothing of its body, which holds what people wrote."""


class SlackSecret(Construct):
    """Bot token and signing secret. Until somebody puts Slack's own in, no signature matches."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.secret = secretsmanager.Secret(
            self,
            "Secret",
            description="Slack: bot_token and signing_secret",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template='{"bot_token":""}',  # noqa: S106 - nothing is in it yet
                generate_string_key="signing_secret",
                exclude_punctuation=True,
            ),
        )
        acknowledge(
            self.secret,
            "AwsSolutions-SMG4",
            "Slack makes both values and has no call that rotates them; docs/operations.md says how a person does",
        )


class SlackQueue(Construct):
    """Actions in order of arrival for each approval, each at most once."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.failed = failures(self, "Failed", fifo=True)
        self.queue = sqs.Queue(
            self,
            "Actions",
            fifo=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(6 * WORKER_SECONDS),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.failed, max_receive_count=5),
        )


class SlackIngress(Construct):
    """The HTTP API before the front, and the worker behind the queue.

    Two steps, since there are functions that know the API's URL: it is made first, and led to the front by ``connect``.
    """

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        self._settings = settings
        self.api = http.HttpApi(
            self,
            "Api",
            api_name="mlops-slack",
            description="Requests of Slack, signed by Slack",
            create_default_stage=False,
        )
        acknowledge(
            self.api,
            "AwsSolutions-APIG4",
            "Slack signs its requests and takes no other authorisation; the front checks the signature of each",
        )
        self._stage()

    def connect(self, *, front: Function, worker: Function, secret: SlackSecret, queue: SlackQueue) -> None:
        """Lead requests to the front, and what it puts on the queue to the worker."""
        front.may(["sqs:SendMessage"], [queue.queue.queue_arn])
        for function in (front, worker):
            function.may(["secretsmanager:GetSecretValue"], [secret.secret.secret_arn])
        worker.function.add_event_source(
            sources.SqsEventSource(queue.queue, batch_size=10, report_batch_item_failures=True)
        )
        self.api.add_routes(
            path=PATH,
            methods=[http.HttpMethod.POST],
            integration=integrations.HttpLambdaIntegration("Front", front.function),
        )

    def _stage(self) -> None:
        stage = http.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            throttle=http.ThrottleSettings(burst_limit=BURST, rate_limit=RATE),
        )
        cfn = stage.node.default_child
        assert isinstance(cfn, http.CfnStage)  # noqa: S101 - for the type checker
        cfn.access_log_settings = http.CfnStage.AccessLogSettingsProperty(
            # Not the group's own ARN, which ends in a wildcard that API Gateway does not want.
            destination_arn=Stack.of(self).format_arn(
                service="logs",
                resource="log-group",
                resource_name=log_group(self, "/aws/vendedlogs/apis/mlops-slack", self._settings).log_group_name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
            format=json.dumps(_LOGGED),
        )

    @property
    def url(self) -> str:
        """What is entered in the Slack app's settings as every request URL."""
        return f"https://{self._host}{PATH}"

    @property
    def app_link(self) -> str:
        """What creates the Slack app when it is opened, with this URL in its manifest."""
        # Of the host's characters none has to be percent-encoded, also where it is known only when deployed.
        encoded = f"{quote('https://', safe='')}{self._host}{quote(PATH, safe='')}"
        return encoded.join(link_parts(manifest(ROOT), self._settings.installation.slack_api_url))

    @property
    def _host(self) -> str:
        stack = Stack.of(self)
        return f"{self.api.api_id}.execute-api.{stack.region}.{stack.url_suffix}"
