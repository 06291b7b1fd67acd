"""One name through every layer: folder, construct id, function, role, environment, placeholder, grants."""

from __future__ import annotations

import importlib
import json
import re
from dataclasses import fields
from typing import Any

import pytest

from functions.api.routes import ROUTES as ANSWERED
from orchestrator.aws.environment import load, variables
from orchestrator.core import stage_roles
from orchestrator.core.steps.package import PERMISSIONS_BOUNDARY
from stacks import functions as stacks_functions
from stacks import grants, names
from stacks.names import construct_id, function_role_name, hyphened
from stacks.rest_api import ROUTES
from tests.stacks.templates import ROOT, Synthesised, of_type, statements, text

OPTIONAL = {"check_assets_bucket"}
"""Functions that not every installation has; ``test_launch_options.py`` looks at them."""
FOLDERS = sorted({path.parent.name for path in (ROOT / "functions").glob("*/handler.py")} - OPTIONAL)
SLACK = ("slack_front", "slack_worker")


def source(name: str) -> str:
    """A handler's text, with that of the modules beside it."""
    folder = {"slack_front": "slack_app/front", "slack_worker": "slack_app"}.get(name, f"functions/{name}")
    paths = sorted((ROOT / folder).rglob("*.py"))
    return "\n".join(path.read_text() for path in paths if name != "slack_worker" or "front" not in path.parts)


def deployed(synthesised: Synthesised) -> dict[str, dict[str, Any]]:
    """Function's folder → properties."""
    found = of_type(synthesised.orchestrator, "AWS::Lambda::Function")
    return {
        properties["FunctionName"].removeprefix("mlops-").replace("-", "_"): {**properties, "id": logical_id}
        for logical_id, properties in found.items()
    }


def test_every_folder_is_a_function_and_every_function_has_a_folder(synthesised: Synthesised) -> None:
    assert sorted(deployed(synthesised)) == sorted([*FOLDERS, *SLACK])


@pytest.mark.parametrize("name", [*FOLDERS, *SLACK])
def test_one_name_from_folder_to_role(multi: Synthesised, name: str) -> None:
    function = deployed(multi)[name]
    roles = {logical: role.get("RoleName") for logical, role in of_type(multi.orchestrator, "AWS::IAM::Role").items()}
    module = {"slack_front": "slack_app.front.handler", "slack_worker": "slack_app.worker"}.get(
        name, f"functions.{name}.handler"
    )

    assert function["id"].startswith(f"Functions{construct_id(name)}Function")
    assert function["Handler"] == f"{module}.handler"
    assert roles[function["Role"]["Fn::GetAtt"][0]] == function_role_name(name) == f"mlops-function-{hyphened(name)}"


@pytest.mark.parametrize("name", [*FOLDERS, *SLACK])
def test_the_stack_fills_every_variable_that_the_handler_loads(synthesised: Synthesised, name: str) -> None:
    module = {"slack_front": "slack_app.front.env", "slack_worker": "slack_app.env"}.get(name, f"functions.{name}.env")
    env = importlib.import_module(module).Env
    given = {key: text(value) for key, value in deployed(synthesised)[name]["Environment"]["Variables"].items()}

    loaded = load(env, given)

    assert variables(loaded) == given
    may_be_empty = {"artifacts_bucket", "artifacts_key_arn"}  # of CodePipeline as the deploy engine
    may_be_empty |= {"multi_machine_arn"} if synthesised.settings.installation.mode == "single" else set()
    assert {field.name for field in fields(env) if not getattr(loaded, field.name)} <= may_be_empty


def test_variables_are_written_as_the_handlers_read_them() -> None:
    env = importlib.import_module("functions.run_job.env").Env("t", "s", "p")

    assert stacks_functions.variables(env) == variables(env)


