"""Manual approvals: asked for by SNS, answered by PutApprovalResult, over when nobody answers in time.

"Manage approval actions in CodePipeline", "JSON data format for manual approval notifications" and "Quotas" of the AWS
CodePipeline User Guide: seven days unless ``timeoutInMinutes`` says otherwise; an approval that is rejected or runs out
of time is an action that failed. What CodePipeline says of one that ran out of time is not documented.
"""

from __future__ import annotations

import json
import time
import uuid

from local.cloud.codepipeline.executions import CHANGED, ActionRun, Execution
from local.cloud.codepipeline.task import JOB, ActionFailed, Result, Task

DEFAULT_MINUTES = 7 * 24 * 60
LOOK_SECONDS = 1.0

_TOPIC, _LINK, _DATA = "NotificationArn", "ExternalEntityLink", "CustomData"


class Rejected(Exception):
    """A reviewer has said no; the message is the reviewer's."""


def ask(execution: Execution, run: ActionRun) -> None:
    """Give the run its token, before anybody is told that it has started."""
    run.token = str(uuid.uuid4())
    # In PARALLEL mode the state of the pipeline shows no tokens; the external id stands for it.
    run.external_id = run.token if execution.mode == "PARALLEL" else ""


def manual(task: Task) -> Result:
    """Wait for the answer."""
    run = task.run
    deadline = run.started + 60 * int(task.declared.get("timeoutInMinutes") or DEFAULT_MINUTES)
    if task.configuration.get(_TOPIC):
        _notify(task, deadline)
    while True:
        task.look()
        with CHANGED:
            if run.approved is not None:
                break
            if run.expired or time.time() >= deadline:
                run.expired = True
                raise ActionFailed(JOB, "The approval timed out: nobody approved or rejected it in time")
            CHANGED.wait(min(LOOK_SECONDS, max(0.0, deadline - time.time())))
    if not run.approved:
        raise Rejected(run.summary)
    return Result(summary=run.summary, external_id=run.external_id)


def waiting(execution: Execution) -> list[ActionRun]:
    """Approvals of an execution that wait for their answer."""
    return [
        run
        for run in execution.actions
        if run.token and run.status == "InProgress" and run.approved is None and not run.expired
    ]


def _notify(task: Task, deadline: float) -> None:
    execution, run, given = task.execution, task.run, task.configuration
    console = f"https://console.aws.amazon.com/codepipeline/home?region={execution.region}#/view/{execution.pipeline}"
    message = {
        "region": execution.region,
        "consoleLink": console,
        "approval": {
            "pipelineName": execution.pipeline,
            "stageName": run.stage,
            "actionName": run.name,
            "token": run.token,
            "expires": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(deadline)),
            "externalEntityLink": given.get(_LINK),
            "approvalReviewLink": f"{console}/{run.stage}/{run.name}/approve/{run.token}",
            "customData": given.get(_DATA),
        },
    }
    subject = f"APPROVAL NEEDED: AWS CodePipeline {execution.pipeline} for action {run.name}"
    task.client("sns").publish(TopicArn=given[_TOPIC], Subject=subject[:100], Message=json.dumps(message))
