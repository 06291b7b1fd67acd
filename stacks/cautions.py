"""What settings may say, though their author may not have meant it: told as a warning at synthesis, never an error.

An approval that needs everybody who may give it is right for an installation whose requests all come by the API, the
command or Slack, where it is certain who asks. A release from an upload to S3 would wait there until it expires.
"""

from __future__ import annotations

from aws_cdk import Annotations
from constructs import Construct

from orchestrator.core.approvals import Outcome, Rules, best_case
from orchestrator.core.installation import Installation
from orchestrator.core.people import UNKNOWN
from orchestrator.core.problems import Problem, listing
from orchestrator.core.user_groups import assumed
from stacks.settings import Settings
from stacks.settings_options import Options


def cautions(installation: Installation) -> list[Problem]:
    """One for each stage that no release with an uncertain requester could pass."""
    found: list[Problem] = []
    for stage in installation.stages:
        if stage.approval is None:
            continue
        rules = assumed(Rules((stage.approval,), installation.roles, installation.people))
        if best_case(rules, UNKNOWN).outcome is Outcome.APPROVED:
            continue
        found.append(
            Problem(
                f"$.approvals.{stage.name}",
                "is never met for a release whose requester is not known for certain, such as one from an upload to "
                "S3: it takes one approval more, and everybody who may approve is needed already "
                f"({listing(sorted(rules.approver_keys()))})",
                "Add a member to one of its roles, or set requester_may_approve. Where all requests come by the API, "
                "the command or Slack, it is right as it is.",
                severity="warning",
            )
        )
    return found


def roll_out_cautions(options: Options) -> list[Problem]:
    """CloudFormation's automatic deployment passes over the account filter of a stack set (User Guide, "Enable or
    disable automatic deployments for StackSets in AWS Organizations")."""
    if options.stack_sets is None or not options.stack_sets.auto_deployment:
        return []
    units = sorted({unit for ids in options.stack_sets.units.values() for unit in ids})
    return [
        Problem(
            "$.stack_sets.auto_deployment",
            f"puts a stage's roles, which trust the orchestrator, into every account that joins {listing(units)}",
            "Turn it off unless only accounts of this stage will ever join these units.",
            severity="warning",
        )
    ]


def tell(scope: Construct, settings: Settings) -> None:
    """Let ``cdk synth`` and ``cdk deploy`` print them (``--strict`` makes errors of them)."""
    for caution in [*cautions(settings.installation), *roll_out_cautions(settings.options)]:
        Annotations.of(scope).add_warning_v2(f"mlops-orchestrator:{caution.path.removeprefix('$.')}", caution.sentence)
