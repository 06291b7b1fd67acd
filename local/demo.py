"""``make demo``: the main job on the embedded cloud, from an upload to a prediction of the production endpoint.

Every step is the real one: the model is trained here, uploaded to S3, released by the deployed product, approved by
signed Slack requests through the deployed front (or by you, in the Slack page), and asked over the production stack's
IAM-authorised HTTP front.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

from local import deciding
from local.follow import Ended, Follower
from local.inference import Prediction, ask_endpoint, ask_model
from local.installation import HOME, Running, down, status, up
from local.settings import CHANNEL
from local.timeline import print_pipeline, print_timeline
from local.upload import build_example, upload_example

Approve = Literal["auto", "reject", "ask"]

REJECTION = "The recall of the malignant class is below what we agreed on."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; 0 when it ended as it should."""
    options = _options(arguments)
    started = time.monotonic()
    if status() is not None:
        _say("A local installation is up, and the demo makes its own; end it first with `make local-down`.")
        return 1
    try:
        running = up(options.mode, engine=options.engine, say=_say)
    except KeyboardInterrupt:
        _say("Interrupted; nothing is left running.")
        return 130
    ready = time.monotonic()
    try:
        outcome = _release(running, options.approve)
        _say(f"Installation {ready - started:.0f} s, release {time.monotonic() - ready:.0f} s.")
        if options.approve == "ask" and not options.keep:
            _wait_for_enter(running)
    except KeyboardInterrupt:
        _say("Interrupted.")
        return 130
    finally:
        if options.keep:
            _say(f"Still running: Slack page {running.slack_url}; end it with `make local-down`.")
        else:
            down(say=_say)
    return 0 if outcome else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    parser.add_argument("--approve", choices=["auto", "reject", "ask"], default="ask" if interactive else "auto")
    parser.add_argument("--mode", choices=["multi", "single"], default="multi")
    parser.add_argument("--engine", choices=["cloudformation", "codepipeline"], default="cloudformation")
    parser.add_argument("--keep", action="store_true", help="leave the installation running at the end")
    return parser.parse_args(arguments)


def _release(running: Running, approve: Approve) -> bool:
    _say("Training a model on a data set that comes with scikit-learn …")
    example = build_example(HOME / "example", running.mode)
    _say(f"Uploading {example.configuration.name} and its assets to s3://{running.outputs['AssetsBucketName']}/ …")
    upload_example(running, example)
    _say(f"The Slack page: {running.slack_url}")
    if approve == "ask":
        _say("Open it, act as Ben and as Chloé (top right), read what would change, and decide.")
    follower = Follower(running, _say)
    release_id = follower.first_release()
    if approve == "auto":
        ended = follower.until_end(release_id, decide=lambda approval: deciding.approve(running.slack, approval))
    elif approve == "reject":
        ended = follower.until_end(
            release_id, decide=lambda approval: deciding.reject(running.slack, approval, REJECTION)
        )
    else:
        ended = follower.until_end(release_id)
    print_timeline(running, ended, _say)
    if ended.pipeline:
        print_pipeline(running, ended.pipeline, _say)
    if approve == "reject":
        return _rejected(running, ended)
    if ended.status != "succeeded":
        _say(f"The release ended {ended.status}: {ended.reason}")
        return approve == "ask" and ended.status == "rejected"
    return _same_prediction(ask_endpoint(running, ended, example), ask_model(example))


def _rejected(running: Running, ended: Ended) -> bool:
    said = ended.status == "rejected" and REJECTION in ended.reason
    shown = REJECTION in running.slack.text_of(CHANNEL)
    mailed = any(REJECTION in mail["message"] for mail in running.cloud.mail())
    untouched = all(not stage.deployed for stage in ended.stages if stage.name in {"staging", "prod"})
    _say(
        f"Rejected: {said} · reason in Slack: {shown} · in the e-mail: {mailed} · "
        f"staging and prod untouched: {untouched}"
    )
    return said and shown and mailed and untouched


def _same_prediction(endpoint: Prediction, model: Prediction) -> bool:
    _say("Prediction for the sample record:")
    _say(f"  POST {endpoint.where}")
    _say(f"    → {endpoint.text}")
    _say(f"  the model itself, in this process\n    → {model.text}")
    _say("  equal" if endpoint.value == model.value else "  NOT EQUAL")
    return bool(endpoint.value == model.value)


def _wait_for_enter(running: Running) -> None:
    """Somebody who decided himself may want to look around before everything ends."""
    _say(f"Have a look around: {running.slack_url}, or `.venv/bin/mlops status` in another terminal.")
    with suppress(EOFError):
        input("Press Enter to end the demo. ")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
