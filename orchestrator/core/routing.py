"""In which channel a release is told: its configuration's own, else the first route that fits, else the installation's.

The configuration is stronger because it is about this one workload, and is written by those who know who must hear of
it; a route is about many. What could not be read as a workload, such as a refused file, goes by no route.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from orchestrator.core.installation import ChannelRoute, Installation
from orchestrator.core.records import Release


def own_channel(release: Release, installation: Installation) -> str:
    """The channel that is the release's rather than everybody's; empty where it is told in the installation's."""
    if release.channel or not release.workload_type:
        return release.channel
    return next((route.channel for route in installation.channels if fits(route, release)), "")


def fits(route: ChannelRoute, release: Release) -> bool:
    """Whether a route is about this release."""
    of_type = not route.types or release.workload_type in route.types
    return of_type and any(fnmatchcase(release.workload, pattern) for pattern in route.workloads)


def every_channel(installation: Installation) -> tuple[str, ...]:
    """Every channel that the settings name, each once, the installation's own first."""
    named = (installation.slack_channel, *(route.channel for route in installation.channels))
    return tuple(dict.fromkeys(filter(None, named)))
