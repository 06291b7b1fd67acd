"""IAM: roles and policies that AWS would refuse are refused, and a stack's roles keep their permissions boundary.

- A trust policy, bucket policy or key policy whose principal is a role or user that does not exist is refused, so that
  an order of deployment that cannot work on AWS fails here too.
- Calls about a role are decided on its ARN with its path, as AWS has it; the emulator leaves the path out.
- A role made by CloudFormation has the boundary of its template, and one that does not exist is refused; the emulator
  drops it.
"""

from __future__ import annotations

import functools
import json
from typing import Any

from local.cloud.contract import Seam

SEAMS = (
    Seam("ministack.core.iam_actions", "extract_resource_arn", ("service", "method", "path", "headers", "body")),
    Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS"),
    Seam("ministack.services.iam", "_policies.get"),
    Seam("ministack.services.iam", "_roles.get_scoped"),
    Seam("ministack.services.iam", "_trust_policy_not_principal_error", ("doc",)),
    Seam("ministack.services.iam", "_users.get_scoped"),
    Seam("ministack.services.kms", "_create_key", ("data",)),
    Seam("ministack.services.kms", "_put_key_policy", ("data",)),
    Seam("ministack.services.s3", "_error"),
    Seam("ministack.services.s3", "_put_bucket_policy", ("name", "body")),
    Seam("ministack.core.responses", "error_response_json", ("code", "message", "status")),
)


class Refused(Exception):
    """A resource of a stack that IAM would refuse; the message is its status reason."""


def absent_principals(document: Any) -> list[str]:
    """ARNs of roles and users that a policy names as principals and that do not exist."""
    try:
        parsed = json.loads(document) if isinstance(document, str | bytes) else document
    except ValueError:
        return []
    statements = parsed.get("Statement", []) if isinstance(parsed, dict) else []
    found = []
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal") if isinstance(statement, dict) else None
        named = principal.get("AWS", []) if isinstance(principal, dict) else []
        found += [arn for arn in ([named] if isinstance(named, str) else named) if not _exists(arn)]
    return found


def arn_of_role(arn: str) -> str:
    """The role's ARN with its path; anything else as it is."""
    from ministack.services import iam

    parts = arn.split(":", 5)
    if len(parts) < 6 or not parts[5].startswith("role/"):
        return arn
    record = iam._roles.get_scoped(parts[4], None, parts[5].rpartition("/")[2])
    return str(record["Arn"]) if record is not None else arn


def _exists(principal: Any) -> bool:
    from ministack.services import iam

    parts = principal.split(":", 5) if isinstance(principal, str) else []
    if len(parts) < 6 or parts[2] != "iam":
        return True
    kind, _, path = parts[5].partition("/")
    store = {"role": iam._roles, "user": iam._users}.get(kind)
    if store is None:
        return True
    record = store.get_scoped(parts[4], None, path.rpartition("/")[2])
    return record is not None and record["Arn"] == principal


def install() -> None:
    """Wrap where policies are taken, and CloudFormation's handlers of roles, bucket policies and keys."""
    from ministack.core import iam_actions, responses
    from ministack.services import iam, kms, s3

    extract = iam_actions.extract_resource_arn

    @functools.wraps(extract)
    def with_path(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *more: Any, **named: Any
    ) -> str:
        arn = str(extract(service, method, path, headers, body, *more, **named))
        return arn_of_role(arn) if service == "iam" else arn

    iam_actions.extract_resource_arn = with_path
    refuse_trust = iam._trust_policy_not_principal_error
    put_bucket_policy = s3._put_bucket_policy

    @functools.wraps(refuse_trust)
    def trust_error(doc: Any) -> str | None:
        absent = absent_principals(doc)
        if absent:
            return f'Invalid principal in policy: "AWS":"{absent[0]}"'
        found: str | None = refuse_trust(doc)
        return found

    @functools.wraps(put_bucket_policy)
    def bucket_policy(name: str, body: bytes) -> Any:
        if absent_principals(body):
            return s3._error("MalformedPolicy", "Invalid principal in policy", 400, f"/{name}")
        return put_bucket_policy(name, body)

    def key_policy(take: Any) -> Any:
        @functools.wraps(take)
        def taken(data: dict[str, Any]) -> Any:
            if absent_principals(data.get("Policy")):
                message = "Policy contains a statement with one or more invalid principals."
                return responses.error_response_json("MalformedPolicyDocumentException", message, 400)
            return take(data)

        return taken

    iam._trust_policy_not_principal_error = trust_error
    s3._put_bucket_policy = bucket_policy
    kms._create_key = key_policy(kms._create_key)
    kms._put_key_policy = key_policy(kms._put_key_policy)
    _wrap_resources()


def _wrap_resources() -> None:
    from ministack.services import iam
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS
    for resource, document in (("AWS::S3::BucketPolicy", "PolicyDocument"), ("AWS::KMS::Key", "KeyPolicy")):
        for step, place in (("create", 1), ("update", 2)):
            handlers[resource] = {**handlers[resource], step: _checked(handlers[resource][step], place, document)}

    def bounded(make: Any, place: int) -> Any:
        @functools.wraps(make)
        def made(*arguments: Any) -> Any:
            boundary = arguments[place].get("PermissionsBoundary") or ""
            if boundary and not boundary.startswith("arn:aws:iam::aws:") and iam._policies.get(boundary) is None:
                raise Refused(
                    f"Scope ARN: {boundary} does not exist or is not attachable. (HandlerErrorCode: NotFound)"
                )
            answer = make(*arguments)
            iam._roles.get(answer[0])["PermissionsBoundary"] = boundary
            return answer

        return made

    role = handlers["AWS::IAM::Role"]
    handlers["AWS::IAM::Role"] = {
        **role,
        "create": bounded(role["create"], 1),
        "update": bounded(role["update"], 2),
    }


def _checked(handle: Any, place: int, document: str) -> Any:
    """Refuse a resource whose policy, in its properties at ``place``, names principals that do not exist."""

    @functools.wraps(handle)
    def checked(*arguments: Any) -> Any:
        absent = absent_principals(arguments[place].get(document))
        if absent:
            raise Refused(f"Invalid principal in policy: {', '.join(absent)} (HandlerErrorCode: InvalidRequest)")
        return handle(*arguments)

    return checked
