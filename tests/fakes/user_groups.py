"""Slack's user groups in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.core.errors import ChatRefused, ChatUnavailable


@dataclass
class FakeUserGroups:
    """See ``core.user_groups.UserGroups``."""

    known: dict[str, set[str]] = field(default_factory=dict)
    """Group → Slack ids; any other group does not exist."""
    down: bool = False
    asked: list[str] = field(default_factory=list)

    def members(self, group: str) -> frozenset[str]:
        """See the port."""
        self.asked.append(group)
        if self.down:
            raise ChatUnavailable("Slack was not reached (TimeoutError)")
        if group not in self.known:
            raise ChatRefused("no_such_subteam")
        return frozenset(self.known[group])
