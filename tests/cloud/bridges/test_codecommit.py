"""CodeCommit over real Git repositories: the adapter's answers, pages, pushes with their events, and IAM."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from local.cloud.client import EmbeddedCloud
from orchestrator.aws.code_commit import CodeCommitRepositories
from orchestrator.core.commits import ChangeKind, configurations
from orchestrator.core.errors import SourceGone
from orchestrator.core.events import push as parsed
from orchestrator.core.problems import BadConfiguration
from tests.cloud.accounts import unique

pytestmark = pytest.mark.cloud

ACCOUNT = "666666666666"
ANA = "Ana Silva <ana@example.com>"


@pytest.fixture
def repository(cloud: EmbeddedCloud) -> str:
    name = unique("models")
    cloud.client("codecommit", ACCOUNT).create_repository(repositoryName=name)
    return name


@pytest.fixture
def known(cloud: EmbeddedCloud) -> CodeCommitRepositories:
    return CodeCommitRepositories(cloud.client("codecommit", ACCOUNT))


def test_a_commit_tells_its_author_and_message(
    cloud: EmbeddedCloud, repository: str, known: CodeCommitRepositories
) -> None:
    commit = cloud.push(
        repository, "main", {"a.txt": "1"}, "Zoë Ünal <zoe@example.com>", account=ACCOUNT, message="First: ü\n\nMore."
    )
    author = known.author(repository, commit)
    assert (author.name, author.email, author.message) == ("Zoë Ünal", "zoe@example.com", "First: ü\n\nMore.")
    assert known.head(repository, "main") == commit
    assert known.head(repository, "other") == ""


def test_what_a_push_changes(cloud: EmbeddedCloud, repository: str, known: CodeCommitRepositories) -> None:
    files = {"mlops-config.json": "{}", "a b/ü+%/mlops-config.json": "1", "old/mlops-config.json": "2", "x.txt": "3"}
    first = cloud.push(repository, "main", files, ANA, account=ACCOUNT)
    second = cloud.push(
        repository,
        "main",
        {
            "a b/ü+%/mlops-config.json": "new",
            "old/mlops-config.json": None,
            "x.txt": None,
            "deep/er/mlops-config.json": "4",
        },
        ANA,
        account=ACCOUNT,
    )
    everything = configurations(known.changes(repository, "", first))
    assert {change.path: change.kind for change in everything} == dict.fromkeys(
        ["mlops-config.json", "a b/ü+%/mlops-config.json", "old/mlops-config.json"], ChangeKind.ADDED
    )
    changed = {change.path: change for change in configurations(known.changes(repository, first, second))}
    assert {path: change.kind for path, change in changed.items()} == {
        "a b/ü+%/mlops-config.json": ChangeKind.MODIFIED,
        "old/mlops-config.json": ChangeKind.DELETED,
        "deep/er/mlops-config.json": ChangeKind.ADDED,
    }
    assert known.content(repository, changed["a b/ü+%/mlops-config.json"].blob) == b"new"
    assert known.content(repository, changed["old/mlops-config.json"].old_blob) == b"2"


def test_differences_come_in_pages(cloud: EmbeddedCloud, repository: str, known: CodeCommitRepositories) -> None:
    commit = cloud.push(repository, "main", {f"{n:03}/mlops-config.json": "{}" for n in range(150)}, account=ACCOUNT)
    mark = cloud.calls()[-1]["number"]
    assert len(list(known.changes(repository, "", commit))) == 150
    assert [call["action"] for call in cloud.calls(since=mark)].count("GetDifferences") == 2


def test_a_commit_that_a_forced_push_threw_away_is_gone(
    cloud: EmbeddedCloud, repository: str, known: CodeCommitRepositories
) -> None:
    lost = cloud.push(repository, "main", {"a.txt": "1"}, account=ACCOUNT)
    kept = cloud.push(repository, "main", {"b.txt": "2"}, account=ACCOUNT, force=True, collect=True)
    with pytest.raises(SourceGone, match=lost):
        known.author(repository, lost)
    with pytest.raises(SourceGone):
        list(known.changes(repository, lost, kept))
    with pytest.raises(ClientError, match="CommitIdDoesNotExist"):
        cloud.client("codecommit", ACCOUNT).get_commit(repositoryName=repository, commitId="f" * 40)


def test_a_file_larger_than_codecommit_gives_out_is_told(
    cloud: EmbeddedCloud, repository: str, known: CodeCommitRepositories
) -> None:
    commit = cloud.push(repository, "main", {"mlops-config.json": "x" * (6 * 1024 * 1024 + 1)}, account=ACCOUNT)
    (change,) = known.changes(repository, "", commit)
    with pytest.raises(BadConfiguration, match="larger than CodeCommit gives out"):
        known.content(repository, change.blob)


def test_a_file_of_a_commit(cloud: EmbeddedCloud, repository: str) -> None:
    client = cloud.client("codecommit", ACCOUNT)
    commit = cloud.push(repository, "main", {"a/b.txt": "1", "a/c/d.txt": "2", "e.txt": "3"}, account=ACCOUNT)
    found = client.get_file(repositoryName=repository, filePath="/a/b.txt", commitSpecifier=commit)
    assert (found["fileContent"], found["fileSize"], found["fileMode"]) == (b"1", 1, "NORMAL")
    with pytest.raises(client.exceptions.FileDoesNotExistException):
        client.get_file(repositoryName=repository, filePath="b.txt")
    metadata = client.get_repository(repositoryName=repository)["repositoryMetadata"]
    assert (metadata["defaultBranch"], metadata["Arn"]) == (
        "main",
        f"arn:aws:codecommit:us-east-1:{ACCOUNT}:{repository}",
    )


def test_a_push_sends_the_documented_event(cloud: EmbeddedCloud, repository: str) -> None:
    queue = cloud.client("sqs", ACCOUNT).create_queue(QueueName=unique("pushes"))["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue.rsplit('/', 1)[-1]}"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
        ],
    }
    cloud.client("sqs", ACCOUNT).set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    rule = unique("pushes")
    events = cloud.client("events", ACCOUNT)
    pattern = {"source": ["aws.codecommit"], "detail": {"repositoryName": [repository]}}
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn}])
    first = cloud.push(repository, "main", {"a.txt": "1"}, account=ACCOUNT)
    second = cloud.push(repository, "main", {"a.txt": "2"}, account=ACCOUNT)
    cloud.push(repository, "main", {}, account=ACCOUNT, delete=True)
    told = [
        parsed(json.loads(message["Body"]))
        for _ in range(3)
        for message in cloud.client("sqs", ACCOUNT)
        .receive_message(QueueUrl=queue, MaxNumberOfMessages=1, WaitTimeSeconds=5)
        .get("Messages", [])
    ]
    assert sorted((one.event, one.commit_id, one.old_commit_id) for one in told) == sorted(
        [("referenceCreated", first, ""), ("referenceUpdated", second, first), ("referenceDeleted", "", second)]
    )
    assert {one.caller for one in told} == {f"arn:aws:iam::{ACCOUNT}:root"}
    assert all(one.time.endswith("Z") and one.reference == "main" for one in told)


def test_iam_decides_who_reads_and_who_pushes(cloud: EmbeddedCloud, repository: str) -> None:
    iam, other = cloud.client("iam", ACCOUNT), unique("secret")
    cloud.client("codecommit", ACCOUNT).create_repository(repositoryName=other)
    name = unique("reader")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    allowed = {
        "Effect": "Allow",
        "Action": ["codecommit:GetBranch"],
        "Resource": f"arn:aws:codecommit:us-east-1:{ACCOUNT}:{repository}",
    }
    iam.put_role_policy(
        RoleName=name,
        PolicyName="read",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    cloud.push(repository, "main", {"a.txt": "1"}, account=ACCOUNT)
    cloud.push(other, "main", {"a.txt": "1"}, account=ACCOUNT)
    reader = cloud.client_as("codecommit", role, ACCOUNT)
    assert reader.get_branch(repositoryName=repository, branchName="main")["branch"]["commitId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.get_branch(repositoryName=other, branchName="main")
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.get_file(repositoryName=repository, filePath="a.txt")
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/ana"
    with pytest.raises(RuntimeError, match="codecommit:GitPush"):
        cloud.push(repository, "main", {"a.txt": "2"}, account=ACCOUNT, caller=session)
