"""The REST API: routes, bodies and status codes."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml  # type: ignore[import-untyped]
from botocore.session import get_session
from botocore.validate import ParamValidator
from jsonschema import Draft202012Validator

from functions.api.routes import ROUTES
from orchestrator.core.errors import Refused, Throttled
from orchestrator.core.records import ApprovalStatus, Release, Status, TaskToken
from tests.fakes.memory_world import BEN, CHLOE, MemoryWorld, configuration
from tests.functions.conftest import SECRET_TOKEN, VALUES, Called
from tests.steps import journeys

ROOT = Path(__file__).parents[2]

SESSION = "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Engineer/"
ANA, DAVE = f"{SESSION}ana", f"{SESSION}dave"


def arn(person: Any) -> str:
    """The ARN by which API Gateway knows a person of the fakes."""
    return f"{SESSION}{person.iam_principals[0]}"


@dataclass
class Reply:
    """What the API answered."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]


@cache
def documented() -> Any:
    """The OpenAPI file."""
    return yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())


def assert_documented(method: str, resource: str, reply: Reply) -> None:
    """The answer is one that the OpenAPI file describes; an unknown route has none."""
    operation = documented()["paths"].get(resource, {}).get(method.lower())
    if operation is None:
        assert reply.status in {404, 405}
        return
    answer = operation["responses"][str(reply.status)]
    if "$ref" in answer:
        answer = documented()["components"]["responses"][answer["$ref"].rsplit("/", 1)[-1]]
    schema = answer["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": documented()["components"]}).validate(reply.body)


@dataclass
class Client:
    """Calls the function as API Gateway's proxy integration does (payload format 1.0)."""

    api: Called

    def __call__(
        self,
        method: str,
        resource: str,
        *,
        id: str = "",
        body: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        caller: str = ANA,
        encoded: bool = False,
        request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        path: str = "",
    ) -> Reply:
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        if encoded and text is not None:
            text = base64.b64encode(text.encode()).decode()
        answer = self.api(
            {
                "resource": resource,
                "path": path or resource.replace("{id}", id),
                "httpMethod": method,
                "headers": dict(headers or {}),
                "queryStringParameters": dict(query) if query else None,
                "pathParameters": {"id": id} if id else None,
                "requestContext": {
                    "requestId": request_id,
                    "identity": {"userArn": caller or None},
                    "stage": "v1",
                    "accountId": "111111111111",
                },
                "body": text,
                "isBase64Encoded": encoded,
            }
        )
        assert answer["headers"]["Content-Type"] == "application/json"
        assert answer["isBase64Encoded"] is False
        reply = Reply(answer["statusCode"], json.loads(answer["body"]), answer["headers"])
        assert_documented(method, resource, reply)
        return reply


@pytest.fixture
def api(called: Callable[[str], Called]) -> Called:
    """The function."""
    return called("api")


@pytest.fixture
def call(api: Called) -> Client:
    """A caller of the API."""
    return Client(api)


@pytest.fixture
def waiting(memory: MemoryWorld) -> Release:
    """A release that waits for the approval of staging."""
    release_id = memory.release().release_id
    memory.package(release_id)
    memory.deploy(release_id, "dev")
    memory.plan(release_id, "staging")
    memory.ask(release_id, "staging", TaskToken(SECRET_TOKEN))
    return memory.of(release_id)


# GET /releases


def test_releases_are_listed_newest_first(call: Client, memory: MemoryWorld) -> None:
    names = [memory.release(configuration(model_name=f"model-{n}")).release_id for n in range(3)]
    reply = call("GET", "/releases")
    assert reply.status == 200
    assert [one["release_id"] for one in reply.body["releases"]] == names[::-1]
    assert reply.body["releases"][0]["requester"] == "Ana Silva"
    assert reply.body["releases"][0]["status"] == "requested"


def test_no_releases_are_an_empty_list(call: Client) -> None:
    assert call("GET", "/releases").body == {"releases": []}


