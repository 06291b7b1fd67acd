"""The fifteen functions: what each holds, how long it may run, and what its environment says.

What a function may do is granted where it meets the thing (``grants.py`` and the constructs of the things themselves).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

import functions.api.env
import functions.append_ledger.env
import functions.deploy_stage.env
import functions.examine.env
import functions.notify.env
import functions.package.env
import functions.plan_stage.env
import functions.receive_request.env
import functions.record_outcome.env
import functions.request_approval.env
import functions.resume_deployment.env
import functions.run_job.env
import functions.sweep_waits.env
import functions.verify_stage.env
import slack_app.env
import slack_app.front.env
from orchestrator.core.slack_manifest import FILE as MANIFEST
from stacks.functions import Function
from stacks.layers import layer
from stacks.machines import machines_of
from stacks.names import Machine, Names, construct_id
from stacks.settings import Settings
from stacks.slack_ingress import WORKER_SECONDS

BASE, SLACK = ("base",), ("base", "slack")

TASK_SECONDS = 900
"""Of a function that plans: creating a change set has no event, so it is waited for inside the function."""

API_SECONDS = 29
"""What API Gateway waits."""

EXAMINE_SECONDS = 25
"""The function ends its examination after twenty, whatever has been answered by then."""

FRONT_SECONDS = 5
"""Slack gives up after three."""


class Fleet(Construct):
    """All functions; ``by_id`` has them by construct id."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        table_name: str,
        settings_parameter: str,
        assets_bucket: str,
        packages_bucket: str,
        commits_bucket: str,
        packages_key_arn: str,
        artifacts_bucket: str,
        artifacts_key_arn: str,
        topic_arn: str,
        slack_secret_arn: str,
        slack_queue_url: str,
        slack_request_url: str,
    ) -> None:
        super().__init__(scope, id)
        self._settings = settings
        self._layers: dict[str, lambda_.LayerVersion] = {}
        self.by_id: dict[str, Function] = {}
        common: dict[str, str] = {"table_name": table_name, "settings_parameter": settings_parameter}
        packages = {**common, "packages_bucket": packages_bucket}
        starting = {**packages, "assets_bucket": assets_bucket, **_machines(settings)}

        self._step(
            "package",
            functions.package.env.Env(
                **packages,
                assets_bucket=assets_bucket,
                packages_key_arn=packages_key_arn,
                artifacts_bucket=artifacts_bucket,
                artifacts_key_arn=artifacts_key_arn,
            ),
            "Writes the immutable package of a release",
            seconds=TASK_SECONDS,
            with_templates=True,
            memory_mb=1024,
        )
        self._step("plan_stage", functions.plan_stage.env.Env(**packages), "Makes a change set", seconds=TASK_SECONDS)
        self._step(
            "deploy_stage",
            functions.deploy_stage.env.Env(**packages),
            "Executes the change set that was approved",
            seconds=TASK_SECONDS,
        )
        self._step("run_job", functions.run_job.env.Env(**packages), "Starts a workload's job", seconds=300)
        self._step(
            "verify_stage",
            functions.verify_stage.env.Env(**packages),
            "Checks what was deployed",
            seconds=300,
        )
        self._step("request_approval", functions.request_approval.env.Env(**common), "Asks people", seconds=60)
        self._step("record_outcome", functions.record_outcome.env.Env(**common), "Ends a release", seconds=300)
        self._step(
            "receive_request",
            functions.receive_request.env.Env(**starting, commits_bucket=commits_bucket),
            "Turns what people upload, commit and approve into releases",
            seconds=120,
            with_templates=True,
        )
        self._step(
            "resume_deployment",
            functions.resume_deployment.env.Env(**common),
            "Resumes what waits for a stack or a job",
            seconds=120,
        )
        self._step(
            "sweep_waits",
            functions.sweep_waits.env.Env(
                **common,
                **_machines(settings),
                record_outcome_function=self["record_outcome"].function.function_name,
            ),
            "Settles waits whose event was lost, and ends releases whose execution is gone",
            seconds=300,
        )
        self._step(
            "examine",
            functions.examine.env.Env(
                settings_parameter=settings_parameter,
                slack_secret_arn=slack_secret_arn,
                slack_request_url=slack_request_url,
                topic_arn=topic_arn,
            ),
            "Looks at the installation for mlops doctor",
            seconds=EXAMINE_SECONDS,
            layers=SLACK,
            memory_mb=1024,
        )
        self._step(
            "api",
            functions.api.env.Env(
                **starting,
                examine_function=self["examine"].function.function_name,
                slack_request_url=slack_request_url,
                slack_secret_arn=slack_secret_arn,
            ),
            "Answers the REST API",
            seconds=API_SECONDS,
            with_templates=True,
            memory_mb=1024,
            files=(MANIFEST,),
        )
        self._step(
            "notify",
            functions.notify.env.Env(
                **common,
                slack_secret_arn=slack_secret_arn,
                topic_arn=topic_arn,
                slack_queue_url=slack_queue_url,
            ),
            "Tells Slack and the topic what the table says",
            seconds=120,
            layers=SLACK,
        )
        self._step(
            "append_ledger",
            functions.append_ledger.env.Env(**common),
            "Appends to the audit ledger what the table's changes tell",
            seconds=300,
        )
        self._add(
            "slack_front",
            slack_app.front.env.Env(
                queue_url=slack_queue_url,
                slack_secret_arn=slack_secret_arn,
                slack_api_url=settings.installation.slack_api_url,
            ),
            "Checks Slack's signature and puts the action on the queue",
            module="slack_app.front.handler",
            folders=("orchestrator", "slack_app/front", "slack_app/__init__.py"),
            layers=(),
            seconds=FRONT_SECONDS,
            memory_mb=512,
        )
        self._add(
            "slack_worker",
            slack_app.env.Env(**starting, slack_secret_arn=slack_secret_arn),
            "Carries out what was clicked or typed in Slack",
            module="slack_app.worker",
            folders=("orchestrator", "slack_app", "templates"),
            own_templates=settings.template_folders,
            layers=SLACK,
            seconds=WORKER_SECONDS,
            memory_mb=1024,
        )

    def __getitem__(self, name: str) -> Function:
        """A function by its folder's name."""
        return self.by_id[construct_id(name)]

    def only(self, names: Sequence[str]) -> list[Function]:
        """Some functions."""
        return [self[name] for name in names]

    def _step(
        self,
        name: str,
        env: Any,
        description: str,
        *,
        seconds: int,
        with_templates: bool = False,
        layers: Sequence[str] = BASE,
        memory_mb: int = 512,
        files: Sequence[str] = (),
    ) -> None:
        """A function of ``functions/<name>/``."""
        folders = ("orchestrator", f"functions/{name}", *(("templates",) if with_templates else ()), *files)
        self._add(
            name,
            env,
            description,
            module=f"functions.{name}.handler",
            folders=folders,
            layers=layers,
            seconds=seconds,
            memory_mb=memory_mb,
            own_templates=self._settings.template_folders if with_templates else (),
        )

    def _add(
        self,
        name: str,
        env: Any,
        description: str,
        *,
        module: str,
        folders: Sequence[str],
        layers: Sequence[str],
        seconds: int,
        memory_mb: int,
        own_templates: Sequence[Path] = (),
    ) -> None:
        function = Function(
            self,
            name,
            settings=self._settings,
            description=description,
            handler=module,
            folders=folders,
            env=env,
            layers=[self._layer(layer_name) for layer_name in layers],
            timeout_seconds=seconds,
            memory_mb=memory_mb,
            own_templates=own_templates,
        )
        self.by_id[construct_id(name)] = function

    def _layer(self, name: str) -> lambda_.LayerVersion:
        if name not in self._layers:
            settings = self._settings
            self._layers[name] = layer(self, name, runtime=settings.runtime, architecture=settings.architecture)
        return self._layers[name]


def _machines(settings: Settings) -> Mapping[str, str]:
    """Variables that name the machines; one that the installation lacks is empty."""
    fixed, present = Names(settings), machines_of(settings)
    return {
        "multi_machine_arn": fixed.machine_arn(Machine.MULTI) if Machine.MULTI in present else "",
        "single_machine_arn": fixed.machine_arn(Machine.SINGLE) if Machine.SINGLE in present else "",
    }
