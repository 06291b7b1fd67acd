"""What every release is put through, once more where CodePipeline deploys in four accounts: the same tests as they are.

They ask for the installation ``multi``, which here is the one with the other engine: a difference that people, the API,
Slack or the audit ledger could tell fails one of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.upload import Example
from tests.releases import test_failures
from tests.releases.conftest import installed
from tests.releases.team import Team
from tests.releases.test_changes import (
    bigger,
    test_a_changed_instance_type_is_shown_and_deployed_in_every_stage,
    test_an_unchanged_model_with_a_changed_tag_plans_no_replacement,
)
from tests.releases.test_decisions import (
    test_a_newer_release_supersedes_one_that_waits,
    test_a_question_that_nobody_answers_in_time_expires,
    test_rejecting_a_first_release_leaves_no_stack_and_no_change_set,
    test_the_requester_may_not_approve_the_own_release,
    test_without_slack_the_api_decides_by_the_same_rules_and_the_message_heals,
)
from tests.releases.test_deliveries import (
    test_after_a_rejection_the_same_content_starts_anew,
    test_ten_deliveries_of_one_event_start_one_release,
    test_the_same_file_again_ends_unchanged_and_deploys_nothing,
)
from tests.releases.test_failures import taken, test_a_stack_that_fails_in_staging_rolls_back_and_leaves_prod_alone
from tests.releases.test_main_job import (
    test_a_row_of_the_ledger_that_somebody_rewrites_is_named,
    test_a_three_stage_release_takes_at_most_thirty_state_transitions,
    test_each_stage_has_its_endpoint_in_its_own_account,
    test_no_task_token_or_secret_is_in_any_message_mail_dead_letter_or_log,
    test_production_answers_what_the_model_itself_answers,
    test_the_ledger_tells_all_of_the_release_and_verifies,
    test_the_message_and_the_mail_tell_the_success_once,
    test_the_package_is_the_same_in_every_stage,
)
from tests.releases.test_rollback import released, test_what_was_live_before_is_deployed_again_byte_for_byte

__all__ = [
    "bigger",
    "released",
    "taken",
    "test_a_changed_instance_type_is_shown_and_deployed_in_every_stage",
    "test_a_newer_release_supersedes_one_that_waits",
    "test_a_question_that_nobody_answers_in_time_expires",
    "test_a_row_of_the_ledger_that_somebody_rewrites_is_named",
    "test_a_stack_that_fails_in_staging_rolls_back_and_leaves_prod_alone",
    "test_a_three_stage_release_takes_at_most_thirty_state_transitions",
    "test_after_a_rejection_the_same_content_starts_anew",
    "test_an_unchanged_model_with_a_changed_tag_plans_no_replacement",
    "test_each_stage_has_its_endpoint_in_its_own_account",
    "test_no_task_token_or_secret_is_in_any_message_mail_dead_letter_or_log",
    "test_production_answers_what_the_model_itself_answers",
    "test_rejecting_a_first_release_leaves_no_stack_and_no_change_set",
    "test_ten_deliveries_of_one_event_start_one_release",
    "test_the_ledger_tells_all_of_the_release_and_verifies",
    "test_the_message_and_the_mail_tell_the_success_once",
    "test_the_package_is_the_same_in_every_stage",
    "test_the_requester_may_not_approve_the_own_release",
    "test_the_same_file_again_ends_unchanged_and_deploys_nothing",
    "test_what_was_live_before_is_deployed_again_byte_for_byte",
    "test_without_slack_the_api_decides_by_the_same_rules_and_the_message_heals",
]

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def multi(tmp_path_factory: pytest.TempPathFactory, example: Example) -> Iterator[Team]:
    """Orchestrator, dev, staging and prod in four accounts, deployed by CodePipeline."""
    with installed(tmp_path_factory.mktemp("multi-piped"), "multi", engine="codepipeline") as running:
        yield Team(running, example)


@pytest.fixture(scope="module")
def live(multi: Team) -> str:
    """Id of the first release of the example there."""
    return multi.release_example()


def test_the_failures_are_those_of_the_other_engine() -> None:
    """What is left out of ``test_failures`` is of the other engine alone: its roles, its events."""
    left_out = {name for name in vars(test_failures) if name.startswith("test_")} - set(__all__)
    assert left_out == {
        "test_a_forged_stack_event_resumes_nothing",
        "test_a_missing_permission_ends_the_release_with_the_role_and_the_action",
        "test_the_sweeper_alone_completes_a_release",
    }
