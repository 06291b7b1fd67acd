"""Every event that may arrive, and what it becomes or why it is refused."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core import events
from orchestrator.core.errors import BadRequest, Refused, UnversionedObject
from orchestrator.core.events import JobChanged, StackChanged, Upload
from tests.events.samples import OURS, automl_changed, build_changed, object_created, pipeline_changed, stack_changed

BUCKET, VERSION, SEQUENCER = "mlops-assets", "gvUIPZBY_jKDpv3f1jOJhGdYMLx1XXAc", "0062E99A88DC407460"
CONFIGURATION = object_created(BUCKET, "fraud/mlops-config.json", VERSION)
STACK = "arn:aws:cloudformation:us-east-1:222222222222:stack/mlops-pipeline-fraud/6a7b8c90-1234-11ee-8cb5-0a1b2c3d4e5f"
STACK_EVENT = stack_changed(STACK, "UPDATE_COMPLETE")
EXECUTION = "arn:aws:sagemaker:us-east-1:222222222222:pipeline/fraud/execution/a1b2c3d4e5f6"
PIPELINE_EVENT = pipeline_changed(EXECUTION, "Succeeded")
AUTOML = "arn:aws:sagemaker:us-east-1:111111111111:automl-job/churn-0a1b2c3d"
AUTOML_EVENT = automl_changed(AUTOML, "Completed")
BUILD = "arn:aws:codebuild:us-east-1:111111111111:build/mlops-pipeline-v1:8745a7a9-c340-456a-9166-edf953571bec"
BUILD_EVENT = build_changed(BUILD, "SUCCEEDED")


def without(event: dict[str, Any], *path: str) -> dict[str, Any]:
    """The event without one of its members."""
    changed = copy.deepcopy(event)
    parent = changed
    for name in path[:-1]:
        parent = parent[name]
    del parent[path[-1]]
    return changed


def with_value(event: dict[str, Any], value: object, *path: str) -> dict[str, Any]:
    """The event with another value of one of its members."""
    changed = copy.deepcopy(event)
    parent = changed
    for name in path[:-1]:
        parent = parent[name]
    parent[path[-1]] = value
    return changed


KEYS = {
    "plain": "fraud/mlops-config.json",
    "space": "my models/mlops-config.json",
    "plus": "a+b/mlops-config.json",
    "percent": "100%25/mlops-config.json",
    "ü": "für/mlops-config.json",
    "emoji": "🚀/mlops-config.json",
    "1,024 bytes": "k" * 1007 + "/mlops-config.json",
    "dots": "../../etc/mlops-config.json",
    "folder marker": "fraud/",
    "quotes and newline": "a\"'\n/mlops-config.json",
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_key_in_an_event_is_the_key_of_the_object(key: str) -> None:
    """EventBridge does not URL-encode keys, unlike S3's own notifications."""
    assert events.upload(object_created(BUCKET, key, VERSION)) == Upload(BUCKET, key, VERSION, SEQUENCER)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1024))
def test_any_key_survives(key: str) -> None:
    assert events.upload(object_created(BUCKET, key, VERSION)).key == key


@pytest.mark.parametrize("reason", ["PutObject", "CopyObject", "CompleteMultipartUpload", "POST Object"])
def test_every_way_to_write_an_object_counts(reason: str) -> None:
    assert events.upload(with_value(CONFIGURATION, reason, "detail", "reason")).version_id == VERSION


def test_an_event_of_another_bucket_says_so() -> None:
    assert events.upload(object_created("another", "mlops-config.json", VERSION)).bucket == "another"


def test_an_event_without_a_sequencer_has_none() -> None:
    assert events.upload(without(CONFIGURATION, "detail", "object", "sequencer")).sequencer == ""


REFUSED_UPLOADS: dict[str, tuple[dict[str, Any], type[Refused], str]] = {
    "no version": (without(CONFIGURATION, "detail", "object", "version-id"), UnversionedObject, "no version id"),
    "null version": (with_value(CONFIGURATION, "null", "detail", "object", "version-id"), UnversionedObject, "Turn"),
    "empty version": (with_value(CONFIGURATION, "", "detail", "object", "version-id"), UnversionedObject, "Turn"),
    "version is a number": (with_value(CONFIGURATION, 7, "detail", "object", "version-id"), UnversionedObject, "Turn"),
    "no detail": (without(CONFIGURATION, "detail"), BadRequest, "no object at detail"),
    "detail is text": (with_value(CONFIGURATION, "x", "detail"), BadRequest, "no object at detail"),
    "no bucket": (without(CONFIGURATION, "detail", "bucket"), BadRequest, "no object at detail.bucket"),
    "no bucket name": (without(CONFIGURATION, "detail", "bucket", "name"), BadRequest, "no text at detail.bucket.name"),
    "no object": (without(CONFIGURATION, "detail", "object"), BadRequest, "no object at detail.object"),
    "no key": (without(CONFIGURATION, "detail", "object", "key"), BadRequest, "no text at detail.object.key"),
    "empty key": (with_value(CONFIGURATION, "", "detail", "object", "key"), BadRequest, "no text at detail.object.key"),
    "key is a list": (with_value(CONFIGURATION, ["k"], "detail", "object", "key"), BadRequest, "detail.object.key"),
    "deleted": (with_value(CONFIGURATION, "Object Deleted", "detail-type"), BadRequest, "'Object Deleted'"),
    "restored": (with_value(CONFIGURATION, "Object Restore Completed", "detail-type"), BadRequest, "Restore"),
    "forged source": (with_value(CONFIGURATION, "my.app", "source"), BadRequest, "'my.app'"),
    "nothing at all": ({}, BadRequest, "None"),
    "a stack event": (STACK_EVENT, BadRequest, "aws.cloudformation"),
}


