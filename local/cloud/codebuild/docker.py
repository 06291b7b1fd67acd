"""``docker`` and ``aws ecr`` as a buildspec calls them: images are records, pushed to ECR with the project's role.

What stops a build on AWS stops it here, in Docker's words: no daemon without privileged mode, no Dockerfile, an image
that was not built, a registry without login, a missing repository, a tag that exists and may not be changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field

from local.cloud.codebuild.shell import path_below
from local.cloud.contract import Seam
from local.cloud.sagemaker.jobs.access import Image, Refused, Role, image

SEAMS = (
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.services.ecr", "_put_image", ("data",)),
    Seam("ministack.services.ecr", "_repositories.get_scoped"),
)

PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
)
"""What a push needs (Amazon ECR User Guide, "IAM permissions for pushing an image")."""

MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_VALUED = frozenset({"-t", "--tag", "-f", "--file", "--build-arg", "--label", "--platform", "--target", "--progress"})


class Failed(Exception):
    """A command failed; the message is what it prints."""


@dataclass
class Docker:
    """What a build has at hand: the source's files, a role, and the images that it made."""

    role: Role
    files: dict[str, bytes]
    privileged: bool
    digest: str
    """SHA-256 of the source, which stands for the image's content."""
    images: set[str] = field(default_factory=set)
    logins: set[str] = field(default_factory=set)
    folder: str = ""

    def docker(self, words: list[str], given: str) -> tuple[int, str]:
        """One call of ``docker``."""
        action, rest = (words[0], words[1:]) if words else ("", [])
        if action in {"image", "buildx"} and rest:
            action, rest = rest[0], rest[1:]
        known = {"login": self._login, "build": self._build, "tag": self._tag, "push": self._push}
        if action not in known:
            return 0, f"[embedded cloud] not run: docker {' '.join(words)}"
        try:
            if not self.privileged and action != "login":
                raise Failed(
                    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
                )
            return 0, known[action](rest, given)
        except Failed as problem:
            return 1, str(problem)

    def aws(self, words: list[str], given: str) -> tuple[int, str]:
        """One call of ``aws``: of the whole command only the password for a registry."""
        if words[:2] != ["ecr", "get-login-password"]:
            return 0, f"[embedded cloud] not run: aws {' '.join(words)}"
        try:
            self.role.need("ecr:GetAuthorizationToken", "*")
        except Refused as problem:
            return 254, (
                f"An error occurred (AccessDeniedException) when calling the GetAuthorizationToken operation: {problem}"
            )
        return 0, "***"

    def _login(self, words: list[str], given: str) -> str:
        hosts = [word for word in words if "." in word and not word.startswith("-")]
        if given != "***" or not hosts:
            raise Failed("Error: Cannot perform an interactive login from a non TTY device")
        self.logins.add(hosts[-1].removeprefix("https://").rstrip("/"))
        return "Login Succeeded"

    def _build(self, words: list[str], given: str) -> str:
        tags, named, places = [], "", []
        rest = iter(words)
        for word in rest:
            option, separator, value = word.partition("=")
            if option in _VALUED:
                value = value if separator else next(rest, "")
                if option in {"-t", "--tag"}:
                    tags.append(value)
                elif option in {"-f", "--file"}:
                    named = value
            elif not word.startswith("-"):
                places.append(word)
        if len(places) != 1:
            raise Failed("ERROR: docker buildx build requires 1 argument")
        path = path_below(self.folder, named) if named else path_below(self.folder, f"{places[0]}/Dockerfile")
        recipe = self.files.get(path)
        if recipe is None:
            raise Failed(
                "ERROR: failed to solve: failed to read dockerfile: open "
                f"{path.rpartition('/')[2]}: no such file or directory"
            )
        if not re.search(rb"(?mi)^\s*FROM\s+\S", recipe):
            raise Failed("ERROR: failed to solve: file with no instructions")
        for tag in tags:
            self._named(tag)
            self.images.add(_whole(tag))
        return f"[embedded cloud] image {', '.join(tags)} stands for the source with sha256:{self.digest}"

    def _tag(self, words: list[str], given: str) -> str:
        if len(words) != 2 or _whole(words[0]) not in self.images:
            raise Failed(f"Error response from daemon: No such image: {words[0] if words else ''}")
        self._named(words[1])
        self.images.add(_whole(words[1]))
        return ""

    def _named(self, tag: str) -> None:
        name = tag.rpartition("/")[2]
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?", name):
            raise Failed(f'ERROR: invalid tag "{tag}": invalid reference format')

    def _push(self, words: list[str], given: str) -> str:
        reference = next((word for word in reversed(words) if not word.startswith("-")), "")
        if _whole(reference) not in self.images:
            raise Failed(f"An image does not exist locally with the tag: {reference.rpartition(':')[0]}")
        target = image(_whole(reference))
        if target is None:
            raise Failed("denied: requested access to the resource is denied")
        if reference.partition("/")[0] not in self.logins:
            raise Failed("no basic auth credentials")
        return self._stored(target)

    def _stored(self, target: Image) -> str:
        from ministack.core import responses
        from ministack.services import ecr

        known = ecr._repositories.get_scoped(target.account, target.region, target.repository)
        try:
            for action in PUSH:
                self.role.need(action, target.arn)
        except Refused as problem:
            raise Failed(f"denied: {problem}") from problem
        if known is None:
            raise Failed(
                f"name unknown: The repository with name '{target.repository}' does not exist in the registry with id "
                f"'{target.account}'"
            )
        config = {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": f"sha256:{self.digest}"}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": config, "layers": []})
        request = {
            "repositoryName": target.repository,
            "imageManifest": manifest,
            "imageManifestMediaType": MEDIA_TYPE,
            "imageTag": target.tag,
        }
        with responses.request_scope(target.account, target.region):
            status, _, body = ecr._put_image(request)
        if status >= 400:
            raise Failed(
                f"tag invalid: The image tag '{target.tag}' already exists in the '{target.repository}' repository and "
                "cannot be overwritten because the repository is immutable."
                if "already exists" in str(body)
                else f"unknown: {body.decode() if isinstance(body, bytes) else body}"
            )
        return f"{target.tag}: digest: sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"


def _whole(reference: str) -> str:
    """A reference with its tag."""
    return reference if ":" in reference.rpartition("/")[2] else f"{reference}:latest"
