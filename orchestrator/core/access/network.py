"""What can reach what, and what is encrypted: security groups, VPCs, public addresses, keys."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.core.access.contexts import ResourceContext, is_true, is_unknown, leaves, listed, some
from orchestrator.core.plans import AccessChange, Area

GROUP = "AWS::EC2::SecurityGroup"
RULES: Mapping[str, str] = {"AWS::EC2::SecurityGroupIngress": "from", "AWS::EC2::SecurityGroupEgress": "to"}

WAYS: Mapping[str, str] = {
    "AWS::EC2::InternetGateway": "connects to the internet",
    "AWS::EC2::NatGateway": "connects to the internet",
    "AWS::EC2::NetworkAclEntry": "changes what a network access list lets through",
    "AWS::EC2::Route": "adds a route",
    "AWS::EC2::TransitGatewayAttachment": "connects to another network",
    "AWS::EC2::VPCGatewayAttachment": "connects to the internet",
    "AWS::EC2::VPCPeeringConnection": "connects to another network",
    "AWS::CloudFormation::Stack": "is a nested stack, whose changes are not shown here",
}
"""Types of which it is told that they come or change; how far they reach is not looked into."""

TYPES = frozenset({GROUP, *RULES, *WAYS})

_OPENS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "PubliclyAccessible": (is_true, "is reachable from the internet"),
    "DirectInternetAccess": (is_true, "has direct access to the internet"),
    "MapPublicIpOnLaunch": (is_true, "gives public addresses"),
    "AssociatePublicIpAddress": (is_true, "has a public address"),
    "AssignPublicIp": (is_true, "has a public address"),
    "Scheme": (lambda value: value == "internet-facing", "faces the internet"),
    "AccessControl": (
        lambda value: value in {"PublicRead", "PublicReadWrite", "AuthenticatedRead"},
        "can be read by the public",
    ),
    "AuthorizationType": (lambda value: value == "NONE", "may be called by anybody, without a signature"),
    "AuthType": (lambda value: value == "NONE", "may be called by anybody, without a signature"),
}
"""Property → when it opens something, and what; also told of a new resource."""

_CLOSES: Mapping[str, str] = {
    "EnableNetworkIsolation": "is no longer cut off from the network",
    "BlockPublicAcls": "no longer blocks public access lists",
    "IgnorePublicAcls": "no longer ignores public access lists",
    "BlockPublicPolicy": "no longer blocks public policies",
    "RestrictPublicBuckets": "no longer restricts public buckets",
}
"""Property → what is lost when it is no longer true."""

_ENCRYPTS = frozenset(
    {
        *("EnableInterContainerTrafficEncryption", "StorageEncrypted", "Encrypted"),
        *("AtRestEncryptionEnabled", "TransitEncryptionEnabled"),
    }
)

_KEYS = frozenset(
    {
        *("KmsKeyId", "KmsKeyArn", "KMSKeyId", "KMSKeyArn", "KmsMasterKeyId", "KMSMasterKeyID", "VolumeKmsKeyId"),
        *("OutputKmsKeyId", "S3KmsKeyId", "SecurityKmsKeyId", "EncryptionKey", "EncryptionKeyArn"),
        *("BucketEncryption", "SSESpecification", "EncryptionConfiguration"),
    }
)
"""Properties that name the key, or hold all that is said of encryption."""

_PATH = 3
"""Steps of a property's path that are told."""


def findings(context: ResourceContext) -> Iterator[AccessChange]:
    """What a resource opens in the network, and what it no longer encrypts."""
    kind = context.resource_type
    if kind == GROUP and context.after is not None:
        yield from _group(context, context.before, context.after)
    elif kind in RULES and context.after is not None:
        before = [context.before] if context.before is not None else []
        yield from _rules(context, before, [context.after], RULES[kind])
    elif kind in WAYS and context.after is not None:
        yield context.opens(Area.NETWORK, _way(context), certain=False)
    if context.after is not None:
        yield from _members(context, dict(leaves(context.before or {})), dict(leaves(context.after)))


def _way(context: ResourceContext) -> str:
    after = context.after or {}
    target = after.get("DestinationCidrBlock") or after.get("DestinationIpv6CidrBlock")
    told = WAYS[context.resource_type]
    return f"{told} to {target}" if target and context.resource_type == "AWS::EC2::Route" else told


# -- security groups


@dataclass(frozen=True)
class _Rule:
    protocol: str
    first: int
    last: int
    peer: str

    def within(self, other: _Rule) -> bool:
        protocol = other.protocol == "-1" or other.protocol == self.protocol
        ports = other.protocol == "-1" or (other.first <= self.first and self.last <= other.last)
        return protocol and ports and _inside(self.peer, other.peer)

    def __str__(self) -> str:
        if self.protocol == "-1":
            return "everything"
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return self.protocol if (self.first, self.last) == _ANY_PORT else f"{self.protocol} {ports}"


_ANY_PORT = (-1, 65_535)
_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "all": "-1"}
_PEERS = (
    *("CidrIp", "CidrIpv6", "SourceSecurityGroupId", "DestinationSecurityGroupId", "SourceSecurityGroupName"),
    *("SourcePrefixListId", "DestinationPrefixListId"),
)

_EVERYWHERE = [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}]
"""What a group lets out that names no egress (CloudFormation, AWS::EC2::SecurityGroup)."""


