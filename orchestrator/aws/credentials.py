"""Credentials of an assumed role; they print as nothing."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RoleCredentials:
    """What AssumeRole answered. A session of a role assumed by a role lives one hour at most (IAM, role chaining)."""

    role_arn: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str = field(repr=False)
