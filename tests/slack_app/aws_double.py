"""Secrets Manager and a FIFO queue of SQS, as far as the front speaks to them: over HTTP, signed, in JSON."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SECRET_ARN = "arn:aws:secretsmanager:us-east-1:111111111111:secret:slack-AbCdEf"
QUEUE_URL = "http://sqs.us-east-1.amazonaws.com/111111111111/slack.fifo"
ACCESS_KEY, SECRET_KEY, SESSION_TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session/token=="


@dataclass
class AwsDouble:
    """What the two services hold. ``queue`` has no two messages with one deduplication id."""

    secret: dict[str, dict[str, str]] = field(default_factory=dict)
    """By version stage."""
    queue: list[dict[str, Any]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    """Everything that was ever queued."""
    calls: list[str] = field(default_factory=list)
    broken: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def take(self) -> list[dict[str, Any]]:
        """Everything in the queue, as Lambda gets it."""
        with self.lock:
            taken, self.queue = self.queue, []
        return [
            {
                "messageId": f"m-{index}",
                "body": message["MessageBody"],
                "attributes": {"MessageGroupId": message["MessageGroupId"]},
            }
            for index, message in enumerate(taken)
        ]

    def answer(self, target: str, arguments: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """One call."""
        self.calls.append(target)
        if self.broken:
            return 503, {"__type": "ServiceUnavailable"}
        if target == "secretsmanager.GetSecretValue":
            found = self.secret.get(arguments["VersionStage"])
            if arguments["SecretId"] != SECRET_ARN or found is None:
                return 400, {"__type": "com.amazonaws.secretsmanager#ResourceNotFoundException"}
            return 200, {"SecretString": json.dumps(found)}
        if target == "AmazonSQS.SendMessage" and arguments["QueueUrl"] == QUEUE_URL:
            with self.lock:
                once = arguments["MessageDeduplicationId"]
                if once not in {message["MessageDeduplicationId"] for message in self.sent}:
                    self.queue.append(arguments)
                    self.sent.append(arguments)
            return 200, {"MessageId": "1"}
        return 400, {"__type": "UnknownOperationException"}

    def start(self) -> ThreadingHTTPServer:
        """Serve on a free port of 127.0.0.1."""
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not signed_by_us(f"{double.url}{self.path}", dict(self.headers), body):
                    status, answer = 403, {"__type": "InvalidSignatureException"}
                else:
                    status, answer = double.answer(self.headers["X-Amz-Target"], json.loads(body))
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server


def signed_by_us(url: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether botocore would have signed this request the same way."""
    lower = {name.lower(): value for name, value in headers.items()}
    service = lower.get("authorization", "////").split("/")[3]
    listed = ("content-type", "x-amz-target")
    request = AWSRequest("POST", url, data=body, headers={name: lower[name] for name in listed if name in lower})
    signer = _AtThatTime(
        Credentials(ACCESS_KEY, SECRET_KEY, SESSION_TOKEN), service, "us-east-1", lower.get("x-amz-date", "")
    )
    signer.add_auth(request)
    return bool(request.headers["Authorization"] == lower.get("authorization"))


class _AtThatTime(SigV4Auth):
    """botocore's signer, at a given time."""

    def __init__(self, credentials: Credentials, service: str, region: str, stamp: str) -> None:
        super().__init__(credentials, service, region)
        self._stamp = stamp

    def _modify_request_before_signing(self, request: Any) -> None:
        request.context["timestamp"] = self._stamp
        super()._modify_request_before_signing(request)  # type: ignore[misc]
