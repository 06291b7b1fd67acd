"""The people of the local installation, as IAM sees them: sessions of one role, named after the person.

On AWS people come through IAM Identity Center, which names their sessions, or through a role of their company. The
role made here is the local stand-in for the latter: the settings name each person's session by its whole ARN. It may
call the product's API and push to the repository that the installation watches, and nothing else.
"""

from __future__ import annotations

import json

from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local.installation import Running
from local.settings import CHANNEL, ORCHESTRATOR, PEOPLE_ROLE, REGION, REPOSITORY, settings


def people() -> dict[str, str]:
    """Name by session name."""
    everybody = settings("multi", "", CHANNEL)["people"]
    return {arn.rsplit("/", 1)[-1]: person["name"] for person in everybody for arn in person["iam_principals"]}


def credentials_of(running: Running, person: str) -> Credentials:
    """Temporary credentials of a session with this name; the role is made when it is first needed."""
    iam = running.cloud.client("iam", ORCHESTRATOR, region=REGION)
    trust = _policy("sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{ORCHESTRATOR}:root"})
    try:
        iam.create_role(
            RoleName=PEOPLE_ROLE, AssumeRolePolicyDocument=trust, Description="People of the local installation"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
    calls = _policy("execute-api:Invoke", Resource=f"arn:aws:execute-api:{REGION}:{ORCHESTRATOR}:*")
    iam.put_role_policy(RoleName=PEOPLE_ROLE, PolicyName="call-the-api", PolicyDocument=calls)
    pushes = _policy("codecommit:GitPush", Resource=f"arn:aws:codecommit:{REGION}:{ORCHESTRATOR}:{REPOSITORY}")
    iam.put_role_policy(RoleName=PEOPLE_ROLE, PolicyName="push", PolicyDocument=pushes)
    sts = running.cloud.client("sts", ORCHESTRATOR, region=REGION)
    role = f"arn:aws:iam::{ORCHESTRATOR}:role/{PEOPLE_ROLE}"
    keys = sts.assume_role(RoleArn=role, RoleSessionName=person)["Credentials"]
    return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def _policy(action: str, **more: object) -> str:
    statement = {"Effect": "Allow", "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
