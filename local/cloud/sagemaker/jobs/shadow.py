"""Clarify's shadow endpoint: the model of an analysis configuration, asked with the rows of a dataset.

On AWS the processing job makes an endpoint of the model, asks it and deletes it, all with its own role; the permissions
for that are asked here, and the model's container is started directly.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local.cloud.sagemaker import backend
from local.cloud.sagemaker.jobs import transform
from local.cloud.sagemaker.jobs.lifecycle import Job, JobFailed
from local.cloud.sagemaker.jobs.tables import NoTable
from local.cloud.sagemaker.served import ServedModel

BATCH = 200
"""Rows in one request."""


@dataclass(frozen=True)
class Shadow:
    """A model that can be asked."""

    model: ServedModel
    predictor: dict[str, Any]

    def records(self, rows: list[list[str]]) -> list[list[str]]:
        """The model's answer for each row: its cells, or what ``label`` and ``probability`` name in JSON."""
        found: list[list[str]] = []
        for start in range(0, len(rows), BATCH):
            found += self._batch(rows[start : start + BATCH])
        return found

    def scores(self, rows: list[list[str]]) -> list[list[float]]:
        """Numbers for each row: the probabilities or the label where the configuration names them, else all cells."""
        place = self.predictor.get("probability")
        place = self.predictor.get("label") if place is None else place
        answers = self.records(rows)
        try:
            if isinstance(place, int):
                return [_floats(answer[place]) for answer in answers]
            if isinstance(place, str):
                return [_floats(answer[-1]) for answer in answers]
            return [[number for cell in answer for number in _floats(cell)] for answer in answers]
        except (ValueError, IndexError) as problem:
            raise NoTable(f"the model's answer holds no numbers to explain ({problem})") from problem

    def _batch(self, rows: list[list[str]]) -> list[list[str]]:
        content_type = self.predictor.get("content_type") or "text/csv"
        accept = self.predictor.get("accept_type") or content_type
        answer = self.model.predict(_request(self.predictor, content_type, rows), content_type, accept)
        if answer.status != 200:
            raise JobFailed(f"ClientError: the model answered {answer.status} to Clarify: {answer.message}")
        found = _answers(self.predictor, answer.body.decode(), answer.content_type or accept)
        if len(found) != len(rows):
            raise NoTable(f"the model answered {len(rows)} rows with {len(found)} predictions")
        return found


@contextmanager
def shadow(job: Job, predictor: dict[str, Any]) -> Iterator[Shadow]:
    """The configured model, started; raises access.Refused, JobFailed."""
    name = str(predictor.get("model_name", ""))
    stem = predictor.get("endpoint_name_prefix") or "sm-clarify"
    mark = f"{int(time.time())}-0000"
    account, region = job.account, job.region
    job.role.need("sagemaker:DescribeModel", backend.arn(account, region, "model", name))
    config = backend.arn(account, region, "endpoint-config", f"{stem}-config-{mark}")
    endpoint = backend.arn(account, region, "endpoint", f"{stem}-{mark}")
    for action, target in (
        ("CreateEndpointConfig", config),
        ("CreateEndpoint", endpoint),
        ("CreateEndpoint", config),
        ("DescribeEndpoint", endpoint),
        ("InvokeEndpoint", endpoint),
        ("DeleteEndpoint", endpoint),
        ("DeleteEndpointConfig", config),
    ):
        job.role.need(f"sagemaker:{action}", target)
    model = transform.load(job, name, {})
    try:
        yield Shadow(model, predictor)
    finally:
        model.stop()


def _request(predictor: dict[str, Any], content_type: str, rows: list[list[str]]) -> bytes:
    kind = content_type.partition(";")[0].strip()
    if kind == "text/csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue().encode()
    features = [json.dumps([_number(cell) for cell in row]) for row in rows]
    if kind == "application/jsonlines":
        template = predictor.get("content_template") or '{"features": $features}'
        return "\n".join(template.replace("$features", row) for row in features).encode()
    if kind == "application/json":
        template = str(predictor.get("content_template") or "")
        record = str(predictor.get("record_template") or "$features")
        if "$records" not in template:
            raise NoTable('content_template of application/json must have "$records"')
        return template.replace(
            "$records", f"[{', '.join(record.replace('$features', row) for row in features)}]"
        ).encode()
    raise NoTable(f"the embedded cloud asks models with CSV, JSON or JSON lines, not {content_type}")


def _answers(predictor: dict[str, Any], text: str, accept: str) -> list[list[str]]:
    kind = accept.partition(";")[0].strip()
    if kind == "text/csv":
        return [row for row in csv.reader(io.StringIO(text)) if row]
    documents = (
        [json.loads(line) for line in text.splitlines() if line.strip()] if "lines" in kind else json.loads(text)
    )
    paths = [path for path in (predictor.get("label"), predictor.get("probability")) if isinstance(path, str)]
    if "lines" in kind:
        return [_named(document, paths) for document in documents]
    columns = [_search(path, documents) for path in paths] or [documents]
    return [
        [json.dumps(cell) if isinstance(cell, list) else str(cell) for cell in row]
        for row in zip(*columns, strict=True)
    ]


def _named(document: Any, paths: list[str]) -> list[str]:
    found = [_search(path, document) for path in paths] if paths else [document]
    return [json.dumps(cell) if isinstance(cell, list) else str(cell) for cell in found]


def _search(path: str, document: Any) -> Any:
    # The AWS SDK brings it; the configuration's paths are JMESPath expressions.
    found = importlib.import_module("jmespath").search(path, document)
    if found is None:
        raise NoTable(f"the model's answer has nothing at {path}")
    return found


def _floats(cell: str) -> list[float]:
    text = cell.strip()
    if text.startswith("["):
        return [float(number) for number in json.loads(text)]
    return [float(text)]


def _number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell
