"""What a workload reaches at most, where it stands in one account with the orchestrator itself."""

from __future__ import annotations

import fnmatch

import pytest

from tests.stacks.templates import Synthesised, statements

PACKAGES = "arn:aws:s3:::mlops-packages-111111111111-us-east-1"
CDK = "arn:aws:s3:::cdk-hnb659fds-assets-111111111111-us-east-1"


def reached(stage: str, synthesised: Synthesised, action: str, resource: str) -> bool:
    """Whether the boundary of a stage lets this action through to this resource, its conditions taken as met."""
    found = [
        statement.allows
        for statement in statements(f"MlopsStage-{stage}", synthesised.stage(stage))
        if statement.resource.startswith("BoundaryPolicy")
        and action in statement.actions
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in statement.resources)
    ]
    return bool(found) and all(found)


@pytest.mark.parametrize("mode", ["multi", "single"])
@pytest.mark.parametrize(
    ("action", "resource", "lets"),
    [
        pytest.param("s3:GetObject", f"{PACKAGES}/assets/0a/model.tar.gz", True, id="its pinned assets"),
        pytest.param("s3:GetObject", f"{PACKAGES}/documents/0a/pipeline.json", True, id="its documents"),
        pytest.param("s3:GetObject", f"{PACKAGES}/packages/fraud-1.zip", False, id="packages"),
        pytest.param("s3:GetObjectVersion", f"{PACKAGES}/requests/fraud-1.json", False, id="configurations of others"),
        pytest.param("s3:PutObject", f"{PACKAGES}/assets/0a/model.tar.gz", False, id="writing what is released"),
        pytest.param("s3:PutObject", "arn:aws:s3:::data/training/model.tar.gz", True, id="results"),
        pytest.param("s3:PutObject", "arn:aws:s3:::data/mlops-config.json", False, id="a release of its own"),
        pytest.param("s3:PutObject", "arn:aws:s3:::data/training/mlops-config.json", False, id="one from a folder"),
        pytest.param("s3:PutObject", f"{CDK}/0a.zip", False, id="the code that is deployed next"),
        pytest.param("ecr:PutImage", "arn:aws:ecr:us-east-1:{account}:repository/ml-images", True, id="its image"),
        pytest.param(
            "ecr:PutImage",
            "arn:aws:ecr:us-east-1:{account}:repository/cdk-hnb659fds-container-assets-{account}-us-east-1",
            False,
            id="images that the CDK deploys",
        ),
        pytest.param("sts:AssumeRole", "arn:aws:iam::111111111111:role/mlops/mlops-deploy", False, id="another role"),
        pytest.param(
            "dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:111111111111:table/Records", False, id="the record"
        ),
    ],
)
def test_a_workload_reaches_its_data_and_nothing_of_the_orchestrators(
    mode: str, action: str, resource: str, lets: bool, request: pytest.FixtureRequest
) -> None:
    synthesised: Synthesised = request.getfixturevalue(mode)

    assert {
        reached(place, synthesised, action, resource.replace("{account}", account))
        for place, account in synthesised.places.items()
    } == {lets}
