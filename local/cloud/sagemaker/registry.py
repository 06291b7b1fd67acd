"""The Model Registry: model package groups with their resource policies, and the versions in them.

A version may be named by its ARN from another account where the group's policy lets that account in: IAM is asked with
the policy of the group that owns the version (:func:`policy_for_arn`).
"""

from __future__ import annotations

import json
from typing import Any

from local.cloud import shapes
from local.cloud.sagemaker import listing, records
from local.cloud.sagemaker.backend import ApiError
from local.cloud.sagemaker.jobs import events
from local.cloud.sagemaker.records import Record

POLICY_PROPERTY = "ModelPackageGroupPolicy"
"""A template's property for a group's resource policy."""

GROUP, PACKAGE = "model-package-group", "model-package"


def package(arn: str) -> Record | None:
    """A version by its ARN, whichever account has it; None when there is none."""
    return records.by_arn(arn)


def policy_for_arn(arn: str) -> tuple[dict[str, Any], str] | None:
    """The policy that guards a group or a version, and its owner; empty when it has none, None for another resource."""
    parts = arn.split(":", 5)
    kind, _, name = parts[5].partition("/") if len(parts) == 6 else ("", "", "")
    if kind not in (GROUP, PACKAGE):
        return None
    group = records.find(parts[4], parts[3], GROUP, name.partition("/")[0])
    policy = group.state.get("policy", "") if group is not None else ""
    return (json.loads(policy) if policy else {}), parts[4]


