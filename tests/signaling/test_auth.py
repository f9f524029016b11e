"""Who owns what: cookies, bearer tokens, and what happens to wrong ones."""

from __future__ import annotations

import asyncio
import time
import warnings
from typing import Any

import jwt
import pytest

from protocol.errors import Unauthorized
from signaling.auth import COOKIE, HOST_COOKIE, TOKEN_MARGIN, Caller, Tokens
from tests.signaling.conftest import RESULTS, SECRET_KEY, SESSIONS, Lacquer, Start, refused
from tests.signaling.fake_worker import FakeWorker


def bearer(claims: dict[str, Any], key: str = SECRET_KEY, algorithm: str = "HS256") -> dict[str, str]:
    return {"Authorization": f"Bearer {jwt.encode(claims, key, algorithm)}"}


# --- tokens ---------------------------------------------------------------------------------------------------------
def test_each_token_reads_back_as_what_it_was_made_for() -> None:
    tokens = Tokens(SECRET_KEY)
    assert tokens.read_bearer(tokens.for_session("s1", "ann", time.time() + 60)) == Caller("ann", "s1")
    assert tokens.read_bearer(jwt.encode({"sub": "bob"}, SECRET_KEY, "HS256")) == Caller("bob", host=True)
    assert tokens.read_cookie(tokens.for_cookie("ann")) == Caller("ann")


def test_a_sessions_token_is_no_cookie() -> None:
    """Else it would open all of its owner's lists, and not its own session alone."""
    tokens = Tokens(SECRET_KEY)
    assert tokens.read_cookie(tokens.for_session("s1", "ann", time.time() + 60)) is None


def test_a_short_key_works_without_a_warning_for_each_token() -> None:
    with warnings.catch_warnings(action="error"):
        tokens = Tokens("short")
        assert tokens.read_cookie(tokens.for_cookie("ann")) == Caller("ann")
    with warnings.catch_warnings(action="ignore"):
        foreign = jwt.encode({"sub": "bob"}, "short", "HS256")  # as a host application signs with the same key
    assert tokens.read_bearer(foreign) == Caller("bob", host=True)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": 7},
        {"sub": "ann", "exp": time.time() - 60},
        {"sub": "ann", "nbf": time.time() + 36_000},
        {"sub": "ann", "aud": "another-service"},
        {"sub": "ann", "aud": "session"},
        {"sub": "ann", "aud": {"a": 1}},
        {"sub": "ann", "aud": ["session", "owner"]},
        {"sub": "a\0b"},
    ],
)
def test_wrong_claims_are_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        Tokens(SECRET_KEY).read_bearer(jwt.encode(claims, SECRET_KEY, "HS256"))


# --- over HTTP ------------------------------------------------------------------------------------------------------
async def test_the_cookie_is_for_the_browser_alone(lacquer: Lacquer) -> None:
    response = await lacquer.client.post(SESSIONS, json={"mode": "explore", "post_id": 1})
    cookie = response.cookies[COOKIE]
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"], cookie["secure"]) == ("Lax", "/", "")
    assert cookie["max-age"] == str(365 * 24 * 3600), "a year"
    again = await lacquer.client.get(SESSIONS)
    assert COOKIE not in again.cookies  # known by now


def seen(cookies: str) -> dict[str, str]:
    return {"Cookie": cookies}


async def test_over_https_no_other_host_can_set_the_cookie(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, public_url="https://nails.example")
    async with lacquer.stranger() as visitor:
        answer = await visitor.post(SESSIONS, json={"mode": "explore", "post_id": 1})
        cookie = answer.cookies[HOST_COOKIE]
        assert COOKIE not in answer.cookies
        assert (cookie["secure"], cookie["path"], cookie["domain"], cookie["httponly"]) == (True, "/", "", True)
    tokens = Tokens(SECRET_KEY)
    planted = f"{COOKIE}={tokens.for_cookie('mallory')}; {HOST_COOKIE}={cookie.value}"
    async with lacquer.stranger() as visitor:
        assert len(await (await visitor.get(SESSIONS, headers=seen(planted))).json()) == 1, "the visitor's own"


