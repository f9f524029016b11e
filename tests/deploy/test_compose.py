"""compose.yaml: valid by the specification, hardened throughout, and in agreement with what it starts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from compose_spec import PyCompose

from media_worker.settings import WorkerSettings
from signaling.settings import Settings
from signaling.settings_file import variables
from tests.deploy.files import DEPLOY, EXAMPLE, Missing, compose, dockerfile, env_names

SERVICES: dict[str, Any] = compose()["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("lacquer-")]


def seconds(duration: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(s|m)", duration).groups()  # type: ignore[union-attr]
    return int(number) * (60 if unit == "m" else 1)


def known_variables() -> set[str]:
    return {
        variable
        for kind in (Settings, WorkerSettings)
        for name, field in kind.model_fields.items()
        for variable in variables(name, field, "LACQUER_")
    }


def test_it_is_a_compose_file_by_the_specification() -> None:
    """The parser in Rust knows no merge keys, so it gets the file with its merges done."""
    parsed = PyCompose.from_json(json.dumps(compose()))
    assert set(parsed.service_names()) == set(SERVICES)


def test_the_parser_does_refuse() -> None:
    with pytest.raises(ValueError, match="restrat"):
        PyCompose.from_json('{"services": {"a": {"image": "b", "restrat": "always"}}}')


def docker_compose() -> list[str]:
    """The program itself, which reads files without an engine. Skips where it is missing."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            done = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
            if re.match(r"v?[2-9]\.", done.stdout):
                return command
    pytest.skip("needs Docker Compose 2: its engine is not needed")


def test_docker_compose_itself_takes_it(tmp_path: Path) -> None:
    for name in ("compose.yaml", "settings.env"):
        shutil.copy(DEPLOY / name, tmp_path)
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in EXAMPLE.items()))
    command = [*docker_compose(), "config", "--quiet"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- what an operator fills in ----------------------------------------------------------------------------------------
def test_what_is_missing_is_said() -> None:
    for name in EXAMPLE:
        with pytest.raises(Missing, match=rf"set {name} in \.env"):
            compose({**EXAMPLE, name: ""})


def test_the_example_names_every_variable_and_no_other() -> None:
    used = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text("utf-8")))
    named = env_names(DEPLOY / ".env.example")
    assert set(named) == used
    assert len(named) == len(used)
    assert set(EXAMPLE) <= used


def test_the_example_holds_no_secret() -> None:
    filled = re.findall(r"^(\w+)=(.+)$", (DEPLOY / ".env.example").read_text("utf-8"), re.M)
    assert filled == [("LACQUER_VERSION", "0.1.0")]


def test_secrets_stay_out_of_git() -> None:
    for file in ("deploy/.env", "deploy/kubernetes/worker-secrets.env"):
        done = subprocess.run(["git", "check-ignore", "-q", file], cwd=DEPLOY.parent, check=False)
        assert done.returncode == 0, f"{file} could be committed"


def test_every_setting_exists() -> None:
    for service in OURS:
        unknown = set(SERVICES[service]["environment"]) - known_variables()
        assert not unknown, f"{service}: neither Settings nor WorkerSettings has {unknown}"