def _create_group(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    name = fields["ModelPackageGroupName"]
    exists = ApiError("ValidationException", f"Model Package Group already exists: {name}")
    return {"ModelPackageGroupArn": records.create(account, region, GROUP, name, fields, exists).arn}


def _describe_group(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _group(account, region, fields["ModelPackageGroupName"])
    return shapes.answer_of("sagemaker", "DescribeModelPackageGroup", {**record.fields, **_of_group(record)})


def _of_group(record: Record) -> dict[str, Any]:
    return {
        "ModelPackageGroupName": record.name,
        "ModelPackageGroupArn": record.arn,
        "ModelPackageGroupStatus": "Completed",
        "CreationTime": record.created,
        "CreatedBy": {},
    }


def _delete_group(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _group(account, region, fields["ModelPackageGroupName"])
    if _versions(record):
        raise ApiError(
            "ConflictException", f"Model Package Group cannot be deleted because it is not empty: {record.arn}"
        )
    records.remove(account, region, GROUP, record.name)
    return {}


def _list_groups(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    def summary(record: Record) -> dict[str, Any]:
        shown = {name: value for name, value in _of_group(record).items() if name != "CreatedBy"}
        described = record.fields.get("ModelPackageGroupDescription")
        return {**shown, "ModelPackageGroupDescription": described} if described else shown

    return listing.page(records.listed(account, region, GROUP), fields, "ModelPackageGroupSummaryList", summary)


def _put_policy(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _group(account, region, fields["ModelPackageGroupName"])
    try:
        policy = json.loads(fields["ResourcePolicy"])
    except ValueError as error:
        raise ApiError("ValidationException", "The resource policy is not valid JSON.") from error
    for statement in _statements(policy):
        if not statement.get("Principal") or not statement.get("Action") or not statement.get("Resource"):
            raise ApiError("ValidationException", "A statement needs Principal, Action and Resource.")
    record.state["policy"] = fields["ResourcePolicy"]
    return {"ModelPackageGroupArn": record.arn}


def _statements(policy: Any) -> list[dict[str, Any]]:
    found = policy.get("Statement", []) if isinstance(policy, dict) else []
    return [found] if isinstance(found, dict) else list(found)


def _get_policy(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _group(account, region, fields["ModelPackageGroupName"])
    if "policy" not in record.state:
        raise ApiError("ValidationException", f"Cannot find resource policy for: {record.arn}")
    return {"ResourcePolicy": record.state["policy"]}


def _delete_policy(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    _group(account, region, fields["ModelPackageGroupName"]).state.pop("policy", None)
    return {}


def _create_package(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    named, group_name = fields.get("ModelPackageName"), fields.get("ModelPackageGroupName")
    if (named is None) == (group_name is None):
        raise ApiError("ValidationException", "Exactly one of ModelPackageName and ModelPackageGroupName is required.")
    state: dict[str, Any] = {"ModelPackageStatus": "Completed"}
    defaults: dict[str, Any] = {}
    if group_name is not None:
        group = _group(account, region, group_name)
        number = group.state.get("versions", 0) + 1
        group.state["versions"] = number
        state["ModelPackageVersion"] = number
        defaults = {"ModelApprovalStatus": "PendingManualApproval"}
        named = f"{group.name}/{number}"
        fields = {**fields, "ModelPackageGroupName": group.name}
    exists = ApiError("ConflictException", f"Model Package already exists: {named}")
    record = records.create(account, region, PACKAGE, str(named), {**defaults, **fields}, exists)
    record.state |= state
    _tell(record, ["ModelPackageStatus"])
    return {"ModelPackageArn": record.arn}


def _describe_package(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _package(account, region, fields["ModelPackageName"])
    details: dict[str, Any] = {"ValidationStatuses": [], "ImageScanStatuses": []}
    known = {
        **record.fields,
        **record.state,
        "ModelPackageName": record.name,
        "ModelPackageArn": record.arn,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        "ModelPackageStatusDetails": details,
    }
    return shapes.answer_of("sagemaker", "DescribeModelPackage", known)


def _update_package(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _package(account, region, fields["ModelPackageArn"])
    metadata = {**(record.fields.get("CustomerMetadataProperties") or {})}
    metadata |= fields.get("CustomerMetadataProperties") or {}
    for name in fields.get("CustomerMetadataPropertiesToRemove") or []:
        metadata.pop(name, None)
    kept = {
        name: value
        for name, value in fields.items()
        if name
        not in {"ModelPackageArn", "CustomerMetadataPropertiesToRemove", "AdditionalInferenceSpecificationsToAdd"}
    }
    added = fields.get("AdditionalInferenceSpecificationsToAdd") or []
    specifications = [*(record.fields.get("AdditionalInferenceSpecifications") or []), *added]
    record.update(
        kept
        | ({"CustomerMetadataProperties": metadata} if metadata else {})
        | ({"AdditionalInferenceSpecifications": specifications} if specifications else {})
    )
    _tell(record, sorted(kept))
    return {"ModelPackageArn": record.arn}


def _tell(record: Record, changed: list[str]) -> None:
    """The event of a version's change, on the bus of the account that owns it."""
    _, _, _, region, owner, _ = record.arn.split(":", 5)
    detail = {
        **events.milliseconds({**record.fields, **record.state, "CreationTime": record.created}),
        "ModelPackageName": record.name,
        "ModelPackageArn": record.arn,
        "UpdatedModelPackageFields": changed,
    }
    events.send(owner, region, "SageMaker Model Package State Change", detail, [record.arn])


def _delete_package(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    record = _package(account, region, fields["ModelPackageName"])
    owner = record.arn.split(":")[4]
    records.remove(owner, region, PACKAGE, record.name)
    return {}


def _list_packages(account: str, region: str, fields: dict[str, Any]) -> dict[str, Any]:
    group_name = fields.get("ModelPackageGroupName")
    if group_name is not None:
        found = _versions(_group(account, region, group_name))
    else:
        found = [record for record in records.listed(account, region, PACKAGE) if "/" not in record.name]
    wanted = fields.get("ModelApprovalStatus")
    found = [record for record in found if wanted in (None, record.fields.get("ModelApprovalStatus"))]

    def summary(record: Record) -> dict[str, Any]:
        known = {
            "ModelPackageName": record.name,
            "ModelPackageGroupName": record.fields.get("ModelPackageGroupName"),
            "ModelPackageVersion": record.state.get("ModelPackageVersion"),
            "ModelPackageArn": record.arn,
            "ModelPackageDescription": record.fields.get("ModelPackageDescription"),
            "CreationTime": record.created,
            "ModelPackageStatus": record.state["ModelPackageStatus"],
            "ModelApprovalStatus": record.fields.get("ModelApprovalStatus"),
        }
        return {name: value for name, value in known.items() if value is not None}

    return listing.page(found, fields, "ModelPackageSummaryList", summary)


def _versions(group: Record) -> list[Record]:
    owner, region = group.arn.split(":")[4], group.arn.split(":")[3]
    return [
        record
        for record in records.listed(owner, region, PACKAGE)
        if record.fields.get("ModelPackageGroupName") == group.name
    ]


def _group(account: str, region: str, name: str) -> Record:
    found = records.by_arn(name) if name.startswith("arn:") else records.find(account, region, GROUP, name)
    if found is None:
        raise ApiError("ValidationException", f"Model Package Group does not exist: {name}")
    return found


def _package(account: str, region: str, name: str) -> Record:
    found = records.by_arn(name) if name.startswith("arn:") else records.find(account, region, PACKAGE, name)
    if found is None:
        raise ApiError("ValidationException", f"Model Package does not exist: {name}")
    return found


ACTIONS = {
    "CreateModelPackageGroup": _create_group,
    "DescribeModelPackageGroup": _describe_group,
    "DeleteModelPackageGroup": _delete_group,
    "ListModelPackageGroups": _list_groups,
    "PutModelPackageGroupPolicy": _put_policy,
    "GetModelPackageGroupPolicy": _get_policy,
    "DeleteModelPackageGroupPolicy": _delete_policy,
    "CreateModelPackage": _create_package,
    "DescribeModelPackage": _describe_package,
    "UpdateModelPackage": _update_package,
    "DeleteModelPackage": _delete_package,
    "ListModelPackages": _list_packages,
}