async def test_a_cookie_of_before_is_taken_over_under_the_better_name(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, public_url="https://nails.example")
    old = Tokens(SECRET_KEY).for_cookie("ann")
    async with lacquer.stranger() as visitor:
        created = await visitor.post(SESSIONS, json={"mode": "explore", "post_id": 1}, headers=seen(f"{COOKIE}={old}"))
        new = created.cookies[HOST_COOKIE].value
        listed = await visitor.get(SESSIONS, headers=seen(f"{HOST_COOKIE}={new}"))
        assert len(await listed.json()) == 1
        assert HOST_COOKIE not in listed.cookies


async def test_a_broken_cookie_is_just_replaced(lacquer: Lacquer) -> None:
    lacquer.client.session.cookie_jar.update_cookies({COOKIE: "old.or.forged"}, lacquer.client.make_url("/"))
    response = await lacquer.client.get(SESSIONS)
    assert (response.status, await response.json()) == (200, [])
    assert COOKIE in response.cookies


async def test_a_host_applications_user_sees_the_same_list_everywhere(lacquer: Lacquer) -> None:
    ann, bob = bearer({"sub": "ann"}), bearer({"sub": "bob"})
    mine = await lacquer.create(headers=ann)
    async with lacquer.stranger() as elsewhere:
        seen = await (await elsewhere.get(SESSIONS, headers=ann)).json()
        assert [session["session_id"] for session in seen] == [mine["session_id"]]
        assert await (await elsewhere.get(SESSIONS, headers=bob)).json() == []


async def test_a_sessions_token_shows_that_session_alone(lacquer: Lacquer) -> None:
    first, second = await lacquer.create(), await lacquer.create()
    async with lacquer.stranger() as elsewhere:
        headers = {"Authorization": f"Bearer {first['token']}"}
        seen = await (await elsewhere.get(SESSIONS, headers=headers)).json()
        assert [session["session_id"] for session in seen] == [first["session_id"]]
        assert await (await elsewhere.get(RESULTS, headers=headers)).json() == []
    assert len(await lacquer.get(SESSIONS)) == 2
    assert second["token"] != first["token"]


async def test_a_sessions_token_starts_nothing_in_its_owners_name(start: Start, worker: FakeWorker) -> None:
    """Who is handed it, OBS for one, can neither fill the owner's list nor use up what the owner may do."""
    worker.capacity = 8
    lacquer = await start(worker, rate_live_sessions=2, rate_sessions_per_owner=3)
    ann = bearer({"sub": "ann"})
    mine = await lacquer.create(headers=ann)
    shown = {"Authorization": f"Bearer {mine['token']}"}
    async with lacquer.stranger() as elsewhere:
        for _ in range(4):
            answer = await elsewhere.post(SESSIONS, json={"mode": "explore", "post_id": 1}, headers=shown)
            assert answer.status == 201
            assert not answer.cookies
            other = {"Authorization": f"Bearer {(await answer.json())['token']}"}
            assert len(await (await elsewhere.get(SESSIONS, headers=other)).json()) == 1
    assert len(await lacquer.get(SESSIONS, headers=ann)) == 1
    await lacquer.create(headers=ann)


def lasts_until(token: str, session_id: str, end: float) -> bool:
    claims = jwt.decode(token, SECRET_KEY, ["HS256"], audience="session")
    return bool(claims["sid"] == session_id and abs(claims["exp"] - end) < 2)


async def test_a_sessions_token_lives_as_long_as_the_session(lacquer: Lacquer) -> None:
    created = await lacquer.create()
    end = lacquer.clock.now + 1800 + TOKEN_MARGIN
    assert lasts_until(created["token"], created["session_id"], end)


