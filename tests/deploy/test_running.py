"""The services of compose.yaml for real, from Debian's packages and with the deployment's own files (`stack.py`).

Grafana is in no Debian: test_grafana.py checks its files, and its queries are asked of the real Prometheus here.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from aiohttp import ClientSession
from PIL import Image
from websockets.sync.client import connect

from protocol import limits
from protocol.framing import pack, unpack
from tests.deploy.files import DEPLOY, EXAMPLE
from tests.deploy.promql import dashboard_expressions, metric_names, rule_expressions
from tests.deploy.stack import Stack, missing, running
from tests.rtc_client import RtcClient

pytestmark = [
    pytest.mark.media,
    pytest.mark.long,
    pytest.mark.skipif(bool(missing()), reason=f"needs the Debian packages {' '.join(missing())}"),
]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running() as up:
        yield up


def ask(stack: Stack, url: str, **request: Any) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body, whatever the status."""
    if url.startswith("/"):
        url = stack.site + url
    secure = stack.trust() if url.startswith("https") else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, **request), timeout=20, context=secure) as response:
            return response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def create_session(stack: Stack) -> dict[str, Any]:
    status, _, body = ask(
        stack,
        "/api/try-on/sessions/",
        data=json.dumps({"mode": "explore", "post_id": 1}).encode(),
        headers={"Content-Type": "application/json"},
    )
    assert status == 201, body
    created: dict[str, Any] = json.loads(body)
    return created


def frame(number: int) -> bytes:
    image = io.BytesIO()
    Image.new("RGB", (320, 240), (90, 60, 50)).save(image, "JPEG")
    payload = image.getvalue()
    return pack({"type": "frame", "frame_number": number, "timestamp": 0, "image_size": len(payload)}, payload)


def stream(stack: Stack, session_id: str, frames: int) -> list[int]:
    """A client of the binary protocol, through Caddy: numbers of the frames that came back processed."""
    back: list[int] = []
    url = f"{stack.site.replace('https', 'wss')}/ws/tryon/{session_id}/"
    with connect(url, ssl=stack.trust(), max_size=None) as socket:
        assert json.loads(socket.recv(timeout=20))["type"] == "ready"
        for number in range(frames):
            socket.send(frame(number))
            while isinstance(message := socket.recv(timeout=20), str):
                assert json.loads(message)["type"] != "error", message
            header, _ = unpack(message)
            assert header["type"] == "processed_frame"
            back.append(header["frame_number"])
    return back


def test_the_page_comes_with_tls(stack: Stack) -> None:
    status, headers, body = ask(stack, "/")
    assert status == 200
    assert b"Lacquer" in body
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Content-Security-Policy" in headers  # signaling's own pass
    assert "Server" not in headers or "Caddy" not in headers["Server"]


def test_a_session_streams_through_all_of_it(stack: Stack) -> None:
    created = create_session(stack)
    assert created["webrtc_url"].startswith(f"{stack.site}/")
    assert created["ws_url"] == f"{stack.site.replace('https', 'wss')}/ws/tryon/{created['session_id']}/"
    assert stream(stack, created["session_id"], 3) == [0, 1, 2]


async def test_video_comes_back_through_webrtc(stack: Stack) -> None:
    """The SDP exchange through Caddy, media straight from the worker, at the ports that compose.yaml gives it."""
    created = await asyncio.to_thread(create_session, stack)
    answers: list[str] = []

    async def offer(sdp: str) -> str:
        headers = {"Content-Type": "application/sdp"}
        async with http.post(created["webrtc_url"], data=sdp, headers=headers, ssl=stack.trust()) as response:
            answers.append(await response.text())
            assert response.status == 201, answers
            return answers[-1]

    picture = np.full((240, 320, 3), 120, np.uint8)
    async with ClientSession() as http, RtcClient([picture], codec="VP8") as client:
        await client.connect(offer)
        await client.until(lambda: client.pictures, seconds=20)
    ports = {int(port) for port in re.findall(r"^a=candidate:\S+ 1 udp \d+ \S+ (\d+) typ host", answers[0], re.M)}
    assert ports
    first, last = map(int, stack.services["worker-1"]["environment"]["LACQUER_UDP_PORTS"].split("-"))
    assert all(first <= port <= last for port in ports)


def test_sessions_lie_in_postgres_where_both_replicas_see_them(stack: Stack) -> None:
    session_id = create_session(stack)["session_id"]
    for replica in ("signaling-1", "signaling-2"):
        status, _, body = ask(stack, f"{stack.url(replica)}/api/try-on/sessions/{session_id}/")
        assert (status, json.loads(body)["session_id"]) == (200, session_id)
    assert not list((stack.folder / "pictures").glob("*.db"))


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/admin", "/admin/workers/worker-1/drain", "/METRICS"])
def test_what_is_internal_is_hidden_from_outside(stack: Stack, path: str) -> None:
    status, _, body = ask(stack, path)
    assert (status, body) == (404, b"") or (path.isupper() and b"lacquer_" not in body)


def test_signaling_itself_tells_prometheus(stack: Stack) -> None:
    status, _, body = ask(stack, f"{stack.url('signaling-1')}/metrics")
    assert status == 200
    assert b"lacquer_worker_up" in body


def test_the_worker_wants_its_secret(stack: Stack) -> None:
    assert ask(stack, f"{stack.url('worker-1')}/internal/sessions")[0] == 401
    secret = {"Authorization": f"Bearer {EXAMPLE['LACQUER_WORKER_SECRET']}"}
    assert ask(stack, f"{stack.url('worker-1')}/internal/sessions", headers=secret)[0] == 200


