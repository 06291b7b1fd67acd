"""The files that the workloads of the tests are given: real data, and a real model, of the example."""

from __future__ import annotations

import csv
import importlib.util
import io
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sklearn.datasets import load_breast_cancer

from local.inference import ask_model
from local.model_archive import unpack
from local.upload import Example

BATCH = 40
"""Records of a batch, in two files."""

DOCKERFILE = """\
FROM python:3.11-slim
COPY serve /opt/program/serve
ENTRYPOINT ["/opt/program/serve"]
"""


@dataclass(frozen=True)
class Data:
    """Files made from the breast-cancer data set and the example's model."""

    example: Example

    @cached_property
    def rows(self) -> list[tuple[int, list[float]]]:
        """Class (1 is malignant) and the 30 measurements of each of the 569 records."""
        found = load_breast_cancer()
        return [
            (int(target == 0), [float(v) for v in row]) for target, row in zip(found.target, found.data, strict=True)
        ]

    @cached_property
    def names(self) -> list[str]:
        """Of the 30 measurements: ``mean_radius`` and so on."""
        return [str(name).replace(" ", "_") for name in load_breast_cancer().feature_names]

    @property
    def model(self) -> bytes:
        """``model.tar.gz``."""
        return self.example.model.read_bytes()

    def training(self) -> bytes:
        """400 records as built-in algorithms want them: CSV without a header, the class first."""
        return table([label, *row] for label, row in self.rows[:400])

    def validation(self) -> bytes:
        """The other records, likewise."""
        return table([label, *row] for label, row in self.rows[400:])

    def labelled(self) -> bytes:
        """All records with a header, the class first."""
        return table([["malignant", *self.names], *([label, *row] for label, row in self.rows)])

    def requests(self) -> bytes:
        """What the endpoint is asked, with a header."""
        return table([self.names, *(row for _, row in self.rows)])

    def typical(self) -> bytes:
        """One record that stands for all, for Shapley values: the mean of each measurement."""
        count = len(self.rows)
        return table([[sum(row[column] for _, row in self.rows) / count for column in range(len(self.names))]])

    def judged(self) -> bytes:
        """Class, prediction and probability of each record, with a header."""
        answers = self.predictions([row for _, row in self.rows])
        lines = [[label, int(answer >= 0.5), answer] for (label, _), answer in zip(self.rows, answers, strict=True)]
        return table([["label", "prediction", "probability"], *lines])

    def batches(self) -> dict[str, bytes]:
        """Two files of records without classes."""
        half = BATCH // 2
        chosen = [row for _, row in self.rows[:BATCH]]
        return {"one.csv": table(chosen[:half]), "two.csv": table(chosen[half:])}

    def scores(self) -> dict[str, list[float]]:
        """What the model itself says about these files."""
        half = BATCH // 2
        answers = self.predictions([row for _, row in self.rows[:BATCH]])
        return {"one.csv.out": answers[:half], "two.csv.out": answers[half:]}

    def answer(self) -> object:
        """What the model itself answers to the sample."""
        return ask_model(self.example).value

    def predictions(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """Probabilities of the archive's own ``code/inference.py``, in this process."""
        with tempfile.TemporaryDirectory() as folder:
            with tarfile.open(self.example.model) as archive:
                unpack(archive, Path(folder))
            program = _program(Path(folder) / "code" / "inference.py")
            records = program.input_fn(table(rows), "text/csv")
            body, _ = program.output_fn(program.predict_fn(records, program.model_fn(folder)), "text/csv")
        return [float(line) for line in str(body).split()]

    def container(self) -> bytes:
        """A zip with a Dockerfile, as the image builder takes it."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("Dockerfile", DOCKERFILE)
            archive.writestr("serve", "#!/bin/sh\nexec python -m http.server 8080\n")
        return packed.getvalue()

    def evaluation(self) -> bytes:
        """The example's figures."""
        return (self.example.folder / "evaluation.json").read_bytes()

    @property
    def sample(self) -> bytes:
        """One record."""
        return self.example.sample.encode()


def table(rows: Iterable[Sequence[object]]) -> bytes:
    """CSV."""
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.getvalue().encode()


def _program(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location("example_inference_of_data", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