@pytest.mark.parametrize(("limit", "many"), [("1", 1), ("2", 2), ("100", 3)])
def test_a_limit_limits(call: Client, memory: MemoryWorld, limit: str, many: int) -> None:
    for n in range(3):
        memory.release(configuration(model_name=f"model-{n}"))
    assert len(call("GET", "/releases", query={"limit": limit}).body["releases"]) == many


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "", "1.5", "1e1", " 1"])
def test_another_limit_is_refused(call: Client, limit: str) -> None:
    reply = call("GET", "/releases", query={"limit": limit})
    assert reply.status == 400
    assert reply.body["message"] == f"limit is {limit!r}; it should be a whole number from 1 to 100"


# GET /releases/{id}


def test_a_releases_figures_are_whole_numbers_beside_those_of_the_live_release(
    call: Client, memory: MemoryWorld
) -> None:
    journeys.live(memory, journeys.evaluated(memory, accuracy=0.9650349))
    release = journeys.asked(memory, journeys.evaluated(memory, accuracy=0.9720279720279721, count=143))
    assert call("GET", "/releases/{id}", id=release.release_id).body["metrics"] == [
        {"name": "accuracy", "value": 0.9720279720279721, "live": 0.9650349},
        {"name": "count", "value": 143, "live": None},
    ]


def test_a_releases_gates_are_shown_with_their_stage(call: Client, memory: MemoryWorld) -> None:
    gates = [{"metric": "auc", "at_least": 0.95, "on_failure": "warn"}]
    values = configuration(metrics="fraud/evaluation.json", gates=gates)
    release = journeys.asked(memory, journeys.evaluated(memory, values, auc=0.91))
    stages = {stage["stage"]: stage for stage in call("GET", "/releases/{id}", id=release.release_id).body["stages"]}
    (gate,) = stages["staging"]["gates"]
    assert (gate["status"], gate["value"], gate["at_least"], gate["live"]) == ("warned", 0.91, 0.95, None)
    assert gate["told"] == "auc 0.91: below 0.95"


def test_a_release_without_figures_has_an_empty_list_of_them(call: Client, waiting: Release) -> None:
    assert call("GET", "/releases/{id}", id=waiting.release_id).body["metrics"] == []


def test_a_release_is_shown_with_its_stages_plan_and_approval(call: Client, waiting: Release) -> None:
    reply = call("GET", "/releases/{id}", id=waiting.release_id)
    assert reply.status == 200
    assert (reply.body["release_id"], reply.body["status"]) == (waiting.release_id, "awaiting_approval")
    dev, staging = reply.body["stages"]
    assert (dev["stage"], dev["status"], dev["approval"]) == ("dev", "deployed", None)
    assert dev["live_since"]
    assert staging["live_since"] == ""
    assert staging["plan"]["digest"] == staging["approval"]["digest"]
    assert staging["plan"]["access"] == []
    assert staging["approval"]["needed"] == "1 × ml-owner"
    assert SECRET_TOKEN not in json.dumps(reply.body)


@pytest.mark.parametrize("release_id", ["nobody-0123456789", "../x", "ü", "a" * 10_000])
def test_an_unknown_release_is_not_found(call: Client, release_id: str) -> None:
    reply = call("GET", "/releases/{id}", id=release_id)
    assert reply.status == 404
    assert "there is no release" in reply.body["message"]


# POST /releases/{id}/decision


def decide(call: Client, release: Release, digest: str, caller: str = arn(BEN), **body: Any) -> Reply:
    """Somebody decides; a value of None drops a member of the body."""
    whole = {"decision": "approve", "stage": "staging", "digest": digest, **body}
    sent = {name: value for name, value in whole.items() if value is not None}
    return call("POST", "/releases/{id}/decision", id=release.release_id, body=sent, caller=caller)


@pytest.fixture
def digest(memory: MemoryWorld, waiting: Release) -> str:
    """Of the plan that waits."""
    return memory.approval(waiting.release_id, "staging").digest


