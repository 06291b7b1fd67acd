"""An organisation's own types: what their ``permissions.json`` may say, and where its statements go."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack

from local.settings import settings
from orchestrator.core.problems import BadConfiguration
from stacks.bundles import function_code
from stacks.names import places
from stacks.own_rights import MOST, MOST_POLICIES
from stacks.settings import Settings, load
from stacks.stage_stack import StageStack
from stacks.type_permissions import TypePermissions, filled, read_permissions
from tests.stacks.templates import ROOT, Synthesised, Template, of_type, synthesise

EXAMPLE = ROOT / "examples" / "own-types" / "llm_prompt"

TOPIC = "arn:${Partition}:sns:${Region}:${Account}:mlops-pipeline-*"
MAKES_TOPICS = {"Action": ["sns:CreateTopic", "sns:DeleteTopic"], "Resource": TOPIC}

Types = Callable[..., Path]


@pytest.fixture
def types(tmp_path: Path) -> Types:
    """Makes a folder with one type; its permissions are given."""

    def make(folder: str = "types", name: str = "house_rule", **permissions: Any) -> Path:
        own = tmp_path / folder
        shutil.copytree(EXAMPLE, own / name)
        (own / name / "permissions.json").unlink()
        workload = own / name / "workload.json"
        suffix = name.replace("_", "")
        workload.write_text(
            workload.read_text().replace('"llmprompt"', f'"{suffix}"').replace('"prompt"}', f'"{suffix}"}}')
        )
        if permissions:
            (own / name / "permissions.json").write_text(json.dumps(permissions))
        return own

    return make


def settings_with(*folders: Path) -> Settings:
    raw = settings("multi", "https://slack.com/api/", "ml-releases")
    del raw["runtime"]
    return load({**raw, "template_folders": [str(folder) for folder in folders]}, ROOT)


def told(*folders: Path) -> list[str]:
    """Path in the file, and the sentence, of each problem."""
    with pytest.raises(BadConfiguration) as refused:
        read_permissions(folders)
    return [problem.sentence.partition("permissions.json: ")[2] for problem in refused.value.problems]


def test_a_type_without_the_file_needs_nothing(types: Types) -> None:
    assert read_permissions([types()]) == TypePermissions()


def test_statements_of_all_types_come_together(types: Types) -> None:
    reads = {"Action": "sns:Publish", "Resource": TOPIC}
    one = types("one", "first_rule", service_role=[MAKES_TOPICS])
    two = types("two", "second_rule", service_role=[reads], workload_roles=[reads])

    assert read_permissions([one, two]) == TypePermissions((MAKES_TOPICS, reads), (reads,))


def test_a_type_that_takes_anothers_place_takes_its_rights_too(types: Types) -> None:
    one = types("one", "house_rule", service_role=[MAKES_TOPICS])
    two = types("two", "house_rule")

    assert read_permissions([one, two]) == TypePermissions()


def test_places_are_filled_and_iams_own_variables_stay() -> None:
    statement = {
        "Sid": "Topics",
        "Action": "sns:Publish",
        "Resource": [TOPIC],
        "Condition": {"StringEquals": {"aws:ResourceTag/owner": "${aws:PrincipalTag/owner}", "x": ["${Account}"]}},
        "x-reason": "none of a policy's business",
    }

    assert filled([statement], "aws-cn", "cn-north-1", "222222222222") == [
        {
            "Effect": "Allow",
            "Action": "sns:Publish",
            "Resource": ["arn:aws-cn:sns:cn-north-1:222222222222:mlops-pipeline-*"],
            "Condition": {
                "StringEquals": {"aws:ResourceTag/owner": "${aws:PrincipalTag/owner}", "x": ["222222222222"]}
            },
        }
    ]


def statement(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**MAKES_TOPICS, **changes}.items() if value is not None}


PASSES = {"Action": "iam:PassRole", "Resource": "arn:${Partition}:iam::${Account}:role/mlops/workload/*"}
TO_STATES = {"Condition": {"StringEquals": {"iam:PassedToService": "states.amazonaws.com"}}}

MISTAKES = [
    pytest.param({"Action": "*"}, "Action", "Name each action by its whole name", id="every action"),
    pytest.param({"Action": "sns:*"}, "Action", "Name each action by its whole name", id="every action of a service"),
    pytest.param({"Action": ["sns:Publish", "sns:Get*"]}, "Action[1]", "Name each action", id="some actions"),
    pytest.param({"Action": []}, "Action", "at least 1", id="no action"),
    pytest.param({"Action": None}, "Action", "is required but missing", id="action missing"),
    pytest.param({"Resource": None}, "Resource", "is required but missing", id="resource missing"),
    pytest.param({"Resource": "mlops-pipeline-*"}, "Resource", "Write an ARN", id="no ARN"),
    pytest.param({"Resource": "*"}, "Resource", 'say why not in "x-reason"', id="everything"),
    pytest.param({"Resource": ["arn:${Partition}:s3:::*"]}, "Resource", "everything of its kind", id="all of a kind"),
    pytest.param({"Resource": "*", "x-reason": "so"}, "x-reason", "shorter than 15", id="no reason"),
    pytest.param({"Resource": "arn:${Partiton}:sns:::t"}, "", 'Did you mean "Partition"?', id="place misspelt"),
    pytest.param({"NotAction": "sns:Publish"}, "NotAction", "no such key", id="all but an action"),
    pytest.param({"NotResource": TOPIC}, "NotResource", "no such key", id="all but a resource"),
    pytest.param({"Principal": "*"}, "Principal", "no such key", id="principal"),
    pytest.param({"Effect": "Deny"}, "Effect", 'must be "Allow"', id="deny"),
    pytest.param({"Condition": {}}, "Condition", "at least 1", id="empty condition"),
    pytest.param({"Condition": {"Bool": {}}}, "Condition.Bool", "at least 1", id="empty test"),
    pytest.param({"Action": "iam:CreateUser"}, "Action", "out of its bounds", id="a user"),
    pytest.param({"Action": "iam:PutRolePolicy"}, "Action", "out of its bounds", id="a role without its boundary"),
    pytest.param({"Action": "organizations:LeaveOrganization"}, "Action", "out of its bounds", id="the organisation"),
    pytest.param({"Action": "sts:AssumeRole"}, "Action", "out of its bounds", id="being another role"),
    pytest.param(PASSES, "Condition", '"iam:PassedToService"', id="a role to any service"),
    pytest.param(
        {**PASSES, "Condition": {"StringNotEquals": {"iam:PassedToService": "states.amazonaws.com"}}},
        "Condition",
        '"iam:PassedToService"',
        id="a role to all services but one",
    ),
    pytest.param(
        {**PASSES, "Condition": {"StringLike": {"iam:PassedToService": "*"}}},
        "Condition",
        '"iam:PassedToService"',
        id="a role to whatever service",
    ),
    pytest.param(
        {**PASSES, **TO_STATES, "Resource": ["arn:${Partition}:iam::${Account}:role/*"]},
        "Resource",
        "without the boundary of workloads",
        id="any role",
    ),
    pytest.param(
        {**PASSES, **TO_STATES, "Resource": "arn:${Partition}:iam::${Account}:role/mlops/functions/mlops-function-api"},
        "Resource",
        "without the boundary of workloads",
        id="a role of the orchestrator's",
    ),
    pytest.param(
        {"Resource": "arn:${Partition}:s3:::**"}, "Resource", "everything of its kind", id="all of a kind, twice"
    ),
    pytest.param(
        {"Action": "iam:CreateServiceLinkedRole"}, "Condition", '"iam:AWSServiceName"', id="any service's own role"
    ),
]


@pytest.mark.parametrize("of", ["service_role", "workload_roles"])
@pytest.mark.parametrize(("changes", "path", "sentence"), MISTAKES)
def test_a_mistake_is_told_with_its_place(
    types: Types, of: str, changes: Mapping[str, Any], path: str, sentence: str
) -> None:
    found = told(types(**{of: [statement(), statement(**changes)]}))

    (one,) = found
    assert one.startswith(f"$.{of}[1]{'.' if path else ''}{path}: ")
    assert sentence in one


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"Resource": "*", "Condition": {"StringEquals": {"a:b": "c"}}}, id="narrowed"),
        pytest.param({"Resource": "*", "x-reason": "SNS knows no resource for it"}, id="with a reason"),
        pytest.param({**PASSES, **TO_STATES}, id="a role to one service"),
        pytest.param({"Resource": "arn:${Partition}:s3:::docs-${*}/*"}, id="a star that is meant"),
    ],
)
def test_what_is_narrow_enough_is_taken(types: Types, changes: Mapping[str, Any]) -> None:
    assert read_permissions([types(service_role=[statement(**changes)])]).service_role == (statement(**changes),)


def test_all_mistakes_of_all_files_are_told_at_once(types: Types) -> None:
    one = types("one", "first_rule", service_role=[statement(Action="*")], workload_rules=[])
    two = types("two", "second_rule", workload_roles=[statement(Resource="*")])

    assert [sentence.partition(":")[0] for sentence in told(one, two)] == [
        "$.service_role[0].Action",
        "$.workload_rules",
        "$.workload_roles[0].Resource",
    ]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        pytest.param("{", "not valid JSON", id="no JSON"),
        pytest.param('{"service_role": [], "service_role": []}', "service_role", id="a key twice"),
        pytest.param("[]", "must be an object", id="a list"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(types: Types, body: str, sentence: str) -> None:
    folder = types(service_role=[])
    (folder / "house_rule" / "permissions.json").write_text(body)

    assert [one for one in told(folder) if sentence in one]


def test_mistakes_end_the_reading_of_the_settings(types: Types) -> None:
    with pytest.raises(BadConfiguration, match=r"house_rule/permissions\.json: \$\.service_role\[0\]\.Action"):
        settings_with(types(service_role=[statement(Action="sns:*")]))


def test_the_example_is_right() -> None:
    assert read_permissions([EXAMPLE.parent]).service_role


def stage_template(chosen: Settings, folder: Path) -> Template:
    """The stack of dev alone."""
    app = App(analytics_reporting=False, outdir=str(folder))
    dev = next(place for place in places(chosen) if place.name == "dev")
    StageStack(app, "MlopsStage-dev", settings=chosen, stage=dev)
    app.synth()
    template: Template = json.loads((folder / "MlopsStage-dev.template.json").read_text())
    return template


def test_statements_go_to_cloudformations_role_and_into_the_boundary(types: Types, tmp_path: Path) -> None:
    publishes = {"Action": "sns:Publish", "Resource": TOPIC, "x-reason": "for whoever reads it"}
    chosen = settings_with(types(service_role=[MAKES_TOPICS], workload_roles=[publishes]))

    policies = of_type(stage_template(chosen, tmp_path / "out"), "AWS::IAM::ManagedPolicy")

    (own,) = (policy for logical_id, policy in policies.items() if "OwnTypes" in logical_id)
    (boundary,) = (policy for policy in policies.values() if policy.get("ManagedPolicyName"))
    topic = "arn:aws:sns:us-east-1:222222222222:mlops-pipeline-*"
    assert own["PolicyDocument"]["Statement"] == [
        {"Action": ["sns:CreateTopic", "sns:DeleteTopic"], "Effect": "Allow", "Resource": topic}
    ]
    assert [text for text in map(str, own["Roles"]) if "CloudFormationRole" in text]
    assert {"Action": "sns:Publish", "Effect": "Allow", "Resource": topic} in boundary["PolicyDocument"]["Statement"]


def test_without_own_types_nothing_is_added(multi: Synthesised) -> None:
    assert not [name for name in of_type(multi.stage("dev"), "AWS::IAM::ManagedPolicy") if "OwnTypes" in name]


def many(count: int) -> list[dict[str, Any]]:
    """Statements of about a hundred characters, of which none can be merged with another."""
    return [
        {"Action": f"sns:Action{number:04}", "Resource": f"{TOPIC.removesuffix('*')}{number:04}-*"}
        for number in range(count)
    ]


def test_many_rights_are_spread_over_policies_and_fit_into_the_template(types: Types, tmp_path: Path) -> None:
    chosen = settings_with(types(service_role=many(90)))

    template = stage_template(chosen, tmp_path / "out")

    own = [one for name, one in of_type(template, "AWS::IAM::ManagedPolicy").items() if "OwnTypes" in name]
    sizes = [len(json.dumps(one["PolicyDocument"], separators=(",", ":"))) for one in own]
    assert len(own) == MOST_POLICIES
    assert MOST * 0.9 < sizes[0] <= MOST
    assert sum(len(one["PolicyDocument"]["Statement"]) for one in own) == 90
    assert (tmp_path / "out" / "MlopsStage-dev.template.json").stat().st_size < 51_200


@pytest.mark.parametrize(
    ("permissions", "sentence"),
    [
        pytest.param({"service_role": many(130)}, "2 policies hold 6,144 each", id="role"),
        pytest.param({"workload_roles": many(60)}, "IAM holds 6,144", id="boundary"),
        pytest.param(
            {"service_role": [{**MAKES_TOPICS, "Resource": [f"{TOPIC}{number}" for number in range(130)]}]},
            "2 policies hold 6,144 each",
            id="one statement",
        ),
    ],
)
def test_rights_that_iam_has_no_room_for_are_told(
    types: Types, tmp_path: Path, permissions: dict[str, Any], sentence: str
) -> None:
    chosen = settings_with(types(**permissions))

    with pytest.raises(BadConfiguration, match=sentence):
        stage_template(chosen, tmp_path / "out")


def code_of(found: Synthesised) -> dict[str, str]:
    functions = of_type(found.orchestrator, "AWS::Lambda::Function").values()
    return {one["FunctionName"]: one["Code"]["S3Key"] for one in functions}


def test_functions_that_read_configurations_carry_the_types(types: Types, multi: Synthesised, tmp_path: Path) -> None:
    own = code_of(synthesise(settings_with(types()), tmp_path / "out"))
    shipped = code_of(multi)

    assert {name for name, key in own.items() if key != shipped[name]} == {
        "mlops-api",
        "mlops-package",
        "mlops-receive-request",
        "mlops-slack-worker",
    }


def test_a_change_of_a_type_is_a_change_of_the_code(types: Types, tmp_path: Path) -> None:
    folder = types()
    app = App(context={"aws:cdk:bundling-stacks": []}, outdir=str(tmp_path / "out"))

    def key(name: str) -> str:
        location = function_code(["slack_app/front"], "python3.14", [folder]).bind(Stack(app, name)).s3_location
        assert location is not None
        return location.object_key

    before, again = key("Before"), key("Again")
    (folder / "notes.txt").write_text("lies beside the types")
    beside = key("Beside")
    (folder / "house_rule" / "README.md").write_text("changed")

    assert before == again == beside
    assert key("Changed") != before
