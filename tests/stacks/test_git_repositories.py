"""Repositories in the stack: which events of theirs arrive, what is read of them, and the pipelines of connections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.settings import CONNECTED_REPOSITORY, CONNECTION_ARN
from tests.events.samples import object_created, pipeline_execution_changed, repository_changed
from tests.stacks.event_matching import matches
from tests.stacks.templates import Synthesised, of_type, settings_of, statements, synthesise, text
from tests.stacks.test_event_rules import pattern

ARCHIVE = "commits/github-models/0a1b2c3d-0000-1111-2222-333344445555.zip"


@pytest.mark.parametrize(
    ("event", "arrives"),
    [
        pytest.param(repository_changed(), True, id="updated"),
        pytest.param(repository_changed(event_name="referenceCreated", oldCommitId=None), True, id="created"),
        pytest.param(repository_changed(event_name="referenceDeleted", commitId=None), False, id="deleted"),
        pytest.param(repository_changed(referenceName="feature"), False, id="another branch"),
        pytest.param(repository_changed(referenceType="tag"), False, id="a tag"),
        pytest.param(repository_changed(repository="other"), False, id="another repository"),
        pytest.param(repository_changed(account="222222222222"), False, id="of that name in another account"),
    ],
)
def test_pushes_to_the_branch_arrive(synthesised: Synthesised, event: dict[str, Any], arrives: bool) -> None:
    assert matches(pattern(synthesised.orchestrator, "A commit was pushed to main"), event) is arrives


@pytest.mark.parametrize(
    ("key", "arrives"),
    [(ARCHIVE, True), ("mlops-source-github/SourceArti/a1b2c3d", False), ("mlops-config.json", False)],
)
def test_archives_arrive_and_artifacts_do_not(synthesised: Synthesised, key: str, arrives: bool) -> None:
    rule = pattern(synthesised.orchestrator, "delivered the archive")
    assert matches(rule, object_created("assets", key, "v1")) is arrives


@pytest.mark.parametrize(
    ("pipeline", "state", "arrives"),
    [
        ("mlops-source-github-models", "FAILED", True),
        ("mlops-source-github-models", "SUCCEEDED", False),
        ("another", "FAILED", False),
    ],
)
def test_a_pipeline_that_fails_is_heard_of(synthesised: Synthesised, pipeline: str, state: str, arrives: bool) -> None:
    rule = pattern(synthesised.orchestrator, "could not fetch or deliver")
    event = pipeline_execution_changed(pipeline, "0a1b2c3d-0000-1111-2222-333344445555", state)
    assert matches(rule, event) is arrives


def test_a_repository_is_read_by_the_function_that_receives_and_by_nobody_else(synthesised: Synthesised) -> None:
    found = [
        one
        for one in statements("MlopsOrchestrator", synthesised.orchestrator)
        if any(action.startswith("codecommit:") for action in one.actions)
    ]
    (statement,) = found
    assert statement.resources == ("arn:aws:codecommit:us-east-1:111111111111:ml-models",)
    assert set(statement.actions) == {
        *("codecommit:GetBlob", "codecommit:GetBranch"),
        *("codecommit:GetCommit", "codecommit:GetDifferences"),
    }
    assert "ReceiveRequest" in statement.resource


def test_a_connection_has_a_pipeline_that_fetches_and_delivers(synthesised: Synthesised) -> None:
    ((_, pipeline),) = of_type(synthesised.orchestrator, "AWS::CodePipeline::Pipeline").items()
    source, deliver = [stage["Actions"][0] for stage in pipeline["Stages"]]
    assert pipeline["PipelineType"] == "V2"
    assert source["Configuration"] == {
        "ConnectionArn": CONNECTION_ARN,
        "FullRepositoryId": CONNECTED_REPOSITORY,
        "BranchName": "main",
        "OutputArtifactFormat": "CODE_ZIP",
        "DetectChanges": "false",
    }
    assert deliver["Configuration"]["Extract"] == "false"
    assert deliver["Configuration"]["ObjectKey"] == "commits/github-models/#{codepipeline.PipelineExecutionId}.zip"
    assert deliver["InputArtifacts"] == source["OutputArtifacts"]
    ((trigger,),) = [pipeline["Triggers"]]
    (push,) = trigger["GitConfiguration"]["Push"]
    assert push["Branches"] == {"Includes": ["main"]}
    assert push["FilePaths"] == {"Includes": ["mlops-config.json", "**/mlops-config.json"]}


def test_a_pipeline_uses_its_connection_for_its_repository_only(synthesised: Synthesised) -> None:
    (statement,) = [
        one
        for one in statements("MlopsOrchestrator", synthesised.orchestrator)
        if "codeconnections:UseConnection" in one.actions
    ]
    assert statement.resources == (CONNECTION_ARN,)
    assert statement.raw["Condition"] == {
        "ForAllValues:StringEquals": {"codeconnections:FullRepositoryId": CONNECTED_REPOSITORY}
    }


def test_without_repositories_nothing_of_it_is_made(tmp_path: Path) -> None:
    made = synthesise(settings_of("single", repositories=[]), tmp_path).orchestrator
    assert of_type(made, "AWS::CodePipeline::Pipeline") == {}
    assert not [name for name in made["Resources"] if "CommitArchives" in name or "GitRepositories" in name]
    assert "codecommit" not in text(made)


def test_with_codecommit_alone_there_is_no_bucket_for_archives(tmp_path: Path) -> None:
    made = synthesise(settings_of("single", repositories=[{"name": "a", "branch": "main"}]), tmp_path).orchestrator
    assert not [name for name in made["Resources"] if "CommitArchives" in name]
    assert [rule for rule in of_type(made, "AWS::Events::Rule").values() if "A commit was" in rule["Description"]]
