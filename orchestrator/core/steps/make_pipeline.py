"""Package, where CodePipeline deploys: the workload's pipeline is made, or changed, before anything runs through it."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.config import WORKLOAD_TAG
from orchestrator.core.installation import Installation
from orchestrator.core.pipelines.ports import Pipelines
from orchestrator.core.pipelines.template import pipeline_name, template
from orchestrator.core.plans import ArtifactStore
from orchestrator.core.ports import Objects, Store
from orchestrator.core.records import Release
from orchestrator.core.steps.released import released_package


def make_pipeline(
    release: Release,
    *,
    store: Store,
    objects: Objects,
    pipelines: Pipelines,
    installation: Installation,
    packages_bucket: str,
    artifacts: ArtifactStore,
) -> None:
    """Have the workload's pipeline made or changed, and note it in the release; of a removal, note it alone.

    Raises ``StackBusy``, ``PipelineFailed``.
    """
    name = pipeline_name(release.workload)
    if not release.removes:
        text = template(
            installation,
            workload=release.workload,
            stack_name=release.stack_name,
            stages=release.stages,
            capabilities=released_package(release, objects, packages_bucket).capabilities,
            packages_bucket=packages_bucket,
            artifacts=artifacts,
            tags={WORKLOAD_TAG: release.workload},
        )
        pipelines.provision(name, text)
    store.update(Release, release.key(), lambda found: replace(found, pipeline=name))
