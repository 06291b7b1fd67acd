"""libyaml reads templates as the emulator's own loader does."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from local.cloud.stack_yaml import faster

TEMPLATES = sorted((Path(__file__).resolve().parents[2] / "templates").glob("*/template.yaml"))
TAGS = """\
Resources:
  Thing: {Type: "AWS::SNS::Topic", Properties: {Name: !Sub "${AWS::StackName}-x", Day: 2010-09-09}}
Outputs:
  Arn: {Value: !GetAtt Thing.TopicArn}
  Name: {Value: !If [HasName, !Ref Name, !Join ["-", [a, !Select [0, !Split [",", "b,c"]]]]]}
"""


def both(text: str) -> tuple[object, object]:
    from ministack.services.cloudformation.engine import CfnLoader

    slow, fast = CfnLoader, faster(CfnLoader)
    return yaml.load(text, Loader=slow), yaml.load(text, Loader=fast)  # noqa: S506 - both are safe loaders


def test_pyyaml_was_built_with_libyaml() -> None:
    assert yaml.__with_libyaml__


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.parent.name)
def test_every_workloads_template_comes_to_the_same(path: Path) -> None:
    slow, fast = both(path.read_text())
    assert slow == fast


def test_tags_and_dates_come_to_the_same() -> None:
    slow, fast = both(TAGS)
    assert slow == fast
    assert isinstance(fast, dict)
    assert fast["Resources"]["Thing"]["Properties"] == {"Name": {"Fn::Sub": "${AWS::StackName}-x"}, "Day": "2010-09-09"}
    assert fast["Outputs"]["Arn"] == {"Value": {"Fn::GetAtt": ["Thing", "TopicArn"]}}
