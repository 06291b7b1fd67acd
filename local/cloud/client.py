"""Starts, stops and talks to the embedded cloud.

>>> with EmbeddedCloud() as cloud:  # doctest: +SKIP
...     cloud.client("s3", "111111111111").list_buckets()
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_REGION = "us-east-1"
SECRET = "local"  # noqa: S105 - the emulator takes any secret for an account's root
START_SECONDS = 60.0
DELIVERY_SECONDS = 30.0
LOG_LINES = 40

_EXECUTE_API = re.compile(r"^https?://(?P<api>[a-z0-9]+)\.execute-api\.[^/]+(?P<rest>/.*)?$")


class CloudDidNotStart(Exception):
    """The server ended or did not answer in time; carries the end of its log."""


class EmbeddedCloud:
    """One embedded cloud: a server process of ours, or one that already runs.

    An account is its 12-digit number: credentials with that number as access key are the account's root.
    """

    _CLIENTS: ClassVar[dict[tuple[str, str, str, str], Any]] = {}
    """URL, service, account and region → client."""

    def __init__(self, data_dir: Path | None = None, *, port: int | None = None, region: str = DEFAULT_REGION) -> None:
        """``data_dir`` holds the log and scratch files (default: a new temporary directory)."""
        self._data_dir = data_dir
        self._port = port
        self._region = region
        self._process: subprocess.Popen[bytes] | None = None
        self._endpoint_url = ""
        self._pid = 0

    @classmethod
    def attach(cls, endpoint_url: str) -> EmbeddedCloud:
        """A cloud that already runs; ``stop`` leaves it running."""
        cloud = cls()
        cloud._endpoint_url = endpoint_url.rstrip("/")
        return cloud

    def __enter__(self) -> EmbeddedCloud:
        """Start, unless attached."""
        if not self._endpoint_url:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop what was started."""
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        if not self._endpoint_url:
            raise RuntimeError("the embedded cloud is not running")
        return self._endpoint_url

    @property
    def pid(self) -> int:
        """The server's process id; 0 for an attached cloud."""
        return self._pid

    @property
    def log_file(self) -> Path:
        """The server's log."""
        if self._data_dir is None:
            raise RuntimeError("an attached cloud's log is where it was started")
        return self._data_dir / "cloud.log"

    def start(self) -> EmbeddedCloud:
        """Start the server and wait until it answers; raises CloudDidNotStart."""
        if self._data_dir is None:
            self._data_dir = Path(tempfile.mkdtemp(prefix="embedded-cloud-"))
        self._data_dir.mkdir(parents=True, exist_ok=True)
        port = self._port or free_port()
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [
                    *(sys.executable, "-m", "local.cloud"),
                    *("--port", str(port), "--data-dir", str(self._data_dir), "--region", self._region),
                ],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal reaches the caller, which then stops the cloud in order.
                start_new_session=True,
            )
        self._endpoint_url = f"http://127.0.0.1:{port}"
        self._pid = self._process.pid
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the server that ``start`` started, with all its worker processes."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._endpoint_url = ""
        self._pid = 0

    def session(self, account: str, region: str = DEFAULT_REGION) -> boto3.session.Session:
        """A session of the account's root. Its clients need ``endpoint_url``; see :meth:`client`."""
        return boto3.session.Session(
            aws_access_key_id=_account(account), aws_secret_access_key=SECRET, region_name=region
        )

    def client(self, service: str, account: str, region: str = DEFAULT_REGION, **config: Any) -> Any:
        """A boto3 client of the account's root; ``config`` goes into botocore's Config.

        One without ``config`` is made once in a process, also for clouds that are attached anew: making a client costs
        more than most calls.
        """
        key = (self.endpoint_url, service, account, region)
        if config or key not in self._CLIENTS:
            made = self.session(account, region).client(  # type: ignore[call-overload]
                service, endpoint_url=self.endpoint_url, config=Config(**config)
            )
            if config:
                return made
            self._CLIENTS[key] = made
        return self._CLIENTS[key]

    def client_as(self, service: str, role_arn: str, caller: str, region: str = DEFAULT_REGION, **assume: Any) -> Any:
        """A boto3 client of a role, assumed by the account ``caller``; ``assume`` may hold ExternalId and the like."""
        request = {"RoleArn": role_arn, "RoleSessionName": "local", **assume}
        keys = self.client("sts", caller, region).assume_role(**request)["Credentials"]
        session = boto3.session.Session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            region_name=region,
        )
        return session.client(service, endpoint_url=self.endpoint_url)  # type: ignore[call-overload]

    def environment(self, account: str, region: str = DEFAULT_REGION) -> dict[str, str]:
        """What a child process (the CDK CLI, an SDK) needs to work in this account; add it to its environment."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": _account(account),
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
            # Files of the developer's own profile must not decide where a deployment goes.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }

    def local_url(self, url: str) -> str:
        """The local address of an API Gateway URL such as a stack's output ``https://ID.execute-api.…/prod/path``."""
        matched = _EXECUTE_API.match(url)
        if matched is None:
            raise ValueError(f"not an API Gateway address: {url}")
        return f"{self.endpoint_url}/_aws/execute-api/{matched['api']}{matched['rest'] or '/'}"

    def api_url(self, rest_api_id: str, stage: str, account: str) -> str:
        """Base URL of a deployed stage, without a trailing slash; sign requests to it for ``execute-api``.

        The account is the owner's; API ids are unique in the cloud, so that it does not appear in the URL.
        """
        _account(account)
        return f"{self.endpoint_url}/_aws/execute-api/{rest_api_id}/{stage}"

    def health(self) -> dict[str, Any]:
        """What the server says of itself."""
        found: dict[str, Any] = self._control("GET", "health")
        return found

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """API calls with a number above ``since``, oldest first; the fields are those of ``local.cloud.calls.Call``."""
        found: list[dict[str, Any]] = self._control("GET", f"calls?since={since}")
        return found

    def mail(self) -> list[dict[str, Any]]:
        """Every e-mail that SNS sent, oldest first: topic, address, subject, message, time."""
        found: list[dict[str, Any]] = self._control("GET", "mail")
        return found

    def faults(self, **switches: Any) -> dict[str, Any]:
        """Switch faults; answers all switches, which ``local.cloud.faults.Faults`` explains.

        ``status_events=False`` loses CloudFormation's status events, ``throttle={"s3:PutObject": 2}`` throttles the
        next two such calls, ``deny=["sagemaker:*"]`` denies calls until it is set to ``[]``.
        """
        found: dict[str, Any] = self._control("POST", "faults", switches)
        return found

    def jobs(
        self, *, hold: bool | None = None, events: bool | None = None, fail: list[str] | None = None
    ) -> dict[str, Any]:
        """Jobs, builds and pipeline executions: ``hold`` them where they are or let them go on, lose their ``events``.

        ``fail``: reasons with which the next jobs fail, one each. Answers all switches, as :meth:`faults`.
        """
        named = {"hold_jobs": hold, "job_events": events, "fail_jobs": fail}
        return self.faults(**{name: value for name, value in named.items() if value is not None})

    def inject_event(
        self, event: dict[str, Any], account: str, region: str = DEFAULT_REGION, bus: str = "default"
    ) -> None:
        """Put an event on a bus as it is, ``aws.*`` sources included.

        The keys are those of an event as a target receives it: source, detail-type, detail, resources, id, account.
        """
        self._control("POST", "events", {"event": event, "account": _account(account), "region": region, "bus": bus})

    def push(
        self,
        repository: str,
        branch: str,
        files: Mapping[str, str | None],
        author: str = "Ana Silva <ana@example.com>",
        *,
        account: str,
        region: str = DEFAULT_REGION,
        **how: Any,
    ) -> str:
        """Commit files to a branch of a CodeCommit repository (None deletes one), and send its event; the commit's id.

        ``how`` may hold ``message``, ``caller`` (ARN of a role's session, which IAM is asked about; the account's root
        without one), ``force`` with or without a ``parent``, ``collect`` and ``delete``, see ``codecommit.api.push``.
        """
        place = {"account": _account(account), "region": region, "repository": repository, "branch": branch}
        how = {"message": "Change configurations", **how}
        found: str = self._control("POST", "push", {**place, "files": dict(files), "author": author, **how})[
            "commit_id"
        ]
        return found

    def deliver(
        self,
        pipeline: str,
        archive: bytes,
        variables: Mapping[str, str],
        *,
        account: str,
        region: str = DEFAULT_REGION,
    ) -> str:
        """Run a pipeline whose source is a connection, for a commit whose zip and variables are given, to its end.

        The execution's id; raises RuntimeError when the execution fails.
        """
        body = {"pipeline": pipeline, "archive": base64.b64encode(archive).decode(), "variables": dict(variables)}
        found: str = self._control("POST", "deliver", {**body, "account": _account(account), "region": region})[
            "execution_id"
        ]
        client = self.client("codepipeline", account, region)
        deadline = time.monotonic() + DELIVERY_SECONDS
        while True:
            asked = {"pipelineName": pipeline, "pipelineExecutionId": found}
            status = client.get_pipeline_execution(**asked)["pipelineExecution"]["status"]
            if status == "Succeeded":
                return found
            if status != "InProgress" or time.monotonic() > deadline:
                runs = client.list_action_executions(pipelineName=pipeline, filter={"pipelineExecutionId": found})
                raise RuntimeError(f"the execution {found} is {status}: {runs['actionExecutionDetails']}")
            time.sleep(0.05)

    def expire_approvals(self, pipeline: str, *, account: str, region: str = DEFAULT_REGION) -> int:
        """Let the approvals of a pipeline that wait for an answer run out of time now; how many there were."""
        body = {"pipeline": pipeline, "account": _account(account), "region": region}
        found: int = self._control("POST", "expire-approvals", body)["expired"]
        return found

    def run_schedules(self, account: str = "") -> list[str]:
        """Fire every recurring rule and schedule of an account, or of all accounts, now; the ARNs of what fired."""
        found: list[str] = self._control("POST", "schedules", {"account": account})["fired"]
        return found

    def expire_tasks(self, execution_arn: str) -> int:
        """Let the tasks of an execution that wait for their token run into their timeout now; how many there were."""
        found: int = self._control("POST", "expire", {"execution": execution_arn})["expired"]
        return found

    def scale_waits(self, factor: float) -> float:
        """Multiply the seconds of Wait states and retry intervals (0: none); answers the factor that was in force."""
        found: float = self._control("POST", "waits", {"factor": factor})["former"]
        return found

    def _control(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.endpoint_url}/_local/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
        )
        try:
            with _opener().open(request, timeout=30) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} /_local/{path}: {error.code} {error.read().decode()}") from error

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None  # noqa: S101 - set by start, for the type checker
            if self._process.poll() is not None:
                raise CloudDidNotStart(f"the server ended with {self._process.returncode}\n{self._log_tail()}")
            try:
                self.health()
                return
            except OSError:
                time.sleep(0.05)
        raise CloudDidNotStart(f"the server did not answer within {START_SECONDS:.0f} s\n{self._log_tail()}")

    def _log_tail(self) -> str:
        lines = self.log_file.read_text(errors="replace").splitlines()[-LOG_LINES:]
        return "\n".join([f"the end of {self.log_file}:", *lines])


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _opener() -> urllib.request.OpenerDirector:
    # A proxy of the environment must not see loopback calls.
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _account(number: str) -> str:
    if not re.fullmatch(r"\d{12}", number):
        raise ValueError(f"an account is a number of 12 digits, not {number!r}")
    return number
