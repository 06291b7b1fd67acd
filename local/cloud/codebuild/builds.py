"""One build, phase by phase: its record as BatchGetBuilds answers it, its log, its events.

Which phases run after one that failed is CodeBuild's ("Build phase transitions", AWS CodeBuild User Guide): after BUILD
comes POST_BUILD all the same, after INSTALL and PRE_BUILD the end.
"""

from __future__ import annotations

import hashlib
import io
import logging
import time
import zipfile
from dataclasses import dataclass, field
from typing import Any

from local.cloud.codebuild import buildspec
from local.cloud.codebuild.buildspec import Buildspec, NoBuildspec
from local.cloud.codebuild.docker import Docker
from local.cloud.codebuild.shell import Shell
from local.cloud.contract import Seam
from local.cloud.faults import next_failure
from local.cloud.sagemaker.jobs import events, storage, worker
from local.cloud.sagemaker.jobs.access import Refused, Role

SEAMS = (
    Seam("ministack.services.cloudwatch_logs", "_create_log_group", ("data",)),
    Seam("ministack.services.cloudwatch_logs", "_create_log_stream", ("data",)),
    Seam("ministack.services.cloudwatch_logs", "_log_groups"),
    Seam("ministack.services.cloudwatch_logs", "_put_log_events", ("data",)),
)

_LOG = logging.getLogger("local.cloud.codebuild")

SERVICE = "codebuild.amazonaws.com"
EVENT = "CodeBuild Build State Change"
MAX_UNPACKED = 512 * 1024 * 1024
"""Bytes of an unpacked source; more is refused here."""


