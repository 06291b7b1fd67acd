"""ARNs of the Model Registry: groups, numbers, and which version is the older."""

from __future__ import annotations

import pytest

from orchestrator.core.model_versions import downgrades, group_arn, group_of, number_of

PREFIX = "arn:aws:sagemaker:us-east-1:111111111111:"


@pytest.mark.parametrize(
    ("arn", "group", "number"),
    [
        (f"{PREFIX}model-package/fraud/7", "fraud", 7),
        (f"{PREFIX}model-package-group/fraud", "fraud", 0),
        (f"{PREFIX}model-package/fraud", "", 0),
        (f"{PREFIX}model-package/fraud/latest", "", 0),
        (f"{PREFIX}model/fraud", "", 0),
        ("", "", 0),
    ],
    ids=["version", "group", "without versions", "no number", "a model", "nothing"],
)
def test_what_an_arn_means(arn: str, group: str, number: int) -> None:
    assert (group_of(arn), number_of(arn)) == (group, number)
    assert group_arn(arn) == (f"{PREFIX}model-package-group/{group}" if group else "")


def version(number: int, group: str = "fraud", region: str = "us-east-1") -> str:
    """ARN of a version."""
    return f"arn:aws:sagemaker:{region}:111111111111:model-package/{group}/{number}"


@pytest.mark.parametrize(
    ("wanted", "live", "told"),
    [
        (version(2), {"dev": [version(3)]}, ["version 3 is live in dev"]),
        (version(9), {"dev": [version(10)]}, ["version 10 is live in dev"]),
        (
            version(2),
            {"dev": [version(4)], "staging": [version(3)], "prod": [version(3)]},
            ["version 4 is live in dev", "version 3 is live in staging, prod"],
        ),
        (version(3), {"dev": [version(3)]}, []),
        (version(4), {"dev": [version(3)]}, []),
        (version(2), {"dev": [version(3, "churn")]}, []),
        (version(2), {"dev": [version(3, region="eu-west-1")]}, []),
        (version(2), {}, []),
        (f"{PREFIX}model-package/fraud", {"dev": [version(3)]}, []),
    ],
    ids=["older", "by number", "stages", "the same", "newer", "group", "region", "first", "without versions"],
)
def test_a_downgrade_is_told(wanted: str, live: dict[str, list[str]], told: list[str]) -> None:
    found = list(downgrades([wanted], live))
    assert len(found) == len(told)
    assert all(words in sentence for words, sentence in zip(told, found, strict=True))
