"""What a request became, as every way in answers it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.core.installation import Installation
from orchestrator.core.records import Release


@dataclass(frozen=True)
class Receipt:
    """What a request became."""

    releases: tuple[Release, ...]
    duplicate: bool
    warnings: tuple[str, ...] = ()

    @staticmethod
    def pipeline_id(release: Release, installation: Installation) -> str:
        """The stack ARN that clients of the old product know a pipeline by; its last part is the release's id."""
        stage = installation.stage(release.stages[-1])
        prefix = f"arn:{installation.partition}:cloudformation:{installation.region}:{stage.account}"
        return f"{prefix}:stack/{release.stack_name}/{release.release_id}"


NOTHING = Receipt((), duplicate=False)
"""Of an event that asks for nothing."""


def together(receipts: Iterable[Receipt]) -> Receipt:
    """One receipt of several; a duplicate when each of them is."""
    all_of_them = list(receipts)
    return Receipt(
        releases=tuple(release for receipt in all_of_them for release in receipt.releases),
        duplicate=bool(all_of_them) and all(receipt.duplicate for receipt in all_of_them),
        warnings=tuple(warning for receipt in all_of_them for warning in receipt.warnings),
    )
