"""How the settings name a Slack user group: by its id, which stays when people give the group another handle."""

from __future__ import annotations

import re

USER_GROUP = r"S[A-Z0-9]{4,20}"
"""``S0614TZR7``: in Slack, the group's ⋯ menu → Copy group ID."""

_USER_GROUP = re.compile(USER_GROUP)


def is_group(member: str) -> bool:
    """Whether a member of a role is a group, rather than one human."""
    return _USER_GROUP.fullmatch(member) is not None