def test_an_approver_approves(call: Client, memory: MemoryWorld, waiting: Release, digest: str) -> None:
    reply = decide(call, waiting, digest)
    assert (reply.status, reply.body["status"], reply.body["stage"]) == (200, "approved", "staging")
    assert reply.body["release_id"] == waiting.release_id
    assert "approved for staging by Ben Okafor" in reply.body["message"]
    assert memory.fake_tasks.answers[SECRET_TOKEN] == {"decision": "approved"}
    (vote,) = memory.approval(waiting.release_id, "staging").votes
    assert (vote.person, vote.via) == ("ben@example.com", "api")


def test_the_stage_may_be_left_out_and_the_digest_cut(call: Client, waiting: Release, digest: str) -> None:
    reply = decide(call, waiting, digest[:16], stage=None)
    assert (reply.status, reply.body["status"]) == (200, "approved")


def test_an_approver_rejects_with_a_reason(call: Client, memory: MemoryWorld, waiting: Release, digest: str) -> None:
    reply = decide(call, waiting, digest, decision="reject", reason="The AUC is too low")
    assert (reply.status, reply.body["status"]) == (200, "rejected")
    assert memory.approval(waiting.release_id, "staging").votes[0].reason == "The AUC is too low"


def test_a_decision_repeated_is_answered_again(
    call: Client, memory: MemoryWorld, waiting: Release, digest: str
) -> None:
    first, second = decide(call, waiting, digest), decide(call, waiting, digest)
    assert (first.body.pop("counted"), second.body.pop("counted")) == (True, False)
    assert first == second
    assert len(memory.approval(waiting.release_id, "staging").votes) == 1


@pytest.mark.parametrize(
    ("caller", "words"),
    [(DAVE, "You are not an approver of staging."), (ANA, "You are not an approver")],
    ids=["somebody unknown", "the requester"],
)
def test_who_may_not_decide_is_told_so(
    call: Client, memory: MemoryWorld, waiting: Release, digest: str, caller: str, words: str
) -> None:
    reply = decide(call, waiting, digest, caller)
    assert reply.status == 403
    assert words in reply.body["message"]
    assert memory.approval(waiting.release_id, "staging").votes == ()


def test_the_requester_may_not_approve_an_own_release(call: Client, memory: MemoryWorld) -> None:
    answer = call("POST", "/provisionpipeline", body=configuration(), caller=arn(BEN))
    release_id = answer.body["release_id"]
    memory.package(release_id)
    memory.plan(release_id, "staging")
    memory.ask(release_id, "staging")
    reply = decide(call, memory.of(release_id), memory.approval(release_id, "staging").digest, arn(BEN))
    assert reply.status == 403
    assert "somebody else has to decide" in reply.body["message"]


def test_a_caller_without_a_name_may_do_nothing(call: Client, waiting: Release, digest: str) -> None:
    assert decide(call, waiting, digest, "").status == 403
    assert call("POST", "/provisionpipeline", body=configuration(), caller="").status == 403


def test_the_digest_of_another_plan_decides_nothing(
    call: Client, memory: MemoryWorld, waiting: Release, digest: str
) -> None:
    reply = decide(call, waiting, "0" * 64)
    assert reply.status == 409
    assert "The plan has changed since you looked" in reply.body["message"]
    assert memory.approval(waiting.release_id, "staging").status is ApprovalStatus.PENDING


