"""The manifests: built by kustomize, valid by Kubernetes' own schemas, and right about one another."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from media_worker.settings import WorkerSettings
from signaling import shell
from signaling.app import OPERATIONS
from signaling.settings import Settings
from tests.deploy.files import DEPLOY, dockerfile, env_names
from tests.deploy.programs import check
from tests.deploy.promql import metric_names
from tests.deploy.test_compose import known_variables

FOLDER = DEPLOY / "kubernetes"
OVERLAYS = ("small", "production")
VERSIONS = ("1.30", "1.34")
"""The oldest and the newest Kubernetes that the manifests are for."""

SECRETS = {
    "lacquer-signaling": "signaling-secrets.env.example",
    "lacquer-worker": "worker-secrets.env.example",
    "lacquer-stores": "store-secrets.env.example",
}
Manifest = dict[str, Any]


@cache
def build(overlay: str) -> tuple[Manifest, ...]:
    package = "kubectl (https://kubernetes.io/docs/tasks/tools/)"
    built = check("kubectl", package, "kustomize", FOLDER / "overlays" / overlay)
    return tuple(yaml.safe_load_all(built))


def of_kind(overlay: str, *kinds: str) -> Iterator[Manifest]:
    yield from (manifest for manifest in build(overlay) if manifest["kind"] in kinds)


def one(overlay: str, kind: str, name: str) -> Manifest:
    (found,) = [manifest for manifest in of_kind(overlay, kind) if manifest["metadata"]["name"] == name]
    return found


def workloads(overlay: str) -> Iterator[Manifest]:
    return of_kind(overlay, "Deployment", "StatefulSet")


def pod(manifest: Manifest) -> Manifest:
    spec: Manifest = manifest["spec"]["template"]["spec"]
    return spec


def containers(manifest: Manifest) -> list[Manifest]:
    return [*pod(manifest).get("initContainers", ()), *pod(manifest)["containers"]]


def environment(container: Manifest) -> dict[str, str | None]:
    return {entry["name"]: entry.get("value") for entry in container.get("env", ())}


def matches(selector: Manifest, manifest: Manifest) -> bool:
    labels = manifest["spec"]["template"]["metadata"]["labels"]
    return bool(selector["matchLabels"].items() <= labels.items())


overlays = pytest.mark.parametrize("overlay", OVERLAYS)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # It reads megabytes of definitions anew for each manifest.
    monkeypatch.setattr(kubernetes_validate.utils, "schema_contents", cache(kubernetes_validate.utils.schema_contents))
    manifests = [manifest for overlay in OVERLAYS for manifest in build(overlay)]
    assert len(manifests) > 40
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_the_schemas_do_refuse() -> None:
    manifest = yaml.safe_load((FOLDER / "overlays" / "small" / "pictures.yaml").read_text())
    manifest["spec"]["acessModes"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, VERSIONS[0], strict=True)


@overlays
def test_nothing_is_lost_between_parts(overlay: str) -> None:
    """A patch whose list does not merge drops ports or variables without a word."""
    worker = pod(one(overlay, "Deployment", "worker"))["containers"][0]
    assert {port["containerPort"] for port in worker["ports"] if port.get("protocol") == "TCP"} == {8001}
    assert {"POD_IP", "LACQUER_UDP_PORTS", "LACQUER_WORKER_ADVERTISE"} <= environment(worker).keys()
    names = list(environment(worker))
    assert names.index("POD_IP") < names.index("LACQUER_WORKER_ADVERTISE"), "$(POD_IP) is empty before it is defined"


# --- labels, ports, names ---------------------------------------------------------------------------------------------
@overlays
def test_selectors_find_their_pods(overlay: str) -> None:
    for manifest in workloads(overlay):
        assert matches(manifest["spec"]["selector"], manifest)
        for spread in pod(manifest).get("topologySpreadConstraints", ()):
            assert matches(spread["labelSelector"], manifest)
    for service in of_kind(overlay, "Service"):
        selector = {"matchLabels": service["spec"]["selector"]}
        (target,) = [manifest for manifest in workloads(overlay) if matches(selector, manifest)]
        named = {port.get("name") for container in containers(target) for port in container.get("ports", ())}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named
    for policy in of_kind(overlay, "NetworkPolicy", "PodDisruptionBudget"):
        selector = policy["spec"].get("podSelector") or policy["spec"].get("selector")
        if selector:
            assert any(matches(selector, manifest) for manifest in workloads(overlay)), policy["metadata"]["name"]


@overlays
def test_probes_ask_what_answers(overlay: str) -> None:
    paths = {operation.path for operation in OPERATIONS} | {"/health", "/-/healthy", "/-/ready"}
    for manifest in workloads(overlay):
        for container in pod(manifest)["containers"]:
            assert {"livenessProbe", "readinessProbe"} <= container.keys()
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                if http := container.get(kind, {}).get("httpGet"):
                    assert http["path"] in paths
                    assert http["port"] in {port.get("name") for port in container["ports"]}


@overlays
@pytest.mark.parametrize("name", ["signaling", "worker"])
def test_ports_are_those_of_the_image(overlay: str, name: str) -> None:
    exposed = dict(dockerfile()[name])["EXPOSE"].split()
    deployment = one(overlay, "Deployment", name)
    container = pod(deployment)["containers"][0]
    (tcp,) = [port["containerPort"] for port in container["ports"] if port.get("protocol", "TCP") == "TCP"]
    assert f"{tcp}/tcp" in exposed
    assert deployment["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"] == str(tcp)
    if "LACQUER_WORKER_PORT" in environment(container):
        assert environment(container)["LACQUER_WORKER_PORT"] == str(tcp)


@overlays
def test_settings_and_secrets_are_there_and_known(overlay: str) -> None:
    settings = env_names(FOLDER / "overlays" / overlay / "settings.env")
    (config,) = [c for c in of_kind(overlay, "ConfigMap") if c["metadata"]["name"].startswith("lacquer-settings-")]
    assert set(config["data"]) == set(settings)
    known = known_variables()
    assert set(settings) <= known
    for manifest in workloads(overlay):
        for container in containers(manifest):
            for source in container.get("envFrom", ()):
                if name := source.get("secretRef", {}).get("name"):
                    assert set(env_names(FOLDER / SECRETS[name])) <= known
                else:
                    assert source["configMapRef"]["name"] == config["metadata"]["name"]
            for entry in container.get("env", ()):
                if secret := entry.get("valueFrom", {}).get("secretKeyRef"):
                    assert secret["key"] in env_names(FOLDER / SECRETS[secret["name"]])
            ours = {name for name in environment(container) if name.startswith("LACQUER_")}
            assert ours <= known


@overlays
def test_settings_are_accepted(overlay: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (config,) = [c for c in of_kind(overlay, "ConfigMap") if c["metadata"]["name"].startswith("lacquer-settings-")]
    for name, value in config["data"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LACQUER_TURN_SECRET", "from the Secret lacquer-signaling")
    assert Settings().public_url == "https://nails.example"
    assert WorkerSettings().worker_capacity == 4


@overlays
def test_volumes_are_there(overlay: str) -> None:
    claims = {claim["metadata"]["name"] for claim in of_kind(overlay, "PersistentVolumeClaim")}
    for manifest in workloads(overlay):
        templates = {claim["metadata"]["name"] for claim in manifest["spec"].get("volumeClaimTemplates", ())}
        volumes = {volume["name"]: volume for volume in pod(manifest).get("volumes", ())}
        mounted = {mount["name"] for container in containers(manifest) for mount in container.get("volumeMounts", ())}
        assert mounted == volumes.keys() | templates
        for volume in volumes.values():
            if claim := volume.get("persistentVolumeClaim"):
                assert claim["claimName"] in claims


# --- hardening --------------------------------------------------------------------------------------------------------
@overlays
def test_every_container_is_restricted(overlay: str) -> None:
    for manifest in workloads(overlay):
        spec = pod(manifest)
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is (manifest["metadata"]["name"] == "prometheus")
        for container in containers(manifest):
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]
            assert re.search(r":v?\d+\.\d+", container["image"]), "images have versions"
    for name in ("signaling", "worker"):
        user = dict(dockerfile()[name])["USER"].split(":")
        context = pod(one(overlay, "Deployment", name))["securityContext"]
        assert [str(context["runAsUser"]), str(context["runAsGroup"])] == user


@overlays
def test_nobody_speaks_to_anybody_by_default(overlay: str) -> None:
    policy = one(overlay, "NetworkPolicy", "default-deny")["spec"]
    assert policy == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@overlays
def test_the_workers_api_is_for_signaling_and_prometheus(overlay: str) -> None:
    policy = one(overlay, "NetworkPolicy", "worker")["spec"]
    api = [rule for rule in policy["ingress"] if {"protocol": "TCP", "port": 8001} in rule["ports"]]
    (rule,) = api
    peers = {peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for peer in rule["from"]}
    assert peers == {"signaling", "prometheus"}
    (media,) = [rule for rule in policy["ingress"] if rule is not api[0]]
    assert "from" not in media
    (ports,) = media["ports"]
    udp = environment(pod(one(overlay, "Deployment", "worker"))["containers"][0])["LACQUER_UDP_PORTS"]
    assert udp is not None
    first, last = map(int, udp.split("-"))
    assert ports["protocol"] == "UDP" and ports["port"] <= first < last <= ports["endPort"]


@overlays
def test_metadata_services_are_out_of_reach(overlay: str) -> None:
    """They hand the node's credentials to whoever asks (169.254.169.254, fd00:ec2::254)."""
    for policy in of_kind(overlay, "NetworkPolicy"):
        for rule in policy["spec"].get("egress", ()):
            for block in (peer["ipBlock"] for peer in rule.get("to", ()) if "ipBlock" in peer):
                denied = [ipaddress.ip_network(net) for net in block["except"]]
                wanted = ["169.254.169.254"] if "." in block["cidr"] else ["fd00:ec2::254", "fe80::a9fe:a9fe"]
                for address in map(ipaddress.ip_address, wanted):
                    assert any(address in network for network in denied), policy["metadata"]["name"]