@pytest.mark.parametrize("service", ["signaling-1", "worker-1"])
def test_settings_are_accepted(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SERVICES[service]["environment"].items():
        monkeypatch.setenv(name, value)
    kind: type[Settings] | type[WorkerSettings] = WorkerSettings if service.startswith("worker") else Settings
    assert kind().worker_secret == EXAMPLE["LACQUER_WORKER_SECRET"]


# --- each service -----------------------------------------------------------------------------------------------------
def test_all_are_hardened() -> None:
    for service, said in SERVICES.items():
        assert said["read_only"] is True, service
        assert said["cap_drop"] == ["ALL"], service
        assert set(said.get("cap_add", ())) <= {"NET_BIND_SERVICE"}, service
        assert said["security_opt"] == ["no-new-privileges:true"], service
        assert not said.get("privileged"), service
        assert set(said["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}, service
        assert said["logging"]["options"].keys() == {"max-size", "max-file"}, service
        assert said["restart"] == ("no" if service == "migrate" else "unless-stopped"), service
        user = said.get("user", "10001:10001" if service in OURS else "0")
        assert not user.startswith("0") or service == "caddy", f"{service}: only Caddy, for ports 80 and 443, is root"


def test_images_have_versions() -> None:
    for service, said in SERVICES.items():
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(-\w+)?", said["image"]), service


def test_all_have_health_checks() -> None:
    for service, said in SERVICES.items():
        if service != "migrate":
            target = said.get("build", {}).get("target")
            assert "healthcheck" in said or "HEALTHCHECK" in dict(dockerfile()[target]), service


def test_what_they_wait_for_and_mount_is_there() -> None:
    whole = compose()
    for service, said in SERVICES.items():
        for other, how in said.get("depends_on", {}).items():
            expected = "service_completed_successfully" if other == "migrate" else "service_healthy"
            assert other in SERVICES and how["condition"] == expected, service
        assert set(said.get("networks", ())) <= whole["networks"].keys(), service
        for file in said.get("env_file", ()):
            assert (DEPLOY / file).exists(), file
        for volume in said.get("volumes", ()):
            source, target, *_ = volume.split(":")
            assert target.startswith("/"), volume
            if source.startswith("./"):
                assert (DEPLOY / source).exists(), volume
            if source.startswith((".", "/")):
                assert volume.endswith(":ro"), volume
            else:
                assert source in whole["volumes"], volume


def test_every_volume_is_used() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert compose()["volumes"].keys() <= used


# --- together ---------------------------------------------------------------------------------------------------------
def published(service: str) -> list[tuple[str, range]]:
    """(protocol or address, ports) on the host."""
    found = []
    for port in SERVICES[service].get("ports", ()):
        host, protocol = port.split("/")
        address = host.rsplit(":", 2)[0] if host.count(":") == 2 else ""
        first, _, last = host.split(":")[-2].partition("-")
        found.append((f"{address}{protocol}", range(int(first), int(last or first) + 1)))
    return found


def test_only_what_must_be_is_published() -> None:
    assert {name for name in SERVICES if published(name)} == {"caddy", "worker-1", "worker-2", "grafana"}
    assert published("grafana")[0][0].startswith("127.0.0.1")
    assert compose()["networks"]["back"] == {"internal": True}
    for service in ("redis", "postgres", "prometheus", "node-exporter", "migrate"):
        assert set(SERVICES[service]["networks"]) == {"back"}


def test_no_two_workers_share_ports_or_names() -> None:
    workers = {name: SERVICES[name] for name in SERVICES if name.startswith("worker-")}
    assert len(workers) > 1
    taken: set[int] = set()
    for name, said in workers.items():
        words = said["environment"]
        ((_, ports),) = published(name)
        assert words["LACQUER_UDP_PORTS"] == f"{ports[0]}-{ports[-1]}"
        assert said["ports"] == [f"{words['LACQUER_UDP_PORTS']}:{words['LACQUER_UDP_PORTS']}/udp"]
        assert not taken & set(ports)
        taken |= set(ports)
        assert words["LACQUER_WORKER_ID"] == name
        assert words["LACQUER_WORKER_ADVERTISE"] == f"http://{name}:{words['LACQUER_WORKER_PORT']}"
        # Two connections while a page reconnects, in each of two networks.
        assert len(ports) >= WorkerSettings.model_fields["worker_capacity"].default * 2 * 2
    relay = [word.split("=")[1] for word in SERVICES["coturn"]["command"] if re.match(r"--m(in|ax)-port", word)]
    assert not taken & set(range(int(relay[0]), int(relay[1]) + 1))


def test_there_is_time_to_leave() -> None:
    for name in ("worker-1", "worker-2"):
        drain = float(SERVICES[name]["environment"]["LACQUER_DRAIN_SECONDS"])
        assert seconds(SERVICES[name]["stop_grace_period"]) >= drain + 10


def test_replicas_of_signaling_are_alike_and_known_to_the_proxy() -> None:
    assert SERVICES["signaling-1"] == SERVICES["signaling-2"]
    assert SERVICES["caddy"]["environment"]["LACQUER_UPSTREAMS"] == "signaling-1:8000 signaling-2:8000"
    for name in SERVICES:
        if name.startswith(("signaling-", "worker-")):
            assert SERVICES[name]["networks"]["back"]["aliases"] == [name.split("-")[0]]


def test_secrets_agree() -> None:
    signaling, worker = SERVICES["signaling-1"]["environment"], SERVICES["worker-1"]["environment"]
    assert signaling["LACQUER_WORKER_SECRET"] == worker["LACQUER_WORKER_SECRET"]
    assert signaling["REDIS_URL"] == worker["REDIS_URL"]
    assert EXAMPLE["REDIS_PASSWORD"] in signaling["REDIS_URL"]
    assert SERVICES["redis"]["command"][-1] == SERVICES["redis"]["environment"]["REDISCLI_AUTH"]
    assert EXAMPLE["POSTGRES_PASSWORD"] in signaling["DATABASE_URL"]
    assert f"--static-auth-secret={signaling['LACQUER_TURN_SECRET']}" in SERVICES["coturn"]["command"]
