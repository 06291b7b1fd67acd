"""From an upload to a prediction of the production endpoint, in four accounts."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

from local.inference import ask_endpoint, ask_model
from local.settings import CHANNEL, DEV, ORCHESTRATOR, PROD, STAGING
from local.timeline import entered_states
from orchestrator.core.ledger.chain import canonical
from orchestrator.core.ledger.rows import partition, place
from orchestrator.core.ledger.verification import Fault, Verdict, head_of, row_of, verify
from tests.releases.team import Team, stage

ACCOUNTS = {"dev": DEV, "staging": STAGING, "prod": PROD}
MAX_TRANSITIONS = 30


def test_each_stage_has_its_endpoint_in_its_own_account(multi: Team, live: str) -> None:
    release = multi.show(live)
    for name, account in ACCOUNTS.items():
        endpoint = stage(release, name)["outputs"]["EndpointName"]
        found = multi.client("sagemaker", account).describe_endpoint(EndpointName=endpoint)
        assert found["EndpointStatus"] == "InService"
        assert f":{account}:" in found["EndpointArn"]
        assert stage(release, name)["status"] == "verified"


def test_production_answers_what_the_model_itself_answers(multi: Team, live: str) -> None:
    ended = multi.ended(live)
    assert ask_endpoint(multi.running, ended, multi.example).value == ask_model(multi.example).value


def test_the_package_is_the_same_in_every_stage(multi: Team, live: str) -> None:
    release = (multi.row(f"RELEASE#{live}", "RELEASE") or {})["body"]["M"]
    archive = zipfile.ZipFile(
        io.BytesIO(
            multi.client("s3", ORCHESTRATOR)
            .get_object(
                Bucket=multi.running.outputs["PackagesBucketName"],
                Key=release["package_key"]["S"],
                VersionId=release["package_version"]["S"],
            )["Body"]
            .read()
        )
    )
    manifest = json.loads(archive.read("manifest.json"))
    template = archive.read("template.yaml")
    assert manifest["members"]["template.yaml"]["sha256"] == hashlib.sha256(template).hexdigest()
    (model,) = [asset for asset in manifest["assets"] if asset["key"].endswith("model.tar.gz")]
    assert model["sha256"] == hashlib.sha256(multi.example.model.read_bytes()).hexdigest()
    for name, account in ACCOUNTS.items():
        cloudformation = multi.client("cloudformation", account)
        deployed = cloudformation.get_template(StackName=manifest["stack_name"], TemplateStage="Original")
        assert deployed["TemplateBody"] == template.decode(), name
        parameters = {
            one["ParameterKey"]: one["ParameterValue"]
            for one in cloudformation.describe_stacks(StackName=manifest["stack_name"])["Stacks"][0]["Parameters"]
        }
        assert parameters["ModelKey"] == model["copy_key"], name


def test_a_three_stage_release_takes_at_most_thirty_state_transitions(multi: Team, live: str) -> None:
    states = entered_states(multi.running, multi.ended(live).execution_arn)
    assert states[0][1] == "Package"
    assert states[-1][1] == "Succeeded"
    assert len(states) <= MAX_TRANSITIONS


def test_the_message_and_the_mail_tell_the_success_once(multi: Team, live: str) -> None:
    message = multi.message(live, f"{multi.example_workload} was released to prod")
    assert '"action_id": "approve"' not in message
    for name in ACCOUNTS:
        assert name in message
    mails = multi.mails(live)
    assert len(mails) == 1
    assert "prod" in mails[0]["message"]


ASKED = ("staging", "prod")


def verdict_on(multi: Team, release_id: str) -> Verdict:
    """What whoever reads the ledger finds."""
    rows, head = multi.ledger(multi.example_workload, release_id)
    return verify(multi.example_workload, map(row_of, rows), head_of(head))


def test_the_ledger_tells_all_of_the_release_and_verifies(multi: Team, live: str) -> None:
    assert verdict_on(multi, live).sound
    rows, _ = multi.ledger(multi.example_workload, live)
    entries = [row["entry"] for row in rows if row["entry"]["release"] == live]
    told = {(entry["stage"], entry["kind"], entry["outcome"]) for entry in entries}
    done = [("deployment_started", ""), ("deployment_ended", "deployed"), ("verification", "verified")]
    asked = [("approval_requested", ""), ("vote", "approve"), ("decision", "approved")]
    assert told == {
        *(("", kind, "") for kind in ("request", "package")),
        *((name, "plan", "") for name in ACCOUNTS),
        *((name, kind, outcome) for name in ASKED for kind, outcome in asked),
        *((name, kind, outcome) for name in ACCOUNTS for kind, outcome in done),
        ("prod", "outcome", "succeeded"),
    }
    # A change is told once, however often the stream delivers it; two people vote.
    once = [(entry["stage"], entry["kind"]) for entry in entries if entry["kind"] != "vote"]
    assert len(once) == len(set(once))
    (decision,) = [entry for entry in entries if (entry["stage"], entry["kind"]) == ("prod", "decision")]
    (started,) = [entry for entry in entries if (entry["stage"], entry["kind"]) == ("prod", "deployment_started")]
    assert started["facts"]["plan_digest"] == decision["facts"]["plan_digest"]
    assert started["facts"]["change_set"].startswith("arn:aws:cloudformation:")
    assert decision["actor"]["verified"] is True


def test_a_row_of_the_ledger_that_somebody_rewrites_is_named(multi: Team, live: str) -> None:
    rows, _ = multi.ledger(multi.example_workload, live)
    vote = next(row for row in rows if row["entry"]["kind"] == "vote")
    table, name = multi.client("dynamodb", ORCHESTRATOR), multi.running.outputs["TableName"]
    key = {"pk": {"S": partition(multi.example_workload)}, "sk": {"S": place(vote["sequence"])}}
    kept = table.get_item(TableName=name, Key=key)["Item"]
    forged = canonical({**vote["entry"], "outcome": "reject"})
    table.put_item(TableName=name, Item={**kept, "body": {"M": {**kept["body"]["M"], "text": {"S": forged}}}})
    try:
        broken = verdict_on(multi, live).broken
        assert broken is not None
        assert (broken.sequence, broken.fault) == (vote["sequence"], Fault.CONTENT_CHANGED)
    finally:
        table.put_item(TableName=name, Item=kept)
    assert verdict_on(multi, live).sound


def test_no_task_token_or_secret_is_in_any_message_mail_dead_letter_or_log(multi: Team, live: str) -> None:
    name = "discreet"
    multi.upload(name, multi.configuration(name))
    release_id = multi.started(f"{name}-realtime")
    multi.until_asked(release_id, "staging")
    secrets = multi.secrets(release_id)
    multi.reject(release_id, "Enough for this test.")
    assert multi.ended(release_id).status == "rejected"
    slack = multi.running.slack
    ledger, _ = multi.ledger(f"{name}-realtime", release_id)
    queued = multi.queued()
    assert any("Failed" in queue for queue in queued), "the queues of what could not be handled are looked at"
    captured = [slack.messages(CHANNEL), slack.log(), multi.running.cloud.mail(), ledger, queued]
    said = json.dumps(captured, ensure_ascii=False)
    logged = {function: multi.log_lines(function) for function in multi.functions()}
    assert any(release_id in line for line in logged["deploy-stage"]), "the functions' own lines are there"
    for secret in secrets:
        assert len(secret) > 20
        assert secret not in said
        for function, lines in logged.items():
            assert not [line for line in lines if secret in line], function