def test_a_rejection_without_a_reason_is_refused(call: Client, waiting: Release, digest: str) -> None:
    reply = decide(call, waiting, digest, decision="reject")
    assert reply.status == 409
    assert "needs a reason" in reply.body["message"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"decision": "maybe"}, "$.decision is 'maybe'"),
        ({"decision": None}, "$.decision is None"),
        ({"decision": ["approve"]}, "$.decision is ['approve']"),
        ({"digest": None}, "$.digest is missing"),
        ({"digest": "abc"}, "$.digest is missing"),
        ({"digest": 7}, "$.digest is missing"),
        ({"reason": 7}, "$.reason should be text"),
        ({"stage": "qa"}, "$.stage is 'qa'; this release has the stages dev, staging, prod"),
        ({"stage": ["prod"]}, "$.stage is ['prod']"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_decision_of_another_shape_is_refused_with_the_place(
    call: Client, waiting: Release, digest: str, change: dict[str, Any], words: str
) -> None:
    reply = decide(call, waiting, digest, **change) if "digest" not in change else decide(call, waiting, **change)
    assert reply.status == 400
    assert words in reply.body["message"]


def test_a_release_that_waits_for_nothing_has_nothing_to_decide(call: Client, memory: MemoryWorld) -> None:
    release = memory.release()
    reply = decide(call, release, "0" * 64, stage=None)
    assert reply.status == 409
    assert "waits for no decision" in reply.body["message"]


def test_an_unknown_release_has_nothing_to_decide(call: Client) -> None:
    body = {"decision": "approve", "digest": "0" * 64}
    assert call("POST", "/releases/{id}/decision", id="nobody", body=body).status == 404


# POST /provisionpipeline


def test_a_pipeline_is_provisioned_with_the_old_products_answer(call: Client, memory: MemoryWorld) -> None:
    reply = call("POST", "/provisionpipeline", body=configuration())
    assert reply.status == 200
    assert reply.body["message"] == "The release has started."
    release = memory.of(reply.body["release_id"])
    assert reply.body["pipeline_id"] == (
        "arn:aws:cloudformation:us-east-1:444444444444:stack/"
        f"mlops-pipeline-fraud-detector-byompipelinerealtimebuiltin/{release.release_id}"
    )
    assert (release.requester.value, release.requester.verified) == (ANA, True)
    assert release.release_id in memory.fake_tasks.started


def test_a_body_in_base64_is_the_same_body(call: Client, memory: MemoryWorld) -> None:
    reply = call("POST", "/provisionpipeline", body=configuration(description="für alle"), encoded=True)
    assert memory.of(reply.body["release_id"]).description == "für alle"


@pytest.mark.parametrize("header", ["Idempotency-Key", "idempotency-key"])
def test_a_request_repeated_with_its_key_is_one_release(call: Client, memory: MemoryWorld, header: str) -> None:
    replies = [
        call("POST", "/provisionpipeline", body=configuration(), headers={header: "key-1"}, request_id=f"request-{n}")
        for n in range(3)
    ]
    assert len({reply.body["release_id"] for reply in replies}) == 1
    assert [reply.status for reply in replies] == [200] * 3
    assert replies[2].body["message"] == "This request has been taken before."
    assert len(memory.memory.all(Release)) == 1


def test_a_request_without_a_key_is_a_new_release(call: Client) -> None:
    ids = {
        call("POST", "/provisionpipeline", body=configuration(), request_id=f"r{n}").body["release_id"] for n in "12"
    }
    assert len(ids) == 2


def test_a_key_that_is_too_long_is_refused(call: Client) -> None:
    reply = call("POST", "/provisionpipeline", body=configuration(), headers={"Idempotency-Key": "k" * 129})
    assert (reply.status, "129 characters" in reply.body["message"]) == (400, True)


@pytest.mark.parametrize(("query", "force"), [({"force": "true"}, True), ({"force": "false"}, False), (None, False)])
def test_a_release_may_be_forced(call: Client, memory: MemoryWorld, query: dict[str, str] | None, force: bool) -> None:
    reply = call("POST", "/provisionpipeline", body=configuration(), query=query)
    assert memory.of(reply.body["release_id"]).force is force


def test_what_cannot_be_understood_of_force_is_refused(call: Client, memory: MemoryWorld) -> None:
    reply = call("POST", "/provisionpipeline", body=configuration(), query={"force": "1"})
    assert (reply.status, reply.body["message"]) == (400, "force is '1'; it should be 'true' or 'false'")
    assert memory.memory.rows == {}


def test_several_workloads_in_one_body_are_several_releases(call: Client, memory: MemoryWorld) -> None:
    both = {"pipelines": [configuration(), configuration(model_name="churn")]}
    reply = call("POST", "/provisionpipeline", body=both)
    assert reply.body["release_ids"][0] == reply.body["release_id"]
    assert len(reply.body["release_ids"]) == len(memory.memory.all(Release)) == 2


def test_every_problem_is_told_with_its_path_and_nothing_is_started(call: Client, memory: MemoryWorld) -> None:
    bad = configuration(inference_instance="huge", model_nam="x", data_capture_location=None)
    reply = call("POST", "/provisionpipeline", body=bad)
    assert reply.status == 400
    paths = {problem["path"] for problem in reply.body["problems"]}
    assert {"$.inference_instance", "$.model_nam", "$.data_capture_location"} <= paths
    assert all({"path", "what", "fix", "severity"} == set(problem) for problem in reply.body["problems"])
    assert memory.memory.rows == {}
    assert memory.fake_tasks.started == {}


def test_more_problems_than_an_answer_holds_are_counted(call: Client) -> None:
    """Lambda's answer may have 6 MB; this body would make ten."""
    hostile = configuration(vpc={"subnets": ["x"] * 40_000, "security_groups": ["sg-0123456789abcdef0"]})
    reply = call("POST", "/provisionpipeline", body=hostile)
    assert reply.status == 400
    assert len(reply.body["problems"]) == 500
    assert re.search(r"… and 39,\d{3} more$", reply.body["message"])
    assert len(json.dumps(reply.body)) < 1_000_000


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "empty"),
        (None, "empty"),
        ("{", "not valid JSON"),
        ("[]", "$"),
        ("null", "$"),
        ('{"a": 1, "a": 2}', "appears twice"),
        ('{"a": NaN}', "NaN"),
        ("[" * 100_000, "levels of nesting"),
        ('{"model_name": "\ud800"}', "UTF-8"),
    ],
    ids=["empty", "none", "cut", "list", "null", "twice", "NaN", "deep", "surrogate"],
)
def test_a_body_that_is_no_configuration_is_refused(
    call: Client, memory: MemoryWorld, body: str | None, words: str
) -> None:
    reply = call("POST", "/provisionpipeline", body=body)
    assert reply.status == 400
    assert words in reply.body["message"]
    assert memory.memory.rows == {}


