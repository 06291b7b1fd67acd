"""Model cards in the deployed product: by the command's API and by a file, under IAM, kept by SageMaker."""

from __future__ import annotations

import json
from typing import Any

from local.settings import ORCHESTRATOR
from tests.releases.team import Team, eventually

EVALUATION = {
    "binary_classification_metrics": {
        "auc": {"value": 0.97, "standard_deviation": 0.01},
        "confusion_matrix": {"0": {"0": 90, "1": 10}, "1": {"0": 5, "1": 95}},
    }
}


def asked(team: Team, body: dict[str, Any]) -> tuple[int, Any]:
    answer = team.follower.api("POST", "/provisionpipeline", body)
    return answer.status, answer.json()


def card(**changes: Any) -> dict[str, Any]:
    return {"pipeline_type": "create_model_card", "name": "Card-By-Api", **changes}


def test_six_operations_by_the_api(multi: Team) -> None:
    multi.upload_asset("cards/evaluation.json", json.dumps(EVALUATION).encode())
    file = f"s3://{multi.assets_bucket}/cards/evaluation.json"
    evaluation = {"name": "hold-out", "metric_file_s3_url": file, "metric_type": "binary_classification"}
    status, created = asked(multi, card(evaluation_details=[evaluation], intended_uses={"risk_rating": "High"}))
    assert (status, created["message"]["ModelCardStatus"]) == (200, "Draft"), created
    kept = multi.client("sagemaker", ORCHESTRATOR).describe_model_card(ModelCardName="Card-By-Api")
    content = json.loads(kept["Content"])
    metrics = content["evaluation_details"][0]["metric_groups"][0]["metric_data"]
    assert {metric["name"]: metric["value"] for metric in metrics} == {
        "auc": 0.97,
        "confusion_matrix": [[90, 10], [5, 95]],
    }
    status, updated = asked(multi, {**card(status="Approved"), "pipeline_type": "update_model_card"})
    assert (status, updated["message"]["ModelCardStatus"]) == (200, "Approved")
    status, listed = asked(multi, {"pipeline_type": "list_model_cards"})
    assert "Card-By-Api" in [one["ModelCardName"] for one in listed["message"]["ModelCardSummaries"]]
    status, exported = asked(multi, {"pipeline_type": "export_model_card", "name": "Card-By-Api"})
    assert status == 200, exported
    keys = eventually(
        "the export in the assets bucket",
        lambda: [
            one["Key"]
            for one in multi.client("s3", ORCHESTRATOR)
            .list_objects_v2(Bucket=multi.assets_bucket, Prefix="model_card_exports/")
            .get("Contents", [])
        ],
        30,
    )
    assert any("Card-By-Api" in key for key in keys)
    assert asked(multi, {"pipeline_type": "delete_model_card", "name": "Card-By-Api"})[0] == 200
    assert asked(multi, {"pipeline_type": "describe_model_card", "name": "Card-By-Api"})[0] == 404


def test_a_file_in_the_bucket_makes_a_card_and_people_are_told(multi: Team) -> None:
    multi.upload("cards/by-file", card(name="Card-By-File", intended_uses={"purpose_of_model": "Fraud"}))
    release_id = multi.started("Card-By-File")
    found = multi.show(release_id)
    assert (found["status"], found["workload_type"]) == ("succeeded", "create_model_card")
    assert json.loads(found["answer"]["message"]["Content"])["intended_uses"]["purpose_of_model"] == "Fraud"
    assert multi.client("sagemaker", ORCHESTRATOR).describe_model_card(ModelCardName="Card-By-File")
    assert eventually(
        "said in Slack", lambda: multi.message_with(release_id, "Model card Card-By-File was created"), 30
    )
    assert eventually("said by e-mail", lambda: multi.mails(release_id), 30)
