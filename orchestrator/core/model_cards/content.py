"""The content of a model card, as SageMaker's own schema wants it, from the keys of a request.

What the request leaves to be found (``model_name``, ``training_job_name``, ``metric_file_s3_url``) is looked up here;
what the request says itself counts before what was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.core import strict_json
from orchestrator.core.errors import SourceGone
from orchestrator.core.model_cards.metric_files import metric_groups
from orchestrator.core.model_cards.ports import ModelCards, TrainingJob
from orchestrator.core.model_cards.request import ModelCardRequest
from orchestrator.core.ports import Objects
from orchestrator.core.problems import BadConfiguration, Problem

MAX_METRIC_FILE = 1024 * 1024
"""Bytes of a file with results; a whole card holds 100,000 characters."""


def content_of(request: ModelCardRequest, cards: ModelCards, objects: Objects, assets_bucket: str) -> dict[str, Any]:
    """The sections of the request in SageMaker's form; raises ``BadConfiguration`` for what is not there."""
    sections = dict(request.sections)
    content: dict[str, Any] = {}
    if "model_overview" in sections:
        content["model_overview"] = _overview(sections["model_overview"], cards, request.path)
    if "intended_uses" in sections:
        content["intended_uses"] = {"risk_rating": "Unknown", **sections["intended_uses"]}
    if "training_details" in sections:
        content["training_details"] = _training(sections["training_details"], cards, request.path)
    if "evaluation_details" in sections:
        content["evaluation_details"] = [
            _evaluation(one, f"{request.path}.evaluation_details[{index}]", objects, assets_bucket)
            for index, one in enumerate(sections["evaluation_details"])
        ]
    if "additional_information" in sections:
        content["additional_information"] = sections["additional_information"]
    return content


def _overview(given: Mapping[str, Any], cards: ModelCards, path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    name = given.get("model_name")
    if name:
        model = cards.model(name)
        if model is None:
            raise _absent(f"{path}.model_overview.model_name", f'SageMaker has no model "{name}" in this account')
        found = {"model_id": model.arn, "model_artifact": list(model.artifacts)}
        found["inference_environment"] = {"container_image": list(model.images)}
    own = dict(given)
    if "inference_environment" in own:
        own["inference_environment"] = {"container_image": own["inference_environment"]}
    return {**found, **own}


def _training(given: Mapping[str, Any], cards: ModelCards, path: str) -> dict[str, Any]:
    job = _training_job(given, cards, f"{path}.training_details")
    details = dict(given.get("training_job_details", {}))
    if "training_environment" in details:
        details["training_environment"] = {"container_image": details["training_environment"]}
    if job is not None:
        details = {
            "training_arn": job.arn,
            "training_datasets": list(job.datasets),
            "training_environment": {"container_image": [job.image]},
            "training_metrics": [{"name": name, "value": value} for name, value in job.metrics],
            **details,
        }
    found: dict[str, Any] = {}
    objective = given.get("objective_function")
    if objective:
        function = {key: objective[key] for key in ("function", "facet", "condition") if key in objective}
        found["objective_function"] = {"function": function}
        if "notes" in objective:
            found["objective_function"]["notes"] = objective["notes"]
    if "training_observations" in given:
        found["training_observations"] = given["training_observations"]
    if details:
        found["training_job_details"] = details
    return found


def _training_job(given: Mapping[str, Any], cards: ModelCards, path: str) -> TrainingJob | None:
    name = given.get("training_job_name")
    if name:
        job = cards.training_job(name)
        if job is None:
            raise _absent(f"{path}.training_job_name", f'SageMaker has no training job "{name}" in this account')
        return job
    model_name = given.get("model_name")
    if not model_name:
        return None
    model = cards.model(model_name)
    if model is None:
        raise _absent(f"{path}.model_name", f'SageMaker has no model "{model_name}" in this account')
    jobs = [cards.training_job_of(artifact) for artifact in model.artifacts]
    job = next((one for one in jobs if one is not None), None)
    if job is None:
        what = f'no training job of this account made the artefacts of "{model_name}"'
        raise _absent(f"{path}.model_name", what)
    return job


def _evaluation(given: Mapping[str, Any], path: str, objects: Objects, assets_bucket: str) -> dict[str, Any]:
    url = given.get("metric_file_s3_url")
    rest = {key: value for key, value in given.items() if key not in {"metric_file_s3_url", "metric_type"}}
    if url is None:
        return rest
    where = f"{path}.metric_file_s3_url"
    bucket, _, key = url.removeprefix("s3://").partition("/") if url.startswith("s3://") else (assets_bucket, "", url)
    if bucket != assets_bucket:
        fix = f"Copy the file to s3://{assets_bucket}/ and name it there."
        raise BadConfiguration([Problem(where, f'lies in the bucket "{bucket}", which is not the assets bucket', fix)])
    try:
        described = objects.describe(bucket, key)
        if described.size > MAX_METRIC_FILE:
            what = f"has {described.size:,} bytes, {MAX_METRIC_FILE:,} are allowed"
            raise BadConfiguration([Problem(where, what, "Name the evaluation's own file.")])
        data = objects.read(bucket, key, described.version_id)
    except SourceGone:
        raise _absent(where, f'there is no object "{key}" in the assets bucket') from None
    try:
        results = strict_json.parse(data, max_bytes=MAX_METRIC_FILE)
    except BadConfiguration as refused:
        raise BadConfiguration(
            [Problem(where, f"{found.what} (in the file)", found.fix) for found in refused.problems]
        ) from None
    return {
        **rest,
        "metric_groups": [*rest.get("metric_groups", ()), *metric_groups(results, given["metric_type"], where)],
    }


def _absent(path: str, what: str) -> BadConfiguration:
    return BadConfiguration([Problem(path, what, "Check the name, or write the details yourself.")])
