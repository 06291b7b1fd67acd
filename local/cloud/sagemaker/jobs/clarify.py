"""Clarify's processing image: bias metrics and explanations as an analysis configuration asks for them.

Input names, keys and the shape of ``analysis.json`` are the Amazon SageMaker Developer Guide's ("Analysis Configuration
Files", "Analysis Results"). A key that it does not have is an error. Explanations are Shapley values estimated on a few
rows; partial dependence, text and images are not analysed here.
"""

from __future__ import annotations

import json
from typing import Any

from local.cloud.sagemaker.jobs import bias, shadow, shapley, storage, tables
from local.cloud.sagemaker.jobs.lifecycle import Job
from local.cloud.sagemaker.jobs.tables import NoTable, Table

CONFIG, DATASET, RESULT = "analysis_config", "dataset", "analysis_result"

KEYS = frozenset(
    {
        "version",
        "dataset_type",
        "dataset_uri",
        "headers",
        "label",
        "label_values_or_threshold",
        "probability_threshold",
        "features",
        "facet",
        "facet_dataset_uri",
        "facet_headers",
        "group_variable",
        "joinsource_name_or_index",
        "predicted_label",
        "predicted_label_dataset_uri",
        "predicted_label_headers",
        "excluded_columns",
        "time_series_data_config",
        "methods",
        "predictor",
    }
)
METHODS = frozenset({"pre_training_bias", "post_training_bias", "shap", "asymmetric_shapley_value", "pdp", "report"})
SHAP_KEYS = frozenset(
    {
        "baseline",
        "num_clusters",
        "use_logit",
        "num_samples",
        "agg_method",
        "seed",
        "save_local_shap_values",
        "text_config",
        "image_config",
        "features_to_explain",
    }
)
PREDICTOR_KEYS = frozenset(
    {
        "model_name",
        "endpoint_name",
        "endpoint_name_prefix",
        "instance_type",
        "initial_instance_count",
        "accelerator_type",
        "content_type",
        "accept_type",
        "content_template",
        "record_template",
        "custom_attributes",
        "target_model",
        "label",
        "probability",
        "label_headers",
        "time_series_predictor_config",
    }
)


def analyse(job: Job, files: dict[str, bytes]) -> dict[str, bytes]:
    """``analysis.json`` in the place of the output ``analysis_result``; raises NoTable, access.Refused."""
    config = _config(job, files)
    table = _dataset(job, config, files)
    methods = config.get("methods") or {}
    answer: dict[str, Any] = {"version": "1.0"}
    label = _name(table, config["label"]) if config.get("label") is not None else ""
    features = table.without([label, *(_name(table, name) for name in config.get("excluded_columns") or [])])
    predictor = config.get("predictor") or {}
    if "pre_training_bias" in methods:
        rows = _facets(config, table, label, [])
        answer["pre_training_bias_metrics"] = _bias(
            config, bias.PRE_TRAINING, methods["pre_training_bias"], rows, label
        )
    if "post_training_bias" in methods or "shap" in methods:
        with shadow.shadow(job, predictor) as model:
            if "post_training_bias" in methods:
                rows = _facets(config, table, label, _predicted(config, model.records(_rows(features))))
                answer["post_training_bias_metrics"] = _bias(
                    config, bias.POST_TRAINING, methods["post_training_bias"], rows, label
                )
            if "shap" in methods:
                answer["explanations"] = {"kernel_shap": _explained(job, methods["shap"], features, model, predictor)}
    place = _place(job)
    return {f"{place}/analysis.json": json.dumps(answer, indent=2).encode()}


def _config(job: Job, files: dict[str, bytes]) -> dict[str, Any]:
    found = [content for path, content in files.items() if path.startswith(f"{_local(job, CONFIG)}/")]
    if len(found) != 1:
        raise NoTable(f"the processing input {CONFIG} must be one JSON file")
    try:
        config: dict[str, Any] = json.loads(found[0])
    except ValueError as problem:
        raise NoTable(f"the analysis configuration is no JSON ({problem})") from problem
    methods = config.get("methods") or {}
    for given, known, where in (
        (config, KEYS, "the analysis configuration"),
        (methods, METHODS, "methods"),
        (methods.get("shap") or {}, SHAP_KEYS, "methods.shap"),
        (config.get("predictor") or {}, PREDICTOR_KEYS, "predictor"),
    ):
        unknown = sorted(given.keys() - known)
        if unknown:
            raise NoTable(f"{where} has unknown keys: {', '.join(unknown)}")
    _require(config, methods)
    return config


def _require(config: dict[str, Any], methods: dict[str, Any]) -> None:
    """Raise NoTable for what a method cannot do without."""
    if not methods.keys() - {"report"}:
        raise NoTable("methods names no analysis")
    unsupported = [name for name in ("pdp", "asymmetric_shapley_value") if name in methods]
    if unsupported:
        raise NoTable(f"the embedded cloud does not analyse {unsupported[0]}")
    if config.get("dataset_type", "text/csv") != "text/csv":
        raise NoTable(f"the embedded cloud analyses text/csv only, not {config['dataset_type']}")
    biased = [name for name in ("pre_training_bias", "post_training_bias") if name in methods]
    if biased:
        missing = [key for key in ("label", "facet") if config.get(key) in (None, [], "")]
        if missing:
            raise NoTable(f"{biased[0]} requires {', '.join(missing)}")
    if "shap" in methods or "post_training_bias" in methods:
        predictor = config.get("predictor") or {}
        if not predictor.get("model_name"):
            raise NoTable("predictor.model_name is required to ask the model")
        missing = [key for key in ("instance_type", "initial_instance_count") if not predictor.get(key)]
        if missing:
            raise NoTable(f"predictor requires {', '.join(missing)}")


