"""Clients with the permissions of a pipeline's role, and of the roles of actions that it assumes.

They speak to this cloud over its own port, as CodePipeline speaks to the other services: every call is decided by IAM
and recorded. The pipeline's role is assumed by CodePipeline, that of an action by the pipeline's role: its policies
must allow ``sts:AssumeRole``, and the action's role must trust it (AWS CodePipeline User Guide, "Create a pipeline in
CodePipeline that uses resources from another AWS account").
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from typing import Any

import botocore.config
import botocore.loaders
import botocore.session
from botocore.exceptions import ClientError

from local.cloud.contract import Seam
from local.cloud.principals import trusts

SEAMS = (Seam("ministack.services.sts", "register_session", ("access_key", "session")),)

SERVICE = "codepipeline.amazonaws.com"
SESSION_SECONDS = 3600
RENEW_SECONDS = 900
"""A role is assumed again after so long: an execution may wait for days between two actions."""

_LOADER = botocore.loaders.create_loader()
"""Service models are read once for all sessions."""
_CONFIG = botocore.config.Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})

Keys = tuple[str, str, str]
"""Access key, secret and session token."""


class Sessions:
    """The sessions of one execution."""

    def __init__(self, role_arn: str, region: str, name: str) -> None:
        """``role_arn``: the pipeline's role; ``name``: of the sessions."""
        self._role, self._region, self._name = role_arn, region, name
        self._keys: dict[str, tuple[Keys, float]] = {}
        """ARN, empty for the pipeline's role → keys and when they are renewed."""
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._lock = threading.RLock()

    def client(self, service: str, role_arn: str = "", region: str = "") -> Any:
        """A client of a role, by itself the pipeline's; raises PermissionError when the role cannot be assumed."""
        with self._lock:
            keys = self._keys_of(role_arn)
            place = (service, keys[0], region or self._region)
            if place not in self._clients:
                self._clients[place] = _client(service, keys, place[2])
            return self._clients[place]

    def _keys_of(self, role_arn: str) -> Keys:
        known = self._keys.get(role_arn)
        if known is None or known[1] < time.monotonic():
            keys = self._assumed(role_arn) if role_arn else self._own()
            self._keys[role_arn] = known = (keys, time.monotonic() + RENEW_SECONDS)
        return known[0]

    def _own(self) -> Keys:
        from ministack.services import sts

        if not trusts(self._role, SERVICE):
            raise PermissionError(f"CodePipeline is not authorized to perform AssumeRole on role {self._role}")
        account, name = self._role.split(":")[4], self._role.rpartition("/")[2]
        keys = (f"ASIA{secrets.token_hex(8).upper()}", secrets.token_hex(20), secrets.token_hex(32))
        sts.register_session(
            keys[0],
            {
                "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{self._name}",
                "UserId": f"{name}:{self._name}",
                "SecretAccessKey": keys[1],
                "SessionToken": keys[2],
                "Expiration": time.time() + SESSION_SECONDS,
                "AccountId": account,
                "PrincipalType": "AssumedRole",
            },
        )
        return keys

    def _assumed(self, role_arn: str) -> Keys:
        try:
            answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=self._name)
        except ClientError as error:
            raise PermissionError(
                f"CodePipeline is not authorized to perform AssumeRole on role {role_arn}: "
                f"{error.response['Error']['Message']}"
            ) from error
        keys = answer["Credentials"]
        return keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]


def _client(service: str, keys: Keys, region: str) -> Any:
    session = botocore.session.Session()
    session.register_component("data_loader", _LOADER)
    return session.create_client(
        service,
        region_name=region,
        endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        aws_access_key_id=keys[0],
        aws_secret_access_key=keys[1],
        aws_session_token=keys[2],
        config=_CONFIG,
    )
