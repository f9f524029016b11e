from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from protocol.turn_credentials import credentials
from signaling.settings import CLOCK_DIFFERENCE, Settings
from tests.signaling.conftest import SESSIONS, Lacquer, Start, refused
from tests.signaling.fake_worker import FakeWorker
from tests.signaling.test_auth import bearer

OFFER = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n"
SECRET = "a secret that coturn knows, too"
STUN = "stun:stun.example.org"
WAYS = ["turn:turn.example.org", "turn:turn.example.org?transport=tcp", "turns:turn.example.org:443"]
SETTINGS: dict[str, Any] = {"stun_urls": STUN, "turn_urls": ", ".join(WAYS), "turn_secret": SECRET}


async def offered(lacquer: Lacquer, session_id: str) -> list[str]:
    async with lacquer.client.post(
        f"{SESSIONS}{session_id}/webrtc/", data=OFFER, headers={"Content-Type": "application/sdp"}
    ) as response:
        assert response.status == 201
        return response.headers.getall("Link", [])


def expected(session_id: str, now: float, lifetime: float) -> list[dict[str, Any]]:
    username, credential = credentials(SECRET, session_id, now + lifetime)
    return [{"urls": [STUN]}, {"urls": WAYS, "username": username, "credential": credential}]


async def test_a_session_gets_credentials_that_outlast_it(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, **SETTINGS, session_lifetime=600)
    made = await lacquer.create()
    session_id = made["session_id"]
    assert made["ice_servers"] == expected(session_id, lacquer.clock.now, 600 + CLOCK_DIFFERENCE)

    lacquer.clock.advance(500)
    async with lacquer.client.post(f"{SESSIONS}{session_id}/extend/") as response:
        extended = await response.json()
    assert extended["ice_servers"] == expected(session_id, lacquer.clock.now, 600 + CLOCK_DIFFERENCE), "new ones"


async def test_everybody_may_ask_and_nobody_may_keep_the_answer(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, **SETTINGS, turn_lifetime=60)
    path, made = "/api/try-on/ice-servers/", await lacquer.create()
    of_session = await lacquer.get(path, headers={"Authorization": f"Bearer {made['token']}"})
    assert of_session == expected(made["session_id"], lacquer.clock.now, 60)
    async with lacquer.client.get(path) as response:
        assert response.headers["Cache-Control"] == "no-store"
        _stun, relay = await response.json()
    expiry, somebody = relay["username"].split(":")
    assert int(expiry) == int(lacquer.clock.now + 60)
    assert (relay["username"], relay["credential"]) == credentials(SECRET, somebody, int(expiry))


async def test_a_closed_server_relays_for_its_users_alone(start: Start, worker: FakeWorker) -> None:
    """Else whoever asks may send anything through the operator's relay."""
    lacquer = await start(worker, **SETTINGS, open=False)
    path, ann = "/api/try-on/ice-servers/", bearer({"sub": "ann"})
    await refused(await lacquer.client.get(path), 401, "unauthorized")
    assert len(await lacquer.get(path, headers=ann)) == 2
    made = await lacquer.create(headers=ann)
    assert len(await lacquer.get(path, headers={"Authorization": f"Bearer {made['token']}"})) == 2


@pytest.mark.parametrize("how", ["ended", "expired"])
async def test_a_session_that_is_over_opens_no_relay(start: Start, worker: FakeWorker, how: str) -> None:
    lacquer = await start(worker, **SETTINGS)
    here = f"{SESSIONS}{(await lacquer.create())['session_id']}/"
    assert len((await lacquer.get(here))["ice_servers"]) == 2
    if how == "ended":
        await lacquer.client.delete(here)
    else:
        lacquer.clock.advance(1801)
    shown = await lacquer.get(here)
    assert (shown["status"], shown["ice_servers"]) == (how, [])
    async with lacquer.client.options(f"{here}webrtc/") as response:
        assert "Link" not in response.headers


async def test_an_answer_links_to_all_servers(start: Start, worker: FakeWorker) -> None:
    static = {"urls": ["turn:old.example.org"], "username": 'a"b', "credential": "c\\d"}
    lacquer = await start(worker, **SETTINGS, turn_lifetime=60, ice_servers=[static])
    session_id = (await lacquer.create())["session_id"]
    username, credential = credentials(SECRET, session_id, lacquer.clock.now + 60)
    secret = f'username="{username}"; credential="{credential}"; credential-type="password"'
    assert await offered(lacquer, session_id) == [
        '<turn:old.example.org>; rel="ice-server"; username="a\\"b"; credential="c\\\\d"; credential-type="password"',
        f'<{STUN}>; rel="ice-server"',
        *(f'<{way}>; rel="ice-server"; {secret}' for way in WAYS),
    ]


async def test_without_servers_there_are_no_links(lacquer: Lacquer) -> None:
    made = await lacquer.create()
    assert made["ice_servers"] == []
    assert await offered(lacquer, made["session_id"]) == []


@pytest.mark.parametrize(
    ("changes", "where", "reason"),
    [
        ({"turn_secret": None}, "turn_secret", "needs the server's shared secret"),
        ({"turn_secret": "short"}, "turn_secret", "at least 16"),
        ({"turn_urls": "stun:turn.example.org"}, "turn_urls", "write turn or turns"),
        ({"stun_urls": "stun.example.org"}, "stun_urls", "write stun or stuns"),
        ({"turn_lifetime": 5}, "turn_lifetime", "60"),
    ],
)
def test_wrong_settings_are_told_plainly(changes: dict[str, Any], where: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason) as told:
        Settings(**{**SETTINGS, **changes})
    assert told.value.errors()[0]["loc"] == (where,)
    assert SECRET not in repr(Settings(**SETTINGS))
