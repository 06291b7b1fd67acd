"""What a job does with its role: assumed as a service does, asked of IAM action by action."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.cloud.contract import Seam
from local.cloud.principals import decide, trusts

SEAMS = (
    Seam("ministack.core.responses", "request_scope", ("account_id", "region")),
    Seam("ministack.services.ecr", "_repositories.get_scoped"),
    Seam("ministack.services.ecr", "_find_image", ("repo_name", "image_id")),
)

SERVICE = "sagemaker.amazonaws.com"

_IMAGE = re.compile(
    r"^(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?$"
)
_IN_A_NETWORK = {
    "arn:aws:ec2:{region}:{account}:network-interface/eni-0": (
        "ec2:CreateNetworkInterface",
        "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission",
    ),
    "*": (
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ),
}
"""Resource → what a job in a VPC needs of its role (Amazon SageMaker Developer Guide, "SageMaker Roles")."""

PULL = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")


class Refused(Exception):
    """A role may not do something; the message is IAM's."""


@dataclass(frozen=True)
class Image:
    """A container image in ECR, by the parts of its URI."""

    uri: str
    account: str
    region: str
    repository: str
    tag: str
    digest: str

    @property
    def arn(self) -> str:
        """The repository's ARN."""
        partition = "aws-cn" if self.region.startswith("cn-") else "aws"
        return f"arn:{partition}:ecr:{self.region}:{self.account}:repository/{self.repository}"


@dataclass(frozen=True)
class Role:
    """A role that a service works with."""

    arn: str
    region: str
    service: str = SERVICE
    session: str = "SageMaker"

    def assume(self) -> None:
        """Raise Refused when the role does not exist or does not trust the service."""
        if not trusts(self.arn, self.service):
            raise Refused(
                f'Could not assume role {self.arn}. Please ensure that the role exists and allows principal "'
                f'{self.service}" to assume the role.'
            )

    def need(
        self, action: str, resource: str, context: Mapping[str, Any] | None = None, *, owner_permits: bool = False
    ) -> None:
        """Raise Refused unless the role may; condition keys in ``context`` are in lower case.

        ``owner_permits``: the resource belongs to AWS, which lets every account in; the role's own policies decide.
        """
        verdict = decide(self.arn, action, resource, context, session=self.session, owner_permits=owner_permits)
        if not verdict.allowed:
            raise Refused(verdict.message)

    def may(self, action: str, resource: str, context: Mapping[str, Any] | None = None) -> bool:
        """Whether the role may."""
        return decide(self.arn, action, resource, context, session=self.session).allowed


def join_network(role: Role) -> None:
    """Ask for what a job in a VPC needs; raises Refused."""
    for resource, actions in _IN_A_NETWORK.items():
        for action in actions:
            role.need(action, resource.format(region=role.region, account=role.arn.split(":")[4]))


def image(uri: str) -> Image | None:
    """The parts of an ECR image's URI; None for an image elsewhere."""
    found = _IMAGE.match(uri)
    if found is None:
        return None
    tag = found["tag"] or ("" if found["digest"] else "latest")
    return Image(uri, found["account"], found["region"], found["repository"], tag, found["digest"] or "")


def pull(role: Role, uri: str) -> Image | None:
    """Ask for what pulling an image needs; raises Refused.

    A repository that an account of this cloud has must hold the image. Others are AWS's own: nothing is known of what
    they hold, and every account may pull.
    """
    from ministack.core import responses
    from ministack.services import ecr

    named = image(uri)
    if named is None:
        return None
    ours = ecr._repositories.get_scoped(named.account, named.region, named.repository) is not None
    role.need("ecr:GetAuthorizationToken", "*")
    for action in PULL:
        role.need(action, named.arn, owner_permits=not ours)
    if ours:
        with responses.request_scope(named.account, named.region):
            found = ecr._find_image(named.repository, {"imageTag": named.tag, "imageDigest": named.digest})
        if found is None:
            raise Refused(f"The image with imageId {{imageTag:{named.tag}}} does not exist in {named.arn}")
    return named
