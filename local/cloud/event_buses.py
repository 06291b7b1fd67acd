"""EventBridge: targets reached as on AWS, in other accounts and under permissions, with a dead-letter queue.

- An event bus of another account receives the event when its policy lets the sender in; the event keeps its source
  account. The emulator drops it.
- A target with a role (event buses, state machines) is reached with that role's permissions, a function only when its
  resource policy lets EventBridge in. What cannot be delivered goes to the target's dead-letter queue at once; AWS
  retries for a day first where a retry may help.
- A function is invoked asynchronously, so that a failing one is tried again and ends in the function's own failure
  destination.
- ``AWS::Events::EventBusPolicy``, and the ``Policy`` of an event bus, which the emulator does not keep.
"""

from __future__ import annotations

import functools
import json
import logging
import uuid
from typing import Any

from local.cloud.contract import Seam
from local.cloud.principals import decide

SEAMS = (
    Seam("ministack.core.arn", "parse_arn", ("value",)),
    Seam("ministack.core.iam_evaluator", "EvalContext"),
    Seam("ministack.core.iam_evaluator", "evaluate_resource_policy", ("doc", "ctx", "service")),
    Seam("ministack.core.iam_evaluator", "_RESOURCE_POLICY_LOOKUPS"),
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.services.eventbridge", "_invoke_target", ("target", "event", "rule", "view")),
    Seam("ministack.services.eventbridge", "_dispatch_to_event_bus", ("spec", "event", "rule", "event_path")),
    Seam("ministack.services.eventbridge", "_dispatch_to_lambda", ("arn", "payload")),
    Seam("ministack.services.eventbridge", "_dispatch_to_stepfunctions", ("arn", "payload")),
    Seam("ministack.services.eventbridge", "_dispatch_to_sqs", ("spec", "payload")),
    Seam("ministack.services.eventbridge", "_dispatch_event", ("event", "view")),
    Seam("ministack.services.eventbridge", "_event_bus_policies.get"),
    Seam("ministack.services.eventbridge", "_event_buses"),
    Seam("ministack.services.eventbridge", "_pattern_event_view", ("event",)),
    Seam("ministack.services.eventbridge", "_put_permission", ("data",)),
    Seam("ministack.services.eventbridge", "json_response"),
    Seam("ministack.services.lambda_svc", "invoke_async_with_retry", ("func", "event")),
    Seam("ministack.services.lambda_svc", "_get_func_record_for_ref"),
    Seam("ministack.services.lambda_svc", "_execution_record_for_config", ("func", "config")),
    Seam("ministack.services.stepfunctions", "_resolve_state_machine_arn", ("arn",)),
    Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
)

_LOG = logging.getLogger("local.cloud.events")
_EVENTS = "events.amazonaws.com"
_SCHEDULED = {
    "lambda": "lambda:InvokeFunction",
    "states": "states:StartExecution",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "events": "events:PutEvents",
}
"""Service of a schedule's target → the action that its role needs."""


