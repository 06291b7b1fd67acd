"""Artifacts: zips in the pipeline's artifact bucket, under its key."""

from __future__ import annotations

import io
import secrets
import string
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Artifact:
    """Where an artifact of an execution lies."""

    name: str
    bucket: str
    key: str

    @property
    def described(self) -> dict[str, Any]:
        """As ListActionExecutions and events name it."""
        return {"name": self.name, "s3location": {"bucket": self.bucket, "key": self.key}}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of files, paths from its root."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()


def member(archive: bytes, path: str) -> bytes | None:
    """A file of a zip; None when it is not there or the artifact is no zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as found:
            return found.read(path)
    except (KeyError, zipfile.BadZipFile):
        return None


def store_of(declaration: Mapping[str, Any], region: str) -> Mapping[str, Any]:
    """The artifact store of a region."""
    several = declaration.get("artifactStores") or {}
    found: Mapping[str, Any] = several.get(region) or declaration.get("artifactStore") or {}
    return found


def write(client: Any, declaration: Mapping[str, Any], region: str, name: str, archive: bytes) -> Artifact:
    """Put an artifact with a client's permissions; raises botocore's ClientError.

    CodePipeline cuts the names of the pipeline and the artifact to make the key (AWS CodePipeline User Guide, "Input
    and output artifacts": at most 20 and 10 characters).
    """
    store = store_of(declaration, region)
    random = "".join(secrets.choice(_ALPHABET) for _ in range(7))
    place = Artifact(name, store["location"], f"{declaration['name'][:20]}/{name[:10]}/{random}")
    key = (store.get("encryptionKey") or {}).get("id")
    sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
    client.put_object(Bucket=place.bucket, Key=place.key, Body=archive, **sealed)
    return place


def read(client: Any, place: Artifact) -> bytes:
    """Get an artifact with a client's permissions; raises botocore's ClientError."""
    return bytes(client.get_object(Bucket=place.bucket, Key=place.key)["Body"].read())