def _rule(raw: Mapping[str, Any]) -> _Rule:
    protocol = str(raw.get("IpProtocol", "-1")).lower()
    first, last = (_port(raw.get(name)) for name in ("FromPort", "ToPort"))
    peer = next((str(raw[name]) for name in _PEERS if raw.get(name)), "anything")
    ports = _ANY_PORT if first is None or last is None or first == -1 else (first, last)
    return _Rule(_PROTOCOLS.get(protocol, protocol), *ports, peer)


def _port(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _inside(peer: str, other: str) -> bool:
    if is_unknown(peer) or is_unknown(other):
        return False
    if peer == other:
        return True
    try:
        mine, theirs = ipaddress.ip_network(peer, strict=False), ipaddress.ip_network(other, strict=False)
    except ValueError:
        return False
    if isinstance(mine, ipaddress.IPv4Network) and isinstance(theirs, ipaddress.IPv4Network):
        return mine.subnet_of(theirs)
    if isinstance(mine, ipaddress.IPv6Network) and isinstance(theirs, ipaddress.IPv6Network):
        return mine.subnet_of(theirs)
    return False


def _group(
    context: ResourceContext, before: Mapping[str, Any] | None, after: Mapping[str, Any]
) -> Iterator[AccessChange]:
    yield from _rules(
        context, some((before or {}).get("SecurityGroupIngress")), some(after.get("SecurityGroupIngress")), "from"
    )
    old = [] if before is None else some(before.get("SecurityGroupEgress")) or _EVERYWHERE
    yield from _rules(context, old, some(after.get("SecurityGroupEgress")) or _EVERYWHERE, "to")


def _rules(context: ResourceContext, old: list[Any], new: list[Any], way: str) -> Iterator[AccessChange]:
    known, now = ([_rule(one) for one in side if isinstance(one, Mapping)] for side in (old, new))
    if any(not isinstance(one, Mapping) for one in new):
        yield context.opens(Area.NETWORK, "has rules that are known once deployed", certain=False)
    for one in now:
        if not any(one.within(other) for other in known):
            certain = context.before is None or not is_unknown(one.peer)
            yield context.opens(
                Area.NETWORK, f"lets {one} {'in ' if way == 'from' else 'out '}{way} {one.peer}", certain=certain
            )


# -- properties that any type may have

_Leaves = Mapping[tuple[str, ...], Any]


def _members(context: ResourceContext, before: _Leaves, after: _Leaves) -> Iterator[AccessChange]:
    for path, value in after.items():
        opens = _OPENS.get(path[-1])
        old = before.get(path)
        if opens and opens[0](value) and not (path in before and opens[0](old)):
            yield context.opens(Area.NETWORK, f"{opens[1]} ({_at(path)})")
        elif opens and is_unknown(value) and old != value:
            yield context.opens(Area.NETWORK, f"{opens[1]}, perhaps ({_at(path)})", certain=False)
        elif path[-2:] == ("EndpointConfiguration", "Types") and not _private(value) and not _open_before(before, path):
            yield context.opens(Area.NETWORK, "is reachable from the internet, for those who may call it")
    if context.before is None:
        return
    for path, old in before.items():
        yield from _lost(context, path, old, after)
    yield from _new_network(context, before, after)


def _private(types: Any) -> bool:
    return all(str(one) == "PRIVATE" for one in some(types))


def _open_before(before: _Leaves, path: tuple[str, ...]) -> bool:
    return bool(before) and not (path in before and _private(before[path]))


def _lost(context: ResourceContext, path: tuple[str, ...], old: Any, after: _Leaves) -> Iterator[AccessChange]:
    name, new = path[-1], after.get(path)
    uncertain = new is not None and is_unknown(new)
    if name in _CLOSES and is_true(old) and not is_true(new):
        yield context.opens(Area.NETWORK, _CLOSES[name], certain=not uncertain)
    elif name == "VpcConfig" and old and not isinstance(new, Mapping | None):
        yield context.opens(Area.NETWORK, "joins another network", certain=False)
    elif name == "VpcConfig" and old and not new:
        yield context.opens(Area.NETWORK, "leaves its VPC, and reaches the internet by AWS's own network")
    elif name in _ENCRYPTS and is_true(old) and not is_true(new):
        yield context.opens(Area.ENCRYPTION, f"is no longer encrypted ({_at(path)})", certain=not uncertain)
    elif name in _KEYS and old and not new and not _within_lost(path, after):
        yield context.opens(Area.ENCRYPTION, f"no longer uses its own encryption key ({_at(path)})")


def _within_lost(path: tuple[str, ...], after: _Leaves) -> bool:
    """Whether something around it that is told by itself is gone."""
    return any(path[:end] not in after and path[end - 1] in _KEYS for end in range(1, len(path)))


def _new_network(context: ResourceContext, before: _Leaves, after: _Leaves) -> Iterator[AccessChange]:
    """Subnets and security groups that a VpcConfig had not."""
    for path, value in after.items():
        if path[-1] not in {"Subnets", "SubnetIds", "SecurityGroupIds"} or "VpcConfig" not in path[:-1]:
            continue
        known = {str(one) for one in some(before.get(path))}
        added = [str(one) for one in some(value) if str(one) not in known]
        if known and added:
            what = "security groups" if path[-1] == "SecurityGroupIds" else "subnets"
            yield context.opens(Area.NETWORK, f"joins other {what}: {listed(added)}", certain=False)


def _at(path: tuple[str, ...]) -> str:
    return ".".join(step for step in path[-_PATH:] if not step.isdigit())
