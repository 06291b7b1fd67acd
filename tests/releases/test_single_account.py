"""The same job where orchestrator and stage are one account."""

from __future__ import annotations

from local.inference import ask_endpoint, ask_model
from local.settings import ORCHESTRATOR
from local.timeline import entered_states
from tests.releases.team import Team, eventually, stage


def test_the_example_is_planned_approved_deployed_and_answers(single: Team, live_single: str) -> None:
    ended = single.ended(live_single)
    found = stage(single.show(live_single), "prod")
    assert found["plan"]["creates_stack"]
    assert found["approval"]["status"] == "approved"
    states = [name for _, name in entered_states(single.running, ended.execution_arn)]
    assert states[0] == "Package"
    assert {"Plan", "WaitForApproval", "Deploy", "Verify"} < set(states)
    assert states[-1] == "Succeeded"
    assert single.stack(ORCHESTRATOR, ended.stack_name) is not None
    assert ask_endpoint(single.running, ended, single.example).value == ask_model(single.example).value
    assert len(single.mails(live_single)) == 1


def test_an_object_of_stages_is_refused_with_its_place(single: Team) -> None:
    name = "staged"
    single.upload(name, single.configuration(name, inference_instance={"dev": "ml.t2.medium", "prod": "ml.m5.large"}))
    release_id = single.started(f"{name}/mlops-config.json")
    found = single.show(release_id)
    assert found["status"] == "refused"
    assert any(problem.startswith("$.inference_instance") for problem in found["problems"])
    assert "$.inference_instance" in eventually("said in Slack", lambda: single.message_with(release_id, "$."))
