"""``mlops release``, ``status`` and ``history`` against the product's own routes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.records import Release, Status
from tests.cli.conftest import Command
from tests.cli.gateway import Gateway, Received
from tests.fakes.memory_world import BEN, CHLOE, configuration
from tests.steps import journeys


def started(mlops: Command, file: Path) -> str:
    """A release, started by Ana; its id."""
    return str(mlops.json("release", str(file))["release_id"])


def test_release_starts_a_release_of_the_caller(mlops: Command, gateway: Gateway, configuration_file: Path) -> None:
    result = mlops("release", str(configuration_file))
    assert result.exit_code == 0, result.output
    (release,) = gateway.world.memory.all(Release)
    assert f"{release.release_id}: The release has started." in result.stdout
    assert f"mlops status {release.release_id}" in result.stderr
    assert gateway.world.installation.people.display(release.requester) == "Ana Silva"
    assert release.requester.verified


def test_release_sends_the_file_as_it_is(mlops: Command, gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "spaced.json"
    file.write_bytes(json.dumps(configuration(), indent=7).encode())
    assert mlops("release", str(file)).exit_code == 0
    assert gateway.received[0].body == file.read_bytes()


def test_each_release_is_a_request_of_its_own(mlops: Command, gateway: Gateway, configuration_file: Path) -> None:
    first, second = started(mlops, configuration_file), started(mlops, configuration_file)
    assert first != second
    keys = [request.headers["idempotency-key"] for request in gateway.received]
    assert len(set(keys)) == 2


def test_force_releases_what_is_live_already(mlops: Command, gateway: Gateway, configuration_file: Path) -> None:
    release_id = str(mlops.json("release", str(configuration_file), "--force")["release_id"])
    assert gateway.received[0].path.endswith("/provisionpipeline?force=true")
    assert gateway.world.of(release_id).force


def test_every_problem_of_a_refused_file_is_told_with_its_path(
    mlops: Command, gateway: Gateway, tmp_path: Path
) -> None:
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(configuration(inference_instance="large", modle_name="x")))
    result = mlops("release", str(file))
    assert result.exit_code == 1
    assert "$.inference_instance" in result.stderr
    assert "$.modle_name" in result.stderr
    assert gateway.world.memory.all(Release) == ()
    assert {problem["path"] for problem in mlops.json("release", str(file), exit_code=1)["problems"]} == {
        "$.inference_instance",
        "$.modle_name",
    }


def test_warnings_are_told_beside_the_answer(mlops: Command, tmp_path: Path) -> None:
    file = tmp_path / "warned.json"
    file.write_text(json.dumps(configuration(favourite_colour="blue")))
    result = mlops("release", str(file))
    assert result.exit_code == 0
    assert "$.favourite_colour" in result.stderr


def test_several_workloads_of_one_file_are_several_releases(mlops: Command, gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "two.json"
    file.write_text(json.dumps({"pipelines": [configuration(), configuration(pipeline_name="fraud-eu")]}))
    result = mlops("release", str(file))
    assert {line.split(":")[0] for line in result.stdout.splitlines()} == {
        release.release_id for release in gateway.world.memory.all(Release)
    }
    assert len(gateway.world.memory.all(Release)) == 2


def test_an_oversized_file_is_not_sent(mlops: Command, gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    file.write_bytes(b" " * 300_000)
    result = mlops("release", str(file))
    assert result.exit_code == 1
    assert "262,144" in result.stderr
    assert gateway.received == []


def approving(gateway: Gateway) -> None:
    """Let Ben and Chloé approve whatever waits, between two looks of the command."""

    def act(request: Received) -> None:
        for release in gateway.world.memory.all(Release):
            if release.status is Status.AWAITING_APPROVAL:
                voter = BEN if release.stage == "staging" else CHLOE
                gateway.world.vote(voter, gateway.world.approval(release.release_id, release.stage))
                gateway.machines.settle()

    gateway.after = act


def test_wait_follows_a_release_to_its_end(mlops: Command, gateway: Gateway, configuration_file: Path) -> None:
    approving(gateway)
    result = mlops("release", str(configuration_file), "--wait")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1].endswith(": succeeded")
    asked = [line for line in result.stdout.splitlines() if "awaiting approval" in line]
    assert asked == list(dict.fromkeys(asked)), "each step is said once"
    assert asked[-1].endswith("awaiting approval prod")
    assert "Plan for prod" in result.stdout


def test_wait_ends_with_1_when_the_release_did(mlops: Command, gateway: Gateway, configuration_file: Path) -> None:
    gateway.world.stacks("dev").fails_with = "the instance type is not available here"
    result = mlops("release", str(configuration_file), "--wait")
    assert result.exit_code == 1
    assert ": failed" in result.stdout
    assert "the instance type is not available here" in result.stdout


def test_wait_with_json_prints_the_ended_release_only(
    mlops: Command, gateway: Gateway, configuration_file: Path
) -> None:
    approving(gateway)
    found = mlops.json("release", str(configuration_file), "--wait")
    assert found["status"] == "succeeded"
    assert [stage["stage"] for stage in found["stages"]] == ["dev", "staging", "prod"]


def test_interrupted_waiting_leaves_the_release_alone(
    mlops: Command, gateway: Gateway, configuration_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mlops.following.sleep", interrupt)
    result = mlops("release", str(configuration_file), "--wait")
    assert result.exit_code == 130
    assert "The release goes on" in result.stderr
    assert gateway.world.memory.all(Release)[0].status is Status.AWAITING_APPROVAL


def test_status_lists_the_newest_releases(mlops: Command, configuration_file: Path) -> None:
    release_id = started(mlops, configuration_file)
    header, row = mlops("status").stdout.splitlines()
    assert header.split() == ["RELEASE", "TYPE", "STATUS", "STAGE", "ASKED", "BY", "UPDATED"]
    assert release_id in row
    assert "awaiting approval" in row
    assert "Ana Silva" in row
    assert [found["release_id"] for found in mlops.json("status")["releases"]] == [release_id]


def test_status_says_when_there_is_no_release(mlops: Command) -> None:
    assert mlops("status").stdout == "There is no release yet.\n"


def test_status_takes_a_limit(mlops: Command, gateway: Gateway, configuration_file: Path) -> None:
    for _ in range(3):
        started(mlops, configuration_file)
    assert len(mlops.json("status", "--limit", "2")["releases"]) == 2
    assert mlops("status", "--limit", "101").exit_code == 2


def test_status_shows_one_release_with_stages_plan_and_what_is_needed(
    mlops: Command, gateway: Gateway, configuration_file: Path
) -> None:
    release_id = started(mlops, configuration_file)
    shown = mlops("status", release_id).stdout
    plan = gateway.world.stage(release_id, "staging").plan
    assert plan is not None
    for expected in (
        f"{release_id}: awaiting approval (staging)",
        "Scores card payments for fraud.",
        "Asked by     Ana Silva",
        "dev: verified",
        "staging: awaiting approval",
        "+ Endpoint",
        "AWS::SageMaker::Endpoint",
        "InferenceInstance: ml.m5.large",
        plan.digest,
        "still needed: 1 × ml-owner",
    ):
        assert expected in shown
    assert mlops.json("status", release_id)["stages"][1]["plan"]["digest"] == plan.digest


def test_status_shows_the_pipeline_where_codepipeline_deploys(
    mlops: Command, gateway: Gateway, configuration_file: Path
) -> None:
    release_id = started(mlops, configuration_file)
    assert "Pipeline     " not in mlops("status", release_id).stdout
    gateway.world.store.update(
        Release,
        gateway.world.of(release_id).key(),
        lambda found: replace(found, pipeline="mlops-deploy-fraud", pipeline_execution="the-execution"),
    )
    page = "https://us-east-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/mlops-deploy-fraud/view"
    assert f"Pipeline     mlops-deploy-fraud {page}?region=us-east-1" in mlops("status", release_id).stdout
    assert mlops.json("status", release_id)["pipeline"]["execution_id"] == "the-execution"


def test_status_shows_the_figures_beside_those_of_the_live_release(
    mlops: Command, gateway: Gateway, tmp_path: Path
) -> None:
    world = gateway.world
    journeys.live(world, journeys.evaluated(world, accuracy=0.9650349))
    file = tmp_path / "mlops-config.json"
    better = configuration(metrics="fraud/evaluation.json", inference_instance="ml.m5.2xlarge")
    file.write_text(json.dumps(journeys.evaluated(world, better, accuracy=0.972028, auc=0.996226)))
    release_id = started(mlops, file)
    assert "  Metrics      accuracy 0.972 (live 0.965), auc 0.9962\n" in mlops("status", release_id).stdout
    assert mlops.json("status", release_id)["metrics"][0] == {"name": "accuracy", "value": 0.972028, "live": 0.9650349}


def test_status_shows_the_gates_of_each_stage(mlops: Command, gateway: Gateway, tmp_path: Path) -> None:
    world = gateway.world
    journeys.live(world, journeys.evaluated(world, auc=0.965))
    gates = [
        {"metric": "auc", "not_worse_than_live_by": 0.01, "on_failure": "warn"},
        {"metric": "f1", "at_least": 0.9, "stages": ["staging"]},
    ]
    file = tmp_path / "mlops-config.json"
    values = configuration(metrics="fraud/evaluation.json", gates=gates, inference_instance="ml.m5.2xlarge")
    file.write_text(json.dumps(journeys.evaluated(world, values, auc=0.91, f1=0.8)))
    release_id = str(mlops.json("release", str(file))["release_id"])
    told = "auc 0.91 (live 0.965): worse than live by 0.055, allowed is 0.01"
    shown = mlops("status", release_id).stdout
    assert "Reason       Stopped before staging by a quality gate: f1 0.8: below 0.9." in shown
    assert f"  Quality gates before dev\n    warning  {told}\n" in shown
    assert f"  Quality gates before staging\n    warning  {told}\n    failed   f1 0.8: below 0.9\n" in shown
    assert mlops.json("status", release_id)["stages"][1]["gates"][1]["status"] == "failed"


def test_status_says_nothing_of_figures_where_there_are_none(mlops: Command, configuration_file: Path) -> None:
    assert "Metrics" not in mlops("status", started(mlops, configuration_file)).stdout


def test_status_shows_every_problem_of_a_refused_upload(mlops: Command, gateway: Gateway) -> None:
    world = gateway.world
    (refused,) = world.receive(world.put_configuration({"pipeline_type": "nothing"})).releases
    shown = mlops("status", refused.release_id).stdout
    assert ": refused" in shown
    assert "problem: $.pipeline_type" in shown


def test_an_unknown_release_is_refused(mlops: Command) -> None:
    result = mlops("status", "nobody-knows-it")
    assert result.exit_code == 1
    assert "nobody-knows-it" in result.stderr


@pytest.mark.parametrize("word", ["a/b", "../x", "a b", "x" * 81, "ä"])
def test_what_cannot_be_a_release_id_is_wrong_usage(mlops: Command, gateway: Gateway, word: str) -> None:
    assert mlops("status", word).exit_code == 2
    assert gateway.received == []


def test_history_tells_who_asked_and_who_decided(mlops: Command, gateway: Gateway, configuration_file: Path) -> None:
    release_id = started(mlops, configuration_file)
    rejected = mlops("reject", release_id, "--reason", "recall too low", "--yes", person="ben")
    assert rejected.exit_code == 0, rejected.output
    shown = mlops("history", "fraud-detector-realtime").stdout
    assert f"{release_id}  rejected" in shown
    assert "asked by Ana Silva" in shown
    assert "staging rejected by Ben Okafor" in shown
    assert '"recall too low"' in shown
    (found,) = mlops.json("history", "fraud-detector-realtime")["releases"]
    assert found["stages"][1]["approval"]["votes"][0]["by"] == "Ben Okafor"


def test_history_of_an_unknown_workload_names_the_known_ones(mlops: Command, configuration_file: Path) -> None:
    started(mlops, configuration_file)
    result = mlops("history", "fraud")
    assert result.exit_code == 1
    assert "fraud-detector-realtime" in result.stderr