async def test_extending_brings_a_new_token_to_the_owner_and_to_who_shows_the_old(lacquer: Lacquer) -> None:
    created, other = await lacquer.create(), await lacquer.create()
    extend = f"{SESSIONS}{created['session_id']}/extend/"
    lacquer.clock.advance(1200)
    end = lacquer.clock.now + 1800 + TOKEN_MARGIN
    by_cookie = await (await lacquer.client.post(extend)).json()
    assert lasts_until(by_cookie["token"], created["session_id"], end)
    async with lacquer.stranger() as elsewhere:
        shown = {"Authorization": f"Bearer {created['token']}"}
        assert (await (await elsewhere.post(extend, headers=shown)).json())["token"] is not None
    async with lacquer.stranger() as elsewhere:  # who knows the id alone, or another session of the same person
        answer = await elsewhere.post(extend)
        assert (await answer.json())["token"] is None
        assert COOKIE not in answer.cookies, "and stays a stranger"
        shown = {"Authorization": f"Bearer {other['token']}"}
        assert (await (await elsewhere.post(extend, headers=shown)).json())["token"] is None


async def test_where_it_is_not_open_sessions_are_for_the_host_applications_users(
    start: Start, worker: FakeWorker
) -> None:
    lacquer = await start(worker, open=False)
    design = {"mode": "explore", "post_id": 1}
    said = await refused(await lacquer.client.post(SESSIONS, json=design), 401, "unauthorized")
    assert "host application" in said.detail
    created = await lacquer.create(headers=bearer({"sub": "ann"}))
    ours = Tokens(SECRET_KEY)
    for token in (created["token"], ours.for_cookie("ann")):
        headers = {"Authorization": f"Bearer {token}"}
        await refused(await lacquer.client.post(SESSIONS, json=design, headers=headers), 401, "unauthorized")
    for method, path in (("GET", SESSIONS), ("GET", RESULTS), ("DELETE", RESULTS)):
        answer = await lacquer.client.request(method, path)
        await refused(answer, 401, "unauthorized")
        assert not answer.cookies, "nobody is made up"
    assert (await lacquer.get(f"{SESSIONS}{created['session_id']}/"))["status"] == "created"
    await (await lacquer.connect(created["session_id"])).close()


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer x",
        "bearer a.b.c",
        "Bearer " + jwt.encode({"sub": "ann"}, "another key that is long enough, too", "HS256"),
        "Bearer " + jwt.encode({"sub": "ann"}, SECRET_KEY * 2, "HS512"),
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.",
    ],
)
@pytest.mark.parametrize("path", [SESSIONS, "/api/try-on/designs/"])
async def test_an_invalid_bearer_is_401(lacquer: Lacquer, authorization: str, path: str) -> None:
    response = await lacquer.client.get(path, headers={"Authorization": authorization})
    await refused(response, 401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_other_schemes_are_a_proxys_business(lacquer: Lacquer) -> None:
    assert (await lacquer.client.get(SESSIONS, headers={"Authorization": "Basic YTpi"})).status == 200


async def raw_status(lacquer: Lacquer, method: str, path: str, header: bytes) -> int:
    """Of a request with a header that no client would send."""
    reader, writer = await asyncio.open_connection(lacquer.client.host, lacquer.client.port)
    writer.write(
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".encode() + header + b"\r\n\r\n"
    )
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ", 2)[1])


async def test_bytes_that_are_no_text_are_no_token(start: Start, worker: FakeWorker) -> None:
    """aiohttp hides them in surrogates, which no UTF-8 takes."""
    lacquer = await start(worker, admin_token="only the shop knows this")
    bearer = b"Authorization: Bearer \xff\xfe.\xff.\xff"
    assert await raw_status(lacquer, "GET", SESSIONS, bearer) == 401
    assert await raw_status(lacquer, "DELETE", "/api/try-on/designs/1/", bearer) == 401
    assert await raw_status(lacquer, "GET", SESSIONS, b"Cookie: lacquer_owner=\xff") == 200
