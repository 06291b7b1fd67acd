"""A few alarms: something waits in a queue of failures, or a function that no state machine watches has failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.functions import Function
from stacks.names import construct_id

PERIOD = Duration.minutes(5)

LATE = Duration.minutes(10)
"""What is delivered again and again makes no error of the function: its age tells."""


class Alarms(Construct):
    """Each alarm mails by the topic."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        topic: sns.Topic,
        queues: Mapping[str, sqs.Queue],
        functions: Sequence[Function],
        late: Mapping[str, Function],
        oldest_unsaid: cloudwatch.IMetric,
        refused: cloudwatch.IMetric,
        outside: cloudwatch.IMetric | None = None,
    ) -> None:
        """By construct ids: ``queues`` of what did not happen, ``late`` functions, which read a stream. Of the outbox:
        for how many seconds something waits for Slack, and how many releases Slack refuses. ``outside``: how many
        approvals were answered in CodePipeline, where that deploys."""
        super().__init__(scope, id)
        self._topic = topic
        for name, queue in queues.items():
            self._alarm(
                name,
                queue.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum"),
                f"{name}: what could not be handled waits in a queue; docs/operations.md says how to look at it",
            )
        for function in functions:
            name = construct_id(function.name)
            self._alarm(
                f"{name}Fails",
                function.function.metric_errors(period=PERIOD, statistic="Sum"),
                f"The function {function.name} has failed; its log says why",
            )

        for name, function in late.items():
            self._alarm(
                name,
                function.function.metric("IteratorAge", period=PERIOD, statistic="Maximum"),
                f"{name}: {function.name} is late with changes of the table, which remembers them for a day",
                threshold=LATE.to_milliseconds(),
            )

        self._alarm(
            "SlackLate",
            oldest_unsaid,
            "SlackLate: Slack was not told of changes for ten minutes; releases go on, and it is told when it answers",
            threshold=LATE.to_seconds(),
        )
        self._alarm(
            "SlackRefuses",
            refused,
            "SlackRefuses: Slack does not take the message of a release; the log of the function notify has its code",
        )

        if outside is not None:
            self._alarm(
                "ApprovedOutside",
                outside,
                "ApprovedOutside: somebody has answered an approval in CodePipeline, where no policy was asked",
            )

    def _alarm(self, id: str, metric: cloudwatch.IMetric, description: str, threshold: float = 1) -> None:
        alarm = cloudwatch.Alarm(
            self,
            id,
            alarm_name=f"mlops-{id}",
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))
