"""Endpoints that are updated in steps, which an alarm rolls back."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from local.cloud.client import EmbeddedCloud
from tests.cloud.accounts import DEV, eventually, unique
from tests.cloud.bridges.serving import NAME, ask, make_execution_role, make_models, serving
from tests.cloud.bridges.stacks_of import make, outputs_of, reasons

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def bucket(cloud: EmbeddedCloud) -> str:
    """The bucket of the models."""
    return make_models(cloud)


@pytest.fixture(scope="module")
def role(cloud: EmbeddedCloud, bucket: str) -> str:
    """The models' execution role."""
    return make_execution_role(cloud, bucket)


def alarm(cloud: EmbeddedCloud, state: str = "OK") -> str:
    """An alarm in a state; its name."""
    name = unique("errors")
    cloudwatch = cloud.client("cloudwatch", DEV)
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Tests",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason=f"told {state}")
    return name


def rollout(alarm_name: str, wait: int = 60, **routing: Any) -> dict[str, Any]:
    found = {"Type": "ALL_AT_ONCE", **routing, "WaitIntervalInSeconds": wait}
    return {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": found, "TerminationWaitInSeconds": 0},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm_name}]},
    }


ROUTES = [
    pytest.param({}, id="all at once"),
    pytest.param({"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 30}}, id="canary"),
    pytest.param({"Type": "LINEAR", "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 25}}, id="linear"),
]


@pytest.mark.parametrize("routing", ROUTES)
def test_an_endpoint_is_updated_in_steps_while_the_alarm_is_quiet(
    cloud: EmbeddedCloud, role: str, bucket: str, routing: dict[str, Any]
) -> None:
    stack, how = unique("rollout"), rollout(alarm(cloud), **routing)
    name = outputs_of(make(cloud, serving(role, bucket, DeploymentConfig=how), NAME, stack=stack))["Name"]
    assert ask(cloud, name) == b'{"y": 2}'
    made = make(cloud, serving(role, bucket, 3, DeploymentConfig=how), NAME, stack=stack, update=True)
    assert made["StackStatus"] == "UPDATE_COMPLETE", reasons(cloud, made)
    assert ask(cloud, name) == b'{"y": 3}'
    found = cloud.client("sagemaker", DEV).describe_endpoint(EndpointName=name)
    assert found["LastDeploymentConfig"] == how
    assert (found["EndpointStatus"], found["ProductionVariants"][0]["CurrentInstanceCount"]) == ("InService", 1)


def test_an_alarm_that_rings_during_the_update_rolls_endpoint_and_stack_back(
    cloud: EmbeddedCloud, role: str, bucket: str
) -> None:
    stack, quiet = unique("ringing"), alarm(cloud)
    # Thirty minutes of waiting, of which the alarm's ringing leaves nothing.
    how = rollout(quiet, wait=1800, Type="CANARY", CanarySize={"Type": "CAPACITY_PERCENT", "Value": 50})
    made = make(cloud, serving(role, bucket, DeploymentConfig=how), NAME, stack=stack)
    name = outputs_of(made)["Name"]
    before = cloud.client("sagemaker", DEV).describe_endpoint(EndpointName=name)["EndpointConfigName"]
    ended: list[dict[str, Any]] = []

    def update() -> None:
        ended.append(make(cloud, serving(role, bucket, 3, DeploymentConfig=how), NAME, stack=stack, update=True))

    deploying = threading.Thread(target=update)
    deploying.start()
    answers: set[bytes] = set()

    def both_fleets_answer() -> bool:
        answers.add(ask(cloud, name))
        return answers == {b'{"y": 2}', b'{"y": 3}'}

    eventually(both_fleets_answer)
    cloud.client("cloudwatch", DEV).set_alarm_state(AlarmName=quiet, StateValue="ALARM", StateReason="too many errors")
    deploying.join(60)
    assert ended[0]["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert f"ALARM state: [{quiet}]" in reasons(cloud, ended[0])
    found = cloud.client("sagemaker", DEV).describe_endpoint(EndpointName=name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", before)
    assert ask(cloud, name) == b'{"y": 2}'


def test_an_alarm_that_rings_already_stops_the_update_before_any_traffic_goes_over(
    cloud: EmbeddedCloud, role: str, bucket: str
) -> None:
    stack, name = unique("ringing"), alarm(cloud, "ALARM")
    make(cloud, serving(role, bucket), NAME, stack=stack)
    made = make(cloud, serving(role, bucket, 3, DeploymentConfig=rollout(name)), NAME, stack=stack, update=True)
    assert made["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "told ALARM" in reasons(cloud, made)


WRONG_ROLLOUTS = [
    pytest.param({"Type": "CANARY"}, "CanarySize is required", id="no size of the canary"),
    pytest.param(
        {"Type": "LINEAR", "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 60}},
        "LinearStepSize must be between 10 and 50",
        id="too large a step",
    ),
    pytest.param({"Type": "SOMEHOW"}, "SOMEHOW is not a valid enum value", id="an unknown way"),
]


@pytest.mark.parametrize(("routing", "words"), WRONG_ROLLOUTS)
def test_a_deployment_configuration_that_sagemaker_refuses_fails_the_endpoint(
    cloud: EmbeddedCloud, role: str, bucket: str, routing: dict[str, Any], words: str
) -> None:
    made = make(cloud, serving(role, bucket, DeploymentConfig=rollout("any", **routing)))
    assert words in reasons(cloud, made)
