"""The way in: one delivery, one release, however often it arrives and wherever the function dies."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from orchestrator.core.events import Upload
from orchestrator.core.installation import StageSettings
from orchestrator.core.people import UNKNOWN, IdentityKind
from orchestrator.core.problems import BadConfiguration
from orchestrator.core.records import Release, Status
from orchestrator.core.steps.receive_request import note_upload, receive_body, refuse_upload
from orchestrator.core.steps.start_releases import request_key
from tests.fakes.dying import dying_after
from tests.fakes.machine import Died
from tests.fakes.memory_world import (
    BY_ANA,
    MULTI_MACHINE,
    PACKAGES,
    SINGLE_MACHINE,
    MemoryWorld,
    configuration,
    installation,
)


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


def test_an_upload_becomes_a_release_and_its_execution(world: MemoryWorld) -> None:
    receipt = world.receive(world.put_configuration(configuration(description="Scores payments.")))
    (release,) = receipt.releases
    assert not receipt.duplicate
    assert release.workload == "fraud-detector-realtime"
    assert release.stack_name == "mlops-pipeline-fraud-detector-byompipelinerealtimebuiltin"
    assert release.status is Status.REQUESTED
    assert release.stages == ("dev", "staging", "prod")
    assert release.description == "Scores payments."
    assert world.fake_tasks.started == {
        release.release_id: (MULTI_MACHINE, {"release_id": release.release_id, "stage": "dev"})
    }
    assert release.execution_arn == f"arn:execution:{release.release_id}"
    kept = json.loads(world.buckets.read(PACKAGES, request_key(release.release_id)))
    assert kept["model_name"] == "fraud-detector"


def test_an_installation_of_one_account_starts_the_other_machine() -> None:
    world = MemoryWorld(installation=installation(StageSettings("prod", "111111111111"), mode="single"))
    release = world.release(configuration(inference_instance="ml.m5.large"))
    assert world.fake_tasks.started[release.release_id] == (
        SINGLE_MACHINE,
        {"release_id": release.release_id, "stage": "prod"},
    )


def test_the_same_event_ten_times_is_one_release(world: MemoryWorld) -> None:
    upload = world.put_configuration(configuration())
    receipts = [world.receive(upload) for _ in range(10)]
    assert [receipt.duplicate for receipt in receipts] == [False] + [True] * 9
    assert len({receipt.releases[0].release_id for receipt in receipts}) == 1
    assert len(world.memory.all(Release)) == 1
    assert len(world.fake_tasks.started) == 1


def test_the_same_file_uploaded_again_is_another_request(world: MemoryWorld) -> None:
    first = world.receive(world.put_configuration(configuration())).releases[0]
    second = world.receive(world.put_configuration(configuration())).releases[0]
    assert first.release_id != second.release_id


def test_a_repeated_call_with_the_same_token_is_one_release(world: MemoryWorld) -> None:
    first = world.release(request="token-of-the-client")
    again = world.release(request="token-of-the-client")
    assert first.release_id == again.release_id
    assert len(world.memory.all(Release)) == 1


def test_the_same_token_with_another_body_is_another_release(world: MemoryWorld) -> None:
    first = world.release(request="token-of-the-client")
    other = world.release(configuration(description="another"), request="token-of-the-client")
    assert first.release_id != other.release_id


def test_dying_anywhere_and_delivered_again_completes_and_never_repeats() -> None:
    file = {"pipelines": [configuration(), configuration(pipeline_name="second")]}
    undisturbed = MemoryWorld()
    undisturbed.receive(undisturbed.put_configuration(file))
    for calls in range(1, 100):
        world = MemoryWorld()
        upload = world.put_configuration(file)
        try:
            with dying_after(world, calls):
                world.receive(upload)
        except Died:
            pass
        else:
            assert calls > 10
            break
        receipt = world.receive(upload)
        assert {release.release_id for release in receipt.releases} == set(undisturbed.fake_tasks.started)
        assert world.fake_tasks.started == undisturbed.fake_tasks.started
        assert all(release.execution_arn for release in world.memory.all(Release))


def test_a_refused_configuration_is_recorded_with_the_path_of_every_problem(world: MemoryWorld) -> None:
    bad = configuration(model_name=None, inference_instance={"dev": "ml.t2.medium"}, tags={"team": 7}, endpoint_nam="x")
    (refused,) = world.receive(world.put_configuration(bad)).releases
    assert (refused.status, refused.workload) == (Status.REFUSED, "fraud/mlops-config.json")
    assert world.memory.all(Release) == (refused,)
    assert world.fake_tasks.started == {}
    assert sorted(problem.split(":")[0] for problem in refused.problems) == [
        "$.endpoint_nam",
        "$.inference_instance",
        "$.inference_instance",
        "$.model_name",
        "$.tags.team",
    ]


def test_a_refusal_is_recorded_once(world: MemoryWorld) -> None:
    upload = world.put_configuration(b"{not json")
    receipts = [world.receive(upload) for _ in range(3)]
    assert [receipt.duplicate for receipt in receipts] == [False, True, True]
    assert len(world.memory.all(Release)) == 1


def test_a_delivery_that_was_refused_stays_refused(world: MemoryWorld) -> None:
    """An installation may have changed between two deliveries of one event; the first one's answer stands."""
    upload = world.put_configuration(configuration(approval={"prod": {"any_of": [{"cto": 1}]}}))
    (refused,) = world.receive(upload).releases
    world.installation = replace(world.installation, roles={**world.installation.roles, "cto": ("dev@example.com",)})
    again = world.receive(upload)
    assert again.releases == (refused,)
    assert again.duplicate
    assert world.fake_tasks.started == {}


