"""Model cards by the API and by upload: answered with JSON, told as a release is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.errors import AccessDenied, CallRefused, Throttled
from orchestrator.core.messages.facts import Facts
from orchestrator.core.messages.mail import end_letter
from orchestrator.core.messages.release_message import release_message
from orchestrator.core.records import Release, Status
from tests.fakes.memory_world import ASSETS, BEN, MemoryWorld
from tests.functions.conftest import Called
from tests.functions.test_api import Client

CARD = {
    "pipeline_type": "create_model_card",
    "name": "Fraud-Detector",
    "intended_uses": {"purpose_of_model": "Scores card payments.", "risk_rating": "High"},
}
NAMED = {"name": "Fraud-Detector"}


def facts(release: Release, memory: MemoryWorld) -> Facts:
    return Facts(release, memory.installation, {}, {})


@pytest.fixture
def client(called: Callable[[str], Called]) -> Client:
    """A caller of the API."""
    return Client(called("api"))


# By the API.


def test_a_card_is_created_described_and_deleted(client: Client, memory: MemoryWorld) -> None:
    created = client("POST", "/provisionpipeline", body=CARD)
    assert created.status == 200
    assert created.body["message"]["ModelCardStatus"] == "Draft"
    assert memory.cards.content("Fraud-Detector")["intended_uses"] == CARD["intended_uses"]
    assert memory.memory.all(Release) == (), "nothing is released"
    described = client("POST", "/provisionpipeline", body={"pipeline_type": "describe_model_card", **NAMED})
    assert json.loads(described.body["message"]["Content"]) == {"intended_uses": CARD["intended_uses"]}
    deleted = client("POST", "/provisionpipeline", body={"pipeline_type": "delete_model_card", **NAMED})
    assert deleted.body == {"message": "Model card with the name: Fraud-Detector has been deleted"}


def test_warnings_are_told(client: Client) -> None:
    answer = client("POST", "/provisionpipeline", body={**CARD, "colour": "blue"})
    assert answer.body["warnings"] == ["$.colour: is not a known key and is ignored."]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"pipeline_type": "create_model_card"}, 400, "$.name: is required but missing"),
        ({"pipeline_type": "describe_model_card", "name": "gone"}, 404, 'no model card "gone"'),
        ({"pipeline_type": "describe_model_card", "name": "gone", "version": 3}, 404, "version 3"),
        ({"pipelines": [CARD]}, 400, "is a model-card operation"),
    ],
)
def test_what_is_wrong_has_its_status(client: Client, body: Any, status: int, words: str) -> None:
    answer = client("POST", "/provisionpipeline", body=body)
    assert answer.status == status
    assert words in answer.body["message"]


def test_another_card_of_the_name_is_a_conflict(client: Client) -> None:
    client("POST", "/provisionpipeline", body=CARD)
    answer = client("POST", "/provisionpipeline", body={**CARD, "status": "Approved"})
    assert answer.status == 409
    assert "update_model_card" in answer.body["message"]


def test_what_sagemaker_refuses_is_told(client: Client, memory: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bool:
        raise CallRefused("sagemaker refused CreateModelCard: the limit of cards is reached")

    monkeypatch.setattr(memory.cards, "create", refuse)
    answer = client("POST", "/provisionpipeline", body=CARD)
    assert answer.status == 409
    assert "the limit of cards" in answer.body["message"]


def test_an_installation_that_keeps_awss_words_keeps_them_here_too(
    called: Callable[[str], Called], memory: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bool:
        raise CallRefused("sagemaker refused CreateModelCard: role/secret-role in 111111111111")

    monkeypatch.setattr(memory.cards, "create", refuse)
    memory.installation = replace(memory.installation, detailed_errors=False)
    api = called("api")
    answer = Client(api)("POST", "/provisionpipeline", body=CARD)
    assert answer.status == 409
    assert "secret-role" not in json.dumps(answer.body)
    assert "log of the API" in answer.body["message"]
    assert "secret-role" in json.dumps(api.logged)


# By upload.


def test_an_uploaded_operation_is_done_once_and_its_answer_kept(client: Client, memory: MemoryWorld) -> None:
    upload = memory.put_configuration(CARD, "cards/mlops-config.json", {"requester": BEN.email})
    first = memory.receive(upload)
    assert memory.receive(upload).duplicate
    assert len(memory.cards.versions["Fraud-Detector"]) == 1
    (release,) = memory.memory.all(Release)
    assert (release.status, release.workload, release.workload_type) == (
        Status.SUCCEEDED,
        "Fraud-Detector",
        "create_model_card",
    )
    assert first.releases == (release,)
    shown = client("GET", "/releases/{id}", id=release.release_id)
    assert shown.body["answer"]["message"]["ModelCardName"] == "Fraud-Detector"
    text = json.dumps(release_message(facts(release, memory)).blocks)
    assert "Model card Fraud-Detector was created" in text
    assert "version 1, Draft" in text
    letter = end_letter(facts(release, memory))
    assert letter.subject == "[succeeded] Fraud-Detector"
    assert "The model card Fraud-Detector was created." in letter.text


def test_a_delivery_that_died_before_its_record_is_done_again(memory: MemoryWorld) -> None:
    upload = memory.put_configuration(CARD, "cards/mlops-config.json")
    (release,) = memory.receive(upload).releases
    del memory.memory.rows[release.key()]
    (again,) = memory.receive(upload).releases
    assert (again.release_id, again.status) == (release.release_id, Status.SUCCEEDED)
    assert len(memory.cards.versions["Fraud-Detector"]) == 1


def test_an_older_version_of_a_file_that_arrives_late_undoes_nothing(memory: MemoryWorld) -> None:
    memory.receive(memory.put_configuration(CARD, "cards/mlops-config.json"))
    change = {"pipeline_type": "update_model_card", **NAMED}
    older = memory.put_configuration({**change, "status": "PendingReview"}, "cards/mlops-config.json")
    newer = memory.put_configuration({**change, "status": "Approved"}, "cards/mlops-config.json")
    assert memory.receive(newer).releases[0].status is Status.SUCCEEDED
    (late,) = memory.receive(older).releases
    assert late.status is Status.SUPERSEDED
    assert memory.cards.versions["Fraud-Detector"][-1][1] == "Approved"
    text = json.dumps(release_message(facts(late, memory)).blocks)
    assert "Model card Fraud-Detector was not updated" in text
    assert "A newer version of the file" in text


@pytest.mark.parametrize("operation", ["delete_model_card", "export_model_card"])
def test_a_deletion_or_export_that_died_before_its_record_has_been_done(memory: MemoryWorld, operation: str) -> None:
    """Not refused because the card is gone by now, and not exported a second time under another name."""
    memory.receive(memory.put_configuration(CARD, "cards/mlops-config.json"))
    upload = memory.put_configuration({"pipeline_type": operation, **NAMED}, "cards/mlops-config.json")
    (release,) = memory.receive(upload).releases
    del memory.memory.rows[release.key()]
    memory.clock.pass_seconds(120)
    (again,) = memory.receive(upload).releases
    assert (again.release_id, again.status) == (release.release_id, Status.SUCCEEDED)
    assert len({job for _, job, _, _ in memory.cards.exports}) == (operation == "export_model_card")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"pipeline_type": "delete_model_card", "name": "gone"}, '$.name: there is no model card "gone"'),
        ({"pipeline_type": "create_model_card", "name": "x", "status": "draft"}, '$.status: "draft" is not allowed'),
        (
            {
                "pipeline_type": "create_model_card",
                "name": "x",
                "evaluation_details": [
                    {"name": "e", "metric_file_s3_url": f"s3://{ASSETS}/gone.json", "metric_type": "regression"}
                ],
            },
            'there is no object "gone.json"',
        ),
    ],
)
def test_an_upload_that_is_refused_is_told(memory: MemoryWorld, values: Any, words: str) -> None:
    (release,) = memory.receive(memory.put_configuration(values, "cards/mlops-config.json")).releases
    assert release.status is Status.REFUSED
    assert any(words in problem for problem in release.problems)
    assert words.split(":")[-1].strip() in json.dumps(release_message(facts(release, memory)).blocks).replace(
        '\\"', '"'
    )


def test_a_record_of_an_operation_stays_small_whatever_the_file_holds(memory: MemoryWorld) -> None:
    """A row of DynamoDB holds 400 KB; an operation that has been done and cannot be recorded would be done again."""
    values = {"pipeline_type": "list_model_cards", **{f"unheard_of_{number}": 1 for number in range(9_000)}}
    (release,) = memory.receive(memory.put_configuration(values, "cards/mlops-config.json")).releases
    assert (release.status, len(release.warnings)) == (Status.SUCCEEDED, 51)
    assert release.warnings[-1] == "… and 8950 more"


@pytest.mark.parametrize("error", [AccessDenied("IAM refused sagemaker:CreateModelCard"), CallRefused("quota")])
def test_an_upload_that_aws_refuses_fails_with_its_words(
    memory: MemoryWorld, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bool:
        raise error

    monkeypatch.setattr(memory.cards, "create", refuse)
    (release,) = memory.receive(memory.put_configuration(CARD, "cards/mlops-config.json")).releases
    assert (release.status, release.reason) == (Status.FAILED, str(error))


def test_a_throttled_operation_leaves_no_record_and_is_delivered_again(
    memory: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttle(*_: object) -> bool:
        raise Throttled("slower")

    upload = memory.put_configuration(CARD, "cards/mlops-config.json")
    with monkeypatch.context() as patched:
        patched.setattr(memory.cards, "create", throttle)
        with pytest.raises(Throttled):
            memory.receive(upload)
    assert memory.memory.all(Release) == ()
    assert memory.receive(upload).releases[0].status is Status.SUCCEEDED


def test_a_list_is_told_by_its_count(memory: MemoryWorld) -> None:
    memory.receive(memory.put_configuration(CARD, "cards/a/mlops-config.json"))
    listing = memory.put_configuration({"pipeline_type": "list_model_cards"}, "cards/b/mlops-config.json")
    (release,) = memory.receive(listing).releases
    assert release.reason == "There is 1 model card in the account."
    assert "list was read" in json.dumps(release_message(facts(release, memory)).blocks)


def test_the_handler_of_uploads_answers(memory: MemoryWorld, called: Callable[[str], Called]) -> None:
    upload = memory.put_configuration(CARD, "cards/mlops-config.json")
    handler = called("receive_request")
    answer = handler(
        {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {
                "bucket": {"name": upload.bucket},
                "object": {"key": upload.key, "version-id": upload.version_id, "sequencer": upload.sequencer},
            },
        }
    )
    assert answer["outcome"] == "received"
    assert "Fraud-Detector" in memory.cards.versions
