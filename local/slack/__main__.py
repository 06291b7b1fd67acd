"""`python -m local.slack`: start the local Slack page and serve until interrupted."""

from __future__ import annotations

import argparse
import json
import secrets
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
    parser.add_argument(
        "--secret-file",
        type=Path,
        required=True,
        help='JSON file {"signing_secret": …, "bot_token": …}, as the app\'s secret has it; made if there is none',
    )
    parser.add_argument("--workspace", type=Path, help="JSON file with people and channels")
    options = parser.parse_args(argv)
    try:
        signing_secret, bot_token = _secret(options.secret_file)
        spec = load_spec(options.workspace) if options.workspace else default_spec()
        server = LocalSlackServer(Settings(options.port, options.front_url, signing_secret, bot_token, spec))
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


def _secret(path: Path) -> tuple[str, str]:
    """Signing secret and bot token. Given in a file, because a command line is everybody's to read."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        made = {"signing_secret": secrets.token_hex(16), "bot_token": f"xoxb-local-{secrets.token_hex(12)}"}
        path.write_text(json.dumps(made), encoding="utf-8")
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        found = str(given["signing_secret"]), str(given["bot_token"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: must be a JSON object with signing_secret and bot_token") from error
    if not all(found):
        raise ValueError(f"{path}: signing_secret and bot_token must not be empty")
    return found


if __name__ == "__main__":
    raise SystemExit(main())
