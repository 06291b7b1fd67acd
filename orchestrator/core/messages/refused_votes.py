"""Why a vote does not count, in a sentence for whoever gave it: the same in Slack, by the API and on a command line."""

from __future__ import annotations

from orchestrator.core.approvals import Reason
from orchestrator.core.people import People
from orchestrator.core.user_groups import Lookup, Voter

MAY_REJECT = "You may reject it, with a reason."


def why_not(reason: Reason, stage: str, voter: Voter, lookup: Lookup, people: People) -> str:
    """Why somebody may not vote, as a sentence for him."""
    match reason:
        case Reason.IS_THE_REQUESTER:
            return f"You asked for this release, so somebody else has to decide about {stage}. {MAY_REJECT}"
        case Reason.IS_THE_AUTHOR:
            return f"You wrote the commit of this release, so somebody else has to decide about {stage}. {MAY_REJECT}"
        case Reason.GROUP_NOT_KNOWN:
            return f"You are not known as an approver of {stage}. {unknown_members(lookup)}"
        case _ if lookup.is_stranger(voter, people):
            return (
                f"You are in a user group that may approve {stage}, but the settings do not know you: an entry of "
                "people with your Slack id or your account's e-mail address lets you vote."
            )
        case _:
            return f"You are not an approver of {stage}."


def unknown_members(lookup: Lookup) -> str:
    """That a group's members could not be asked for, and what helps."""
    return (
        f"Slack does not tell just now who is in the user group {', '.join(sorted(lookup.silent))} ({lookup.why}), so "
        "nobody counts as its member; a vote that is good by it alone counts when it is given once more later."
    )
