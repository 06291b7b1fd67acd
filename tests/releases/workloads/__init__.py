"""The twelve workload types: for each one workload with most of its optional keys set, and what must come of it."""

from __future__ import annotations

from tests.releases.workloads import batch, monitors, realtime, training

WORKLOADS = (
    realtime.BUILTIN,
    realtime.CUSTOM,
    batch.BUILTIN,
    batch.CUSTOM,
    monitors.DATA_QUALITY,
    monitors.MODEL_QUALITY,
    monitors.BIAS,
    monitors.EXPLAINABILITY,
    training.IMAGE,
    training.TRAINING,
    training.TUNER,
    training.AUTOPILOT,
)
