"""A broken configuration deploys nothing and tells everything, where its author looks."""

from __future__ import annotations

import json
from functools import partial

from tests.releases.team import Team, eventually

BROKEN = {
    "pipeline_type": "byom_realtime_builtin",
    "model_name": "broken model!",
    "model_framework": "sklearn",
    "model_framework_version": "99",
    "model_artifact_location": "nowhere/model.tar.gz",
    "inference_instnce": "ml.m5.large",
    "data_capture_location": {"dev": "bucket/a", "staging": "bucket/b"},
}
PLACES = ("$.model_name", "$.inference_instnce", "$.data_capture_location", "$.model_framework_version")


def test_every_problem_is_told_in_slack_and_by_mail_and_nothing_is_deployed(multi: Team, live: str) -> None:
    before = multi.stack_updates()
    multi.upload("broken", json.dumps(BROKEN).encode())
    release_id = multi.started("broken/mlops-config.json")
    found = multi.show(release_id)
    assert found["status"] == "refused"
    message = eventually("its message in Slack", lambda: multi.message_with(release_id, ""))
    (mail,) = eventually("its e-mail", lambda: multi.mails(release_id))
    for place in PLACES:
        assert any(problem.startswith(place) for problem in found["problems"]), place
        assert place in message
        assert place in mail["message"]
    assert "inference_instance" in message
    assert multi.stack_updates() == before


def test_a_file_that_is_no_json_is_told_with_its_line(multi: Team, live: str) -> None:
    multi.upload("no-json", b'{\n  "pipeline_type": "byom_realtime_builtin",\n  "model_name" "x"\n}')
    release_id = multi.started("no-json/mlops-config.json")
    message = eventually("its message in Slack", lambda: multi.message_with(release_id, ""))
    assert "line 3" in message


FILE = "/mlops-config.json"
HOSTILE = ("my models", "a+b", "100%25 sure", "für Zoë", "🚀", "../../etc", "<!channel> <https://evil.example|here>")
FOLDERS = (*HOSTILE, "k" * (1024 - len(FILE)))


def test_under_whatever_key_a_file_lies_its_refusal_reaches_people(multi: Team, live: str) -> None:
    for folder in FOLDERS:
        multi.upload(folder, b'{"colour": "red"}')

    def refused() -> dict[str, str] | None:
        found = {row["source"]["M"]["key"]["S"]: row["release_id"]["S"] for row in multi.rows("release")}
        mine = {key: found[key] for key in (f"{folder}{FILE}" for folder in FOLDERS) if key in found}
        return mine if len(mine) == len(FOLDERS) else None

    for key, release_id in eventually("a release of each", refused).items():
        assert multi.show(release_id)["status"] == "refused", key
        why = "only dots" if ".." in key else "pipeline_type"
        message = multi.message(release_id, why)
        assert "<!channel>" not in message
        (mail,) = eventually(f"the e-mail about {key}", partial(multi.mails, release_id))
        assert why in mail["message"], key


def test_an_asset_that_is_missing_ends_the_release_before_anything_is_deployed(multi: Team, live: str) -> None:
    before = multi.stack_updates()
    configuration = multi.configuration("no-model", model_artifact_location="no-model/model.tar.gz")
    ended = multi.release("no-model", configuration)
    assert ended["status"] == "failed"
    assert "no-model/model.tar.gz" in ended["reason"]
    assert "$.model_artifact_location" in ended["reason"]
    assert multi.stack_updates() == before
