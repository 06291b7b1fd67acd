"""What one person is told privately: what came of his click, why it did not count, and the answers of ``/mlops``."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.installation import Installation
from orchestrator.core.messages import limits
from orchestrator.core.messages.blocks import Message, context, message, section
from orchestrator.core.messages.buttons import DIGEST_DIGITS
from orchestrator.core.messages.facts import Facts
from orchestrator.core.messages.headlines import END_MARKS, headline
from orchestrator.core.messages.mrkdwn import bold, code, date, said
from orchestrator.core.messages.provenance import provenance
from orchestrator.core.records import Approval, ApprovalStatus, Release, Verdict

PARTNER = "People of other workspaces may not see or decide about releases here."
GUEST = "Guests may not see or decide about releases."
BOT = "Only people may decide about releases."
DELETED = "This Slack account is deactivated."
NOBODY = "Slack does not know who you are."
OTHER_WORKSPACE = "This app serves another workspace."
STALE_BUTTON = "This button belongs to no approval that is known here (any more)."
DIALOG_LOST = "The dialog did not open in time. Please click once more."

_HELP = """\
*/mlops status* – the latest releases
*/mlops status RELEASE* – one release with its stages, changes and votes
*/mlops release* – a form to start a release
*/mlops release WORKLOAD* – start one with the newest version of the workload's configuration; with \
`--version VERSION` another S3 version of it, with `--force` also when its content is live already
*/mlops approve RELEASE [COMMENT]* – approve what waits for your decision
*/mlops reject RELEASE REASON* – reject it; the release ends
*/mlops withdraw RELEASE* – take your approval back while others are missing
*/mlops rollback WORKLOAD* – go back to the release that was live before; with `RELEASE` to that one
*/mlops why RELEASE* – what a release waits for, and who could decide
*/mlops history WORKLOAD* – what was released of a workload, and who decided
*/mlops help* – this

The buttons of a release's message do the same, and `mlops` on a command line."""


def told(sentence: str) -> Message:
    """A sentence of ours for one person."""
    text = said(sentence, limits.SECTION_TEXT)
    return message(text, [section(text)])


def in_markup(text: str) -> Message:
    """What is in mrkdwn already, for one person."""
    return message(text, [section(text)])


def ballot_answer(approval: Approval, sentence: str, counted: bool) -> Message:
    """What came of a vote: ``sentence`` is the decision's own; one that came too late learns who was first and when."""
    if counted or approval.status not in {ApprovalStatus.APPROVED, ApprovalStatus.REJECTED}:
        return told(sentence)
    text = f"{said(already(approval), limits.SECTION_TEXT - 100)}, {date(_settled(approval))}. Nothing was changed."
    return message(text, [section(text)])


def about_plan(answer: Message, release_id: str, approval: Approval) -> Message:
    """The answer to words, which show no plan: which stage and which plan they were taken for."""
    digest = code(approval.digest[:DIGEST_DIGITS], 40)
    what = f"{bold(approval.stage, limits.NAME)} of {code(release_id, limits.VALUE)}"
    meant = f"This was about {what}: the plan with the digest {digest}."
    return message(f"{answer.text} {meant}", [*answer.blocks, context(f":lock: {meant}")])


def asked_since(stage: str) -> Message:
    """To words that were written before the question was asked."""
    return told(f"The question about {stage} was asked after you wrote this. Look at its plan, and write again.")


def already(approval: Approval) -> str:
    """``Already approved by Ben Okafor``: who settled an approval."""
    approve = approval.status is ApprovalStatus.APPROVED
    verdict = Verdict.APPROVE if approve else Verdict.REJECT
    names = [vote.display for vote in approval.votes if vote.verdict is verdict]
    return f"{approval.stage} was already {'approved' if approve else 'rejected'} by {', '.join(names) or 'somebody'}"


def too_late(approval: Approval) -> str:
    """Why an approval cannot be decided any more, as a sentence; empty when it can."""
    match approval.status:
        case ApprovalStatus.PENDING:
            return ""
        case ApprovalStatus.EXPIRED:
            return f"The question about {approval.stage} has expired."
        case ApprovalStatus.SUPERSEDED:
            return f"A newer release has superseded this one, so {approval.stage} needs no decision."
        case _:
            return f"{already(approval)}."


def help_message() -> Message:
    """``/mlops help``."""
    text = "What /mlops can do: status, release, approve, reject, withdraw, rollback, why, history, help."
    return message(text, [section(_HELP)])


def unknown_command(word: str) -> Message:
    """``/mlops`` with a word it does not know."""
    text = f"There is no {code(f'/mlops {word}', limits.NAME)} here."
    return message(text, [section(text), section(_HELP)])


def no_release(release_id: str) -> Message:
    """``/mlops status`` of a release that does not exist."""
    text = f"There is no release {code(release_id, limits.VALUE)}. `/mlops status` lists the latest ones."
    return message(text, [section(text)])


def release_list(releases: Sequence[Release], installation: Installation) -> Message:
    """``/mlops status``: the latest releases, newest first."""
    if not releases:
        return told("Nothing has been released yet.")
    blocks = []
    for release in releases[: limits.LISTED]:
        mark = END_MARKS.get(release.status, ":hourglass_flowing_sand:")
        how = headline(Facts(release, installation))
        who = said(installation.people.display(release.requester), limits.NAME)
        blocks.append(section(f"{mark} {bold(how, limits.NAME * 2)}\n{code(release.release_id, limits.VALUE)}"))
        blocks.append(context(f"Asked for by {who}, {date(release.created_at)}", f":package: {provenance(release)}"))
    count = len(releases[: limits.LISTED])
    return message("The latest release." if count == 1 else f"The latest {count} releases.", blocks)


def _settled(approval: Approval) -> str:
    return approval.settled_at or approval.asked_at
