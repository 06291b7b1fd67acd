"""What an organisation decides when it installs the product; ``docs/settings.md`` describes every key.

The settings are a JSON file named on the command line (``cdk deploy -c settings=FILE``) or an object in the context
of ``cdk.json``. ``parse`` reports every mistake at once, so that a file is mended in one go, and the app does not
synthesise anything while one is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from orchestrator.core import strict_json
from orchestrator.core.installation import Installation
from orchestrator.core.problems import BadConfiguration, Problem
from stacks.settings_channels import read_channels
from stacks.settings_options import Options, read_options
from stacks.settings_reading import Reading
from stacks.settings_repositories import read_repositories
from stacks.settings_rules import MAX_PARAMETER, read_installation

Architecture = Literal["arm64", "x86_64"]

RUNTIMES = ("python3.11", "python3.12", "python3.13", "python3.14")
ARCHITECTURES = ("arm64", "x86_64")

LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3653)
"""What CloudWatch Logs takes (PutRetentionPolicy)."""

ORGANIZATION_ID = r"o-[a-z0-9]{10,32}"


@dataclass(frozen=True)
class Settings:
    """Checked settings: what functions need (``installation``), and what only the stacks need."""

    installation: Installation
    notification_email: str
    """Where the outcome of every release is mailed to; empty: nobody subscribes."""
    organization_id: str
    """Id of the AWS organisation; where given, trust across accounts also demands it."""
    runtime: str
    architecture: Architecture
    log_retention_days: int
    options: Options = field(default_factory=Options)
    """What the organisation brings along, and how stage stacks get into their accounts."""

    @property
    def account(self) -> str:
        """The orchestrator's account."""
        return self.installation.account

    @property
    def stage_accounts(self) -> tuple[str, ...]:
        """Accounts of the stages other than the orchestrator's own, each once, sorted."""
        return tuple(sorted({stage.account for stage in self.installation.stages} - {self.account}))

    @property
    def template_folders(self) -> tuple[Path, ...]:
        """Folders with workload types of the organisation's own, absolute."""
        return self.options.template_folders


def load(given: object, root: Path) -> Settings:
    """Settings from the context's ``settings``: an object, or the path of a file (relative to ``root``).

    Raises ``BadConfiguration``.
    """
    if given is None:
        raise BadConfiguration(
            [Problem("settings", "no settings are given", "Use `-c settings=FILE`; docs/settings.md has an example.")]
        )
    folder = root
    if isinstance(given, str):
        path = root / given
        folder = path.parent
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadConfiguration(
                [Problem("settings", f"{path} cannot be read ({error.strerror})", "Name a JSON file.")]
            ) from error
        given = strict_json.parse(data)
    if not isinstance(given, Mapping):
        raise BadConfiguration([Problem("$", f"is {type(given).__name__}", "Write an object.")])
    return parse(given, folder)


def parse(raw: Mapping[str, Any], folder: Path = Path()) -> Settings:
    """Check the settings; raises ``BadConfiguration`` with every problem.

    ``folder`` is what relative paths in them start from: the folder of their file.
    """
    reading = Reading(raw)
    installation, units = read_installation(reading)
    options = read_options(reading, installation, units, folder)
    repositories = read_repositories(reading, installation)
    channels = read_channels(reading, options.template_folders)
    settings = Settings(
        installation=replace(installation, repositories=repositories, channels=channels),
        notification_email=reading.email("notification_email", default=""),
        organization_id=reading.text(
            "organization_id", default="", pattern=ORGANIZATION_ID, shape="an organisation's id, such as o-a1b2c3d4e5"
        ),
        runtime=reading.choice("runtime", RUNTIMES, default=RUNTIMES[-1]),
        architecture=reading.choice("architecture", ARCHITECTURES, default="arm64"),  # type: ignore[arg-type]
        log_retention_days=reading.number("log_retention_days", LOG_RETENTION_DAYS, default=90),
        options=options,
    )
    reading.unknown_keys()
    size = len(settings.installation.to_json())
    if not reading.problems and size > MAX_PARAMETER:
        what = f"take {size:,} characters as one SSM parameter with everything else, which holds {MAX_PARAMETER:,}"
        reading.note("repositories", what, "Name fewer repositories, channels or people.")
    if reading.problems:
        raise BadConfiguration(reading.problems)
    return settings
