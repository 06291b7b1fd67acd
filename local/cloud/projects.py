"""CodeBuild projects: every member of a project kept and given back, in the API and in stacks.

The emulator's own handlers keep half of a project and take any role. :func:`find` is for what runs builds.
"""

from __future__ import annotations

import functools
import json
import time
from dataclasses import dataclass
from typing import Any

from local.cloud import on_behalf, resource_schemas, shapes
from local.cloud.contract import Seam
from local.cloud.principals import decided_elsewhere, trusts

SEAMS = (
    Seam("ministack.core.responses", "error_response_json", ("code", "message", "status")),
    Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
    Seam("ministack.services.cloudformation.provisioners", "_REPLACING_PROPERTIES"),
    Seam("ministack.services.cloudformation.provisioners", "_CUSTOM_NAME_REPLACEMENT"),
    Seam("ministack.services.cloudformation.provisioners", "_physical_name", ("stack_name", "logical_id")),
    Seam("ministack.services.codebuild", "_create_project", ("data",)),
    Seam("ministack.services.codebuild", "_delete_project", ("data",)),
    Seam("ministack.services.codebuild", "_project_shape", ("project",)),
    Seam("ministack.services.codebuild", "_projects.get_scoped"),
    Seam("ministack.services.codebuild", "_update_project", ("data",)),
)

TYPE = "AWS::CodeBuild::Project"
SERVICE = "codebuild.amazonaws.com"
MAX_NAME = 150


class ProjectFailed(Exception):
    """A project of a stack could not be made; the message is the resource's reason."""


@dataclass(frozen=True)
class Project:
    """One project."""

    name: str
    arn: str
    service_role: str
    """ARN of the role that builds run with."""
    record: dict[str, Any]
    """As BatchGetProjects answers: ``source``, ``environment``, ``artifacts`` … in the API's spelling."""


def find(account: str, region: str, name: str) -> Project | None:
    """A project by its name or ARN; None when there is none."""
    from ministack.services import codebuild

    wanted = name.rpartition("project/")[2] if name.startswith("arn:") else name
    record: dict[str, Any] | None = codebuild._projects.get_scoped(account, region, wanted)
    if record is None:
        return None
    return Project(record["name"], record["arn"], record["serviceRole"], record)


def install() -> None:
    """Keep whole requests, and make the projects of stacks by the API's calls."""
    from ministack.core.responses import error_response_json
    from ministack.services import codebuild
    from ministack.services.cloudformation import provisioners

    create, update, shape = codebuild._create_project, codebuild._update_project, codebuild._project_shape

    @functools.wraps(create)
    def created(data: dict[str, Any]) -> Any:
        problem = _problem("CreateProject", data)
        if problem:
            return error_response_json(*problem, 400)
        answer = create(data)
        if answer[0] < 400:
            codebuild._projects[data["name"]].update(_kept(data))
            return 200, answer[1], json.dumps({"project": described(codebuild._projects[data["name"]])}).encode()
        return answer

    @functools.wraps(update)
    def updated(data: dict[str, Any]) -> Any:
        problem = _problem("UpdateProject", data)
        if problem:
            return error_response_json(*problem, 400)
        answer = update(data)
        if answer[0] < 400:
            codebuild._projects[data["name"]].update(_kept(data))
            return 200, answer[1], json.dumps({"project": described(codebuild._projects[data["name"]])}).encode()
        return answer

    @functools.wraps(shape)
    def described(project: dict[str, Any]) -> dict[str, Any]:
        return {**shape(project), **{name: value for name, value in project.items() if value is not None}}

    codebuild._create_project, codebuild._update_project = created, updated
    codebuild._project_shape = described
    provisioners._RESOURCE_HANDLERS[TYPE] = {"create": _made, "update": _changed, "delete": _removed}
    provisioners._REPLACING_PROPERTIES[TYPE] = resource_schemas.Replacing(TYPE)
    provisioners._CUSTOM_NAME_REPLACEMENT[TYPE] = {"name": "Name"}


def _kept(data: dict[str, Any]) -> dict[str, Any]:
    """Members of a request as a project has them."""
    found = {name: value for name, value in data.items() if name != "badgeEnabled"}
    if "badgeEnabled" in data:
        found["badge"] = {"badgeEnabled": data["badgeEnabled"]}
    return found


def _problem(action: str, data: dict[str, Any]) -> tuple[str, str] | None:
    """Error code and message when a request is refused; None when it is not."""
    wrong = shapes.problem("codebuild", action, data)
    if wrong:
        return "InvalidInputException", wrong
    role = data.get("serviceRole")
    if role is None:
        return None
    passed = on_behalf.acting().may("iam:PassRole", role, {"iam:passedtoservice": SERVICE})
    if not passed.allowed:
        return "AccessDeniedException", passed.message
    if not trusts(role, SERVICE):
        return (
            "InvalidInputException",
            f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}. Please verify that: 1) the role exists "
            f"and 2) its trust policy allows {SERVICE}.",
        )
    return None


_DEFAULTS = {
    "description": "",
    "sourceVersion": "",
    "timeoutInMinutes": 60,
    "queuedTimeoutInMinutes": 480,
    "tags": [],
    "cache": {"type": "NO_CACHE"},
    "secondarySources": [],
    "secondarySourceVersions": [],
    "secondaryArtifacts": [],
    "fileSystemLocations": [],
    "badgeEnabled": False,
}
"""What a property that a template no longer has goes back to."""


def _request(properties: dict[str, Any]) -> dict[str, Any]:
    try:
        return shapes.spelt("codebuild", "CreateProject", properties)
    except shapes.Unknown as path:
        raise ProjectFailed(f"The embedded cloud does not keep the property {path}.") from path


def _perform(run: Any, fields: dict[str, Any]) -> None:
    with decided_elsewhere():
        status, _, body = run(fields)
    if status >= 400:
        message = json.loads(body)["message"]
        raise ProjectFailed(
            f'Resource handler returned message: "{message} (Service: CodeBuild, Status Code: {status})" '
            "(HandlerErrorCode: InvalidRequest)"
        )


def _made(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    from ministack.services import codebuild
    from ministack.services.cloudformation import provisioners

    name = properties.get("Name") or provisioners._physical_name(stack, logical_id, max_len=MAX_NAME)
    _perform(codebuild._create_project, {**_DEFAULTS, **_request(properties), "name": name})
    return name, {"Arn": codebuild._projects[name]["arn"], "Id": name}


def _changed(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
    from ministack.services import codebuild

    gone = dict.fromkeys(_request(old))
    project = codebuild._projects.get(physical_id)
    if project is None:
        raise ProjectFailed(f'Resource of type "{TYPE}" with identifier "{physical_id}" was not found.')
    wanted = _request(new)
    project.update({name: value for name, value in gone.items() if name not in wanted and name not in _DEFAULTS})
    _perform(codebuild._update_project, {**_DEFAULTS, **wanted, "name": physical_id})
    project["lastModified"] = int(time.time())
    return physical_id, {"Arn": project["arn"], "Id": physical_id}


def _removed(physical_id: str, properties: dict[str, Any]) -> None:
    from ministack.services import codebuild

    codebuild._projects.pop(physical_id, None)