@pytest.mark.parametrize(("event", "error", "words"), REFUSED_UPLOADS.values(), ids=REFUSED_UPLOADS)
def test_an_event_that_is_no_upload_is_refused_with_the_place(
    event: dict[str, Any], error: type[Refused], words: str
) -> None:
    with pytest.raises(error, match=words):
        events.upload(event)


OTHER_ACCOUNT = STACK.replace("222222222222", "999999999999")
STATUS_EVENTS: dict[str, tuple[dict[str, Any], StackChanged | JobChanged]] = {
    "terminal": (STACK_EVENT, StackChanged(STACK, "UPDATE_COMPLETE", OURS)),
    "in progress": (
        stack_changed(STACK, "UPDATE_IN_PROGRESS"),
        StackChanged(STACK, "UPDATE_IN_PROGRESS", OURS),
    ),
    "from the console": (
        stack_changed(STACK, "ROLLBACK_COMPLETE", "Console-UpdateStack-1"),
        StackChanged(STACK, "ROLLBACK_COMPLETE", "Console-UpdateStack-1"),
    ),
    "without a token": (stack_changed(STACK, "DELETE_COMPLETE", ""), StackChanged(STACK, "DELETE_COMPLETE", "")),
    "another account": (
        stack_changed(OTHER_ACCOUNT, "CREATE_COMPLETE", account="999999999999"),
        StackChanged(OTHER_ACCOUNT, "CREATE_COMPLETE", OURS),
    ),
    "pipeline succeeded": (PIPELINE_EVENT, JobChanged(EXECUTION, "Succeeded")),
    "pipeline failed": (pipeline_changed(EXECUTION, "Failed"), JobChanged(EXECUTION, "Failed")),
    "AutoML job completed": (AUTOML_EVENT, JobChanged(AUTOML, "Completed")),
    "AutoML job failed": (automl_changed(AUTOML, "Failed"), JobChanged(AUTOML, "Failed")),
    "build succeeded": (BUILD_EVENT, JobChanged(BUILD, "SUCCEEDED")),
    "build timed out": (build_changed(BUILD, "TIMED_OUT"), JobChanged(BUILD, "TIMED_OUT")),
    "pipeline executing": (pipeline_changed(EXECUTION, "Executing"), JobChanged(EXECUTION, "Executing")),
}


@pytest.mark.parametrize(("event", "expected"), STATUS_EVENTS.values(), ids=STATUS_EVENTS)
def test_a_status_event_becomes_what_it_says(event: dict[str, Any], expected: StackChanged | JobChanged) -> None:
    assert events.status(event) == expected


REFUSED_STATUS: dict[str, tuple[dict[str, Any], str]] = {
    "no stack": (without(STACK_EVENT, "detail", "stack-id"), "no text at detail.stack-id"),
    "no status": (
        without(STACK_EVENT, "detail", "status-details", "status"),
        "no text at detail.status-details.status",
    ),
    "no details": (without(STACK_EVENT, "detail", "status-details"), "no object at detail.status-details"),
    "no detail": (without(STACK_EVENT, "detail"), "no object at detail"),
    "no execution": (without(PIPELINE_EVENT, "detail", "pipelineExecutionArn"), "detail.pipelineExecutionArn"),
    "no pipeline status": (
        without(PIPELINE_EVENT, "detail", "currentPipelineExecutionStatus"),
        "detail.currentPipelineExecutionStatus",
    ),
    "no AutoML job": (without(AUTOML_EVENT, "detail", "AutoMLJobArn"), "no text at detail.AutoMLJobArn"),
    "no AutoML status": (without(AUTOML_EVENT, "detail", "AutoMLJobStatus"), "no text at detail.AutoMLJobStatus"),
    "no build": (without(BUILD_EVENT, "detail", "build-id"), "no text at detail.build-id"),
    "no build status": (without(BUILD_EVENT, "detail", "build-status"), "no text at detail.build-status"),
    "a build's phase": (
        with_value(BUILD_EVENT, "CodeBuild Build Phase Change", "detail-type"),
        "not one this function follows",
    ),
    "a resource's status": (
        with_value(STACK_EVENT, "CloudFormation Resource Status Change", "detail-type"),
        "not one this function follows",
    ),
    "source and type of two": (with_value(STACK_EVENT, "aws.sagemaker", "source"), "not one this function follows"),
    "an upload": (CONFIGURATION, "not one this function follows"),
}


@pytest.mark.parametrize(("event", "words"), REFUSED_STATUS.values(), ids=REFUSED_STATUS)
def test_a_status_event_of_another_shape_is_refused_with_the_place(event: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        events.status(event)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from([CONFIGURATION, STACK_EVENT, PIPELINE_EVENT, AUTOML_EVENT, BUILD_EVENT]),
    st.sampled_from(["detail", "source"]),
    VALUES,
)
def test_no_event_breaks_the_parsers(event: dict[str, Any], where: str, value: object) -> None:
    for parse in (events.upload, events.status):
        with suppress(Refused):
            parse(with_value(event, value, where))
