"""What a release's message and e-mail say in each state: a table a product owner can read."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from orchestrator.core.calling import Called, called_first
from orchestrator.core.gate_results import Fault, GateResult, GateStatus
from orchestrator.core.installation import ApprovalPolicy, StageSettings
from orchestrator.core.messages import private
from orchestrator.core.messages.blocks import Message
from orchestrator.core.messages.facts import Facts
from orchestrator.core.messages.mail import end_letter, question_letter
from orchestrator.core.messages.mrkdwn import lapse
from orchestrator.core.messages.question import question_reply
from orchestrator.core.messages.release_message import brief_message, release_message
from orchestrator.core.origins import Commit, Source, SourceKind
from orchestrator.core.people import Identity, IdentityKind
from orchestrator.core.plans import AccessChange, Area, ParameterChange, Reach, ResourceChange
from orchestrator.core.records import ApprovalStatus, Figure, Release, StageStatus, Status, Verdict
from tests.fakes.memory_world import BY_ANA, OWNER, RISK, installation
from tests.slack_app import samples

STATES = samples.every_state()


def shown(message: Message) -> str:
    """Everything that is read in a message."""
    return json.dumps(message.blocks, ensure_ascii=False)


def header(message: Message) -> str:
    found: str = message.blocks[0]["text"]["text"]
    return found


def has_buttons(message: Message) -> bool:
    return any(block["type"] == "actions" for block in message.blocks)


@pytest.mark.parametrize(
    ("state", "headline", "says"),
    [
        ("requested", "fraud-detector: about to start", ["dev", "staging", "prod"]),
        ("packaging", "fraud-detector: being packaged", []),
        ("planning", "fraud-detector: being planned for staging", []),
        ("deploying", "fraud-detector: being deployed to staging", [":white_large_square: prod"]),
        ("verifying", "fraud-detector: being checked in staging", []),
        (
            "waiting",
            "fraud-detector: approve staging?",
            [
                ":white_check_mark: dev → :hourglass_flowing_sand: *staging* → :white_large_square: prod",
                "1 resource replaced, 1 removed, 1 added and 1 changed",
                ":warning: *1 replaced*",
                "`Endpoint` AWS::SageMaker::Endpoint",
                ":wastebasket: *1 removed*",
                "`OldQueue`",
                "InferenceInstance: `ml.m5.large` → `ml.m5.xlarge`",
                "New: _(new)_ → `value`",
                "Gone: `value` → _(dropped)_",
                "KmsKeyArn: _(empty)_ →",
                "Password: `****` → `****`",
                "*Still needed:* 1 × ml-owner",
                "Expires <!date^1772625600^",
                samples.plan().digest[:16],
                "Asked for by Ana Silva (verified)",
                "`fraud/mlops-config.json` in bucket `assets`, version `v7`",
                "> Retrained on February's data.",
            ],
        ),
        ("waiting with a vote", "fraud-detector: approve staging?", ["Ben Okafor approved <!date^"]),
        (
            "waiting, unknown requester",
            "fraud-detector: approve staging?",
            ["Asked for by unknown", "1 × ml-owner, and one approval more"],
        ),
        (
            "waiting, with a job to come",
            "fraud-detector: approve staging?",
            [":gear: Once it is deployed, its job runs in staging: a SageMaker Autopilot job."],
        ),
        (
            "decided, not moved on yet",
            "fraud-detector: approved for staging",
            ["staging: :white_check_mark: Ben Okafor"],
        ),
        ("succeeded", "fraud-detector: released to prod", ["prod EndpointName: `fraud-prod`"]),
        ("unchanged", "fraud-detector: nothing to change", ["live already"]),
        ("rejected", "fraud-detector: rejected for staging", ["*Ben Okafor* said:", "> Recall too low."]),
        ("expired", "fraud-detector: expired before staging was decided", ["Nobody decided"]),
        ("superseded", "fraud-detector: superseded by a newer one", ["`fraud-detector-9876543210` took its place"]),
        ("failed", "fraud-detector: failed in staging", ["> Endpoint (AWS::SageMaker::Endpoint): no capacity"]),
        (
            "job running",
            "fraud-detector: running its job in staging",
            [
                ":white_check_mark: dev → :gear: *staging* → :white_large_square: prod",
                "*Jobs*",
                ":white_check_mark: dev: `mlops-pipeline-fraud a1b2c3d4e5f6` succeeded after 9 s",
                ":hourglass_flowing_sand: staging: `mlops-pipeline-fraud a1b2c3d4e5f6` running since <!date^",
                ".amazon.com/sagemaker/home?region=us-east-1#/studio-landing|AWS console>",
            ],
        ),
        (
            "job failed",
            "fraud-detector: failed in staging: its job did not succeed",
            [
                "The release of fraud-detector has failed in staging: its job did not succeed.",
                "> Train: AlgorithmError: the label has one class only",
                "The stack is deployed in staging all the same; a new release runs the job again.",
                ":x: staging: `mlops-pipeline-fraud a1b2c3d4e5f6` failed after 7 min",
            ],
        ),
        ("job stopped", "fraud-detector: failed in staging: its job did not succeed", ["was stopped after 7 min"]),
        ("refused", "Configuration refused", ["• $.model_name: is missing.", "• $.colour: is unknown."]),
    ],
)
def test_what_a_message_says(state: str, headline: str, says: list[str]) -> None:
    message = release_message(STATES[state])
    assert header(message) == headline
    for words in says:
        assert words in shown(message), words
    assert has_buttons(message) == state.startswith("waiting")
    assert message.text.endswith(".")


@pytest.mark.parametrize(
    ("state", "subject", "says"),
    [
        ("succeeded", "[succeeded] fraud-detector", ["was released to prod", "prod EndpointName: fraud-prod"]),
        ("unchanged", "[unchanged] fraud-detector", ["live already"]),
        ("rejected", "[rejected] fraud-detector (staging)", ["Ben Okafor said: Recall too low.", "deployed in dev"]),
        ("expired", "[expired] fraud-detector (staging)", ["Nobody decided about staging in time."]),
        ("superseded", "[superseded] fraud-detector (staging)", ["fraud-detector-9876543210 took its place"]),
        ("failed", "[failed] fraud-detector (staging)", ["Reason: Endpoint (AWS::SageMaker::Endpoint): no capacity"]),
        (
            "job failed",
            "[failed] fraud-detector (staging)",
            [
                "Reason: Train: AlgorithmError: the label has one class only",
                "Job in dev: mlops-pipeline-fraud a1b2c3d4e5f6 succeeded after 9 s.",
                "Job in staging: mlops-pipeline-fraud a1b2c3d4e5f6 failed after 7 min.",
                "  Look at it in https://us-east-1.console.aws.amazon.com/",
                "The stack is deployed in staging all the same",
            ],
        ),
        ("refused", "[refused] configuration", ["- $.model_name: is missing.", "- $.colour: is unknown."]),
    ],
)
def test_what_an_e_mail_says(state: str, subject: str, says: list[str]) -> None:
    letter = end_letter(STATES[state])
    assert letter.subject == subject
    for words in [*says, "Asked for by: Ana Silva (verified)", f"mlops status {samples.RELEASE_ID}"]:
        assert words in letter.text, words
    assert "\n\n\n" not in letter.text


FIGURES = (Figure("accuracy", "0.972028"), Figure("auc", "0.99622641509434"))
LIVE = (Figure("f1", "0.9"), Figure("accuracy", "0.9650349"))


def test_the_figures_stand_in_one_line_beside_those_of_the_live_release() -> None:
    facts = replace(samples.facts(samples.release(metrics=FIGURES)), live=LIVE)
    assert ":bar_chart: accuracy 0.972 (live 0.965) · auc 0.9962" in shown(release_message(facts))
    assert "0.9650349" not in shown(release_message(facts))
    assert "The model's figures: accuracy 0.972 (live 0.965), auc 0.9962." in release_message(facts).text
    read = shown(release_message(facts))
    assert read.index("*1 removed*") < read.index(":bar_chart:") < read.index("*Still needed:*")
    assert facts.waiting is not None
    letter = question_letter(facts, facts.waiting, "Slack cannot be reached.")
    assert "Metrics: accuracy 0.972 (live 0.965), auc 0.9962." in letter.text.splitlines()


@pytest.mark.parametrize("state", ["deploying", "rejected", "succeeded"])
def test_the_figures_stay_in_the_message_after_the_question(state: str) -> None:
    facts = STATES[state]
    read = shown(release_message(replace(facts, release=replace(facts.release, metrics=FIGURES))))
    assert ":bar_chart: accuracy 0.972 · auc 0.9962" in read


def test_without_figures_there_is_no_line_of_them() -> None:
    facts = samples.facts()
    assert ":bar_chart:" not in shown(release_message(facts))
    assert facts.waiting is not None
    assert "Metrics" not in question_letter(facts, facts.waiting, "Slack cannot be reached.").text


def test_twelve_figures_of_the_longest_names_fit_into_their_line_and_say_nothing_as_us() -> None:
    hostile = tuple(Figure(f"<!channel>{n}".ljust(64, "&"), "-1.2345e-300") for n in range(12))
    message = release_message(replace(samples.facts(samples.release(metrics=hostile)), live=hostile))
    (line,) = [text for block in message.blocks if (text := str(block.get("text"))) and ":bar_chart:" in text]
    assert len(line) < 3000
    assert "<!channel>" not in line


GATES = (
    GateResult("auc", GateStatus.PASSED, (), "0.972028", "0.965", "r-1", "0.9", "", "0.01"),
    GateResult("accuracy", GateStatus.WARNED, (Fault.TOO_LOW,), "0.972028", "", "r-1", "0.98"),
    GateResult("recall", GateStatus.FAILED, (Fault.NOT_MEASURED,), "", "0.5", "r-1", "0.9"),
)


def with_gates(facts: Facts, *gates: GateResult) -> Facts:
    """The same, where the gates of staging have come to this."""
    staging = replace(facts.stages["staging"], gates=gates)
    figures = replace(facts.release, metrics=(*FIGURES, Figure("f1", "0.8")))
    return replace(facts, release=figures, stages={**facts.stages, "staging": staging})


def test_the_gates_have_a_line_each_the_broken_ones_first() -> None:
    facts = with_gates(samples.facts(), *GATES)
    message = release_message(facts)
    (block,) = [block for block in message.blocks if "Quality gates" in str(block)]
    assert block["text"]["text"].splitlines() == [
        "*Quality gates*: 1 failed, 1 not met (warning), 1 passed",
        ":x: recall not measured (live 0.5): *the evaluation has no such figure*",
        ":warning: accuracy 0.972: *below 0.98*",
        ":white_check_mark: auc 0.972 (live 0.965): at least 0.9, not worse than live by more than 0.01",
    ]
    assert "2 quality gates do not hold: recall not measured (live 0.5)" in message.text
    read = shown(message)
    assert read.index("*1 removed*") < read.index("*Quality gates*") < read.index("*Still needed:*")


def test_a_figure_with_a_gate_is_not_shown_twice() -> None:
    assert ":bar_chart: f1 0.8" in shown(release_message(with_gates(samples.facts(), *GATES)))
    assert ":bar_chart: accuracy 0.972 · auc 0.9962 · f1 0.8" in shown(release_message(with_gates(samples.facts())))


def test_gates_that_do_not_hold_are_told_to_those_who_are_called() -> None:
    facts = with_gates(samples.facts(), *GATES[:2])
    assert facts.waiting is not None
    assert ":warning: 1 of 2 quality gates does not hold." in shown(question_reply(facts, facts.waiting))
    fine = with_gates(samples.facts(), GATES[0])
    assert fine.waiting is not None
    assert "quality gate" not in shown(question_reply(fine, fine.waiting))


def test_the_gates_are_in_every_letter() -> None:
    told = [
        "Quality gates before staging: 1 not met (warning), 1 passed.",
        "  warning: accuracy 0.972: below 0.98",
        "  passed: auc 0.972 (live 0.965): at least 0.9, not worse than live by more than 0.01",
    ]
    waiting = with_gates(samples.facts(), *GATES[:2])
    assert waiting.waiting is not None
    for letter in (
        question_letter(waiting, waiting.waiting, "Slack cannot be reached."),
        end_letter(with_gates(STATES["rejected"], *GATES[:2])),
    ):
        lines = letter.text.splitlines()
        assert lines[lines.index(told[0]) :][:3] == told


def test_a_release_that_gates_have_stopped_is_told_as_that() -> None:
    reason = "Stopped before staging by a quality gate: auc 0.91: below 0.95."
    facts = samples.facts(
        samples.release(Status.FAILED, failure="GatesFailed", reason=reason),
        stages={
            "dev": samples.stage("dev", StageStatus.VERIFIED),
            "staging": samples.stage("staging", StageStatus.FAILED, gates=GATES[2:], note=reason),
        },
    )
    message = release_message(facts)
    assert header(message) == "fraud-detector: stopped before staging by its quality gates"
    read = shown(message)
    assert "The release of fraud-detector was stopped before staging by its quality gates." in read
    assert f"> {reason}" in read
    assert ":x: recall not measured" in read
    assert end_letter(facts).subject == "[failed] fraud-detector (staging)"


def test_every_problem_is_in_the_e_mail_and_twenty_in_the_message() -> None:
    problems = tuple(f"$.key{n}: is unknown." for n in range(50))
    facts = samples.ended(Status.REFUSED, problems=problems, workload_type="")
    assert all(problem in end_letter(facts).text for problem in problems)
    assert "… and 30 more (the e-mail has all of them)" in shown(release_message(facts))


def test_what_would_be_destroyed_is_named_before_what_is_added() -> None:
    text = shown(release_message(STATES["waiting"]))
    places = [text.index(word) for word in ("replaced*", "removed*", "added*", "changed in place*", "5 parameters")]
    assert places == sorted(places)


def test_a_perhaps_replaced_resource_is_named_too() -> None:
    change = ResourceChange("maybe_replace", "Model", "AWS::SageMaker::Model", ("ImageUri",))
    text = shown(release_message(samples.facts(planned=samples.plan([change], []))))
    assert "1 resource perhaps replaced" in text
    assert "`Model` AWS::SageMaker::Model: ImageUri" in text


@pytest.mark.parametrize(
    ("resources", "parameters", "counted"),
    [
        ([], [], "no resource changes"),
        ([], [ParameterChange("A", "1", "2")], "parameters only"),
        ([ResourceChange("add", "A", "T")] * 3, [], "3 resources added"),
        ([ResourceChange("import", "A", "T")], [], "1 resource otherwise touched"),
    ],
)
def test_changes_are_counted_in_words(
    resources: list[ResourceChange], parameters: list[ParameterChange], counted: str
) -> None:
    assert counted in shown(release_message(samples.facts(planned=samples.plan(resources, parameters))))


@pytest.mark.parametrize(
    ("what", "facts"),
    [
        ("decided", samples.facts(question=samples.approval(ApprovalStatus.APPROVED))),
        ("expired", samples.facts(question=samples.approval(ApprovalStatus.EXPIRED))),
        ("superseded", samples.facts(question=samples.approval(ApprovalStatus.SUPERSEDED))),
        ("of another plan", samples.facts(question=samples.approval(digest="0" * 64))),
        ("of a release that has ended", samples.facts(samples.release(Status.SUPERSEDED))),
    ],
)
def test_a_question_that_cannot_be_answered_has_no_buttons(what: str, facts: Facts) -> None:
    assert not has_buttons(release_message(facts)), what


def test_a_copy_that_nobody_keeps_current_has_no_buttons() -> None:
    assert not has_buttons(release_message(STATES["waiting"], buttons=False))


@pytest.mark.parametrize(
    ("release", "who"),
    [
        (samples.release(), "Ana Silva (verified)"),
        (samples.release(requester=samples.GIT_ANA), "Ana Silva (unverified)"),
        (samples.release(requester=samples.UNKNOWN_REQUESTER), "unknown (the upload does not say who made it)"),
        (samples.release(requester=replace(BY_ANA, value="arn:aws:iam::1:user/robot")), "robot (verified)"),
    ],
)
def test_who_asked_and_how_certain_that_is(release: Release, who: str) -> None:
    assert f"Asked for by {who}" in shown(release_message(samples.facts(release)))


def test_a_description_without_anything_to_read_is_left_out() -> None:
    facts = STATES["requested"]
    message = release_message(replace(facts, release=replace(facts.release, description="\x1b")))
    assert all(block["text"]["text"] for block in message.blocks if block["type"] == "section")


def test_a_channel_that_was_refused_is_noted() -> None:
    facts = samples.facts(samples.release(channel="fraud-team"))
    text = shown(release_message(facts, refused_channel="is_archived"))
    assert "`fraud-team`" in text
    assert "`is_archived`" in text


def test_the_same_records_are_the_same_message() -> None:
    assert release_message(samples.facts()).fingerprint == release_message(samples.facts()).fingerprint
    other = samples.facts(question=samples.approval(votes=[samples.vote()]))
    assert release_message(samples.facts()).fingerprint != release_message(other).fingerprint


def test_no_message_holds_the_task_token() -> None:
    for state in STATES.values():
        assert "a-token-that-must-never-be-seen" not in shown(release_message(state)) + end_letter(state).text


def test_a_vote_by_another_way_says_so() -> None:
    facts = samples.facts(question=samples.approval(votes=[samples.vote(via="api")]))
    assert "approved by api" in shown(release_message(facts))


def test_a_failure_after_a_stage_says_where_it_stays_deployed() -> None:
    assert "It stays deployed in *dev*." in shown(release_message(STATES["failed"]))


# The ping.


def test_the_ping_names_what_is_asked_and_leaves_out_the_requester() -> None:
    everybody = {"ml-owner": ("ana@example.com", "ben@example.com", "U0STRANGER", "robot")}
    setting = installation(StageSettings("staging", "3", OWNER), roles=everybody)
    facts = samples.facts(setting=setting)
    assert facts.waiting is not None
    reply = question_reply(facts, facts.waiting)
    assert reply.text == "<@U0BEN> <@U0STRANGER> fraud-detector waits for your decision about staging."
    assert "Needed: 1 × ml-owner." in shown(reply)
    assert "Not known to Slack: robot" in shown(reply)


def test_a_requester_who_may_approve_is_pinged() -> None:
    policy = ApprovalPolicy(((("ml-owner", 1),),), requester_may_approve=True)
    setting = installation(StageSettings("staging", "3", policy), roles={"ml-owner": ("ana@example.com",)})
    facts = samples.facts(setting=setting)
    rules = facts.rules("staging")
    assert rules is not None
    assert called_first(rules, BY_ANA) == Called(users=("U0ANA",))


def test_every_asked_role_is_pinged_once() -> None:
    setting = installation(StageSettings("staging", "3", ApprovalPolicy((OWNER.any_of[0], RISK.any_of[0]))))
    rules = samples.facts(setting=setting).rules("staging")
    assert rules is not None
    called = called_first(rules, Identity(IdentityKind.UNKNOWN, "unknown", verified=False))
    assert called == Called(users=("U0BEN", "U0CHLOE", "U0DEV"))


def test_a_question_by_mail_says_how_to_decide() -> None:
    facts = STATES["waiting"]
    assert facts.waiting is not None
    letter = question_letter(facts, facts.waiting, "Slack is not set up.")
    for words in (
        "Slack is not set up.",
        "replaced: Endpoint (AWS::SageMaker::Endpoint)",
        "removed: OldQueue",
        "Still needed: 1 × ml-owner.",
        f"mlops approve {samples.RELEASE_ID}",
        f"mlops reject {samples.RELEASE_ID}",
    ):
        assert words in letter.text


# Private answers.


@pytest.mark.parametrize(
    ("status", "counted", "says"),
    [
        (ApprovalStatus.PENDING, True, "the sentence"),
        (ApprovalStatus.PENDING, False, "the sentence"),
        (ApprovalStatus.APPROVED, True, "the sentence"),
        (ApprovalStatus.APPROVED, False, "staging was already approved by Ben Okafor, <!date^"),
        (ApprovalStatus.REJECTED, False, "staging was already rejected by Chloé Martin, <!date^"),
        (ApprovalStatus.EXPIRED, False, "the sentence"),
        (ApprovalStatus.SUPERSEDED, False, "the sentence"),
    ],
)
def test_what_came_of_a_vote(status: ApprovalStatus, counted: bool, says: str) -> None:
    votes = [samples.vote(), samples.vote("Chloé Martin", Verdict.REJECT)]
    settled = samples.approval(status, votes, settled_at=samples.ASKED)
    assert says in private.ballot_answer(settled, "the sentence", counted).text


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (ApprovalStatus.PENDING, ""),
        (ApprovalStatus.EXPIRED, "has expired"),
        (ApprovalStatus.SUPERSEDED, "newer release"),
        (ApprovalStatus.APPROVED, "already approved by Ben Okafor"),
    ],
)
def test_why_it_is_too_late(status: ApprovalStatus, says: str) -> None:
    told = private.too_late(samples.approval(status, [samples.vote()]))
    assert says in told
    assert bool(told) == bool(says)


def test_the_list_of_releases_names_the_newest() -> None:
    releases = [samples.release(release_id=f"fraud-detector-{n:010}") for n in range(30)]
    text = shown(private.release_list(releases, installation()))
    assert "fraud-detector-0000000009" in text
    assert "fraud-detector-0000000010" not in text
    assert "Nothing has been released yet." in shown(private.release_list([], installation()))


OPENED = (
    AccessChange(Area.IAM, Reach.WIDENS, "ExecutionRole", "AWS::IAM::Role", "may s3:* on arn:aws:s3:::models/*"),
    AccessChange(Area.NETWORK, Reach.MAY_WIDEN, "Model", "AWS::SageMaker::Model", "joins other subnets: b"),
    AccessChange(Area.ENCRYPTION, Reach.WIDENS, "Config", "AWS::X", "no longer uses its own encryption key (KmsKeyId)"),
)


def asking(**changes: object) -> Facts:
    planned = replace(samples.plan(), access=OPENED)
    return replace(samples.facts(planned=planned), live_since={"dev": "2026-02-27T09:00:00.000Z"}, **changes)  # type: ignore[arg-type]


def test_what_a_plan_opens_is_in_plain_sight_everywhere() -> None:
    facts = asking()
    waiting = facts.waiting
    assert waiting is not None
    message = release_message(facts)
    for words in (
        ":rotating_light: *Widens IAM access* (1)",
        "• `ExecutionRole` may s3:∗ on arn:aws:s3:::models/∗",  # an asterisk would be bold, and unseen
        ":warning: *May widen network access* (1)",
        "*Weakens encryption* (1)",
    ):
        assert words in shown(message)
    opened = "widens IAM access, may widen network access and weakens encryption"
    assert f"It {opened}." in message.text
    assert f":rotating_light: It {opened}." in shown(brief_message(facts))
    assert f":rotating_light: It {opened}." in shown(question_reply(facts, waiting))
    letter = question_letter(facts, waiting, "Slack is not set up.").text
    assert "  Widens IAM access: ExecutionRole (AWS::IAM::Role): may s3:* on arn:aws:s3:::models/*" in letter


def test_of_a_new_stack_the_grants_are_told_and_nobody_is_alarmed() -> None:
    granted = replace(OPENED[0], reach=Reach.GRANTS)
    facts = samples.facts(planned=replace(samples.plan(), creates_stack=True, access=(granted,) * 9))
    message = release_message(facts)
    assert ":key: *Grants IAM access* (9)" in shown(message)
    assert "… and 6 more" in shown(message)
    assert "widen" not in message.text
    assert facts.waiting is not None
    assert "rotating_light" not in shown(question_reply(facts, facts.waiting))


def test_a_question_says_how_long_the_release_has_run_in_the_stage_before() -> None:
    facts = asking()
    assert facts.waiting is not None
    assert "In *dev* since <!date^1772182800^{date_short_pretty} {time}|2026-02-27 09:00 UTC>" in shown(
        release_message(facts)
    )
    letter = question_letter(facts, facts.waiting, "x").text
    assert "In dev since 2026-02-27T09:00:00.000Z: 2 days 3 h when this was asked." in letter
    for without in (
        replace(facts, live_since={}),
        replace(facts, release=replace(facts.release, removes=True)),
        replace(facts, release=replace(facts.release, stages=("staging",))),
    ):
        assert "since" not in shown(release_message(without))


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ("2026-02-27T09:00:20Z", "0 min"),
        ("2026-02-27T09:45:00Z", "45 min"),
        ("2026-02-27T12:05:00Z", "3 h 5 min"),
        ("2026-02-28T09:00:00Z", "1 day"),
        ("2026-03-01T12:30:00Z", "2 days 3 h"),
        ("2026-02-26T09:00:00Z", "0 min"),
    ],
)
def test_a_lapse_as_people_say_it(later: str, said: str) -> None:
    assert lapse("2026-02-27T09:00:00Z", later) == said


def test_the_order_of_a_question() -> None:
    """Who and why, what it opens, what it changes, the figures, the digest, the buttons."""
    facts = asking(release=samples.release(metrics=FIGURES))
    told = shown(release_message(facts))
    order = (
        "approve staging?",
        "waits for approval",
        "Retrained on February",
        "Asked for by",
        "Widens IAM access",
        "What would change",
        ":warning: *1 replaced*",
        ":wastebasket: *1 removed*",
        "before → after",
        ":bar_chart:",
        "Still needed",
        "In *dev* since",
        "has the digest",
        '"approve"',
        "Release `",
    )
    places = [told.index(words) for words in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("url", "shown_as"),
    [
        (
            "https://git.example/acme/models/commit/4f1c2d3e",
            "commit <https://git.example/acme/models/commit/4f1c2d3e|4f1c2d3e>",
        ),
        ("https://git.example/a|<!channel>", "commit 4f1c2d3e on"),
        ("javascript:alert(1)", "commit 4f1c2d3e on"),
        ("", "commit `4f1c2d3e` on"),
    ],
)
def test_a_commit_is_a_link_where_its_address_is_one(url: str, shown_as: str) -> None:
    commit = Commit("models", "main", "4f1c2d3e5a6b7c8d", url=url)
    source = Source(SourceKind.COMMIT, "models", "mlops-config.json", "4f1c2d3e5a6b7c8d")
    assert shown_as in shown(release_message(samples.facts(samples.release(commit=commit, source=source))))
