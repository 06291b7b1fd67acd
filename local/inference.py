"""Asks for one prediction twice: the deployed endpoint over HTTP, and the model itself in this process."""

from __future__ import annotations

import importlib.util
import json
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from botocore.credentials import Credentials

from local.cloud.client import SECRET
from local.follow import Ended
from local.installation import Running
from local.model_archive import unpack
from local.settings import REGION
from local.signed import call
from local.upload import Example


class NoPrediction(Exception):
    """The endpoint's HTTP front answered something else than a prediction; carries status and body."""


@dataclass(frozen=True)
class Prediction:
    """One answer to the sample record."""

    where: str
    """URL of the endpoint's HTTP front, or the file of the model."""
    text: str
    """As it was answered."""
    value: Any
    """The text, parsed."""


def ask_endpoint(running: Running, ended: Ended, example: Example) -> Prediction:
    """Send the sample to ``POST /inference`` of the last stage's stack, signed by that stage's account.

    Raises ``NoPrediction`` for any status but 200.
    """
    stage, account = list(running.stages.items())[-1]
    where = ended.stage(stage).outputs["InferenceUrl"]
    reply = call(
        "POST",
        running.cloud.local_url(where),
        Credentials(account, SECRET),
        REGION,
        {"payload": example.sample, "content_type": example.content_type},
    )
    text = reply.body.decode("utf-8", "replace")
    if reply.status != 200:
        raise NoPrediction(f"{where} answered {reply.status}: {text}")
    return Prediction(where, text, json.loads(text))


def ask_model(example: Example) -> Prediction:
    """Run the archive's own ``code/inference.py`` on the sample, as SageMaker's container runs it."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(example.model) as archive:
            unpack(archive, Path(folder))
        script = _load(Path(folder) / "code" / "inference.py")
        model = script.model_fn(folder)
        records = script.input_fn(example.sample.encode(), example.content_type)
        answered = script.output_fn(script.predict_fn(records, model), "application/json")
    text = str(answered[0] if isinstance(answered, tuple) else answered)
    return Prediction(str(example.model), text, json.loads(text))


def _load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_inference", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {file}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
