"""How the front calls AWS without boto3: the signature, the endpoint, the secret's two stages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.aws.credentials import RoleCredentials
from orchestrator.aws.environment import endpoint_url, runtime_credentials
from slack_app.front.calls import AwsCaller, CallFailed
from slack_app.front.secrets import FRESH_SECONDS, REREAD_SECONDS, Known, SlackSecrets
from slack_app.front.sigv4 import signed_headers
from tests.slack_app.aws_double import ACCESS_KEY, QUEUE_URL, SECRET_ARN, SECRET_KEY, SESSION_TOKEN, AwsDouble

MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CREDENTIALS = RoleCredentials("", ACCESS_KEY, SECRET_KEY, SESSION_TOKEN)

_word = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
_key = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)


class _BotocoreAt(SigV4Auth):
    """botocore's signer at ``MOMENT``."""

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        request.context["timestamp"] = MOMENT.strftime("%Y%m%dT%H%M%SZ")
        super()._modify_request_before_signing(request)  # type: ignore[misc]


@given(st.binary(max_size=200), _word, _word, _word, _key, _key, st.just("") | _key, st.sampled_from(["/", "/a-b/c~d"]))
def test_it_signs_as_botocore_does(
    body: bytes, host: str, service: str, region: str, access: str, secret: str, session: str, path: str
) -> None:
    url = f"https://{host}.amazonaws.com{path}"
    given_headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage"}
    request = AWSRequest("POST", url, data=body, headers=given_headers)
    _BotocoreAt(Credentials(access, secret, session or None), service, region).add_auth(request)
    ours = signed_headers(
        url,
        given_headers,
        body,
        service=service,
        region=region,
        credentials=RoleCredentials("", access, secret, session),
        now=MOMENT,
    )
    assert ours["authorization"] == request.headers["Authorization"]


def caller(double: AwsDouble) -> AwsCaller:
    return AwsCaller("us-east-1", "amazonaws.com", CREDENTIALS, lambda service: double.url, lambda: MOMENT)


def test_it_tries_twice_what_did_not_reach_the_service(aws: AwsDouble) -> None:
    aws.broken = True
    with pytest.raises(CallFailed) as failed:
        caller(aws).call("sqs", "AmazonSQS.SendMessage", "1.0", {"QueueUrl": QUEUE_URL})
    assert failed.value.code == "ServiceUnavailable"
    assert len(aws.calls) == 2


def test_it_does_not_repeat_what_was_refused(aws: AwsDouble) -> None:
    with pytest.raises(CallFailed, match="UnknownOperation"):
        caller(aws).call("sqs", "AmazonSQS.Other", "1.0", {})
    assert len(aws.calls) == 1


def test_nobody_there_is_a_failed_call() -> None:
    nowhere = AwsCaller("us-east-1", "amazonaws.com", CREDENTIALS, lambda _: "http://127.0.0.1:9", lambda: MOMENT)
    with pytest.raises(CallFailed, match="ConnectionRefusedError"):
        nowhere.call("sqs", "AmazonSQS.SendMessage", "1.0", {})


@pytest.mark.parametrize(
    ("environ", "service", "url"),
    [
        ({}, "sqs", ""),
        ({"AWS_ENDPOINT_URL": "http://a"}, "sqs", "http://a"),
        ({"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_SQS": "http://b"}, "sqs", "http://b"),
        ({"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_SQS": "http://b"}, "secretsmanager", "http://a"),
        ({"AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://c"}, "secretsmanager", "http://c"),
    ],
)
def test_aws_own_variables_name_the_endpoint(environ: dict[str, str], service: str, url: str) -> None:
    assert endpoint_url(service, environ) == url


def test_the_runtimes_credentials_print_as_nothing(aws: AwsDouble) -> None:
    found = runtime_credentials()
    assert (found.access_key, found.session_token) == (ACCESS_KEY, SESSION_TOKEN)
    assert SECRET_KEY not in repr(found)


class Watch:
    """A monotonic clock that is told the time."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_both_stages_of_the_secret_count(aws: AwsDouble) -> None:
    aws.secret = {
        "AWSCURRENT": {"bot_token": "xoxb-new", "signing_secret": "new"},
        "AWSPREVIOUS": {"bot_token": "xoxb-old", "signing_secret": "old"},
    }
    known = SlackSecrets(SECRET_ARN, caller(aws), Watch()).known()
    assert known.signing_secrets == ("new", "old")
    assert known.bot_token == "xoxb-new"
    assert "new" not in repr(known)


def test_the_stacks_placeholder_counts_for_nothing(aws: AwsDouble) -> None:
    aws.secret = {
        "AWSCURRENT": {"bot_token": "xoxb-new", "signing_secret": "new"},
        "AWSPREVIOUS": {"bot_token": "", "signing_secret": "a generated password"},
    }
    assert SlackSecrets(SECRET_ARN, caller(aws), Watch()).known().signing_secrets == ("new",)


@pytest.mark.parametrize("stored", [{}, {"AWSCURRENT": {}}, {"AWSCURRENT": {"signing_secret": "s"}}])
def test_a_secret_that_is_not_set_signs_nothing(aws: AwsDouble, stored: dict[str, dict[str, str]]) -> None:
    aws.secret = stored
    secrets = SlackSecrets(SECRET_ARN, caller(aws), Watch())
    if not stored:
        with pytest.raises(CallFailed):
            secrets.known()
    else:
        assert secrets.known().signing_secrets == ()


def test_forged_requests_cannot_make_it_read_the_secret_each_time(aws: AwsDouble) -> None:
    watch = Watch()
    secrets = SlackSecrets(SECRET_ARN, caller(aws), watch)
    secrets.known()
    assert [secrets.renewed() for _ in range(50)] == [None] * 50
    assert len(aws.calls) == 2
    watch.seconds += REREAD_SECONDS
    assert secrets.renewed() is not None
    assert len(aws.calls) == 4


def test_a_secret_that_was_replaced_counts_within_minutes(aws: AwsDouble) -> None:
    watch = Watch()
    secrets = SlackSecrets(SECRET_ARN, caller(aws), watch)
    aws.secret = {"AWSCURRENT": {"bot_token": "xoxb-old", "signing_secret": "given up"}}
    secrets.known()
    aws.secret = {"AWSCURRENT": {"bot_token": "xoxb-new", "signing_secret": "new"}}

    watch.seconds += FRESH_SECONDS - 1
    assert secrets.known().bot_token == "xoxb-old"
    watch.seconds += 1
    assert secrets.known() == Known(("new",), "xoxb-new")


def test_what_was_read_stands_while_the_secret_is_out_of_reach(aws: AwsDouble) -> None:
    watch = Watch()
    secrets = SlackSecrets(SECRET_ARN, caller(aws), watch)
    aws.secret = {"AWSCURRENT": {"bot_token": "xoxb-1", "signing_secret": "s"}}
    known = secrets.known()
    aws.broken = True
    watch.seconds += FRESH_SECONDS
    before = len(aws.calls)

    assert [secrets.known() for _ in range(10)] == [known] * 10
    assert len(aws.calls) == before + 2  # one try for all of them, which the caller repeats once
    aws.broken = False
    aws.secret = {"AWSCURRENT": {"bot_token": "xoxb-2", "signing_secret": "s"}}
    watch.seconds += REREAD_SECONDS
    assert secrets.known().bot_token == "xoxb-2"
