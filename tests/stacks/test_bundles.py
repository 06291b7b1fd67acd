"""What is in the zips and layers, and that two builds of them are the same."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import requires, version
from pathlib import Path

import pytest

from stacks.bundles import Bundle
from stacks.layers import INSTALLERS_OWN, LAYERS, LOCK, PipInstalled, copied, locked
from tests.stacks.templates import ROOT, Synthesised, of_type
from tests.stacks.test_functions import FOLDERS

WITH_TEMPLATES = {"package", "receive_request", "api"}
WITH_MANIFEST = {"api"}
"""Of the Slack app, its manifest alone."""


def contents(synthesised: Synthesised, name: str) -> set[str]:
    """Paths in a function's bundle."""
    functions = of_type(synthesised.orchestrator, "AWS::Lambda::Function").values()
    (code,) = [
        function["Code"]["S3Key"]
        for function in functions
        if function["FunctionName"] == f"mlops-{name.replace('_', '-')}"
    ]
    asset = synthesised.folder / f"asset.{code.removesuffix('.zip')}"
    return {str(path.relative_to(asset)) for path in asset.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_function_holds_the_product_and_its_own_folder(multi: Synthesised, name: str) -> None:
    found = contents(multi, name)

    assert {path.split("/")[0] for path in found} == {
        "functions",
        "orchestrator",
        *({"templates"} if name in WITH_TEMPLATES else ()),
        *({"slack_app"} if name in WITH_MANIFEST else ()),
    }
    assert {path for path in found if path.startswith("slack_app")} <= {"slack_app/manifest.yaml"}
    assert {path.split("/")[1] for path in found if path.startswith("functions/")} == {name}
    assert {"orchestrator/core/image_data/images.json", f"functions/{name}/handler.py"} <= found
    assert not [path for path in found if path.endswith(".pyc")]


def test_slacks_front_holds_nothing_of_the_worker(multi: Synthesised) -> None:
    found = contents(multi, "slack_front")

    assert {path for path in found if path.startswith("slack_app/") and not path.startswith("slack_app/front/")} == {
        "slack_app/__init__.py"
    }
    assert "slack_app/front/handler.py" in found


def test_the_worker_holds_the_whole_slack_app(multi: Synthesised) -> None:
    assert {"slack_app/worker.py", "slack_app/app.py"} <= contents(multi, "slack_worker")


def test_slacks_front_has_no_layer(multi: Synthesised) -> None:
    functions = of_type(multi.orchestrator, "AWS::Lambda::Function").values()
    layers = {function["FunctionName"]: len(function.get("Layers", ())) for function in functions}

    assert layers["mlops-slack-front"] == 0
    assert layers["mlops-slack-worker"] == layers["mlops-notify"] == 2
    assert layers["mlops-plan-stage"] == 1


def test_two_compiled_builds_are_the_same_bytes_and_name_no_folder_of_the_builder(tmp_path: Path) -> None:
    built = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        Bundle(("orchestrator/core", "slack_app/__init__.py")).try_bundle(str(folder))
        built.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()})
    compiled = {path: data for path, data in built[0].items() if path.suffix == ".pyc"}

    assert built[0] == built[1]
    assert len(compiled) == len([path for path in built[0] if path.suffix == ".py"])
    # Flags of an unchecked hash (PEP 552): neither time nor source is looked at on import.
    assert {data[4:8] for data in compiled.values()} == {(1).to_bytes(4, "little")}
    assert not [path for path, data in compiled.items() if str(tmp_path).encode() in data]


def test_a_bundle_finds_the_organisations_own_types_in_their_order(tmp_path: Path) -> None:
    folders = [tmp_path / f"types-{number}" for number in range(11)]
    for number, folder in enumerate(folders):
        shutil.copytree(ROOT / "examples" / "own-types" / "llm_prompt", folder / "llm_prompt")
        (folder / "llm_prompt" / "README.md").write_text(str(number))
        (folder / "notes").mkdir()
        (folder / "notes" / "private.txt").write_text("no type")
    output = tmp_path / "bundle"
    output.mkdir()
    Bundle(("orchestrator", "templates"), tuple(folders), compiled=False).try_bundle(str(output))
    asked = (
        "from orchestrator.aws.world import World; "
        "print((World('table', 'settings').catalogue.types['llm_prompt'].folder / 'README.md').read_text())"
    )

    environment = {"PYTHONPATH": str(output), "PYTHONDONTWRITEBYTECODE": "1"}
    found = subprocess.run(  # noqa: S603 - this interpreter, with a program of this module
        [sys.executable, "-c", asked], cwd=output, env=environment, capture_output=True, text=True, check=False
    )

    assert found.stdout.strip() == "10", found.stderr  # the last folder's type counts; "10" comes after "9"
    assert {path.parent.name for path in (output / "own_templates").rglob("*") if path.is_file()} == {"llm_prompt"}
    assert not list(output.rglob("*.pyc"))


def test_layers_are_pinned_with_hashes_and_complete() -> None:
    for distributions in LAYERS.values():
        for entry in locked(LOCK.read_text(), distributions):
            assert re.fullmatch(r"\S+==\S+( --hash=sha256:[0-9a-f]{64})+", entry)
    for name, distributions in LAYERS.items():
        needed = {
            re.split(r"[ ;<>=!~\[(]", line, maxsplit=1)[0].lower().replace("_", "-")
            for distribution in distributions
            for line in requires(distribution) or ()
            if "extra ==" not in line
        }
        assert needed <= {*distributions, *(LAYERS["base"] if name == "slack" else ())}, name


def test_a_distribution_that_is_not_pinned_is_told() -> None:
    with pytest.raises(LookupError, match="pins no left-pad"):
        locked("one==1 \\\n    --hash=sha256:00\n", ["left-pad"])


def test_a_layer_is_built_without_a_package_index_and_twice_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    built = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        PipInstalled(locked(LOCK.read_text(), LAYERS["base"]), "python3.14", "arm64").try_bundle(str(folder))
        built.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()})

    assert built[0] == built[1]
    assert {Path("python/fastjsonschema/__init__.py"), Path("python/jmespath/__init__.py")} <= set(built[0])
    assert {path.parts[0] for path in built[0]} == {"python"}
    assert not [path for path in built[0] if path.suffix in {".so", ".pyc"} or path.name in INSTALLERS_OWN]


@pytest.mark.parametrize(
    "requirement",
    [
        pytest.param("jmespath==0.0.1 --hash=sha256:00", id="another version"),
        pytest.param("left-pad==1.0 --hash=sha256:00", id="not installed"),
        pytest.param(f"pyyaml=={version('pyyaml')} --hash=sha256:00", id="not pure Python"),
    ],
)
def test_what_this_environment_cannot_give_is_left_to_pip(tmp_path: Path, requirement: str) -> None:
    assert not copied(requirement, tmp_path)
    assert list(tmp_path.iterdir()) == []