def _dataset(job: Job, config: dict[str, Any], files: dict[str, bytes]) -> Table:
    local = _local(job, DATASET, required=False)
    parts = [content for path, content in sorted(files.items()) if local and path.startswith(f"{local}/")]
    if not parts and config.get("dataset_uri"):
        uri = config["dataset_uri"]
        parts = [storage.read(job.role, found.uri) for found in storage.listed(job.role, uri)]
    if not parts:
        raise NoTable(f"the processing input {DATASET} has no data")
    headers = config.get("headers") or []
    # With ``headers`` in the configuration the files have none of their own.
    return tables.read(parts, header=not headers, names=headers)


def _local(job: Job, name: str, *, required: bool = True) -> str:
    for each in job.fields.get("ProcessingInputs") or []:
        if each["InputName"] == name:
            return str(each["S3Input"].get("LocalPath", "")).rstrip("/")
    if required:
        raise NoTable(f"the processing job has no input named {name}")
    return ""


def _place(job: Job) -> str:
    for each in (job.fields.get("ProcessingOutputConfig") or {}).get("Outputs") or []:
        if each["OutputName"] == RESULT:
            return str(each["S3Output"].get("LocalPath", "")).rstrip("/")
    raise NoTable(f"the processing job has no output named {RESULT}")


def _name(table: Table, named: str | int) -> str:
    table.column(named)
    return table.names[named] if isinstance(named, int) else named


def _rows(table: Table) -> list[list[str]]:
    return [list(row) for row in zip(*table.columns.values(), strict=True)]


def _predicted(config: dict[str, Any], answers: list[list[str]]) -> list[bool]:
    """Whether each prediction is the positive outcome."""
    predictor = config["predictor"]
    place, share = predictor.get("label"), predictor.get("probability")
    if isinstance(share, int) or (place is None and isinstance(share, str)):
        limit = float(config.get("probability_threshold") or 0.5)
        index = share if isinstance(share, int) else 0
        return [float(answer[index]) > limit for answer in answers]
    cells = [answer[place if isinstance(place, int) else 0] for answer in answers]
    wanted = config.get("label_values_or_threshold")
    values = tables.numbers(cells)
    if values is not None and not all(value in (0.0, 1.0) for value in values) and len(wanted or [1]) == 1:
        # A score in place of a label: compared with the threshold of probabilities, or of a continuous label.
        limit = float(config.get("probability_threshold") or 0.5)
        return [value > limit for value in values] if max(values) <= 1 else bias.chosen(cells, wanted)
    return bias.chosen(cells, wanted)


def _facets(
    config: dict[str, Any], table: Table, label: str, predicted: list[bool]
) -> list[tuple[str, list[Any], bias.Rows]]:
    labels = table.column(label)
    positive = bias.chosen(labels, config.get("label_values_or_threshold"))
    facets = config["facet"] if isinstance(config["facet"], list) else [config["facet"]]
    found = []
    for facet in facets:
        name = _name(table, facet["name_or_index"])
        wanted = facet.get("value_or_threshold") or []
        found.append((name, wanted, bias.Rows(bias.chosen(table.column(name), wanted), labels, positive, predicted)))
    return found


def _bias(
    config: dict[str, Any],
    metrics: dict[str, Any],
    method: dict[str, Any],
    facets: list[tuple[str, list[Any], bias.Rows]],
    label: str,
) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {}
    for name, wanted, rows in facets:
        values = bias.measured(metrics, method.get("methods"), rows)
        found.setdefault(name, []).append({"value_or_threshold": ",".join(map(str, wanted)), "metrics": values})
    wanted = config.get("label_values_or_threshold") or []
    return {"label": label, "facets": found, "label_value_or_threshold": ",".join(map(str, wanted))}


def _explained(
    job: Job, settings: dict[str, Any], features: Table, model: shadow.Shadow, predictor: dict[str, Any]
) -> dict[str, Any]:
    rows = _rows(features)
    baseline = _baseline(job, settings.get("baseline"), features)
    values, expected = shapley.explained(rows, baseline, model.scores, int(settings.get("seed") or 0))
    names = predictor.get("label_headers") or [f"label{index}" for index in range(len(expected))]
    method = settings.get("agg_method", "mean_abs")
    return {
        str(names[label] if label < len(names) else f"label{label}"): {
            "global_shap_values": {
                feature: shapley.aggregated(values, index, label, method)
                for index, feature in enumerate(features.names)
            },
            "expected_value": expected[label],
        }
        for label in range(len(expected))
    }


def _baseline(job: Job, given: Any, features: Table) -> list[list[str]]:
    """Rows as given, in a file, or one row made of the data: means of numbers, the commonest text."""
    if isinstance(given, str):
        rows = _rows(tables.read([storage.read(job.role, given)], header=False))
    elif given:
        rows = [[str(cell) for cell in row] for row in given]
    else:
        rows = [[_typical(cells) for cells in features.columns.values()]]
    if any(len(row) != len(features.names) for row in rows):
        raise NoTable(f"each row of the SHAP baseline needs a value for each of the {len(features.names)} features")
    return rows


def _typical(cells: list[str]) -> str:
    values = tables.numbers(cells)
    return str(sum(values) / len(values)) if values else max(set(cells), key=cells.count)
