"""Which installation a command speaks to, and as whom."""

from __future__ import annotations

import inspect
import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints
from urllib.parse import urlsplit

import typer

from mlops import checkout
from mlops.refusals import Refused
from mlops.screen import Screen

if TYPE_CHECKING:  # botocore takes half a second to import, which `mlops validate` need not pay
    from mlops.api import Api

ENVIRONMENT = "MLOPS_API_URL"
DEFAULT_PERSON = "ana"
_HOST_REGION = re.compile(r"\.execute-api\.([a-z0-9-]+)\.")
_PANEL = "Which installation"

ApiUrl = Annotated[
    str,
    typer.Option(
        "--api-url",
        envvar=ENVIRONMENT,
        help="The installation's output ApiUrl.",
        rich_help_panel=_PANEL,
    ),
]
Profile = Annotated[
    str, typer.Option("--profile", envvar="AWS_PROFILE", help="AWS profile to sign with.", rich_help_panel=_PANEL)
]
Region = Annotated[
    str, typer.Option("--region", help="Region of the API; by itself that of its URL.", rich_help_panel=_PANEL)
]
Local = Annotated[
    bool, typer.Option("--local", help="Use the local installation of this checkout.", rich_help_panel=_PANEL)
]
Person = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="PERSON",
        help=f"On the local installation: who calls, such as ben or chloe (by itself {DEFAULT_PERSON}).",
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True)
class Target:
    """The options that say where the API is and who calls; ``on_target`` gives them to a verb."""

    api_url: ApiUrl = ""
    profile: Profile = ""
    region: Region = ""
    local: Local = False
    person: Person = ""

    def api(self, screen: Screen) -> Api:
        """The API; what was not said but chosen is noted on the screen.

        Raises ``typer.BadParameter`` where the options do not say it, ``Refused`` without credentials.
        """
        if self.local or self.person:
            return self._local_api(screen)
        if self.api_url:
            return self._deployed_api()
        if checkout.may_be_up():
            return self._local_api(screen)
        raise typer.BadParameter(
            f"say where the installation is: --api-url or {ENVIRONMENT} (its output ApiUrl), or --local"
        )

    def _deployed_api(self) -> Api:
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session

        from mlops.api import Api

        url = _checked_url(self.api_url)
        try:
            session = Session(profile=self.profile or None)
            credentials = session.get_credentials()
            if credentials is not None:
                credentials.get_frozen_credentials()  # an expired sign-in is told here, before anything is asked
            # botocore itself reads AWS_DEFAULT_REGION only; other tools and Lambda set AWS_REGION.
            named = os.environ.get("AWS_REGION") or session.get_config_variable("region")
            region = self.region or _region_of(url) or named
        except BotoCoreError as error:
            raise Refused(f"No AWS credentials: {error}") from None
        if credentials is None:
            raise Refused(
                "No AWS credentials were found. Sign in (`aws sso login`, `aws configure`), or name a --profile."
            )
        if not region:
            raise typer.BadParameter("the URL names no region; add --region")
        return Api(url, region, credentials)

    def _local_api(self, screen: Screen) -> Api:
        checkout.enter()
        from local.installation import status
        from local.people import credentials_of, people
        from local.settings import REGION
        from mlops.api import Api

        running = status()
        if running is None:
            if self.local or self.person:
                raise Refused("No local installation is up. Bring one up with `mlops local up`.")
            raise typer.BadParameter(
                f"say where the installation is: --api-url or {ENVIRONMENT}; the local installation is not up"
            )
        person = self.person or DEFAULT_PERSON
        known = people()
        if person not in known:
            raise typer.BadParameter(f"there is no {person!r} here; known: {', '.join(known)}", param_hint="--as")
        url = running.cloud.local_url(running.outputs["ApiUrl"]).rstrip("/")
        screen.note(f"Local installation ({running.mode}-account), as {known[person]} (--as {person}).")
        return Api(url, REGION, credentials_of(running, person))


def on_target(verb: Callable[..., None]) -> Callable[..., None]:
    """The verb with the options of ``Target`` where its parameter ``target`` stood, for typer to read them."""
    hints = get_type_hints(Target, include_extras=True)
    options = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(Target)
    ]
    signature = inspect.signature(verb, eval_str=True)
    own = [parameter for name, parameter in signature.parameters.items() if name != "target"]

    @wraps(verb)
    def called(**given: Any) -> None:
        said = {option.name: given.pop(option.name) for option in options}
        verb(**given, target=Target(**said))

    called.__dict__["__signature__"] = signature.replace(parameters=[*own, *options])
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *options)}
    return called


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise typer.BadParameter(f"{url!r} is no URL of an API", param_hint="--api-url")
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise typer.BadParameter("an API on another machine must be called over https", param_hint="--api-url")
    return url.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _region_of(url: str) -> str:
    match = _HOST_REGION.search(urlsplit(url).hostname or "")
    return match[1] if match else ""


def default_region() -> str:
    """The region that the environment names, else us-east-1: for checks that need no AWS."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