def test_two_pictures_of_the_largest_size_pass_the_proxy(stack: Stack) -> None:
    """Signaling itself answers, and of the pictures rather than of their size."""
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="a.jpg"\r\n\r\n'.encode()
        + bytes(limits.MAX_UPLOAD_SIZE)
        for name in ("nail_reference_image", "source_image")
    ]
    mode = b'--x\r\nContent-Disposition: form-data; name="mode"\r\n\r\nupload'
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    body = b"\r\n".join([mode, *parts, b"--x--\r\n"])
    status, _, answer = ask(stack, "/api/try-on/sessions/", data=body, headers=kind)
    assert (status, json.loads(answer)["code"]) == (422, "bad_image")


def test_a_backup_restores(stack: Stack) -> None:
    """With the options that README.md gives, into an empty database."""
    text = (DEPLOY / "README.md").read_text("utf-8")
    dump, restore = (command.split() for command in re.findall(r"exec -T postgres (pg_\w+ .*?) ?[<>]", text))
    session_id = create_session(stack)["session_id"]
    environment = {**os.environ, "PGPASSWORD": EXAMPLE["POSTGRES_PASSWORD"]}
    here = ["-h", "127.0.0.1", "-p", str(stack.ports["postgres"])]

    def run(*command: str, input: bytes = b"") -> bytes:
        done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=30, input=input)
        assert done.returncode == 0, done.stderr
        return done.stdout

    saved = run(dump[0], *here, *dump[1:])
    run("createdb", *here, "-U", "lacquer", "restored")
    assert restore[-2:] == ["-d", "lacquer"]
    run(restore[0], *here, *restore[1:-1], "restored", input=saved)
    query = f"select count(*) from sessions where id = '{session_id}'"
    assert run("psql", *here, "-U", "lacquer", "-d", "restored", "-Atc", query).strip() == b"1"


def test_a_replica_is_replaced_without_anybody_noticing(stack: Stack) -> None:
    """`docker compose up -d --no-deps signaling-1`: it goes, it comes back, and every request is answered."""
    stack.stop("signaling-1")
    assert [ask(stack, "/healthz")[0] for _ in range(20)] == [200] * 20
    stack.start("signaling-1")
    stack.wait("signaling-1")
    assert stream(stack, create_session(stack)["session_id"], 1) == [0]


# --- what Prometheus knows --------------------------------------------------------------------------------------------
def prometheus(stack: Stack, path: str) -> Any:
    status, _, body = ask(stack, f"{stack.url('prometheus')}/api/v1/{path}")
    assert status == 200, body
    return json.loads(body)["data"]


def until(stack: Stack, path: str, condition: Any) -> Any:
    """The answer that fulfils the condition; Prometheus asks every second."""
    deadline = time.monotonic() + 15
    while not condition(answer := prometheus(stack, path)):
        assert time.monotonic() < deadline, answer
        time.sleep(0.2)
    return answer


def test_every_target_is_up(stack: Stack) -> None:
    def all_up(answer: Any) -> bool:
        targets = answer["activeTargets"]  # none yet, just after its start
        return len(targets) >= 6 and all(target["health"] == "up" for target in targets)

    targets = until(stack, "targets?state=active", all_up)["activeTargets"]
    found = sorted(target["labels"]["job"] for target in targets if target["scrapePool"] != "pods")
    assert found == ["node", "prometheus", "signaling", "signaling", "worker"]
    (pod,) = [target for target in targets if target["scrapePool"] == "pods"]
    assert pod["scrapeUrl"] == f"{stack.url('worker-1')}/metrics"
    labels = {"job": "worker", "instance": "worker-7c9", "namespace": "lacquer", "node": "node-a"}
    assert pod["labels"] == labels


def test_every_rule_is_evaluated(stack: Stack) -> None:
    def evaluated(answer: Any) -> bool:
        groups = answer["groups"]
        return bool(groups) and all(rule["health"] == "ok" for group in groups for rule in group["rules"])

    groups = until(stack, "rules", evaluated)["groups"]
    assert sorted(rule["name"] for group in groups for rule in group["rules"]) == sorted(
        n for n, _ in rule_expressions()
    )


def test_every_metric_asked_for_exists(stack: Stack) -> None:
    """By their type, that is: of counters with labels there may be none as long as nothing happened."""
    recorded = {name for name, _ in rule_expressions()}
    expressions = [*dashboard_expressions(), *rule_expressions()]
    until(stack, "metadata", lambda known: "lacquer_frames_in_total" in known and "lacquer_sessions" in known)
    known = prometheus(stack, "metadata")
    for where, expression in expressions:
        prometheus(stack, f"query?query={quote(expression)}")
        names = metric_names(expression)
        assert names, f"{where} asks for nothing"
        families = {name.removesuffix("_bucket") for name in names - recorded - {"up", "ALERTS"}}
        assert families <= known.keys(), f"{where} asks for what nobody exports: {families - known.keys()}"


@pytest.mark.parametrize(
    "name", ["Frames returned", "Time by stage, p95", "Slots used", "Workers", "Requests, by status"]
)
def test_panels_show_something(stack: Stack, name: str) -> None:
    if not prometheus(stack, "query?query=lacquer_frames_out_total")["result"]:
        stream(stack, create_session(stack)["session_id"], 2)
    expressions = [expression for title, expression in dashboard_expressions() if title == name]
    assert expressions
    if name == "Frames returned":  # a rate, over more frames a second than this test sends: its parts are there
        expressions = ["lacquer_frames_in_total", "lacquer_frames_out_total"]
    for expression in expressions:
        until(stack, f"query?query={quote(expression)}", lambda answer: bool(answer["result"]))
