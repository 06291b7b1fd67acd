"""The server's life: quick to start, on the loopback interface only, and nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud.client import EmbeddedCloud
from local.cloud.server import children
from tests.cloud.accounts import (
    DEV,
    eventually,
    make_bucket,
    make_function,
    make_role,
    model_archive,
    service_trust,
    statement,
)

pytestmark = pytest.mark.cloud

LISTENING = "0A"


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[EmbeddedCloud]:
    """A cloud of its own with a function that has run and an endpoint that serves."""
    with EmbeddedCloud(data_dir=tmp_path) as cloud:
        function = make_function(cloud, DEV, "def handler(event, context): return 1")
        cloud.client("lambda", DEV).invoke(FunctionName=function)
        bucket = make_bucket(cloud, DEV)
        archive = model_archive("def model_fn(d): return 1\ndef predict_fn(x, m): return m")
        cloud.client("s3", DEV).put_object(Bucket=bucket, Key="m", Body=archive)
        role = make_role(cloud, DEV, service_trust("sagemaker"), statement("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
        sagemaker = cloud.client("sagemaker", DEV)
        sagemaker.create_model(
            ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": "i", "ModelDataUrl": f"s3://{bucket}/m"}
        )
        variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
        eventually(lambda: sagemaker.describe_endpoint(EndpointName="e")["EndpointStatus"] == "InService")
        yield cloud


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists() and "\nState:\tZ" not in status(pid)]


def status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "\nState:\tZ"


def listening_addresses(pids: list[int]) -> set[str]:
    """Local addresses, as the kernel writes them, on which the processes listen."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            target = os.readlink(link) if link.is_symlink() else ""
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and fields[9] in inodes:
                found.add(fields[1].partition(":")[0])
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_listens_on_the_loopback_interface_only(busy: EmbeddedCloud) -> None:
    started = children(busy.pid)
    assert len(started) >= 2, "a function's process and a model's"
    assert listening_addresses([busy.pid, *started]) == {"0100007F"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_stopping_it_leaves_no_process_behind(busy: EmbeddedCloud) -> None:
    everything = [busy.pid, *children(busy.pid)]
    busy.stop()
    assert alive(everything) == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_processes_of_a_killed_server_end_by_themselves(busy: EmbeddedCloud) -> None:
    started = children(busy.pid)
    os.kill(busy.pid, signal.SIGKILL)
    eventually(lambda: not alive(started))


def test_a_web_page_cannot_use_the_control_endpoints(cloud: EmbeddedCloud) -> None:
    import urllib.error
    import urllib.request

    request = urllib.request.Request(f"{cloud.endpoint_url}/_local/calls", headers={"Origin": "https://example.com"})  # noqa: S310
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request)
