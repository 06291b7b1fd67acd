"""The kinds of jobs, and the types of pipeline steps that make them."""

from __future__ import annotations

from dataclasses import dataclass

from local.cloud.sagemaker.jobs import automl, processing, training, transform, tuning
from local.cloud.sagemaker.jobs.lifecycle import Kind


@dataclass(frozen=True)
class StepType:
    """A type of step that makes a job."""

    kind: Kind
    metadata: str
    """Key of the job in a step's Metadata; its event spells it with a small first letter."""
    name_length: int
    """Characters of a job's name."""


STEPS = {
    "Training": StepType(training.KIND, "TrainingJob", 63),
    "Tuning": StepType(tuning.KIND, "TuningJob", 32),
    "Transform": StepType(transform.KIND, "TransformJob", 63),
    "Processing": StepType(processing.KIND, "ProcessingJob", 63),
}

TRAINING, TUNING, AUTOML = training.KIND, tuning.KIND, automl.KIND

KINDS = (TRAINING, TUNING, transform.KIND, processing.KIND, AUTOML)
