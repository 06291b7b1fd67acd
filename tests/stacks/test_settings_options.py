"""The launch options in the settings: every mistake is told, the example files are right, folders are looked into."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.installation import ApprovalPolicy, Installation
from orchestrator.core.problems import BadConfiguration
from stacks.cautions import cautions
from stacks.settings import load, parse
from stacks.settings_options import EcrRepository, Options, StackSets
from tests.stacks.templates import ROOT
from tests.stacks.test_settings import EXAMPLES, given, problems

KEY = "arn:aws:kms:us-east-1:111111111111:key/1a2b3c4d-0000-1111-2222-333344445555"
UNITS = {"stages__2__organizational_units": ["ou-a1b2-c3d4e5f6"]}
SETS = {"administration": "delegated", "account": "666666666666"}

MISTAKES = [
    pytest.param({"existing_assets_bucket": "s3://mine"}, "$.existing_assets_bucket", "name alone", id="bucket's URI"),
    pytest.param({"existing_assets_bucket": "mine/models"}, "$.existing_assets_bucket", "without a key", id="prefix"),
    pytest.param({"existing_assets_bucket": "My_Bucket"}, "$.existing_assets_bucket", "name alone", id="bucket's name"),
    pytest.param({"existing_assets_bucket": "192.168.1.1"}, "$.existing_assets_bucket", "name", id="bucket an address"),
    pytest.param({"existing_assets_bucket": True}, "$.existing_assets_bucket", "is true", id="bucket a flag"),
    pytest.param(
        {"existing_assets_bucket_key": KEY}, "$.existing_assets_bucket_key", "names no bucket", id="key without bucket"
    ),
    pytest.param(
        {"existing_assets_bucket": "mine", "existing_assets_bucket_key": "alias/mine"},
        "$.existing_assets_bucket_key",
        "whole ARN",
        id="key's alias",
    ),
    pytest.param(
        {"existing_assets_bucket": "mine", "existing_assets_bucket_key": KEY.replace("us-east-1", "eu-west-1")},
        "$.existing_assets_bucket_key",
        "own region only, which is us-east-1",
        id="key of another region",
    ),
    pytest.param({"ecr_repository": "ml-images"}, "$.ecr_repository", "Write an object", id="repository a text"),
    pytest.param({"ecr_repository": {}}, "$.ecr_repository.name", "is missing", id="repository without name"),
    pytest.param(
        {"ecr_repository": {"name": "ML/Images"}}, "$.ecr_repository.name", "lower case", id="repository's name"
    ),
    pytest.param(
        {"ecr_repository": {"name": "ml-images", "existing": "yes"}},
        "$.ecr_repository.existing",
        "true or false",
        id="existing a text",
    ),
    pytest.param(
        {"ecr_repository": {"name": "ml-images", "exsting": True}},
        "$.ecr_repository.exsting",
        'Did you mean "existing"?',
        id="repository's key",
    ),
    pytest.param(
        {"model_package_group": "fraud"}, "$.model_package_group", "Set model_registry to true", id="registry is off"
    ),
    pytest.param(
        {
            "model_registry": True,
            "model_package_group": "arn:aws:sagemaker:us-east-1:111111111111:model-package-group/fraud",
        },
        "$.model_package_group",
        "not its ARN",
        id="group's ARN",
    ),
    pytest.param(
        {"evaluation_buckets": ["sagemaker-eu"]},
        "$.evaluation_buckets",
        "Set model_registry",
        id="buckets, no registry",
    ),
    pytest.param(
        {"model_registry": True, "evaluation_buckets": ["s3://sagemaker-eu"]},
        "$.evaluation_buckets[0]",
        "without s3://",
        id="bucket's URI",
    ),
    pytest.param(
        {"model_registry": True, "evaluation_buckets": "sagemaker-eu"},
        "$.evaluation_buckets",
        "Write a list",
        id="one bucket",
    ),
    pytest.param(
        {"model_registry": True, "evaluation_buckets": ["sagemaker-eu", "sagemaker-eu"]},
        "$.evaluation_buckets",
        "sagemaker-eu twice",
        id="bucket twice",
    ),
    pytest.param(
        {"detailed_error_messages": "No"}, "$.detailed_error_messages", "true or false", id="text for detailed errors"
    ),
    pytest.param(
        {"stages__0__organizational_units": "ou-a1b2-c3d4e5f6", "stack_sets": SETS},
        "$.stages[0].organizational_units",
        "Write a list",
        id="units a text",
    ),
    pytest.param(
        {"stages__0__organizational_units": ["dev"], "stack_sets": SETS},
        "$.stages[0].organizational_units[0]",
        "such as ou-a1b2-c3d4e5f6",
        id="unit's name",
    ),
    pytest.param(
        {"stages__0__organizational_units": ["r-a1b2", "r-a1b2"], "stack_sets": SETS},
        "$.stages[0].organizational_units",
        "2 times",
        id="unit twice",
    ),
    pytest.param(UNITS, "$.stack_sets", "though prod has organizational_units", id="units without stack sets"),
    pytest.param(
        {"stack_sets": SETS}, "$.stack_sets", "no stage has organizational_units", id="stack sets without units"
    ),
    pytest.param(
        {**UNITS, "stack_sets": {**SETS, "administration": "managment"}},
        "$.stack_sets.administration",
        'Did you mean "management"?',
        id="administration misspelt",
    ),
    pytest.param(
        {**UNITS, "stack_sets": {"account": "666666666666"}},
        "$.stack_sets.administration",
        "is missing",
        id="no administration",
    ),
    pytest.param(
        {**UNITS, "stack_sets": {"administration": "delegated"}},
        "$.stack_sets.account",
        "is missing",
        id="no account that administers",
    ),
    pytest.param(
        {**UNITS, "stack_sets": {"administration": "management", "account": "444444444444"}},
        "$.stages[2].organizational_units",
        "never deploys there",
        id="a stage in the management account",
    ),
    pytest.param(
        {**UNITS, "stack_sets": {**SETS, "account": 555555555555}}, "$.stack_sets.account", "in quotes", id="number"
    ),
    pytest.param(
        {**UNITS, "stack_sets": {**SETS, "auto": True}}, "$.stack_sets.auto", "is no setting", id="stack sets' key"
    ),
    pytest.param({"template_folders": "own"}, "$.template_folders", "Write a list", id="folders a text"),
    pytest.param({"template_folders": ["nowhere"]}, "$.template_folders[0]", "does not exist", id="no folder"),
    pytest.param({"template_folders": ["app.py"]}, "$.template_folders[0]", "is no folder", id="a file"),
    pytest.param({"template_folders": ["docs"]}, "$.template_folders[0]", "no workload type", id="no types"),
    pytest.param(
        {"template_folders": ["templates/byom_realtime_builtin"]},
        "$.template_folders[0]",
        "folder above",
        id="a type's own folder",
    ),
    pytest.param({"template_folders": ["templates"]}, "$.template_folders[0]", "taken already", id="shipped types"),
    pytest.param(
        {"approvals__orchestrator": {"any_of": [{"rsik": 1}]}},
        "$.approvals.orchestrator.any_of[0].rsik",
        '"risk"',
        id="role misspelt",
    ),
    pytest.param(
        {"approvals__orchestrater": None}, "$.approvals.orchestrater", 'Did you mean "orchestrator"?', id="own stage"
    ),
]


@pytest.mark.parametrize(("changes", "path", "told"), MISTAKES)
def test_a_mistake_is_told_once_with_its_path_and_what_would_be_right(
    changes: dict[str, Any], path: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)

    (found,) = problems(given(**changes))

    assert found[0] == path
    assert told in found[1]


def test_in_one_account_there_is_no_approval_beside_the_stages() -> None:
    raw = given("single", approvals__orchestrator=None)

    assert problems(raw) == [
        (
            "$.approvals.orchestrator",
            "is for several accounts; in one account everything runs in its only stage. Remove it.",
        )
    ]


def test_what_runs_in_the_orchestrators_account_may_ask_too() -> None:
    policy = {"any_of": [{"ml-owner": 1}], "expires_after_hours": 8}
    found = parse(given(approvals__orchestrator=policy)).installation

    assert found.orchestrator_approval == ApprovalPolicy((((("ml-owner", 1)),),), 8)
    assert Installation.from_json(found.to_json()) == found
    assert parse(given()).installation.orchestrator_approval is None


def test_nothing_is_brought_along_unless_it_is_said() -> None:
    found = parse(given())

    assert found.options == Options()
    assert found.installation.detailed_errors


def test_the_options_as_they_are_read() -> None:
    found = parse(
        given(
            existing_assets_bucket="my.bucket-1",
            existing_assets_bucket_key=KEY,
            ecr_repository={"name": "team/ml_images", "existing": True},
            model_registry=True,
            model_package_group="fraud-models",
            evaluation_buckets=["sagemaker-us-east-1-111111111111"],
            detailed_error_messages=False,
            stack_sets=SETS,
            **UNITS,
        )
    )

    assert found.options == Options(
        existing_assets_bucket="my.bucket-1",
        existing_assets_bucket_key=KEY,
        ecr_repository=EcrRepository("team/ml_images", existing=True),
        model_package_group="fraud-models",
        evaluation_buckets=("sagemaker-us-east-1-111111111111",),
        stack_sets=StackSets("delegated", "666666666666", False, {"prod": ("ou-a1b2-c3d4e5f6",)}),
    )
    assert not found.installation.detailed_errors
    assert [found.options.rolled_out(stage) for stage in ("dev", "staging", "prod")] == [False, False, True]


def test_the_management_account_is_named_where_it_acts() -> None:
    sets = {"administration": "management", "account": "555555555555"}

    found = parse(given(stack_sets=sets, **UNITS)).options.stack_sets

    assert found is not None
    assert (found.account, found.delegated) == ("555555555555", False)


def own_type(folder: Path, name: str = "own_type") -> Path:
    """A type of an organisation's own, made of a shipped one; the folder it is in."""
    shutil.copytree(ROOT / "templates" / "byom_realtime_builtin", folder / "types" / name)
    file = folder / "types" / name / "workload.json"
    raw = json.loads(file.read_text())
    raw["stack_name"] = {**raw["stack_name"], "suffix": "owntype", "workload_suffix": "own-type"}
    file.write_text(json.dumps(raw))
    return folder / "types"


