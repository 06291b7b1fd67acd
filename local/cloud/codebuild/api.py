"""StartBuild and StopBuild, in place of the emulator's, whose builds succeed without being done."""

from __future__ import annotations

import copy
import functools
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from local.cloud import projects, shapes
from local.cloud.codebuild import builds, docker
from local.cloud.codebuild.builds import Build
from local.cloud.contract import Seam
from local.cloud.principals import caller_arn
from local.cloud.projects import Project
from local.cloud.sagemaker.jobs import worker
from local.cloud.sagemaker.jobs.access import Role

SEAMS = (
    Seam("ministack.app", "_reset_all_state"),
    Seam("ministack.core.iam_actions", "extract_resource_arn", ("service", "method", "path", "headers", "body")),
    Seam("ministack.core.responses", "error_response_json", ("code", "message", "status")),
    Seam("ministack.core.responses", "get_account_id", ()),
    Seam("ministack.core.responses", "get_region", ()),
    Seam("ministack.core.responses", "json_response"),
    Seam("ministack.services.codebuild", "_builds"),
    Seam("ministack.services.codebuild", "_make_build_record", ("project", "build_id", "source_version")),
    Seam("ministack.services.codebuild", "_start_build", ("data",)),
    Seam("ministack.services.codebuild", "_stop_build", ("data",)),
    *builds.SEAMS,
    *docker.SEAMS,
)

TOKEN_SECONDS = 300
"""How long an idempotency token is remembered (AWS CodeBuild API Reference, StartBuild)."""

FOLLOWED = frozenset(
    {
        "projectName",
        "environmentVariablesOverride",
        "idempotencyToken",
        "sourceVersion",
        "sourceLocationOverride",
        "buildspecOverride",
        "privilegedModeOverride",
        "timeoutInMinutesOverride",
    }
)
"""Members of a StartBuild request that a build here follows."""


@dataclass(frozen=True)
class _Token:
    """A request that started a build."""

    request: dict[str, Any]
    build: str
    expires: float


class Refused(Exception):
    """A call is refused: CodeBuild's error code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


_tokens: dict[tuple[str, str, str], _Token] = {}
_runs: dict[str, worker.Run] = {}


def install() -> None:
    """Replace the two calls, and say which project IAM is asked about for a build's id."""
    from ministack import app
    from ministack.core import iam_actions, responses
    from ministack.services import codebuild

    extract = iam_actions.extract_resource_arn
    reset = app._reset_all_state

    @functools.wraps(extract)
    def extracted(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *more: Any, **named: Any
    ) -> str:
        project = _project_of(body) if service == "codebuild" else ""
        if project:
            return f"arn:aws:codebuild:{responses.get_region()}:{responses.get_account_id()}:project/{project}"
        return str(extract(service, method, path, headers, body, *more, **named))

    @functools.wraps(reset)
    def reset_all(*arguments: Any, **named: Any) -> Any:
        _tokens.clear()
        _runs.clear()
        return reset(*arguments, **named)

    def answered(call: Any, original: Any) -> Any:
        @functools.wraps(original)
        def answer(data: dict[str, Any]) -> Any:
            try:
                return responses.json_response({"build": call(data)})
            except Refused as refused:
                return responses.error_response_json(refused.code, str(refused), 400)

        return answer

    iam_actions.extract_resource_arn = extracted
    app._reset_all_state = reset_all
    codebuild._start_build = answered(_start, codebuild._start_build)
    codebuild._stop_build = answered(_stop, codebuild._stop_build)


def _project_of(body: bytes) -> str:
    """The project of the first build that a request names; empty when it names none."""
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return ""
    names = [found.get("id"), *(found.get("ids") or [])] if isinstance(found, dict) else []
    first = next((str(name) for name in names if name), "")
    return first.rpartition("build/")[2].partition(":")[0] if ":" in first else ""


def _start(data: dict[str, Any]) -> dict[str, Any]:
    from ministack.core import responses
    from ministack.services import codebuild

    wrong = shapes.problem("codebuild", "StartBuild", data)
    if wrong:
        raise Refused("InvalidInputException", wrong)
    account, region = responses.get_account_id(), responses.get_region()
    project = projects.find(account, region, data["projectName"])
    if project is None:
        raise Refused("ResourceNotFoundException", f"Project cannot be found: {project_arn(account, region, data)}")
    unknown = sorted(data.keys() - FOLLOWED)
    if unknown:
        raise Refused("InvalidInputException", f"The embedded cloud does not follow {', '.join(unknown)}")
    key = (account, region, str(data.get("idempotencyToken", "")))
    known = _tokens.get(key)
    if key[2] and known is not None and known.expires > time.time():
        if known.request != data:
            raise Refused(
                "InvalidInputException", "Idempotency token was used with other parameters: parameter mismatch"
            )
        again: dict[str, Any] = copy.deepcopy(codebuild._builds[known.build])
        return again
    build = _build(project, data, account, region)
    codebuild._builds[build.record["id"]] = build.record
    _tokens[key] = _Token(data, build.record["id"], time.time() + TOKEN_SECONDS)
    shown = copy.deepcopy(build.record)
    _runs[build.record["id"]] = worker.start(account, region, lambda run: builds.start(build, run))
    return shown


