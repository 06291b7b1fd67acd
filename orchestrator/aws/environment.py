"""The environment of a function: a frozen dataclass that the stack fills and the handler loads.

The only reader of ``os.environ`` in the product.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from orchestrator.aws.credentials import RoleCredentials

T = TypeVar("T")


class MissingVariable(Exception):
    """A function's environment lacks a variable: the stack and the function disagree."""


def variables(env: Any) -> dict[str, str]:
    """A filled ``Env`` as Lambda takes it: field ``table_name`` becomes ``TABLE_NAME``."""
    return {field.name.upper(): str(getattr(env, field.name)) for field in fields(env)}


def load(cls: type[T], environ: Mapping[str, str] = os.environ) -> T:
    """Fill an ``Env`` from the environment; raises ``MissingVariable`` naming every variable that is missing."""
    names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    missing = [name.upper() for name in names if name.upper() not in environ]
    if missing:
        raise MissingVariable(f"{cls.__module__} needs the environment variables {', '.join(missing)}")
    return cls(**{name: environ[name.upper()] for name in names})


def runtime_credentials(environ: Mapping[str, str] = os.environ) -> RoleCredentials:
    """The function's own credentials, as Lambda's runtime gives them; for code that calls AWS without boto3."""
    return RoleCredentials(
        "",
        environ.get("AWS_ACCESS_KEY_ID", ""),
        environ.get("AWS_SECRET_ACCESS_KEY", ""),
        environ.get("AWS_SESSION_TOKEN", ""),
    )


def endpoint_url(service: str, environ: Mapping[str, str] = os.environ) -> str:
    """Another endpoint for a service, by AWS's own variables; empty where the usual one is meant.

    The variable of the service goes before the general one (AWS SDKs and Tools Reference Guide).
    """
    known = {"secretsmanager": "SECRETS_MANAGER"}
    specific = f"AWS_ENDPOINT_URL_{known.get(service, service.upper())}"
    return environ.get(specific) or environ.get("AWS_ENDPOINT_URL", "")
