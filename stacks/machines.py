"""The state machines, from ``statemachines/*.asl.json``.

The definition stands in the template as text, so that cfn-lint checks it; its placeholders ``${PlanStageFunctionArn}``
are the construct ids of the functions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.functions import Function
from stacks.log_groups import log_group
from stacks.names import PATH, Machine
from stacks.settings import Settings

DEFINITIONS = Path(__file__).resolve().parent.parent / "statemachines"

FILES: Mapping[str, str] = {
    Machine.MULTI: "multi_account.asl.json",
    Machine.SINGLE: "single_account.asl.json",
}

_PLACEHOLDER = re.compile(r"\$\{(\w+)FunctionArn\}")


def machines_of(settings: Settings) -> tuple[str, ...]:
    """Names of the machines that an installation has.

    With several accounts both: types that run in the orchestrator's account take the single-account machine.
    """
    return (Machine.MULTI, Machine.SINGLE) if settings.installation.mode == "multi" else (Machine.SINGLE,)


class StateMachine(Construct):
    """One machine; it may invoke the functions that its definition names, and no others."""

    def __init__(
        self, scope: Construct, id: str, *, name: str, functions: Mapping[str, Function], settings: Settings
    ) -> None:
        """``functions`` by construct id."""
        super().__init__(scope, id)
        definition = (DEFINITIONS / FILES[name]).read_text()
        called = {placeholder: functions[placeholder] for placeholder in sorted(set(_PLACEHOLDER.findall(definition)))}
        role = iam.Role(
            self,
            "Role",
            role_name=f"{name}-machine",
            path=PATH,
            description=f"Runs the state machine {name}",
            assumed_by=iam.ServicePrincipal(
                "states.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": settings.account}},
            ),
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"], resources=[function.arn for function in called.values()]
            )
        )
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=name,
            comment="One execution is one release",
            definition_body=sfn.DefinitionBody.from_string(definition),
            definition_substitutions={f"{id}FunctionArn": function.arn for id, function in called.items()},
            role=role,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=log_group(self, f"/aws/vendedlogs/states/{name}", settings),
                level=sfn.LogLevel.ALL,
                # Inputs hold task tokens, which may answer for a human.
                include_execution_data=False,
            ),
        )