class NotDelivered(Exception):
    """A target could not be reached; carries EventBridge's error code and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def install() -> None:
    """Wrap the delivery to targets and register the policy resource."""
    from ministack.core import iam_evaluator
    from ministack.services import eventbridge

    invoke = eventbridge._invoke_target
    to_bus = eventbridge._dispatch_to_event_bus
    put_permission = eventbridge._put_permission

    @functools.wraps(invoke)
    def invoke_target(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> Any:
        try:
            _check(target, rule, event)
        except NotDelivered as problem:
            _LOG.warning("rule %s: %s not reached: %s", rule.get("Name"), target.get("Arn"), problem)
            _to_dead_letters(target, event, rule, problem)
            return None
        return invoke(target, event, rule, view)

    @functools.wraps(to_bus)
    def dispatch_to_event_bus(
        spec: Any, event: dict[str, Any], rule: dict[str, Any], event_path: Any, payload: Any = None
    ) -> Any:
        from ministack.core import responses

        event = {"Account": responses.get_account_id(), **event}
        with responses.request_scope(spec.account_id, spec.region):
            return to_bus(spec, event, rule, event_path, payload)

    @functools.wraps(eventbridge._dispatch_to_lambda)
    def dispatch_to_lambda(arn: str, payload: str) -> None:
        from ministack.services import lambda_svc

        function, config, _ = lambda_svc._get_func_record_for_ref(arn)
        lambda_svc.invoke_async_with_retry(
            lambda_svc._execution_record_for_config(function, config), json.loads(payload)
        )

    @functools.wraps(put_permission)
    def permission(data: dict[str, Any]) -> Any:
        if data.get("Policy"):
            eventbridge._event_bus_policies[data.get("EventBusName", "default")] = json.loads(data["Policy"])
            return eventbridge.json_response({})
        return put_permission(data)

    eventbridge._invoke_target = invoke_target
    eventbridge._dispatch_to_event_bus = dispatch_to_event_bus
    eventbridge._dispatch_to_lambda = dispatch_to_lambda
    eventbridge._put_permission = permission
    eventbridge.bus_policy_for_arn = _bus_policy
    iam_evaluator._RESOURCE_POLICY_LOOKUPS["events"] = ("eventbridge", "bus_policy_for_arn")
    _register_resources()


def _check(target: dict[str, Any], rule: dict[str, Any], event: dict[str, Any]) -> None:
    """Raise NotDelivered when the target does not exist or EventBridge may not reach it."""
    from ministack.core import arn, responses

    spec = arn.parse_arn(target["Arn"])
    account = responses.get_account_id()
    if event.get("Source") == "aws.scheduler":
        # EventBridge Scheduler reaches every target with the schedule's role.
        _need_role(target, _SCHEDULED.get(spec.service, f"{spec.service}:*"))
    elif spec.service == "events" and spec.resource.startswith("event-bus/"):
        if spec.account_id != account:
            _check_foreign_bus(spec)
            _need_role(
                target,
                "events:PutEvents",
                {"events:source": event.get("Source", ""), "events:detail-type": event.get("DetailType", "")},
            )
    elif spec.service == "states":
        _need_role(target, "states:StartExecution")
        from ministack.services import stepfunctions

        if stepfunctions._resolve_state_machine_arn(target["Arn"]) is None:
            raise NotDelivered("RESOURCE_NOT_FOUND", f"{target['Arn']} does not exist")
    elif spec.service == "lambda":
        _check_function(target["Arn"], rule)


def _need_role(target: dict[str, Any], action: str, context: dict[str, Any] | None = None) -> None:
    role = target.get("RoleArn")
    if not role:
        raise NotDelivered("INVALID_PARAMETER", f"a target that needs {action} has no role")
    verdict = decide(role, action, target["Arn"], context)
    if not verdict.allowed:
        raise NotDelivered("NO_PERMISSIONS", verdict.message)


def _check_foreign_bus(spec: Any) -> None:
    from ministack.core import responses
    from ministack.services import eventbridge

    with responses.request_scope(spec.account_id, spec.region):
        name = spec.resource.partition("/")[2]
        if name != "default" and name not in eventbridge._event_buses:
            raise NotDelivered("RESOURCE_NOT_FOUND", f"{spec} does not exist")


def _bus_policy(bus_arn: str) -> tuple[Any, str] | None:
    """Policy and owner of a bus, in the shape of the emulator's other look-ups of resource policies."""
    from ministack.core import arn, responses
    from ministack.services import eventbridge

    spec = arn.parse_arn(bus_arn)
    if not spec.resource.startswith("event-bus/"):
        return None
    with responses.request_scope(spec.account_id, spec.region):
        return eventbridge._event_bus_policies.get(spec.resource.partition("/")[2]), spec.account_id


def _check_function(function_arn: str, rule: dict[str, Any]) -> None:
    from ministack.core import iam_evaluator, responses
    from ministack.services import lambda_svc

    function, config, name = lambda_svc._get_func_record_for_ref(function_arn)
    if not function or not config:
        raise NotDelivered("RESOURCE_NOT_FOUND", f"function {name} does not exist")
    account = responses.get_account_id()
    request = iam_evaluator.EvalContext(
        principal_arn=_EVENTS,
        principal_type="Service",
        principal_account=account,
        action="lambda:InvokeFunction",
        resource_arn=function_arn,
        region=responses.get_region(),
        service_context={"aws:sourcearn": rule.get("Arn", ""), "aws:sourceaccount": account},
    )
    policy = function.get("policy")
    if iam_evaluator.evaluate_resource_policy(policy, request, service=_EVENTS).decision != "Allow":
        raise NotDelivered("NO_PERMISSIONS", f"the policy of {function_arn} does not let EventBridge invoke it")


