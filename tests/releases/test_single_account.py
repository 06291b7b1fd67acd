"""The same job where orchestrator and stage are one account."""

from __future__ import annotations

from local.inference import ask_endpoint, ask_model
from local.settings import ORCHESTRATOR
from local.timeline import entered_states
from local.upload import upload_example
from tests.releases.team import Team, eventually, stage


def test_the_example_is_planned_approved_deployed_and_answers(single: Team) -> None:
    upload_example(single.running, single.example)
    release_id = single.started(single.example_workload)
    asked = single.until_asked(release_id, "prod")
    assert stage(asked, "prod")["plan"]["creates_stack"]
    ended = single.follower.until_end(release_id, decide=single.approve)
    assert ended.status == "succeeded", ended.reason
    states = [name for _, name in entered_states(single.running, ended.execution_arn)]
    assert states[0] == "Package"
    assert {"Plan", "WaitForApproval", "Deploy", "Verify"} < set(states)
    assert states[-1] == "Succeeded"
    assert single.stack(ORCHESTRATOR, asked["stack_name"]) is not None
    assert ask_endpoint(single.running, ended, single.example).value == ask_model(single.example).value
    assert len(single.mails(release_id)) == 1


def test_an_object_of_stages_is_refused_with_its_place(single: Team) -> None:
    name = "staged"
    single.upload(name, single.configuration(name, inference_instance={"dev": "ml.t2.medium", "prod": "ml.m5.large"}))
    release_id = single.started(f"{name}/mlops-config.json")
    found = single.show(release_id)
    assert found["status"] == "refused"
    assert any(problem.startswith("$.inference_instance") for problem in found["problems"])
    assert "$.inference_instance" in eventually("said in Slack", lambda: single.message_with(release_id, "$."))