def test_state_machines_call_functions_by_their_construct_ids(synthesised: Synthesised) -> None:
    for machine in of_type(synthesised.orchestrator, "AWS::StepFunctions::StateMachine").values():
        placeholders = set(re.findall(r"\$\{(\w+)}", machine["DefinitionString"]))

        assert placeholders == set(machine["DefinitionSubstitutions"])
        for placeholder, value in machine["DefinitionSubstitutions"].items():
            function = placeholder.removesuffix("FunctionArn")
            assert text(value).startswith(f"<Functions{function}Function")


def test_state_machines_log_no_data_of_executions(synthesised: Synthesised) -> None:
    for machine in of_type(synthesised.orchestrator, "AWS::StepFunctions::StateMachine").values():
        assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
        assert machine["TracingConfiguration"] == {"Enabled": True}


def test_one_account_has_one_machine(multi: Synthesised, single: Synthesised) -> None:
    def machines(found: Synthesised) -> list[str]:
        made = of_type(found.orchestrator, "AWS::StepFunctions::StateMachine").values()
        return sorted(machine["StateMachineName"] for machine in made)

    assert machines(multi) == ["mlops-multi-account", "mlops-single-account"]
    assert machines(single) == ["mlops-single-account"]


@pytest.mark.parametrize(
    ("uses", "granted"),
    [
        pytest.param(("world.accounts",), {name for users in names.ASSUMED_BY.values() for name in users}, id="stages"),
        pytest.param(("world.store",), set(grants.TABLE_ACTIONS) - {"slack_worker", "notify"}, id="table"),
        pytest.param(
            ("world.registry", "world.reception"), set(grants.REGISTRY_READERS) - {"slack_worker"}, id="registry"
        ),
        pytest.param(
            ("world.tasks", "world.reception"),
            {*grants.STARTERS, *grants.ANSWERERS} - {"slack_worker"},
            id="machines",
        ),
    ],
)
def test_grants_go_to_the_functions_that_use_the_thing(uses: tuple[str, ...], granted: set[str]) -> None:
    """``world.reception`` holds the others, for those who start releases."""
    using = {name for name in FOLDERS if any(one in source(name) for one in uses)}
    assert using - {"notify"} == granted


@pytest.mark.parametrize(
    ("calls", "granted"),
    [
        pytest.param((".listed(", ".listed_together("), set(grants.LISTERS), id="lists"),
        pytest.param(
            (".under(", "users_of_object(", "users_of_group("),
            {name for name, actions in grants.TABLE_ACTIONS.items() if "Query" in actions},
            id="partitions",
        ),
        pytest.param(
            (".delete(", "settle_uses(", "forget_uses("),
            {name for name, actions in grants.TABLE_ACTIONS.items() if "DeleteItem" in actions},
            id="deletes",
        ),
    ],
)
def test_grants_on_the_table_go_to_the_functions_whose_steps_need_them(
    calls: tuple[str, ...], granted: set[str]
) -> None:
    def needs(name: str) -> bool:
        return any(call in body for body in reached(name) for call in calls)

    needing = {name for name in [*FOLDERS, *SLACK] if needs(name)}

    assert needing == granted


def reached(name: str) -> list[str]:
    """The texts of a function's own modules and of the product's that they import, one after the other."""
    waiting, seen = [source(name)], {}
    while waiting:
        for module in re.findall(r"^ *from (orchestrator\.core\.steps\.\w+) import", waiting.pop(), re.MULTILINE):
            path = ROOT / f"{module.replace('.', '/')}.py"
            if path not in seen:
                seen[path] = path.read_text()
                waiting.append(seen[path])
    return [source(name), *seen.values()]


def test_the_roles_of_a_stage_trust_the_functions_that_assume_them(multi: Synthesised) -> None:
    roles = of_type(multi.stage("prod"), "AWS::IAM::Role").values()
    for role in roles:
        if role["RoleName"] not in names.ASSUMED_BY:
            continue
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]

        assert trust["Condition"]["StringEquals"] == {"sts:ExternalId": multi.settings.installation.external_id}
        assert trust["Condition"]["ArnLike"]["aws:PrincipalArn"] == [
            f"arn:aws:iam::111111111111:role/mlops/functions/{function_role_name(function)}"
            for function in names.ASSUMED_BY[role["RoleName"]]
        ]


