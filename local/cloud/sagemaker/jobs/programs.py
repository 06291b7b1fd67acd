"""A processing job's own program, where its image is AWS's scikit-learn: run in a process, as the job's role.

The container's ``/opt/ml`` is a scratch folder here, whose path stands in the entry point, the arguments and the
environment in its place. Calls of AWS's API go to this cloud, with credentials of the job's role.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from local.cloud.contract import Seam
from local.cloud.sagemaker.jobs.access import Image
from local.cloud.sagemaker.jobs.lifecycle import Job, JobFailed

SEAMS = (Seam("ministack.core.lambda_runtime", "execution_credentials", ("config",)),)

REPOSITORY = "sagemaker-scikit-learn"
ROOT = "/opt/ml"
MESSAGE = "output/message"
"""What a container leaves there is the job's exit message ("How Amazon SageMaker Processing Configures Your
Processing Container", Developer Guide)."""
MAX_MESSAGE = 1024
DAY = 86_400
LOG = "process.log"

Files = dict[str, bytes]
"""Path within the container → content."""


def runs(fields: dict[str, Any], image: Image | None) -> bool:
    """Whether a job has a Python program of its own, and an image that this interpreter can stand for."""
    command = fields["AppSpecification"].get("ContainerEntrypoint") or [""]
    return image is not None and image.repository == REPOSITORY and command[0] in {"python", "python3"}


def run(job: Job, files: Files, outputs: list[str]) -> Files:
    """Run the program; what it left in the folders of ``outputs``. Raises JobFailed, worker.Stopped."""
    with tempfile.TemporaryDirectory(prefix="processing-") as name:
        root = Path(name).resolve() / "ml"
        for path, content in files.items():
            place = _within(root, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        for path in outputs:
            _within(root, path).mkdir(parents=True, exist_ok=True)
        code = _process(job, root)
        if code:
            job.run.look()
            message = root / MESSAGE
            said = message if message.is_file() else root.parent / LOG
            why = said.read_text(errors="replace").strip()[-MAX_MESSAGE:]
            raise JobFailed(f"AlgorithmError: {why or 'See job logs for more information'}, exit code: {code}")
        left = [path for output in outputs for path in sorted(_within(root, output).rglob("*")) if path.is_file()]
        return {f"{ROOT}/{path.relative_to(root).as_posix()}": path.read_bytes() for path in left}


def _within(root: Path, path: str) -> Path:
    """A path of the container in the scratch folder, never outside it."""
    place = (root / path.removeprefix(ROOT).lstrip("/")).resolve()
    if not place.is_relative_to(root):
        raise JobFailed(f"ClientError: {path} is not below {ROOT}")
    return place


def _process(job: Job, root: Path) -> int:
    """Exit status of the program."""
    application = job.fields["AppSpecification"]
    words = [*application["ContainerEntrypoint"][1:], *(application.get("ContainerArguments") or [])]
    limit = (job.fields.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", DAY)
    with (root.parent / LOG).open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - what the pipeline's author wrote, as on AWS
            [sys.executable, *(_here(word, root) for word in words)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=root,
            env=_environment(job, root),
        )
        timer = threading.Timer(limit, process.kill)
        timer.daemon = True
        job.run.on_stop.append(process.kill)
        try:
            timer.start()
            return process.wait()
        finally:
            timer.cancel()
            job.run.on_stop.remove(process.kill)
            process.kill()
            process.wait()


def _here(text: str, root: Path) -> str:
    return text.replace(ROOT, str(root))


def _environment(job: Job, root: Path) -> dict[str, str]:
    from ministack.core.lambda_runtime import execution_credentials

    given = {name: _here(value, root) for name, value in (job.fields.get("Environment") or {}).items()}
    who = {
        "Role": job.role.arn,
        # The emulator takes the account of the session from a function's ARN.
        "FunctionArn": f"arn:aws:lambda:{job.region}:{job.account}:function:{job.record.name}",
        "FunctionName": job.record.name,
    }
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(root),
        "AWS_REGION": job.region,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ.get('GATEWAY_PORT', '4566')}",
        "AWS_EC2_METADATA_DISABLED": "true",
        **given,
        **execution_credentials(who),
    }
