"""Pages of other origins, as browsers ask for them."""

from __future__ import annotations

import base64

import pytest
from aiohttp import ClientSession
from pydantic import ValidationError

from signaling.settings import Settings
from tests.signaling.conftest import RESULTS, SESSIONS, Lacquer, Start, problem, refused
from tests.signaling.fake_worker import FakeWorker, picture

SHOP, OTHER = "https://shop.example", "https://other.example"
DESIGNS = "/api/try-on/designs/"
ALLOW, EXPOSE = "Access-Control-Allow-Origin", "Access-Control-Expose-Headers"
OFFER = {"Content-Type": "application/sdp"}


def preflight(origin: str, method: str) -> dict[str, str]:
    wanted = "authorization,content-type,if-match"
    return {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": wanted}


@pytest.mark.parametrize(
    "text",
    [f"{SHOP}, {OTHER}/", f'["{SHOP}", "{OTHER}"]', f" {SHOP.upper()},,{OTHER} "],
    ids=["commas", "json", "loose"],
)
def test_origins_are_a_list_however_it_is_written(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACQUER_ALLOWED_ORIGINS", text)
    assert Settings().allowed_origins == (SHOP, OTHER)


@pytest.mark.parametrize("text", ["shop.example", "https://shop.example/path", "null", "[1]", "[", "https://a b"])
def test_what_is_no_origin_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACQUER_ALLOWED_ORIGINS", text)
    with pytest.raises(ValidationError):
        Settings()


async def test_without_the_setting_no_other_page_is_let_in(lacquer: Lacquer) -> None:
    answer = await lacquer.client.get(DESIGNS, headers={"Origin": SHOP})
    assert answer.status == 200
    assert ALLOW not in answer.headers
    asked = await lacquer.client.options(SESSIONS, headers=preflight(SHOP, "POST"))
    document = await refused(asked, 403, "forbidden")
    assert "LACQUER_ALLOWED_ORIGINS" in document.detail and SHOP in document.detail
    assert ALLOW not in asked.headers


async def test_only_listed_origins_may_read(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, allowed_origins=(SHOP,))
    answer = await lacquer.client.get(DESIGNS, headers={"Origin": SHOP})
    assert answer.headers[ALLOW] == SHOP
    assert "Origin" in answer.headers.getall("Vary"), "beside what else it depends on"
    assert set(answer.headers[EXPOSE].split(", ")) == {
        *("Location", "ETag", "Link", "Retry-After", "RateLimit", "RateLimit-Policy")
    }
    for headers in ({"Origin": OTHER}, {"Origin": "null"}, {"Origin": "http://["}, {}):
        answer = await lacquer.client.get(DESIGNS, headers=headers)
        assert ALLOW not in answer.headers, headers
        assert "Origin" in answer.headers.getall("Vary"), headers
    await refused(await lacquer.client.options(DESIGNS, headers=preflight(OTHER, "GET")), 403, "forbidden")


async def test_a_star_lets_everybody_in_but_never_with_cookies(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, allowed_origins=("*",))
    for headers in ({"Origin": SHOP}, {"Origin": "null"}, {}):
        answer = await lacquer.client.get(DESIGNS, headers=headers)
        assert answer.headers[ALLOW] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    ("path", "method"),
    [
        (SESSIONS, "POST"),
        (f"{SESSIONS}some-id/", "DELETE"),
        (f"{SESSIONS}some-id/extend/", "POST"),
        (f"{SESSIONS}some-id/webrtc/", "POST"),
        (f"{SESSIONS}some-id/webrtc/some-peer/", "PATCH"),
        (f"{SESSIONS}some-id/webrtc/some-peer/", "DELETE"),
        (RESULTS, "POST"),
        ("/api/nowhere", "GET"),
    ],
)
async def test_every_path_answers_preflights(start: Start, worker: FakeWorker, path: str, method: str) -> None:
    lacquer = await start(worker, allowed_origins=(SHOP,))
    answer = await lacquer.client.options(path, headers=preflight(SHOP, method))
    assert (answer.status, answer.headers[ALLOW]) == (204, SHOP)
    assert method in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type, If-Match"
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


async def test_a_plain_options_request_is_whips(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, allowed_origins=(SHOP,))
    answer = await lacquer.client.options(f"{SESSIONS}some-id/webrtc/", headers={"Origin": SHOP})
    assert answer.headers["Accept-Post"] == "application/sdp"


async def test_refusals_are_readable(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, allowed_origins=(SHOP,))
    for path in ("/api/try-on/designs/999/", "/api/nowhere"):
        answer = await lacquer.client.get(path, headers={"Origin": SHOP})
        assert (await problem(answer)).status == 404
        assert answer.headers[ALLOW] == SHOP
    wrong = await lacquer.client.get(SESSIONS, headers={"Origin": SHOP, "Authorization": "Bearer wrong"})
    await refused(wrong, 401, "unauthorized")
    assert wrong.headers[ALLOW] == SHOP


async def test_a_visitor_without_cookies_goes_all_the_way(start: Start, worker: FakeWorker) -> None:
    """Create, connect, save, list, end: the session's token is all that a page elsewhere has."""
    lacquer = await start(worker, allowed_origins=(SHOP,))
    origin = {"Origin": SHOP}
    async with ClientSession(lacquer.client.make_url("/")) as page:  # a cookie jar that takes none for an IP address
        async with page.post(SESSIONS, json={"mode": "explore", "post_id": 1}, headers=origin) as created:
            session = await created.json()
        mine = origin | {"Authorization": f"Bearer {session['token']}"}
        async with page.post(session["webrtc_url"], data=b"v=0\r\n", headers=mine | OFFER) as answer:
            assert (answer.status, answer.headers[ALLOW]) == (201, SHOP)
        body = {"session_id": session["session_id"], "processed_image": base64.b64encode(picture()).decode()}
        async with page.post(RESULTS, json=body, headers=mine) as saved:
            assert saved.status == 201, await saved.text()
            result = await saved.json()
        async with page.get(RESULTS, headers=mine) as listed:
            assert [one["result_id"] for one in await listed.json()] == [result["result_id"]]
        async with page.delete(f"{SESSIONS}{session['session_id']}/", headers=mine) as ended:
            assert (ended.status, ended.headers[ALLOW]) == (204, SHOP)


async def test_modules_are_readable_everywhere_and_the_page_is_not(lacquer: Lacquer) -> None:
    for name in ("main.js", "style.css"):
        file = await lacquer.client.get(f"/static/{name}", headers={"Origin": OTHER})
        assert (file.headers[ALLOW], file.headers["Cross-Origin-Resource-Policy"]) == ("*", "cross-origin")
    for path in ("/", "/healthz", "/metrics"):
        assert ALLOW not in (await lacquer.client.get(path, headers={"Origin": OTHER})).headers


async def test_sockets_are_for_our_page_allowed_origins_and_programs(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, allowed_origins=(SHOP,))
    path = f"/ws/tryon/{(await lacquer.create())['session_id']}/"
    own = str(lacquer.client.make_url("")).rstrip("/")
    for headers in ({}, {"Origin": own}, {"Origin": SHOP}):
        async with lacquer.client.ws_connect(path, headers=headers) as socket:
            assert (await socket.receive_json())["type"] == "ready", headers
    async with lacquer.client.ws_connect(path, headers={"Origin": OTHER}) as socket:
        said = await socket.receive_json()
        assert (said["code"], said["fatal"]) == ("forbidden", True)
        assert "LACQUER_ALLOWED_ORIGINS" in said["message"]
        await socket.receive()
        assert socket.close_code == 4403


async def test_where_no_origin_is_named_old_clients_connect_from_any_page(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker)
    path = f"/ws/tryon/{(await lacquer.create())['session_id']}/"
    async with lacquer.client.ws_connect(path, headers={"Origin": OTHER}) as socket:
        assert (await socket.receive_json())["type"] == "ready"


# --- cookies ---------------------------------------------------------------------------------------------------------
FROM_ELSEWHERE: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://blog.shop.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
async def test_a_page_elsewhere_changes_nothing_with_our_cookie(lacquer: Lacquer, headers: dict[str, str]) -> None:
    created = await lacquer.create()
    here = f"{SESSIONS}{created['session_id']}/"
    for method, path in (("POST", SESSIONS), ("DELETE", here), ("POST", f"{here}extend/"), ("POST", RESULTS)):
        response = await lacquer.client.request(method, path, headers=headers)
        assert "cookie" in (await refused(response, 403, "forbidden")).detail
    assert (await lacquer.get(here))["status"] == "created"


async def test_a_proxys_password_does_not_let_a_page_elsewhere_act_with_the_cookie(lacquer: Lacquer) -> None:
    """Browsers send it with every request to the host, whichever page makes it."""
    await lacquer.create()
    headers = {"Sec-Fetch-Site": "same-site", "Authorization": "Basic YTpi"}
    response = await lacquer.client.delete(RESULTS, headers=headers)
    assert "cookie" in (await refused(response, 403, "forbidden")).detail


@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
async def test_with_a_token_or_without_cookies_it_may(lacquer: Lacquer, headers: dict[str, str]) -> None:
    created = await lacquer.create()
    token = {"Authorization": f"Bearer {created['token']}"}
    here = f"{SESSIONS}{created['session_id']}/"
    assert (await lacquer.client.post(f"{here}extend/", headers={**headers, **token})).status == 200
    async with lacquer.stranger() as elsewhere:
        assert (await elsewhere.delete(here, headers=headers)).status == 204, "by the session's id, and no cookie"


async def test_our_page_and_programs_act_with_the_cookie(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, public_url="https://nails.example")
    host = f"http://{lacquer.client.host}:{lacquer.client.port}"
    ours: list[dict[str, str]] = [
        {},
        {"Origin": host},
        {"Origin": "https://nails.example"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://as-a-proxy-did-not-say.example"},
    ]
    await lacquer.create()
    for headers in ours:
        await lacquer.create(headers=headers)


async def test_a_cookie_opens_no_socket_for_a_page_elsewhere(start: Start, worker: FakeWorker) -> None:
    """The session's id does: a page elsewhere is as much a stranger with the visitor's cookie as without."""
    lacquer = await start(worker)
    session_id = (await lacquer.create())["session_id"]
    headers = {"Origin": "https://evil.example"}
    async with lacquer.client.ws_connect("/ws/tryon/mine/", headers=headers) as socket:
        assert (await socket.receive_json())["code"] == "not_found"
    shop = await start(worker, allowed_origins=["https://shop.example"])
    async with shop.client.ws_connect(f"/ws/tryon/{session_id}/", headers=headers) as socket:
        assert (await socket.receive_json())["code"] == "forbidden"