class PhaseFailed(Exception):
    """A phase failed: CodeBuild's status code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Build:
    """A build that is being done."""

    record: dict[str, Any]
    """As BatchGetBuilds answers it; changed in place."""
    variables: dict[str, str]
    account: str
    region: str
    run: worker.Run
    role: Role
    lines: list[str] = field(default_factory=list)
    succeeding: bool = True
    reason: str = ""
    """Why a test wants the build to fail."""

    def main(self) -> None:
        """Do it to its end."""
        status = "SUCCEEDED"
        tell(self.account, self.region, self.record)
        try:
            self._phases()
            status = "SUCCEEDED" if self.succeeding else "FAILED"
        except worker.Stopped:
            status = "STOPPED"
        except PhaseFailed:
            status = "FAILED"
        except Exception:
            _LOG.exception("build %s", self.record["id"])
            status = "FAULT"
        if not self.run.abandoned:
            self._finish(status)

    def _phases(self) -> None:
        self._phase("SUBMITTED", lambda: None)
        self._phase("QUEUED", self.run.look)
        self._phase("PROVISIONING", self._provisioned)
        files: dict[str, bytes] = {}
        spec: list[Buildspec] = []
        digest: list[str] = []
        self._phase("DOWNLOAD_SOURCE", lambda: digest.append(self._source(files, spec)))
        docker = Docker(self.role, files, bool(self.record["environment"].get("privilegedMode")), digest[0])
        shell = Shell(
            {**spec[0].variables, **self.variables}, {"docker": docker.docker, "aws": docker.aws}, log=self.lines
        )
        for phase in buildspec.PHASES:
            try:
                self._phase(phase.upper(), lambda phase=phase: self._commands(spec[0].commands[phase], shell, docker))
            except PhaseFailed:
                self.succeeding = False
                if phase != "build":
                    break
        for phase in ("UPLOAD_ARTIFACTS", "FINALIZING"):
            self._phase(phase, lambda: None)

    def _phase(self, name: str, work: Any) -> None:
        record: dict[str, Any] = {"phaseType": name, "startTime": time.time()}
        self.record["phases"].append(record)
        self.record["currentPhase"] = name
        self.lines.append(f"[Container] Entering phase {name}")
        status, contexts = "SUCCEEDED", [{"statusCode": "", "message": ""}]
        try:
            work()
        except PhaseFailed as problem:
            status, contexts = "FAILED", [{"statusCode": problem.code, "message": str(problem)}]
            self.lines.append(f"[Container] Phase context status code: {problem.code} Message: {problem}")
            raise
        except worker.Stopped:
            status = "STOPPED"
            raise
        finally:
            now = time.time()
            record |= {
                "phaseStatus": status,
                "endTime": now,
                "durationInSeconds": int(now - record["startTime"]),
                "contexts": contexts,
            }
            self.lines.append(f"[Container] Phase complete: {name} State: {status}")

    def _provisioned(self) -> None:
        """The role is assumed and the log is there, before anything else."""
        try:
            self.role.assume()
        except Refused as problem:
            raise PhaseFailed(
                "ACCESS_DENIED", f"CodeBuild is not authorized to perform: sts:AssumeRole. {problem}"
            ) from problem
        stream = self.record["logs"]
        if not stream:
            return
        group = f"arn:aws:logs:{self.region}:{self.account}:log-group:{stream['groupName']}"
        from ministack.services import cloudwatch_logs

        try:
            if stream["groupName"] not in cloudwatch_logs._log_groups:
                self.role.need("logs:CreateLogGroup", group)
            self.role.need("logs:CreateLogStream", f"{group}:log-stream:{stream['streamName']}")
            self.role.need("logs:PutLogEvents", f"{group}:log-stream:{stream['streamName']}")
        except Refused as problem:
            raise PhaseFailed(
                "ACCESS_DENIED",
                f"Service role {self.role.arn} does not allow AWS CodeBuild to create Amazon CloudWatch Logs log "
                f"streams for build {self.record['arn']}. Error message: {problem}",
            ) from problem

    def _source(self, files: dict[str, bytes], spec: list[Buildspec]) -> str:
        """Read the zip and the buildspec; SHA-256 of the zip."""
        source = self.record["source"]
        if source.get("type") != "S3":
            raise PhaseFailed(
                "CLIENT_ERROR", f"the embedded cloud reads sources from S3 only, not {source.get('type')}"
            )
        uri = f"s3://{str(source['location']).removeprefix('arn:aws:s3:::')}"
        try:
            data = storage.read(self.role, uri, self.record.get("sourceVersion", ""))
        except storage.Unusable as problem:
            key = storage.parts(uri)[1]
            raise PhaseFailed("CLIENT_ERROR", f"error while downloading key {key}, error: {problem}") from problem
        files |= _unpacked(data)
        try:
            spec.append(buildspec.of(source.get("buildspec") or "", files))
        except NoBuildspec as problem:
            code, _, message = str(problem).partition(": ")
            raise PhaseFailed(code, message) from problem
        return hashlib.sha256(data).hexdigest()

    def _commands(self, commands: list[str], shell: Shell, docker: Docker) -> None:
        reason = self.reason
        if reason and commands:
            self.reason = ""
            raise PhaseFailed("COMMAND_EXECUTION_ERROR", reason)
        shell.variables["CODEBUILD_BUILD_SUCCEEDING"] = "1" if self.succeeding else "0"
        for command in commands:
            self.run.look()
            self.lines.append(f"[Container] Running command {command.strip()}")
            docker.folder = shell.folder
            status = shell.run(command)
            if status:
                shown = command.strip().partition("\n")[0]
                said = self.lines[-1] if self.lines else ""
                raise PhaseFailed(
                    "COMMAND_EXECUTION_ERROR",
                    f"Error while executing command: {shown}. Reason: exit status {status}. {said}".strip(),
                )

    def _finish(self, status: str) -> None:
        now = time.time()
        self.record["phases"].append({"phaseType": "COMPLETED", "startTime": now})
        self.record |= {"endTime": now, "currentPhase": "COMPLETED", "buildStatus": status, "buildComplete": True}
        self._write_log()
        tell(self.account, self.region, self.record)

    def _write_log(self) -> None:
        from ministack.services import cloudwatch_logs

        stream = self.record["logs"]
        allowed = not any(
            phase["phaseType"] == "PROVISIONING" and phase.get("phaseStatus") == "FAILED"
            for phase in self.record["phases"]
        )
        if not stream or not allowed:
            return
        named = {"logGroupName": stream["groupName"], "logStreamName": stream["streamName"]}
        cloudwatch_logs._create_log_group({"logGroupName": stream["groupName"]})
        cloudwatch_logs._create_log_stream(named)
        now = int(time.time() * 1000)
        lines = [{"timestamp": now, "message": f"{line}\n"} for line in self.lines]
        cloudwatch_logs._put_log_events({**named, "logEvents": lines})


def start(build: Build, run: worker.Run) -> None:
    """Do a build in the thread of ``run``."""
    build.run = run
    build.reason = next_failure()
    build.main()


def _unpacked(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if sum(member.file_size for member in members) > MAX_UNPACKED:
                raise PhaseFailed("CLIENT_ERROR", f"the source unpacks to more than {MAX_UNPACKED} bytes")
            return {member.filename.removeprefix("./"): archive.read(member) for member in members}
    except (zipfile.BadZipFile, OSError, RuntimeError) as problem:
        raise PhaseFailed("CLIENT_ERROR", f"the source is no zip file ({problem})") from problem


def tell(account: str, region: str, record: dict[str, Any]) -> None:
    """Send the event of a build's present status (AWS CodeBuild User Guide, "Build notifications input format")."""
    information: dict[str, Any] = {
        "artifact": {"location": ""},
        "environment": {
            "image": record["environment"].get("image", ""),
            "privileged-mode": bool(record["environment"].get("privilegedMode")),
            "compute-type": record["environment"].get("computeType", ""),
            "type": record["environment"].get("type", ""),
            "environment-variables": record["environment"].get("environmentVariables") or [],
        },
        "timeout-in-minutes": record["timeoutInMinutes"],
        "build-complete": record["buildComplete"],
        "initiator": record["initiator"],
        "build-start-time": _spelt(record["startTime"]),
        "source": {"location": record["source"].get("location", ""), "type": record["source"].get("type", "")},
        "phases": [_shown(phase) for phase in record["phases"]],
    }
    if record["logs"]:
        information["logs"] = {
            "group-name": record["logs"]["groupName"],
            "stream-name": record["logs"]["streamName"],
            "deep-link": record["logs"]["deepLink"],
        }
    detail = {
        "build-status": record["buildStatus"],
        "project-name": record["projectName"],
        "build-id": record["arn"],
        "additional-information": information,
        "current-phase": record["currentPhase"],
        "current-phase-context": "[]",
        "version": "1",
    }
    events.send(account, region, EVENT, detail, [record["arn"]], source="aws.codebuild")


def _shown(phase: dict[str, Any]) -> dict[str, Any]:
    contexts = [f"{each['statusCode']}: {each['message']}" for each in phase.get("contexts", [])]
    found = {"phase-context": contexts, "start-time": _spelt(phase["startTime"]), "phase-type": phase["phaseType"]}
    if "endTime" in phase:
        found |= {
            "end-time": _spelt(phase["endTime"]),
            "duration-in-seconds": phase["durationInSeconds"],
            "phase-status": phase["phaseStatus"],
        }
    return found


def _spelt(seconds: float) -> str:
    """``Sep 1, 2017 4:12:29 PM``."""
    when = time.gmtime(seconds)
    hour = when.tm_hour % 12 or 12
    return time.strftime(f"%b {when.tm_mday}, %Y {hour}:%M:%S %p", when)
