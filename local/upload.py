"""Builds the example and uploads it as its user would: with S3's API, the assets first, the configuration last."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.deploy import ROOT
from local.installation import Running
from local.settings import ORCHESTRATOR, REGION, Mode
from orchestrator.core.events import CONFIGURATION_NAME
from orchestrator.core.steps.receive_request import REQUESTER_METADATA

EXAMPLE = ROOT / "examples" / "breast-cancer"

REQUESTER = "ana@example.com"
"""Who uploads, by the object's own word: a claim."""

CONTENT_TYPES = {".gz": "application/gzip", ".csv": "text/csv", ".json": "application/json"}


class TrainingFailed(Exception):
    """The example's training script ended with an error; carries what it said."""


@dataclass(frozen=True)
class Example:
    """A trained model, ready for upload."""

    folder: Path
    """Holds what the training script wrote."""
    configuration: Path
    """``mlops-config.json``, for the installation's number of accounts."""
    prefix: str
    """Of every key in the assets bucket."""
    assets: Mapping[str, Path]
    """File by key."""

    @property
    def model(self) -> Path:
        """``model.tar.gz``."""
        return self.folder / "model.tar.gz"

    @property
    def values(self) -> dict[str, Any]:
        """The configuration's content."""
        found: dict[str, Any] = json.loads(self.configuration.read_bytes())
        return found

    @property
    def sample(self) -> str:
        """The record of the smoke test."""
        return self.assets[self.values["verify"]["sample"]].read_text()

    @property
    def content_type(self) -> str:
        """Content type of the sample."""
        return str(self.values["verify"]["content_type"])


def build_example(folder: Path, mode: Mode = "multi") -> Example:
    """Train the example's model with its own script; its files are written to ``folder``.

    Raises ``TrainingFailed``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(EXAMPLE / "train.py"), "--output", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise TrainingFailed(done.stderr.strip() or f"train.py ended with {done.returncode}")
    source = EXAMPLE / ("single-account" if mode == "single" else "") / CONFIGURATION_NAME
    configuration = Path(shutil.copyfile(source, folder / CONFIGURATION_NAME))
    values = json.loads(configuration.read_bytes())
    keys = [values["model_artifact_location"], values["verify"]["sample"], values["metrics"]]
    assets = {str(key): folder / Path(key).name for key in keys}
    return Example(folder, configuration, values["model_name"], assets)


def upload_example(running: Running, example: Example) -> None:
    """Upload the assets, then the configuration: its arrival is what starts the release."""
    bucket = running.outputs["AssetsBucketName"]
    s3 = running.cloud.client("s3", ORCHESTRATOR, region=REGION)
    for key, file in example.assets.items():
        s3.put_object(Bucket=bucket, Key=key, Body=file.read_bytes(), ContentType=CONTENT_TYPES[file.suffix])
    s3.put_object(
        Bucket=bucket,
        Key=f"{example.prefix}/{CONFIGURATION_NAME}",
        Body=example.configuration.read_bytes(),
        ContentType="application/json",
        Metadata={REQUESTER_METADATA: REQUESTER},
    )