def test_functions_may_assume_what_trusts_them(multi: Synthesised) -> None:
    assumed: dict[str, set[str]] = {}
    for statement in statements("MlopsOrchestrator", multi.orchestrator):
        if statement.kind == "identity" and "sts:AssumeRole" in statement.actions:
            who = statement.resource.split("Role")[0].removeprefix("Functions")
            assumed[who] = {arn.rsplit("/", 1)[1] for arn in statement.resources}

    expected: dict[str, set[str]] = {}
    for role, functions in names.ASSUMED_BY.items():
        for function in functions:
            expected.setdefault(construct_id(function), set()).add(role)
    assert assumed == expected


def test_names_are_those_that_the_functions_know(multi: Synthesised) -> None:
    installation = multi.settings.installation
    made = {
        f"arn:aws:iam::444444444444:role{role['Path']}{role['RoleName']}"
        for role in of_type(multi.stage("prod"), "AWS::IAM::Role").values()
    }
    policies = of_type(multi.stage("prod"), "AWS::IAM::ManagedPolicy").values()
    (boundary,) = (policy for policy in policies if "ManagedPolicyName" in policy)

    known = (stage_roles.DEPLOY, stage_roles.OBSERVE, stage_roles.RUN_JOB, stage_roles.SERVICE)
    assert {installation.role_arn("prod", role) for role in known} < made
    assert f"{boundary['Path'][1:]}{boundary['ManagedPolicyName']}" == PERMISSIONS_BOUNDARY


def test_functions_run_no_longer_than_their_state_waits(multi: Synthesised) -> None:
    found = deployed(multi)
    machine = json.loads((ROOT / "statemachines" / "multi_account.asl.json").read_text())
    for name, state in machine["States"].items():
        if state.get("Resource") == "arn:aws:states:::lambda:invoke":
            function = re.match(r"\$\{(\w+)FunctionArn}", state["Arguments"]["FunctionName"])
            assert function is not None
            folder = next(folder for folder in found if construct_id(folder) == function[1])
            assert found[folder]["Timeout"] <= state["TimeoutSeconds"], name


def test_the_api_has_the_routes_that_its_function_answers(multi: Synthesised) -> None:
    methods = of_type(multi.orchestrator, "AWS::ApiGateway::Method").values()

    assert {(method, f"/{path}") for method, path in ROUTES} == set(ANSWERED)
    assert sorted(method["HttpMethod"] for method in methods) == sorted(["ANY", *(method for method, _ in ROUTES)])
    assert {method["AuthorizationType"] for method in methods} == {"AWS_IAM"}


def test_the_outputs_are_those_that_others_read(multi: Synthesised, single: Synthesised) -> None:
    both = {
        *("ApiUrl", "AssetsBucketName", "PackagesBucketName", "SingleMachineArn", "SlackAppLink", "SlackRequestUrl"),
        *("SlackSecretArn", "TableName", "TopicArn"),
    }

    def outputs(found: Synthesised) -> set[str]:
        return {name for name in found.orchestrator["Outputs"] if not re.search(r"[0-9A-F]{8}$", name)}

    assert outputs(multi) == {*both, "MultiMachineArn"}
    assert outputs(single) == both


def test_what_a_removed_installation_leaves_behind_does_not_hinder_the_next(synthesised: Synthesised) -> None:
    """Only the packages bucket keeps a name, which the policies of the stages hold; docs/operations.md says so."""
    named = {
        (one["Type"], name)
        for one in synthesised.orchestrator["Resources"].values()
        if one.get("DeletionPolicy") == "Retain"
        for name in one["Properties"]
        if re.fullmatch(r"(Alias|Bucket|Function|Key|LogGroup|Queue|Role|Table|Topic)?Name", name)
    }

    assert named == {("AWS::S3::Bucket", "BucketName")}