def test_a_call_with_a_bad_body_leaves_nothing_behind(world: MemoryWorld) -> None:
    with pytest.raises(BadConfiguration):
        receive_body(b'{"pipeline_type": "nope"}', BY_ANA, "t", world.reception)
    assert world.memory.rows == {}


def test_an_upload_without_a_version_is_told_not_dropped(world: MemoryWorld) -> None:
    why = "s3://b/k has no version id. Turn versioning on."
    first = refuse_upload("b", "k", "event-1", why, world.reception)
    again = refuse_upload("b", "k", "event-1", why, world.reception)
    assert first.releases[0].problems == (why,)
    assert again.duplicate
    assert len(world.memory.all(Release)) == 1


def test_a_file_deleted_before_it_was_read_is_told(world: MemoryWorld) -> None:
    upload = world.put_configuration(configuration())
    world.buckets.remove(upload.bucket, upload.key)
    (refused,) = world.receive(upload).releases
    assert refused.status is Status.REFUSED
    assert "deleted before it was read" in refused.problems[0]


@pytest.mark.parametrize(
    ("metadata", "kind", "value"),
    [
        ({}, IdentityKind.UNKNOWN, "unknown"),
        ({"requester": "  "}, IdentityKind.UNKNOWN, "unknown"),
        ({"requester": "ana@example.com"}, IdentityKind.EMAIL, "ana@example.com"),
        ({"requester": "ana"}, IdentityKind.IAM, "ana"),
        ({"requester": ":assumed-role/"}, IdentityKind.IAM, ":assumed-role/"),
        ({"requester": "x" * 400}, IdentityKind.IAM, "x" * 254),
    ],
    ids=["none", "blank", "mail", "name", "hostile", "long"],
)
def test_who_uploaded_is_a_claim(world: MemoryWorld, metadata: dict[str, str], kind: IdentityKind, value: str) -> None:
    (release,) = world.receive(world.put_configuration(configuration(), metadata=metadata)).releases
    assert (release.requester.kind, release.requester.value) == (kind, value)
    assert not release.requester.verified
    assert world.installation.people.display(release.requester)


def test_who_calls_the_api_is_known(world: MemoryWorld) -> None:
    assert world.release(requester=BY_ANA).requester == BY_ANA
    assert world.release(requester=UNKNOWN, request="x").requester == UNKNOWN


def test_an_older_version_of_a_file_that_arrives_late_is_superseded(world: MemoryWorld) -> None:
    older = world.put_configuration(configuration(description="old"))
    newer = world.put_configuration(configuration(description="new"))
    (new,) = world.receive(newer).releases
    (old,) = world.receive(older).releases
    assert old.status is Status.SUPERSEDED
    assert set(world.fake_tasks.started) == {new.release_id}
    assert world.receive(older).duplicate
    assert set(world.fake_tasks.started) == {new.release_id}


def test_a_repeated_event_of_an_older_version_is_a_duplicate_not_a_supersession(world: MemoryWorld) -> None:
    older = world.put_configuration(configuration(description="old"))
    (first,) = world.receive(older).releases
    world.receive(world.put_configuration(configuration(description="new")))
    (again,) = world.receive(older).releases
    assert again.release_id == first.release_id
    assert again.status is Status.REQUESTED
    assert len(world.fake_tasks.started) == 2


def test_sequencers_of_different_length_are_padded(world: MemoryWorld) -> None:
    upload = world.put_configuration(configuration())
    world.receive(replace(upload, sequencer="10"))
    other = world.put_configuration(configuration(description="x"))
    (late,) = world.receive(replace(other, sequencer="0f")).releases
    assert late.status is Status.SUPERSEDED
    newest = world.put_configuration(configuration(description="y"))
    (newest_release,) = world.receive(replace(newest, sequencer="00010A")).releases
    assert newest_release.status is Status.REQUESTED


def test_a_version_does_not_overtake_itself(world: MemoryWorld) -> None:
    upload = world.put_configuration(configuration())
    note_upload(replace(upload, sequencer="0F"), world.reception)
    (release,) = world.receive(replace(upload, sequencer="01")).releases
    assert release.status is Status.REQUESTED


