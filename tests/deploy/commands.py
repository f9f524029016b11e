"""How each service of compose.yaml is started on this machine: command and environment.

Both are read out of compose.yaml and the Dockerfile; only addresses, ports and paths are replaced.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.deploy.files import DEPLOY, EXAMPLE, ROOT, image_command

if TYPE_CHECKING:
    from tests.deploy.stack import Stack

Command = tuple[Sequence[str], Mapping[str, str]]


def clean_environment() -> dict[str, str]:
    """This process's, without what would set Lacquer, Caddy or PostgreSQL, and with this checkout on its path."""
    well_known = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "DESIGNS_DIR", "AI_TRYON_SERVICE_URL"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in well_known and not name.startswith(("LACQUER_", "CADDY_", "PG"))
    }
    return {**kept, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])}


def postgres_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return found[-1] if found else None


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _redis(stack: Stack) -> Command:
    command = stack.services["redis"]["command"]
    return [*command, "--port", str(stack.ports["redis"]), "--bind", "127.0.0.1", "--dir", str(stack.folder)], {}


def _postgres(stack: Stack) -> Command:
    binaries = postgres_binaries()
    assert binaries is not None
    data = stack.folder / "postgres"
    name, *options = stack.services["postgres"]["command"]
    here = ["-D", str(data), "-p", str(stack.ports["postgres"]), "-h", "127.0.0.1", "-k", str(data), "-c", "fsync=off"]
    return [*_as_postgres(), str(binaries / name), *options, *here], {}


def _as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []


def initialise_postgres(stack: Stack) -> None:
    """What the image's entry point does on an empty volume."""
    binaries = postgres_binaries()
    assert binaries is not None
    data, words = stack.folder / "postgres", stack.services["postgres"]["environment"]
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(data, "postgres", "postgres")
    password = stack.folder / "password"
    password.write_text(words["POSTGRES_PASSWORD"])
    password.chmod(0o644)
    options = ["-U", words["POSTGRES_USER"], "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync", "-E", "UTF8"]
    command = [*_as_postgres(), str(binaries / "initdb"), "-D", str(data), *options, "--locale=C"]
    subprocess.run(command, check=True, capture_output=True, cwd=data, timeout=60)
    single = [*_as_postgres(), str(binaries / "postgres"), "--single", "-D", str(data), "postgres"]
    statement = f"CREATE DATABASE {words['POSTGRES_DB']};\n".encode()
    subprocess.run(single, input=statement, check=True, capture_output=True, cwd=data, timeout=60)


def lacquer(stack: Stack, service: str, target: str, **more: str) -> Command:
    """A container of ours: its image's command, its environment, with this machine's addresses instead of names."""
    said = stack.services[service]
    _, *arguments = image_command(target) if "command" not in said else ["lacquer", *said["command"]]
    words = {name: _here(stack, value) for name, value in said["environment"].items()}
    arguments = [_here(stack, word) for word in arguments]
    if "--port" in arguments:
        arguments[arguments.index("--port") + 1] = str(stack.ports[service])
    return [sys.executable, "-m", "signaling.cli", *arguments], {**words, "PYTHONDONTWRITEBYTECODE": "1", **more}


def _here(stack: Stack, value: str) -> str:
    """The same on loopback."""
    for name, port in {"postgres": 5432, "redis": 6379, "worker-1": 8001}.items():
        value = value.replace(f"{name}:{port}", f"127.0.0.1:{stack.ports[name]}")
    return value.replace("0.0.0.0", "127.0.0.1")


def _signaling(service: str) -> Callable[[Stack], Command]:
    def command(stack: Stack) -> Command:
        more = {"LACQUER_PUBLIC_URL": stack.site, "LACQUER_DATA_DIR": str(stack.folder / "pictures")}
        return lacquer(stack, service, "signaling", **more)

    return command


def _worker(stack: Stack) -> Command:
    port = str(stack.ports["worker-1"])
    return lacquer(
        stack, "worker-1", "worker", LACQUER_WORKER_PORT=port, LACQUER_PUBLIC_IP="127.0.0.1", OMP_NUM_THREADS="1"
    )