def test_folders_of_types_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    own_type(tmp_path)
    (tmp_path / "installation").mkdir()
    file = tmp_path / "installation" / "settings.json"
    file.write_text(json.dumps(given(template_folders=["../types"])))

    assert load(str(file), ROOT).template_folders == ((tmp_path / "types").resolve(),)


def test_what_is_wrong_in_a_type_is_told_with_its_file(tmp_path: Path) -> None:
    types = own_type(tmp_path)
    (types / "own_type" / "template.yaml").unlink()

    with pytest.raises(BadConfiguration) as caught:
        parse(given(template_folders=["types"]), tmp_path)

    (problem,) = caught.value.problems
    assert problem.path == "$.template_folders"
    assert "own_type/template.yaml" in problem.what


def test_a_folder_is_named_once(tmp_path: Path) -> None:
    own_type(tmp_path)

    with pytest.raises(BadConfiguration, match=r"template_folders\[1\].*taken already"):
        parse(given(template_folders=["types", "./types"]), tmp_path)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_an_example_is_right(path: Path) -> None:
    found = load(str(path), ROOT)

    assert cautions(found.installation) == []
    assert Installation.from_json(found.installation.to_json()) == found.installation


def test_installing_shows_the_example_file() -> None:
    shown = (ROOT / "docs" / "installing.md").read_text().split("```json\n", 1)[1].split("```", 1)[0]

    assert shown == (EXAMPLES / "multi.json").read_text()


def test_there_is_an_example_of_each_kind_of_installation() -> None:
    found = {path.stem: load(str(path), ROOT) for path in EXAMPLES.glob("*.json")}

    assert set(found) == {"single", "multi", "multi-organization"}
    assert {name: settings.installation.mode for name, settings in found.items()} == {
        "single": "single",
        "multi": "multi",
        "multi-organization": "multi",
    }
    assert {name for name, settings in found.items() if settings.options.stack_sets} == {"multi-organization"}
