"""The setting ``repositories``: Git repositories whose commits start releases."""

from __future__ import annotations

from typing import cast

from orchestrator.core.installation import Installation, Provider, Repository
from stacks.settings_reading import Reading

PROVIDERS = ("codecommit", "connection")

MOST = 20
"""Each is a rule, and behind a connection a pipeline."""

CODECOMMIT_NAME = r"(?!.*\.git$)[\w.-]{1,100}"
"""``repositoryName`` of CodeCommit's CreateRepository."""
OWN_NAME = r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?"
"""Part of the names of a pipeline and a role."""
BRANCH = r"(?!.*\.\.)(?!.*//)[A-Za-z0-9_][\w./-]{0,254}"
"""Of Git's branch names those without characters that a filter of CodePipeline takes for patterns."""
CONNECTION = r"arn:aws[a-z-]*:code(?:connections|star-connections):[a-z0-9-]+:\d{12}:connection/[0-9a-f-]{36}"
FULL_NAME = r"[\w.-]+(/[\w.-]+)+"
"""GitLab's groups may hold groups."""


def read_repositories(reading: Reading, installation: Installation) -> tuple[Repository, ...]:
    """Read and check; the problems are in ``reading.problems``."""
    found: list[Repository] = []
    for one in reading.objects("repositories", required=False):
        repository = _repository(one, installation)
        one.unknown_keys()
        if repository.name and any(
            (known.provider, known.name) == (repository.provider, repository.name) for known in found
        ):
            one.note("name", f'is "{repository.name}" twice', "One branch of a repository is released; name each once.")
        found.append(repository)
    if len(found) > MOST:
        reading.note("repositories", f"has {len(found)} repositories", f"Name {MOST} at most.")
    return tuple(found)


def _repository(one: Reading, installation: Installation) -> Repository:
    provider = cast(Provider, one.choice("provider", PROVIDERS, default=PROVIDERS[0]))
    branch = one.text(
        "branch", pattern=BRANCH, shape="one branch's name, such as main; patterns and refs/heads/ do not belong here"
    )
    if branch.startswith("refs/"):
        one.note("branch", f'is "{branch}"', f"Write {branch.removeprefix('refs/heads/')}.")
    if provider == "codecommit":
        for key in ("connection_arn", "repository"):
            if one.has(key):
                one.note(
                    key, "is for repositories behind a connection", 'Remove it, or write "provider": "connection".'
                )
        name = one.text(
            "name", pattern=CODECOMMIT_NAME, shape="the name of a CodeCommit repository of the orchestrator's account"
        )
        return Repository(name, branch)
    arn = one.text("connection_arn", pattern=CONNECTION, shape="the connection's whole ARN")
    if arn and installation.region and arn.split(":")[3] != installation.region:
        one.note(
            "connection_arn",
            f"is a connection of {arn.split(':')[3]}",
            f"A pipeline uses one of its own region, which is {installation.region}.",
        )
    return Repository(
        name=one.text("name", pattern=OWN_NAME, shape="1 to 40 lower case letters, digits and hyphens of your choice"),
        branch=branch,
        provider=provider,
        connection_arn=arn,
        repository=one.text("repository", pattern=FULL_NAME, shape="owner/name, as the provider has it"),
    )