def _to_dead_letters(
    target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], problem: NotDelivered
) -> None:
    from ministack.core import arn
    from ministack.services import eventbridge, sqs

    queue_arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    queue = sqs._queue_by_arn(queue_arn) if queue_arn else None
    if queue is None:
        return
    payload = json.dumps(eventbridge._pattern_event_view(event).event_with_detail())
    eventbridge._dispatch_to_sqs(arn.parse_arn(queue_arn), payload)
    attributes = {
        "ERROR_CODE": problem.code,
        "ERROR_MESSAGE": str(problem),
        "RULE_ARN": rule.get("Arn", ""),
        "TARGET_ARN": target.get("Arn", ""),
    }
    queue["messages"][-1]["message_attributes"] = {
        name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
    }


def _register_resources() -> None:
    from ministack.services import eventbridge
    from ministack.services.cloudformation import provisioners

    def put(properties: dict[str, Any]) -> str:
        bus = properties.get("EventBusName", "default")
        statement = {**_legacy(properties), **(properties.get("Statement") or {}), "Sid": properties["StatementId"]}
        policy = eventbridge._event_bus_policies.get(bus) or {"Version": "2012-10-17", "Statement": []}
        kept = [known for known in policy["Statement"] if known.get("Sid") != statement["Sid"]]
        eventbridge._event_bus_policies[bus] = {**policy, "Statement": [*kept, statement]}
        return f"{bus}|{statement['Sid']}"

    def create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
        return put(properties), {}

    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
        return put(new), {}

    def delete(physical_id: str, properties: dict[str, Any]) -> None:
        bus, _, sid = physical_id.partition("|")
        policy = eventbridge._event_bus_policies.get(bus)
        if policy:
            kept = [known for known in policy["Statement"] if known.get("Sid") != sid]
            eventbridge._event_bus_policies[bus] = {**policy, "Statement": kept}

    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::Events::EventBusPolicy"] = {"create": create, "update": update, "delete": delete}
    bus_handlers = dict(handlers["AWS::Events::EventBus"])

    def bus_create(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        made = bus_handlers["create"](logical_id, properties, stack)
        _keep_policy(made[0], properties)
        return made

    def bus_update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> Any:
        made = bus_handlers["update"](physical_id, old, new, stack)
        _keep_policy(made[0], new)
        return made

    handlers["AWS::Events::EventBus"] = {**bus_handlers, "create": bus_create, "update": bus_update}


def _keep_policy(bus: str, properties: dict[str, Any]) -> None:
    from ministack.services import eventbridge

    policy = properties.get("Policy")
    if policy:
        eventbridge._event_bus_policies[bus] = json.loads(policy) if isinstance(policy, str) else policy


def _legacy(properties: dict[str, Any]) -> dict[str, Any]:
    """A statement from ``Principal``, ``Action`` and ``Condition``, the resource's older form."""
    if "Principal" not in properties:
        return {}
    statement = {
        "Effect": "Allow",
        "Principal": properties["Principal"] if properties["Principal"] == "*" else {"AWS": properties["Principal"]},
        "Action": properties.get("Action", "events:PutEvents"),
        "Resource": "*",
    }
    condition = properties.get("Condition")
    if condition:
        statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    return statement


def inject(event: dict[str, Any], account: str, region: str, bus: str) -> str:
    """Put an event on a bus as it is, ``aws.*`` sources included; its keys are those a target receives. Its id."""
    from ministack.core import responses
    from ministack.services import eventbridge

    record = {
        "EventId": event.get("id") or str(uuid.uuid4()),
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event.get("detail", {})),
        "EventBusName": bus,
        "Resources": event.get("resources", []),
        "Account": event.get("account", account),
        "Region": event.get("region", region),
        "Time": event.get("time") or eventbridge._now_ts(),
    }
    with responses.request_scope(account, region):
        eventbridge._dispatch_event(record, eventbridge._pattern_event_view(record))
    return str(record["EventId"])
