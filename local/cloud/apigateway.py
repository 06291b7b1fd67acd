"""API Gateway: a deployed API is reached by whoever knows its id, whichever account the caller has.

On AWS the host name of an API leads to its owner. The emulator looks an API up in the caller's account, so that an
unsigned call finds nothing. Here each call runs in the owner's account; a call of another account to a method with
``AWS_IAM`` is refused, unless the API's resource policy lets him in. An API is also found by the host name that
AWS gives it, in the ``Host`` header of a caller who was told by ``AWS_ENDPOINT_URL`` to connect here.

A caller of another account needs an Allow of his own policies and one of the API's resource policy; an account's root
is no exception.
"""

from __future__ import annotations

import functools
import json
import re
from typing import Any

from local.cloud.contract import Seam
from local.cloud.principals import caller_may

SEAMS = (
    Seam("ministack.app", "_handle_execute_api_request", ("host", "path", "method", "headers", "body", "query_params")),
    Seam("ministack.app", "_parse_execute_api_url", ("host", "path")),
    Seam("ministack.app", "_resolve_stage_and_path", ("api_id", "tentative_stage", "execute_path")),
    Seam("ministack.app", "_execute_api_authorization_type", ("api_id", "stage", "method", "execute_path")),
    Seam("ministack.core.iam_evaluator", "_anonymous"),
    Seam("ministack.core.iam_evaluator", "request_caller_arn", ("headers", "query_params")),
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.core.router", "extract_access_key_id", ("headers", "query_params")),
    Seam("ministack.services.apigateway", "_apis.all_items"),
    Seam("ministack.services.apigateway_v1", "_rest_apis.all_items"),
)

_AWS_HOST = re.compile(r"([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?")


def owner(api_id: str) -> tuple[str, str] | None:
    """Account and region of a REST or HTTP API."""
    from ministack.services import apigateway, apigateway_v1

    for store in (apigateway_v1._rest_apis, apigateway._apis):
        for (account, region, found), _ in store.all_items():
            if found == api_id:
                return account, region
    return None


def install() -> None:
    """Run each execute-api call in the account that owns the API."""
    from ministack import app
    from ministack.core import iam_evaluator, responses, router

    parse = app._parse_execute_api_url

    @functools.wraps(parse)
    def parsed_host(host: str, path: str) -> Any:
        matched = _AWS_HOST.fullmatch(host)
        return parse(host, f"/_aws/execute-api/{matched[1]}{path}" if matched else path)

    app._parse_execute_api_url = parsed_host
    handle = app._handle_execute_api_request

    @functools.wraps(handle)
    async def in_owner_scope(
        host: str,
        path: str,
        method: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        **more: Any,
    ) -> Any:
        parsed = app._parse_execute_api_url(host, path)
        scope = owner(parsed[0]) if parsed else None
        if parsed is None or scope is None:
            return await handle(host, path, method, headers, body, query_params, **more)
        signed = bool(router.extract_access_key_id(headers, query_params))
        foreign = signed and responses.get_account_id() != scope[0]
        caller = iam_evaluator.request_caller_arn(headers, query_params) if foreign else ""
        if foreign:
            with responses.request_scope(*scope):
                stage, inner = app._resolve_stage_and_path(*parsed)
                asks_iam = app._execute_api_authorization_type(parsed[0], stage, method, inner) == "AWS_IAM"
            resource = f"{parsed[0]}/{stage}/{method}{inner}"
            if asks_iam and not _lets_in(caller, scope, resource):
                return _refused(caller, scope, resource)
        with responses.request_scope(*scope):
            return await handle(host, path, method, headers, body, query_params, **more)

    app._handle_execute_api_request = in_owner_scope


def _lets_in(caller: str, scope: tuple[str, str], resource: str) -> bool:
    """Whether a caller of another account may call, by his own policies and by the API's."""
    account, region = scope
    if not caller or caller.endswith(":root"):
        return False
    return caller_may("execute-api:Invoke", f"arn:aws:execute-api:{region}:{account}:{resource}").allowed


def _refused(caller: str, scope: tuple[str, str], resource: str) -> tuple[int, dict[str, str], bytes]:
    """What API Gateway answers to a caller of another account."""
    account, region = scope
    message = (
        f"User: {caller} is not authorized to perform: execute-api:Invoke on resource: "
        f"arn:aws:execute-api:{region}:********{account[-4:]}:{resource}"
    )
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": "AccessDeniedException"}
    return 403, headers, json.dumps({"Message": message}).encode()
