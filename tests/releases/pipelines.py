"""A workload's CodePipeline, as somebody who knows the former product looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.settings import ORCHESTRATOR
from orchestrator.core.pipelines.template import PLAN, pipeline_name
from tests.releases.team import Team, eventually


@dataclass(frozen=True)
class Line:
    """The pipeline of one workload of a team."""

    team: Team
    workload: str

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return pipeline_name(self.workload)

    @property
    def client(self) -> Any:
        """CodePipeline, as the account's administrator."""
        return self.team.client("codepipeline", ORCHESTRATOR)

    @property
    def stages(self) -> list[str]:
        """The pipeline's stages after Source."""
        places = list(self.team.running.stages)
        return ["DeployPipeline"] if len(places) == 1 else [f"Deploy{place.capitalize()}" for place in places]

    @property
    def asking(self) -> tuple[str, str, str]:
        """The first stage that asks people: its name, its account, and what the pipeline calls it."""
        place = next(name for name in self.team.running.stages if name != "dev")
        called = self.stages[list(self.team.running.stages).index(place)]
        return place, self.team.running.stages[place], called

    def state(self) -> dict[str, tuple[str, dict[str, str]]]:
        """GetPipelineState: stage → its status and those of its actions; empty for what has not run."""
        found = self.client.get_pipeline_state(name=self.name)
        return {
            one["stageName"]: (
                one.get("latestExecution", {}).get("status", ""),
                {
                    action["actionName"]: action.get("latestExecution", {}).get("status", "")
                    for action in one["actionStates"]
                },
            )
            for one in found["stageStates"]
        }

    def action(self, stage: str, name: str) -> dict[str, Any]:
        """The latest run of an action."""
        for one in self.client.get_pipeline_state(name=self.name)["stageStates"]:
            for action in one["actionStates"] if one["stageName"] == stage else ():
                if action["actionName"] == name:
                    return dict(action.get("latestExecution", {}))
        return {}

    def execution_of(self, release_id: str) -> str:
        """The release's execution."""
        row = self.team.row(f"RELEASE#{release_id}", "RELEASE")
        assert row is not None
        return str(row["body"]["M"]["pipeline_execution"]["S"])

    def status(self, execution: str) -> str:
        """An execution's status."""
        found = self.client.get_pipeline_execution(pipelineName=self.name, pipelineExecutionId=execution)
        return str(found["pipelineExecution"]["status"])

    def until(self, execution: str, status: str) -> None:
        """Wait for an execution's status."""
        eventually(f"{execution} {status}", lambda: self.status(execution) == status, 30)

    def plans(self, execution: str, stage: str) -> int:
        """How often the stage was planned in the execution."""
        found = self.client.list_action_executions(pipelineName=self.name, filter={"pipelineExecutionId": execution})[
            "actionExecutionDetails"
        ]
        return sum((one["stageName"], one["actionName"]) == (stage, PLAN) for one in found)

    def answer(self, stage: str, status: str, summary: str) -> None:
        """Somebody answers the stage's approval in CodePipeline's console."""
        self.client.put_approval_result(
            pipelineName=self.name,
            stageName=stage,
            actionName="Approve",
            token=self.action(stage, "Approve")["token"],
            result={"status": status, "summary": summary},
        )


def asked(team: Team, name: str, **changes: object) -> tuple[str, Line]:
    """Upload a workload and wait until people are asked about it."""
    workload = f"{name}-realtime"
    known = frozenset(one["release_id"] for one in team.releases(workload))
    team.upload(name, team.configuration(name, **changes))
    release_id = team.started(workload, known)
    line = Line(team, workload)
    team.until_asked(release_id, line.asking[0])
    return release_id, line
