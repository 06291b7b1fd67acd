"""Roles of the product's own in a stage's account, read with the role that observes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from orchestrator.aws.translated import code_of, translated
from orchestrator.core.examination.ports import Role


class ObservedRoles:
    """See ``examination.ports.StageRoles``."""

    def __init__(self, client: Any, observer: str) -> None:
        """``client``: IAM's, of the observing role, whose ARN is ``observer``."""
        self._client = client
        self._observer = observer

    def roles(self, names: Sequence[str]) -> tuple[Role, ...]:
        """These roles of the account."""
        return tuple(Role(name, self._trust(name)) for name in names)

    def _trust(self, name: str) -> Mapping[str, Any] | None:
        from botocore.exceptions import ClientError

        with translated("iam", self._observer):
            try:
                document = self._client.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
            except ClientError as error:
                if code_of(error) == "NoSuchEntity":
                    return None
                raise
        # The SDK decodes IAM's percent-encoded JSON by itself.
        found: Mapping[str, Any] = json.loads(unquote(document)) if isinstance(document, str) else document
        return found
