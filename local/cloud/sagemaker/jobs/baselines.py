"""Model Monitor's analyzer image, as a baseline job uses it: told by its environment what to analyse.

The environment is the one that the SageMaker Python SDK's monitors set: ``dataset_format``, ``dataset_source``,
``output_path``, and for model quality ``analysis_type`` with the attributes of predictions and labels.
"""

from __future__ import annotations

import json
from typing import Any

from local.cloud.sagemaker.jobs import data_quality, model_quality, tables
from local.cloud.sagemaker.jobs.lifecycle import Job
from local.cloud.sagemaker.jobs.tables import NoTable, Table


def analyse(job: Job, files: dict[str, bytes]) -> dict[str, bytes]:
    """``statistics.json`` and ``constraints.json`` in the output path; raises NoTable."""
    environment = job.fields.get("Environment") or {}
    missing = [name for name in ("dataset_format", "dataset_source", "output_path") if not environment.get(name)]
    if missing:
        raise NoTable(f"Environment variables {', '.join(missing)} are required by the analyzer")
    table = _table(environment, files)
    if environment.get("analysis_type") == "MODEL_QUALITY":
        found = model_quality.analysed(table, environment)
    else:
        found = data_quality.measured(table), data_quality.suggested(table)
    place = environment["output_path"].rstrip("/")
    return {
        f"{place}/{name}.json": json.dumps(content, indent=2).encode()
        for name, content in zip(("statistics", "constraints"), found, strict=True)
    }


def _table(environment: dict[str, str], files: dict[str, bytes]) -> Table:
    source = environment["dataset_source"].rstrip("/")
    parts = [content for path, content in sorted(files.items()) if path == source or path.startswith(f"{source}/")]
    if not parts:
        raise NoTable(f"there is no data in dataset_source {source}")
    try:
        form: dict[str, Any] = json.loads(environment["dataset_format"])
    except ValueError as problem:
        raise NoTable(f"dataset_format is no JSON ({problem})") from problem
    if "csv" not in form:
        raise NoTable(f"the embedded cloud analyses CSV only, not {', '.join(form)}")
    return tables.read(parts, header=bool((form["csv"] or {}).get("header")))