def project_arn(account: str, region: str, data: dict[str, Any]) -> str:
    """The ARN of a project that a request names."""
    return f"arn:aws:codebuild:{region}:{account}:project/{data['projectName']}"


def _build(project: Project, data: dict[str, Any], account: str, region: str) -> Build:
    from ministack.services import codebuild

    identity = str(uuid.uuid4())
    record: dict[str, Any] = codebuild._make_build_record(project.record, f"{project.name}:{identity}", None)
    record = {name: value for name, value in record.items() if name != "endTime"}
    source = copy.deepcopy(project.record["source"])
    source |= {"location": data["sourceLocationOverride"]} if "sourceLocationOverride" in data else {}
    source |= {"buildspec": data["buildspecOverride"]} if "buildspecOverride" in data else {}
    environment = copy.deepcopy(project.record["environment"])
    variables = {each["name"]: each for each in environment.get("environmentVariables") or []}
    variables |= {each["name"]: each for each in data.get("environmentVariablesOverride") or []}
    environment["environmentVariables"] = list(variables.values())
    environment |= {"privilegedMode": data["privilegedModeOverride"]} if "privilegedModeOverride" in data else {}
    record |= {
        "startTime": time.time(),
        "currentPhase": "SUBMITTED",
        "buildStatus": "IN_PROGRESS",
        "buildComplete": False,
        "phases": [],
        "source": source,
        "sourceVersion": data.get("sourceVersion") or project.record.get("sourceVersion") or "",
        "environment": environment,
        "serviceRole": project.service_role,
        "logs": _logs(project, identity, region),
        "timeoutInMinutes": data.get("timeoutInMinutesOverride") or project.record.get("timeoutInMinutes") or 60,
        "initiator": caller_arn().rpartition(":")[2].removeprefix("assumed-role/") or "root",
    }
    secret = sorted(each["name"] for each in variables.values() if each.get("type", "PLAINTEXT") != "PLAINTEXT")
    if secret:
        raise Refused(
            "InvalidInputException", f"The embedded cloud takes PLAINTEXT variables only: {', '.join(secret)}"
        )
    known = {
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "CODEBUILD_BUILD_ID": record["id"],
        "CODEBUILD_BUILD_ARN": record["arn"],
        "CODEBUILD_BUILD_NUMBER": str(record["buildNumber"]),
        "CODEBUILD_INITIATOR": record["initiator"],
        "CODEBUILD_SRC_DIR": "",
        "CODEBUILD_RESOLVED_SOURCE_VERSION": record["sourceVersion"],
    }
    given = {name: str(each["value"]) for name, each in variables.items()}
    role = Role(project.service_role, region, builds.SERVICE, f"AWSCodeBuild-{identity}")
    return Build(record, {**known, **given}, account, region, worker.Run(), role)


def _logs(project: Project, identity: str, region: str) -> dict[str, Any]:
    """Where the build's log goes; empty when the project wants none."""
    wanted = (project.record.get("logsConfig") or {}).get("cloudWatchLogs") or {}
    if wanted.get("status") == "DISABLED":
        return {}
    group = wanted.get("groupName") or f"/aws/codebuild/{project.name}"
    stream = f"{wanted['streamName']}/{identity}" if wanted.get("streamName") else identity
    link = f"https://console.aws.amazon.com/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}/log-events/{stream}"
    return {"groupName": group, "streamName": stream, "deepLink": link}


def _stop(data: dict[str, Any]) -> dict[str, Any]:
    from ministack.services import codebuild

    name = str(data.get("id", "")).rpartition("build/")[2]
    record = codebuild._builds.get(name)
    if record is None:
        raise Refused("ResourceNotFoundException", f"Build not found: {name}")
    run = _runs.get(name)
    if run is not None and record["buildStatus"] == "IN_PROGRESS":
        run.ask_to_stop()
    found: dict[str, Any] = copy.deepcopy(record)
    return found
