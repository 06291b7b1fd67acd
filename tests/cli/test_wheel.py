"""The installed command: what the wheel holds is enough, away from any checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

from tests.fakes.memory_world import configuration

ROOT = Path(__file__).parents[2]


def packages_on_disk() -> set[str]:
    """Every Python package of the command and of what it knows."""
    folders = {file.parent for name in ("mlops", "orchestrator") for file in (ROOT / name).rglob("*.py")}
    return {".".join(folder.relative_to(ROOT).parts) for folder in folders}


def test_the_wheel_lists_every_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(project["tool"]["setuptools"]["packages"]) == packages_on_disk() | {"orchestrator.templates"}


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MLOPS", "AWS"))}
    return subprocess.run(  # noqa: S603 - our own commands
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``mlops`` in a virtual environment of its own. Dependencies come from this one, so that no network is needed."""
    folder = tmp_path_factory.mktemp("wheel")
    # A copy: setuptools leaves build/ and *.egg-info beside what it builds.
    source = folder / "source"
    source.mkdir()
    tracked = run(
        "git", "ls-files", "-z", "mlops", "orchestrator", "templates", "pyproject.toml", "README.md", cwd=ROOT
    )
    for name in filter(None, tracked.stdout.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    offline = ("--no-deps", "--no-index", "--disable-pip-version-check", "--quiet")
    built = run(
        *(sys.executable, "-m", "pip", "wheel", *offline, "--no-build-isolation", "--wheel-dir", folder, source),
        cwd=folder,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    environment = folder / "venv"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    put = run(sys.executable, "-m", "pip", "--python", python, "install", *offline, wheel, cwd=folder)
    assert put.returncode == 0, put.stderr
    site = next(environment.glob("lib/python*/site-packages"))
    # A path of a .pth file comes after the environment's own packages, and .pth files in it do not count.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return environment / "bin" / "mlops"


@pytest.mark.long
def test_the_installed_command_validates(installed: Path, tmp_path: Path) -> None:
    file = tmp_path / "mlops-config.json"
    file.write_text(json.dumps(configuration()))
    done = run(installed, "validate", file, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"][0]["workloads"][0]["type"] == "byom_realtime_builtin"


@pytest.mark.long
def test_the_installed_command_uses_the_installed_code(installed: Path, tmp_path: Path) -> None:
    script = (
        "import orchestrator, mlops; from orchestrator.core.workloads import *; "
        "print(orchestrator.__file__, mlops.__file__, shipped_templates(), *load_types([shipped_templates()]).names)"
    )
    done = run(installed.parent / "python", "-c", script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first, second, templates, *names = done.stdout.split()
    for place in (first, second, templates):
        assert Path(place).is_relative_to(installed.parents[1])
    assert names == sorted(file.parent.name for file in ROOT.glob("templates/*/workload.json"))


@pytest.mark.long
def test_the_installed_command_packages(installed: Path, tmp_path: Path) -> None:
    file = tmp_path / "mlops-config.json"
    file.write_text(json.dumps(configuration()))
    done = run(installed, "package", file, "--output", tmp_path / "out.zip", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.zip").is_file()


@pytest.mark.long
def test_the_installed_command_has_no_local_installation_of_its_own(installed: Path, tmp_path: Path) -> None:
    done = run(installed, "local", "up", cwd=tmp_path)
    assert done.returncode == 1
    assert "needs a checkout" in done.stderr
