"""``python -m local.cloud --port PORT --data-dir DIR``: serve the embedded cloud until SIGTERM."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def prepare_environment(port: int, data_dir: Path, region: str) -> None:
    """Set what the emulator reads on import; called before anything of it is imported.

    ``PYTHONPATH`` and AWS settings of the caller are removed: Lambda workers inherit this environment, and a function
    must not find code that its bundle lacks, nor a real account's credentials.
    """
    scratch = data_dir / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.pop("PYTHONPATH", None)
    # The set-up compiles nothing: what a worker or a model's container imports is compiled once, not at every start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.update(
        {
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": region,
            "MINISTACK_AUTOCREATE_AWS_MANAGED": "1",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LAMBDA_EXECUTOR": "local",
            "S3_DATA_DIR": str(data_dir / "s3"),
            "TMPDIR": str(scratch),
        }
    )
    os.environ.setdefault("LOG_LEVEL", "WARNING")


def main() -> int:
    """Serve; 0 after SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m local.cloud", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--region", default="us-east-1", help="the region of requests that name none")
    options = parser.parse_args()
    data_dir = options.data_dir.resolve()
    prepare_environment(options.port, data_dir, options.region)

    from local.cloud.server import serve

    serve(options.port, data_dir)
    return 0


if __name__ == "__main__":
    sys.exit(main())
