"""The two layers of third-party code, built without Docker.

Versions and hashes are those of ``requirements.lock``; pip refuses a file with another hash. All of them are pure
Python, so a layer is the same for both architectures.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.bundles import ROOT, compile_modules, compiles_for

LAYERS: Mapping[str, tuple[str, ...]] = {
    "base": ("aws-lambda-powertools", "fastjsonschema", "jmespath", "typing-extensions"),
    "slack": ("slack-bolt", "slack-sdk"),
}
"""Layer → distributions, with everything they depend on."""

LOCK = ROOT / "requirements.lock"

_RECIPE = "2"
"""Part of the layers' hash: raised when the steps of ``PipInstalled`` change what they produce."""


def layer(scope: Construct, name: str, *, runtime: str, architecture: str) -> lambda_.LayerVersion:
    """One of ``LAYERS``."""
    requirements = locked(LOCK.read_text(), LAYERS[name])
    # The pins and their hashes name the content, so nothing has to be built to know the asset's hash.
    parts = [_RECIPE, runtime, str(compiles_for(runtime)), *requirements]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return lambda_.LayerVersion(
        scope,
        name.capitalize(),
        layer_version_name=f"mlops-{name}",
        description=", ".join(entry.split()[0] for entry in requirements),
        code=lambda_.Code.from_asset(
            # CDK stages this folder, which holds no more than the wiring, where bundling is switched off.
            str(ROOT / "stacks"),
            exclude=["**/__pycache__"],
            asset_hash=digest,
            asset_hash_type=AssetHashType.CUSTOM,
            bundling=BundlingOptions(
                # Named because the type wants one; the local bundling below never falls back on it.
                image=DockerImage.from_registry("scratch"),
                local=PipInstalled(requirements, runtime, architecture),
            ),
        ),
        compatible_runtimes=[lambda_.Runtime(runtime, lambda_.RuntimeFamily.PYTHON)],
        removal_policy=RemovalPolicy.DESTROY,
    )


def locked(lock: str, distributions: Sequence[str]) -> list[str]:
    """The entries of some distributions in a requirements file, each ``name==version --hash=… --hash=…``.

    Raises LookupError for one that the file does not pin.
    """
    joined = re.sub(r"\\\n\s*", "", lock)
    entries = {line.split("==", 1)[0]: line.strip() for line in joined.splitlines() if "==" in line}
    missing = [name for name in distributions if name not in entries]
    if missing:
        raise LookupError(f"requirements.lock pins no {', '.join(missing)}")
    return [entries[name] for name in distributions]


@jsii.implements(ILocalBundling)
class PipInstalled:
    """Puts pinned distributions into ``python/``, where Lambda looks for them."""

    def __init__(self, requirements: Sequence[str], runtime: str, architecture: str) -> None:
        self._requirements = requirements
        self._runtime = runtime
        self._platform = {"arm64": "manylinux2014_aarch64", "x86_64": "manylinux2014_x86_64"}[architecture]

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        """See ``ILocalBundling``; raises CalledProcessError with pip's words when it fails.

        What this environment has installed in the pinned version is copied, so that a deployment needs no package
        index; pip fetches the rest.
        """
        target = Path(output_dir) / "python"
        target.mkdir(parents=True)
        missing = [requirement for requirement in self._requirements if not copied(requirement, target)]
        if missing:
            self._fetch(missing, target)
        for name in INSTALLERS_OWN:
            for path in target.glob(f"*.dist-info/{name}"):
                path.unlink()
        # Start scripts name the interpreter that installed them, and no function starts one.
        shutil.rmtree(target / "bin", ignore_errors=True)
        if compiles_for(self._runtime):
            compile_modules(target)
        return True

    def _fetch(self, requirements: Sequence[str], target: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            wanted = Path(folder) / "requirements.txt"
            wanted.write_text("\n".join(requirements))
            subprocess.run(  # noqa: S603 - pip of this interpreter
                [
                    sys.executable,
                    *("-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"),
                    *("--require-hashes", "--no-deps", "--no-compile", "--only-binary", ":all:"),
                    *("--platform", self._platform, "--implementation", "cp"),
                    *("--python-version", self._runtime.removeprefix("python")),
                    *("--target", str(target), "--requirement", str(wanted)),
                ],
                check=True,
                stdout=subprocess.DEVNULL,
            )


INSTALLERS_OWN = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json")
"""Files of a distribution that say how it was installed, not what it is."""


def copied(requirement: str, target: Path) -> bool:
    """Copy a distribution of this environment, if it is the pinned version and pure Python."""
    name, _, rest = requirement.partition("==")
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    pure = "Root-Is-Purelib: true" in (found.read_text("WHEEL") or "")
    if found.version != rest.split()[0] or not pure or not found.files:
        return False
    for path in found.files:
        if ".." in path.parts or "__pycache__" in path.parts:
            continue
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(found.locate_file(path)), target / path)
    return True
