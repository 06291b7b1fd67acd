"""`python -m local.slack`: start the local Slack page and serve until interrupted."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from local.slack.people import WorkspaceFileError, default_spec, load_spec
from local.slack.server import LocalSlackServer, Settings


def main(argv: list[str] | None = None) -> int:
    """0 when stopped, 1 when the files given cannot be used, 2 on wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m local.slack", description="A page in place of a Slack workspace, for one machine."
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--front-url", default="", help="the app's URL; requests go to <URL>/slack/events")
    parser.add_argument("--signing-secret-file", type=Path, required=True, help="file with the signing secret")
    parser.add_argument("--bot-token", required=True, help="the token the app's Web API calls carry")
    parser.add_argument("--workspace", type=Path, help="JSON file with people and channels")
    options = parser.parse_args(argv)
    try:
        secret = options.signing_secret_file.read_text(encoding="utf-8").strip()
        if not secret:
            raise ValueError(f"{options.signing_secret_file}: the signing secret is empty")
        spec = load_spec(options.workspace) if options.workspace else default_spec()
        server = LocalSlackServer(Settings(options.port, options.front_url, secret, options.bot_token, spec))
    except (OSError, ValueError, WorkspaceFileError) as error:
        print(error, file=sys.stderr)
        return 1

    def stop(*_: object) -> None:
        # shutdown() waits for serve_forever, which runs in this very thread
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"Local Slack page: {server.url}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