@pytest.mark.parametrize(
    "resource", ["/provisionpipeline", "/pipelinestatus", "/releases/{id}/decision"], ids=lambda route: route[1:]
)
def test_a_body_over_the_limit_is_refused_as_such(call: Client, memory: MemoryWorld, resource: str) -> None:
    reply = call("POST", resource, body="x" * 262_145, id="x")
    assert (reply.status, reply.body["message"]) == (413, "the body has 262145 bytes; at most 262144 are taken")
    assert memory.memory.rows == {}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_is_json_whatever_its_content_type_says(call: Client, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    assert call("POST", "/provisionpipeline", body=configuration(), headers=headers).status == 200


def test_what_a_body_names_and_is_not_there_is_told_and_nothing_is_claimed(call: Client, memory: MemoryWorld) -> None:
    body = configuration(model_artifact_location="no/model.tar.gz", verify={"sample": "no/sample.csv"})
    reply = call("POST", "/provisionpipeline", body=body)
    assert reply.status == 400
    assert {problem["path"] for problem in reply.body["problems"]} == {"$.model_artifact_location", "$.verify.sample"}
    assert memory.memory.rows == {}
    assert memory.fake_tasks.started == {}


def test_a_body_that_is_no_base64_is_refused(api: Called) -> None:
    event = {
        "resource": "/provisionpipeline",
        "httpMethod": "POST",
        "requestContext": {"requestId": "r", "identity": {"userArn": ANA}},
        "body": "é" * 5,
        "isBase64Encoded": True,
    }
    answer = api(event)
    assert (answer["statusCode"], json.loads(answer["body"])) == (400, {"message": "the body is not valid base64"})


# POST /pipelinestatus


def states(call: Client, pipeline_id: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Name and status of each stage, with name and status of each of its actions."""
    reply = call("POST", "/pipelinestatus", body={"pipeline_id": pipeline_id})
    assert reply.status == 200

    def status(of: dict[str, Any]) -> str:
        return str(of.get("latestExecution", {}).get("status", ""))

    return [
        (one["stageName"], status(one), [(action["actionName"], status(action)) for action in one["actionStates"]])
        for one in reply.body["stageStates"]
    ]


def test_a_pipelines_state_is_told_in_codepipelines_words(call: Client, memory: MemoryWorld) -> None:
    answer = call("POST", "/provisionpipeline", body=configuration()).body
    pipeline_id, release_id = answer["pipeline_id"], answer["release_id"]
    ahead = [(f"Deploy{stage}", "", [("Deploy", "")]) for stage in ("Dev", "Staging", "Prod")]
    assert states(call, pipeline_id) == [("Source", "InProgress", [("Source", "InProgress")]), *ahead]

    memory.package(release_id)
    memory.deploy(release_id, "dev")
    memory.verify(release_id, "dev")
    memory.plan(release_id, "staging")
    memory.ask(release_id, "staging")
    before = [("Source", "Succeeded", [("Source", "Succeeded")]), ("DeployDev", "Succeeded", [("Deploy", "Succeeded")])]
    waiting = ("DeployStaging", "InProgress", [("Approve", "InProgress")])
    assert states(call, pipeline_id) == [*before, waiting, ahead[2]]

    memory.vote(BEN, memory.approval(release_id, "staging"))
    memory.deploy(release_id, "staging")
    deployed = ("DeployStaging", "InProgress", [("Approve", "Succeeded"), ("Deploy", "InProgress")])
    assert states(call, pipeline_id) == [*before, deployed, ahead[2]]


@pytest.mark.parametrize(
    ("outcome", "stage", "approval"),
    [(Status.REJECTED, "Failed", "Abandoned"), (Status.EXPIRED, "Stopped", "Abandoned")],
)
def test_a_stage_that_was_not_deployed_says_how_it_ended(
    call: Client, memory: MemoryWorld, waiting: Release, outcome: Status, stage: str, approval: str
) -> None:
    memory.end(waiting.release_id, outcome)
    pipeline_id = f"arn:aws:cloudformation:us-east-1:4:stack/{waiting.stack_name}/{waiting.release_id}"
    assert states(call, pipeline_id)[2] == ("DeployStaging", stage, [("Approve", approval)])


def test_a_pipelines_state_has_the_shape_that_the_sdk_knows(call: Client, waiting: Release) -> None:
    pipeline_id = f"arn:aws:cloudformation:us-east-1:4:stack/{waiting.stack_name}/{waiting.release_id}"
    body = call("POST", "/pipelinestatus", body={"pipeline_id": pipeline_id}).body
    operation = get_session().get_service_model("codepipeline").operation_model("GetPipelineState")
    assert operation.output_shape is not None
    report = ParamValidator().validate(body, operation.output_shape)
    assert report.generate_report() == ""
    assert body["pipelineName"] == waiting.stack_name


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"pipeline_id": 7}, 400),
        ({"pipeline_id": "my-pipeline"}, 400),
        ([], 400),
        ({"pipeline_id": "arn:aws:cloudformation:us-east-1:4:stack/x/nobody"}, 404),
        ({"pipeline_id": f"arn:aws:cloudformation:us-east-1:4:stack/x/{'a' * 3000}"}, 404),
    ],
    ids=["nothing", "a number", "no ARN", "a list", "unknown", "longer than a key can be"],
)
def test_a_pipeline_that_is_not_known_has_no_state(call: Client, body: Any, status: int) -> None:
    assert call("POST", "/pipelinestatus", body=body).status == status


# The installation itself.

FINDING = {"check": "stage", "state": "fault", "what": "the roles are not there", "fix": "Deploy it.", "about": "dev"}


def test_what_is_found_in_the_installation(api: Called, call: Client) -> None:
    api.world.found = [FINDING]
    reply = call("GET", "/doctor")
    assert reply.status == 200
    assert reply.body["findings"] == [FINDING]
    assert (reply.body["mode"], reply.body["account"], reply.body["caller"]) == ("multi", "111111111111", ANA)
    assert api.world.examined == ["mlops-examine"]


@pytest.mark.parametrize(
    ("error", "status"),
    [(Refused("the examination itself has failed (KeyError)"), 409), (Throttled("lambda is busy"), 503)],
)
def test_an_examination_that_fails_is_told_in_words(api: Called, call: Client, error: Exception, status: int) -> None:
    api.world.found = error
    reply = call("GET", "/doctor")
    assert (reply.status, str(error) in reply.body["message"]) == (status, True)


def test_who_is_nobody_examines_nothing(api: Called, call: Client) -> None:
    assert call("GET", "/doctor", caller="").status == 403


def test_the_manifest_has_the_installations_own_url(call: Client) -> None:
    reply = call("GET", "/slack-manifest")
    url = VALUES["slack_request_url"]
    assert (reply.status, reply.body["request_url"]) == (200, url)
    parsed = yaml.safe_load(reply.body["manifest"])
    assert parsed["settings"]["interactivity"]["request_url"] == url
    (inside,) = parse_qs(urlsplit(reply.body["link"]).query)["manifest_yaml"]
    assert yaml.safe_load(inside) == parsed


def test_the_manifest_for_development_has_none(call: Client) -> None:
    reply = call("GET", "/slack-manifest", query={"socket_mode": "true"})
    parsed = yaml.safe_load(reply.body["manifest"])
    assert parsed["settings"]["socket_mode_enabled"] is True
    assert VALUES["slack_request_url"] not in json.dumps(reply.body)
    (inside,) = parse_qs(urlsplit(reply.body["link"]).query)["manifest_yaml"]
    assert yaml.safe_load(inside) == parsed
    assert call("GET", "/slack-manifest", query={"socket_mode": "1"}).status == 400


# The documentation.


def test_the_openapi_file_describes_the_routes_of_the_function() -> None:
    described = {(method.upper(), path) for path, operations in documented()["paths"].items() for method in operations}
    assert described == set(ROUTES)


def test_every_route_of_the_openapi_file_is_answered(call: Client) -> None:
    for path, operations in documented()["paths"].items():
        for method in operations:
            answered = call(method.upper(), path, id="x").body.get("message", "")
            assert answered != f"there is no {method.upper()} {path}"


# Everything else.


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("DELETE", "/releases", 405, "GET"),
        ("HEAD", "/releases", 405, "GET"),
        ("GET", "/provisionpipeline", 405, "POST"),
        ("GET", "/releases/fraud-0001/decision", 405, "POST"),
        ("PATCH", "/workloads/fraud", 405, "DELETE"),
        ("GET", "/admin", 404, None),
        ("GET", "/releases/a/b/c", 404, None),
        ("GET", "/", 404, None),
    ],
)
def test_what_has_no_route_is_told_so_in_json(
    call: Client, method: str, path: str, status: int, allow: str | None
) -> None:
    reply = call(method, "/{proxy+}", path=path)
    assert (reply.status, reply.headers.get("Allow")) == (status, allow)
    assert path in reply.body["message"]


def test_an_event_that_is_no_request_is_not_found(api: Called) -> None:
    assert api({})["statusCode"] == 404


def test_aws_out_of_breath_is_told_as_such_and_worth_another_call(
    call: Client, memory: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(*_: Any, **__: Any) -> Any:
        raise Throttled("dynamodb asked for a slower pace")

    monkeypatch.setattr(memory.memory, "listed", throttled)
    reply = call("GET", "/releases")
    assert (reply.status, reply.headers["Retry-After"]) == (503, "5")
    assert "Try again in a moment" in reply.body["message"]


def test_the_log_line_tells_the_status(call: Client, api: Called) -> None:
    call("GET", "/releases/{id}", id="nobody")
    assert api.last["statusCode"] == 404


def test_a_decision_that_comes_too_late_counts_for_nothing(
    call: Client, memory: MemoryWorld, waiting: Release, digest: str
) -> None:
    memory.end(waiting.release_id, Status.EXPIRED)
    reply = decide(call, waiting, digest, arn(CHLOE))
    assert (reply.status, reply.body["status"], reply.body["counted"]) == (200, "expired", False)
    assert "has expired" in reply.body["message"]