def _caddy(stack: Stack) -> Command:
    said = stack.services["caddy"]
    command = [word.replace("/etc/caddy", str(DEPLOY)) for word in said["command"]]
    upstreams = " ".join(f"127.0.0.1:{stack.ports[name]}" for name in ("signaling-1", "signaling-2"))
    return command, {
        **said["environment"],
        "LACQUER_SITE": stack.site,  # `localhost`: the certificate is Caddy's own
        "LACQUER_UPSTREAMS": upstreams,
        "CADDY_ADMIN": f"localhost:{stack.ports['caddy-admin']}",
        "CADDY_GLOBAL_OPTIONS": f"skip_install_trust\nauto_https disable_redirects\nhttp_port {free_port()}",
        "XDG_DATA_HOME": str(stack.folder / "caddy"),
        "XDG_CONFIG_HOME": str(stack.folder / "caddy"),
    }


def _prometheus(stack: Stack) -> Command:
    """Names of Docker's DNS become addresses; asked every second, so that a test need not wait for long."""
    config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))
    config["global"] = dict.fromkeys(config["global"], "1s")
    config["rule_files"] = [str(DEPLOY / name) for name in config["rule_files"]]
    running = {"signaling": ["signaling-1", "signaling-2"], "worker": ["worker-1"]}
    for job in config["scrape_configs"]:
        names = running.get(job["job_name"], ["node-exporter" if job["job_name"] == "node" else "prometheus"])
        job.pop("dns_sd_configs", None)
        job["static_configs"] = [{"targets": [f"127.0.0.1:{stack.ports[name]}" for name in names]}]
    config["scrape_configs"].append(_pods_of_kubernetes(stack))
    (stack.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    here = {
        "/etc/prometheus/prometheus.yml": str(stack.folder / "prometheus.yml"),
        "=/prometheus": f"={stack.folder / 'prometheus'}",
        "0.0.0.0:9090": f"127.0.0.1:{stack.ports['prometheus']}",
    }
    return ["prometheus", *_replaced(stack.services["prometheus"]["command"], here)], {}


def _pods_of_kubernetes(stack: Stack) -> dict[str, Any]:
    """The job of the manifests, with what a cluster would tell of a worker's pod. Debian's Prometheus is built without
    Kubernetes; its relabelling is there."""
    file = DEPLOY / "kubernetes" / "components" / "prometheus" / "prometheus.yml"
    (job,) = yaml.safe_load(file.read_text("utf-8"))["scrape_configs"]
    del job["kubernetes_sd_configs"]
    told = {
        "pod_annotation_prometheus_io_scrape": "true",
        "pod_annotation_prometheus_io_port": str(stack.ports["worker-1"]),
        "pod_container_init": "false",
        "pod_container_port_protocol": "TCP",
        "pod_ip": "127.0.0.1",
        "pod_label_app_kubernetes_io_name": "worker",
        "pod_name": "worker-7c9",
        "pod_node_name": "node-a",
        "pod_phase": "Running",
        "namespace": "lacquer",
    }
    others: list[dict[str, str]] = [
        {"pod_annotation_prometheus_io_scrape": ""},
        {"pod_container_init": "true"},
        {"pod_container_port_protocol": "UDP"},
        {"pod_phase": "Succeeded"},
    ]
    job["static_configs"] = [
        {"targets": [f"10.0.0.{number}"], "labels": {f"__meta_kubernetes_{k}": v for k, v in (told | other).items()}}
        for number, other in enumerate([{}, *others])
    ]
    return dict(job)


def _node_exporter(stack: Stack) -> Command:
    here = {"0.0.0.0:9100": f"127.0.0.1:{stack.ports['node-exporter']}", "=/host": "=/"}
    return ["prometheus-node-exporter", *_replaced(stack.services["node-exporter"]["command"], here)], {}


def _coturn(stack: Stack) -> Command:
    here = {
        "/etc/coturn/turnserver.conf": str(DEPLOY / "turnserver.conf"),
        EXAMPLE["LACQUER_PUBLIC_IP"]: "127.0.0.1",
        "3478": str(stack.ports["coturn"]),
        "/tmp/": f"{stack.folder}/",
    }
    command = _replaced(stack.services["coturn"]["command"], here)
    return [*command, "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--userdb={stack.folder}/turndb"], {}


def _replaced(words: Sequence[str], here: Mapping[str, str]) -> list[str]:
    changed = list(words)
    for old, new in here.items():
        assert any(old in word for word in changed), f"{old} is in none of {words}"
        changed = [word.replace(old, new) for word in changed]
    return changed


COMMANDS = {
    "redis": _redis,
    "postgres": _postgres,
    "signaling-1": _signaling("signaling-1"),
    "signaling-2": _signaling("signaling-2"),
    "worker-1": _worker,
    "caddy": _caddy,
    "prometheus": _prometheus,
    "node-exporter": _node_exporter,
    "coturn": _coturn,
}
