"""CodeBuild projects as they are defined: every member kept, and :func:`find` for what runs their builds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.cloud.contract import Seam

SEAMS = (Seam("ministack.services.codebuild", "_projects.get_scoped"),)


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