@overlays
def test_the_ingress_opens_what_is_public_and_nothing_else(overlay: str) -> None:
    (rule,) = one(overlay, "Ingress", "lacquer")["spec"]["rules"]
    exact = {path["path"] for path in rule["http"]["paths"] if path["pathType"] == "Exact"}
    prefixes = {path["path"] for path in rule["http"]["paths"] if path["pathType"] == "Prefix"}

    def is_open(path: str) -> bool:
        return path in exact or any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)

    internal = {operation.path for operation in OPERATIONS if operation.path.split("/")[1] in ("metrics", "admin")}
    assert internal
    for operation in OPERATIONS:
        assert is_open(operation.path) == (operation.path not in internal), operation.path
    for page in ("/", "/try-on/live", "/static/@1/main.js", f"/{shell.WORKER}"):
        assert is_open(page)
    assert not is_open("/admin/workers/w/drain")
    for path in rule["http"]["paths"]:
        backend = path["backend"]["service"]
        ports = one(overlay, "Service", backend["name"])["spec"]["ports"]
        assert backend["port"]["name"] in {port["name"] for port in ports}


# --- leaving, and how many --------------------------------------------------------------------------------------------
@overlays
def test_there_is_time_to_leave(overlay: str) -> None:
    spec = pod(one(overlay, "Deployment", "worker"))
    (container,) = spec["containers"]
    drain = float(environment(container)["LACQUER_DRAIN_SECONDS"] or 0)
    pause = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert spec["terminationGracePeriodSeconds"] >= drain + pause + 10
    spec = pod(one(overlay, "Deployment", "signaling"))
    pause = float(spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert spec["terminationGracePeriodSeconds"] >= pause + 10


@overlays
def test_tables_come_before_signaling(overlay: str) -> None:
    (migrate,) = pod(one(overlay, "Deployment", "signaling"))["initContainers"]
    assert migrate["args"] == ["db", "upgrade"]
    assert migrate["image"] == pod(one(overlay, "Deployment", "signaling"))["containers"][0]["image"]


@overlays
@pytest.mark.parametrize("name", ["signaling", "worker"])
def test_autoscaling_and_disruption_budgets_fit_together(overlay: str, name: str) -> None:
    scaler = one(overlay, "HorizontalPodAutoscaler", name)["spec"]
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    deployment = one(overlay, "Deployment", name)
    assert "replicas" not in deployment["spec"], "applying it would undo the autoscaler"
    assert 1 <= scaler["minReplicas"] <= scaler["maxReplicas"]
    assert scaler["minReplicas"] > 1 or overlay == "small"
    resource = scaler["metrics"][0]["resource"]["name"]
    assert all(resource in container["resources"]["requests"] for container in pod(deployment)["containers"])
    budget = one(overlay, "PodDisruptionBudget", name)["spec"]
    # Not minAvailable, which at that many replicas blocks every drain of a node.
    assert budget["maxUnavailable"] == 1 and "minAvailable" not in budget


def test_workers_that_share_a_nodes_ports_make_room_first() -> None:
    for overlay in OVERLAYS:
        worker = one(overlay, "Deployment", "worker")
        on_host = pod(worker).get("hostNetwork") or any(
            "hostPort" in port for port in pod(worker)["containers"][0]["ports"]
        )
        assert on_host
        assert worker["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 0}
        label = one(overlay, "Namespace", "lacquer")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        assert label == "privileged"


def test_the_slots_metric_is_asked_for_under_the_name_that_the_adapter_gives() -> None:
    values = yaml.safe_load((FOLDER / "components" / "slots-metric" / "prometheus-adapter-values.yaml").read_text())
    (rule,) = values["rules"]["external"]
    scaler = one("production", "HorizontalPodAutoscaler", "worker")["spec"]
    (external,) = [metric["external"] for metric in scaler["metrics"] if metric["type"] == "External"]
    assert external["metric"]["name"] == rule["name"]["as"]
    query = rule["metricsQuery"].replace("<<.LabelMatchers>>", "")
    assert metric_names(query) == {"lacquer_worker_load", "lacquer_worker_slots"}
    service = one("production", "Service", "prometheus")
    assert values["prometheus"]["url"] == f"http://prometheus.{service['metadata']['namespace']}.svc"
    assert values["prometheus"]["port"] == service["spec"]["ports"][0]["port"]


def test_prometheus_may_see_pods_and_nothing_else() -> None:
    role = one("production", "Role", "prometheus")
    assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]
    config = yaml.safe_load((FOLDER / "components" / "prometheus" / "prometheus.yml").read_text())
    mounts = {
        m["mountPath"] for m in pod(one("production", "Deployment", "prometheus"))["containers"][0]["volumeMounts"]
    }
    assert str(Path(config["rule_files"][0]).parent) in mounts


def test_examples_hold_no_secret() -> None:
    for name in SECRETS.values():
        for line in (FOLDER / name).read_text("utf-8").splitlines():
            if "=" in line and not line.startswith("#"):
                assert line.endswith("=") or "PASSWORD@" in line
