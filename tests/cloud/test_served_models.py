"""Models that are served: each in a process of its own, forked from one that has imported what most of them need."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from local.cloud.sagemaker.served import NotServing, ServedModel
from tests.cloud.accounts import model_archive

JSON = "application/json"


@contextmanager
def serving(script: str, **environment: str) -> Iterator[ServedModel]:
    model = ServedModel(model_archive(script), environment, "a model")
    try:
        yield model
    finally:
        model.stop()


def ask(model: ServedModel, body: bytes = b"{}") -> bytes:
    answered = model.predict(body, JSON, JSON)
    assert answered.status == 200, answered.message
    return answered.body


def says(expression: str, imports: str = "os, sys") -> str:
    return f"import {imports}\ndef model_fn(d): return None\ndef predict_fn(x, m): return {expression}\n"


def test_models_are_processes_with_an_environment_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_CLOUD", "not for models")
    script = says("[os.getpid(), os.environ.get('MINE'), os.environ.get('OF_THE_CLOUD'), os.getcwd()]")
    with serving(script, MINE="one") as one, serving(script, MINE="other") as other:
        first, second = ask(one), ask(other)

    assert b'"one", null' in first
    assert b'"other", null' in second
    assert len({part.split(b",")[0] for part in (first, second)}) == 2
    assert first.split(b",")[-1] != second.split(b",")[-1]


def test_nothing_of_this_project_is_imported_in_a_model() -> None:
    with serving(says("[name for name in sys.modules if name.split('.')[0] in ('local', 'tests', 'boto3')]")) as model:
        assert ask(model) == b"[]"


def test_what_models_import_is_there_before_they_are() -> None:
    with serving(
        says("[name for name in BEFORE]").replace("\n", "\nBEFORE = ['sklearn' in sys.modules]\n", 1)
    ) as model:
        assert ask(model) == b"[true]" if os.uname().sysname == "Linux" else b"[false]"


def test_a_long_request_and_a_long_answer_arrive_whole() -> None:
    with serving(says("x")) as model:
        text = b'"' + b"m" * 3_000_000 + b'"'
        assert ask(model, text) == text


def test_a_model_that_ends_answers_500_and_the_others_go_on() -> None:
    with serving(says("os._exit(3)")) as ended, serving(says("1")) as other:
        assert ended.predict(b"{}", JSON, JSON).status == 500
        assert ask(other) == b"1"
    with serving(says("2")) as later:
        assert ask(later) == b"2"


def test_a_model_that_hangs_can_be_stopped() -> None:
    with serving(says("os.getpid()")) as model:
        pid = int(ask(model))
        os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_without_the_process_they_come_from_models_start_again() -> None:
    with serving(says("[os.getpid(), os.getppid()]")) as model:
        pid, parent = json.loads(ask(model))
        os.kill(parent, signal.SIGKILL)
        with serving(says("os.getppid()")) as later:
            assert int(ask(later)) != parent
        assert json.loads(ask(model))[0] == pid, "it serves on"


def test_one_that_hangs_is_stopped_while_it_is_asked() -> None:
    hangs = "import time\ndef model_fn(d): return None\ndef predict_fn(x, m): time.sleep(600)\n"
    with serving(hangs) as model, ThreadPoolExecutor() as pool:
        asked = pool.submit(model.predict, b"{}", JSON, JSON)
        model.stop()
        assert asked.result(timeout=30).status == 500


def test_a_model_that_cannot_be_loaded_says_why() -> None:
    with pytest.raises(NotServing, match="ModuleNotFoundError: No module named 'nowhere'"), serving("import nowhere\n"):
        raise AssertionError("it does not serve")