def test_an_event_without_a_sequencer_is_taken_as_it_comes(world: MemoryWorld) -> None:
    world.receive(world.put_configuration(configuration()))
    other = world.put_configuration(configuration(description="x"))
    (release,) = world.receive(replace(other, sequencer="")).releases
    assert release.status is Status.REQUESTED


def test_an_installation_names_its_own_stages() -> None:
    world = MemoryWorld(installation=installation(StageSettings("qa", "2" * 12), StageSettings("live", "3" * 12)))
    instance = {"qa": "ml.t2.medium", "live": "ml.m5.large"}
    assert world.release(configuration(inference_instance=instance)).stages == ("qa", "live")
    with pytest.raises(BadConfiguration, match='no stage "dev"'):
        world.release(configuration(inference_instance={"dev": "ml.t2.medium", **instance}))


@pytest.mark.parametrize(
    ("approval", "path"),
    [
        ({"prod": {"any_of": [{"cto": 1}]}}, "$.approval.prod.any_of"),
        ({"prod": {"any_of": [{"risk": 1}, {"ml-owners": 1}]}}, "$.approval.prod.any_of"),
    ],
    ids=["unknown role", "misspelt role"],
)
def test_roles_that_this_installation_lacks(world: MemoryWorld, approval: object, path: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        world.release(configuration(approval=approval))
    assert [problem.path for problem in refused.value.problems] == [path]


def test_a_policy_for_a_stage_that_this_installation_lacks_is_never_silently_dropped() -> None:
    world = MemoryWorld(installation=installation(StageSettings("prod", "111111111111"), mode="single"))
    asked = configuration(inference_instance="ml.m5.large", approval={"staging": {"any_of": [{"risk": 1}]}})
    with pytest.raises(BadConfiguration) as refused:
        world.release(asked)
    assert [problem.path for problem in refused.value.problems] == ["$.approval.staging"]


def test_paths_name_the_member_of_a_list(world: MemoryWorld) -> None:
    second = configuration(pipeline_name="b", approval={"prod": {"any_of": [{"cto": 1}]}})
    with pytest.raises(BadConfiguration) as refused:
        world.release({"pipelines": [configuration(), second]})
    assert refused.value.problems[0].path == "$.pipelines[1].approval.prod.any_of"


def test_a_record_stays_small_whatever_a_configuration_holds(world: MemoryWorld) -> None:
    """A row of DynamoDB holds 400 KB; a file of 256 KB can have many warnings, or few with a very long key."""
    many = world.release(configuration(**{f"unheard_of_{number}": 1 for number in range(5_000)}))
    assert len(many.warnings) == 51
    assert many.warnings[-1] == "… and 4950 more"
    long = world.receive(world.put_configuration({"pipeline_type": "x", "y" * 200_000: 1})).releases[0]
    assert max(len(problem) for problem in long.problems) <= 500


def test_a_file_that_is_no_configuration_by_its_size_is_told_and_not_read(
    world: MemoryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody uploads a model under the name: the function must not die of it, which would tell nobody."""
    upload = world.put_configuration(configuration(description="x" * 300_000))

    def never(*_: object) -> bytes:
        raise AssertionError("it would be more than the function's memory")

    monkeypatch.setattr(world.buckets, "read", never)
    (refused,) = world.receive(upload).releases
    assert refused.status is Status.REFUSED
    assert "262,144 are allowed" in refused.problems[0]


def test_whole_numbers_with_a_point_are_whole_numbers(world: MemoryWorld) -> None:
    """DynamoDB takes no floats; JSON Schema counts 24.0 among the integers."""
    asked = configuration(approval={"prod": {"any_of": [{"risk": 1.0}], "expires_after_hours": 24.0}})
    (demand,) = world.release(asked).policies
    assert demand.policy.any_of == ((("risk", 1),),)
    assert type(demand.policy.any_of[0][0][1]) is int
    assert type(demand.policy.expires_after_hours) is int


def test_the_pipeline_id_is_a_stack_arn_that_ends_in_the_release(world: MemoryWorld) -> None:
    receipt = receive_body(json.dumps(configuration()).encode(), BY_ANA, "t", world.reception)
    (release,) = receipt.releases
    assert receipt.pipeline_id(release, world.installation) == (
        f"arn:aws:cloudformation:us-east-1:444444444444:stack/{release.stack_name}/{release.release_id}"
    )


def test_an_event_of_another_object_is_another_delivery(world: MemoryWorld) -> None:
    one = world.put_configuration(configuration(), key="a/mlops-config.json")
    other = world.put_configuration(configuration(), key="b/mlops-config.json")
    assert isinstance(one, Upload)
    assert world.receive(one).releases[0].release_id != world.receive(other).releases[0].release_id
