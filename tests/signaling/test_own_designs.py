"""A shop's own designs over REST, and how workers learn of them."""

from __future__ import annotations

import io
from typing import Any

import aiohttp
import pytest
from PIL import Image

from protocol.designs import Finger, Finish
from protocol.errors import AtCapacity
from protocol.internal import catalogue_version
from signaling import collection
from tests.nail_sets import nail_set
from tests.signaling.conftest import SESSIONS, Lacquer, Start, refused
from tests.signaling.fake_worker import FakeWorker, picture

DESIGNS = "/api/try-on/designs/"
TOKEN = "only the shop knows this"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}
NIGHT = {"name": "Night sky", "pattern": "french", "finish": "shimmer", "colours": ["#101840", "#C0C8E0"]}


@pytest.fixture
async def shop(start: Start, worker: FakeWorker) -> Lacquer:
    return await start(worker, admin_token=TOKEN)


def photo(name: str = "Rose gold", image: bytes | None = None, **fields: str) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    for field, value in {"name": name, **fields}.items():
        form.add_field(field, value)
    form.add_field("image", image or picture(), filename="manicure.jpg", content_type="image/jpeg")
    return form


async def added(shop: Lacquer, body: dict[str, Any] | aiohttp.FormData) -> dict[str, Any]:
    options: dict[str, Any] = {"json": body} if isinstance(body, dict) else {"data": body}
    async with shop.client.post(DESIGNS, headers=ADMIN, **options) as response:
        assert response.status == 201, await response.text()
        design: dict[str, Any] = await response.json()
        assert response.headers["Location"].endswith(f"{DESIGNS}{design['id']}/")
        return design


# --- adding ---------------------------------------------------------------------------------------------------------
async def test_a_design_in_colours_is_listed_and_worn_by_its_id(shop: Lacquer, worker: FakeWorker) -> None:
    design = await added(shop, NIGHT)
    assert (design["id"], design["own"], design["family"]) == (100000, True, "Own designs")
    assert {name: design[name] for name in NIGHT} == NIGHT
    assert (await shop.get(DESIGNS))[-1] == design == await shop.get(f"{DESIGNS}100000/")
    assert not (await shop.get(f"{DESIGNS}1/"))["own"]
    created = await shop.create(post_id=100000)
    assert created["design"] == design
    socket = await shop.connect(created["session_id"])
    assert worker.sessions[created["session_id"]].spec.design_id == 100000
    await socket.close()


async def test_a_design_from_a_photo_has_its_nails(shop: Lacquer, worker: FakeWorker) -> None:
    worker.shows = nail_set("#B3001B", "#1F3FBF").model_copy(update={"finish": Finish.MATTE})
    design = await added(shop, photo(image=picture(2000, 1500), length="long"))
    assert (design["name"], design["pattern"], design["finish"], design["length"]) == (
        "Rose gold",
        None,
        "matte",
        "long",
    )
    assert design["colours"] == ["#B3001B", "#1F3FBF"]
    assert design["nail_set"]["fingers"] == {"thumb": 0, "index": 1, "middle": 1, "ring": 1, "pinky": 1}
    nail = await shop.follow(design["nail_set"]["nails"][1]["image_url"])
    assert (nail.body, nail.content_type) == (worker.shows.nails[1].image, "image/png")
    assert max(Image.open(io.BytesIO(worker.pictures[0])).size) == 1280
    assert (await shop.get(DESIGNS))[-1] == {**design, "nail_set": None}, "lists stay short"
    assert worker.designs[100000].nail_set == worker.shows


async def test_the_fields_of_a_form_go_before_what_the_photo_shows(shop: Lacquer) -> None:
    design = await added(shop, photo(finish="chrome", family="Autumn"))
    assert (design["finish"], design["family"]) == ("chrome", "Autumn")


async def test_ids_are_never_given_twice(start: Start, worker: FakeWorker) -> None:
    shop = await start(worker, admin_token=TOKEN)
    assert [(await added(shop, NIGHT))["id"] for _ in range(3)] == [100000, 100001, 100002]
    assert (await shop.client.delete(f"{DESIGNS}100002/", headers=ADMIN)).status == 204
    again = await start(worker, admin_token=TOKEN)
    assert [entry["id"] for entry in await again.get(DESIGNS) if entry["own"]] == [100000, 100001]
    assert (await added(again, NIGHT))["id"] == 100003


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "x"}, 422, "invalid_fields"),
        ({**NIGHT, "colours": ["red"]}, 422, "invalid_fields"),
        ({**NIGHT, "colours": []}, 422, "invalid_fields"),
        ({**NIGHT, "finish": "furry"}, 422, "invalid_fields"),
        ({**NIGHT, "name": ""}, 422, "invalid_fields"),
        ({**NIGHT, "name": "x" * 500}, 422, "invalid_fields"),
        ({**NIGHT, "id": 5}, 422, "invalid_fields"),
        (photo(image=b"no picture"), 422, "bad_image"),
        (photo(finish="furry"), 422, "invalid_fields"),
        (photo(name=""), 422, "invalid_fields"),
        (photo(name="x" * 500), 422, "invalid_fields"),
        (photo(finsh="matte"), 422, "invalid_fields"),
        ({**NIGHT, "name": "Night\nsky"}, 422, "invalid_fields"),
        (aiohttp.FormData({"name": "x"}, default_to_multipart=True), 422, "invalid_fields"),
        (aiohttp.FormData({"name": "x"}), 415, "unsupported_media_type"),
    ],
)
async def test_wrong_designs_are_refused(shop: Lacquer, worker: FakeWorker, body: Any, status: int, code: str) -> None:
    options = {"json": body} if isinstance(body, dict) else {"data": body}
    await refused(await shop.client.post(DESIGNS, headers=ADMIN, **options), status, code)
    assert not [entry for entry in await shop.get(DESIGNS) if entry["own"]]
    assert not worker.pictures, "no worker looks at a photo in vain"


async def test_there_is_room_for_so_many(shop: Lacquer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "MAX_DESIGNS", 2)
    await added(shop, NIGHT)
    await added(shop, NIGHT)
    told = await refused(await shop.client.post(DESIGNS, headers=ADMIN, json=NIGHT), 422, "invalid_fields")
    assert told.detail == "2 own designs are kept at most; remove one first"
    assert (await shop.client.patch(f"{DESIGNS}100000/", headers=ADMIN, json={"name": "New"})).status == 200


# --- who may --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("headers", [{}, ADMIN, {"Authorization": "Bearer guess"}])
async def test_without_the_setting_nobody_may(lacquer: Lacquer, headers: dict[str, str]) -> None:
    for method, path in [("POST", DESIGNS), ("PATCH", f"{DESIGNS}1/"), ("DELETE", f"{DESIGNS}1/")]:
        response = await lacquer.client.request(method, path, json=NIGHT, headers=headers)
        told = await refused(response, 403, "forbidden")
        assert "LACQUER_ADMIN_TOKEN" in told.detail


async def test_others_may_not(shop: Lacquer) -> None:
    token = (await shop.create())["token"]
    for headers in ({}, {"Authorization": f"Bearer {token}"}, {"Authorization": f"Basic {TOKEN}"}):
        response = await shop.client.post(DESIGNS, json=NIGHT, headers=headers)
        await refused(response, 401, "unauthorized")
    # It is no key to anything else.
    await refused(await shop.client.get(SESSIONS, headers=ADMIN), 401, "unauthorized")


async def test_the_built_in_catalogue_stays_as_it_is(shop: Lacquer) -> None:
    await refused(await shop.client.delete(f"{DESIGNS}1/", headers=ADMIN), 403, "forbidden")
    await refused(await shop.client.patch(f"{DESIGNS}1/", headers=ADMIN, json={"name": "x"}), 403, "forbidden")
    await refused(await shop.client.delete(f"{DESIGNS}100000/", headers=ADMIN), 404, "unknown_design")


# --- changing -------------------------------------------------------------------------------------------------------
async def test_a_change_leaves_the_rest_as_it_was(shop: Lacquer, worker: FakeWorker) -> None:
    before = await added(shop, photo())
    change = {"name": "Rose, matte", "finish": "matte", "nails": {"ring": 0}}
    after = await (await shop.client.patch(f"{DESIGNS}100000/", headers=ADMIN, json=change)).json()
    assert (after["name"], after["finish"], after["family"]) == ("Rose, matte", "matte", before["family"])
    assert after["nail_set"]["fingers"] == {**before["nail_set"]["fingers"], "ring": 0}
    held = worker.designs[100000]
    assert (held.design.name, held.nail_set and held.nail_set.fingers[Finger.RING]) == ("Rose, matte", 0)


async def test_a_set_that_is_worn_no_more_is_deleted(shop: Lacquer) -> None:
    await added(shop, photo())
    first = shop.context.collection.own(100000)
    await shop.client.patch(f"{DESIGNS}100000/", headers=ADMIN, json={"nails": {"ring": 0}})
    second = shop.context.collection.own(100000)
    assert first and second and first.nail_set and second.nail_set
    with pytest.raises(Exception, match="gone"):
        await shop.context.blobs.get(first.nail_set)
    await shop.client.delete(f"{DESIGNS}100000/", headers=ADMIN)
    with pytest.raises(Exception, match="gone"):
        await shop.context.blobs.get(second.nail_set)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"nails": {"ring": 5}}, 404, "unknown_nail"),
        ({"nails": {"toe": 0}}, 422, "invalid_fields"),
        ({"nails": {"ring": -1}}, 422, "invalid_fields"),
        ({"name": ""}, 422, "invalid_fields"),
        ({"colour": "#000000"}, 422, "invalid_fields"),
    ],
)
async def test_wrong_changes_change_nothing(shop: Lacquer, change: dict[str, Any], status: int, code: str) -> None:
    before = await added(shop, photo())
    await refused(await shop.client.patch(f"{DESIGNS}100000/", headers=ADMIN, json=change), status, code)
    assert await shop.get(f"{DESIGNS}100000/") == before


async def test_designs_in_colours_have_no_nails(shop: Lacquer) -> None:
    await added(shop, NIGHT)
    response = await shop.client.patch(f"{DESIGNS}100000/", headers=ADMIN, json={"nails": {"ring": 0}})
    await refused(response, 404, "unknown_nail")
    await refused(await shop.client.get(f"{DESIGNS}100000/nails/0"), 404, "unknown_nail")
    await refused(await shop.client.get(f"{DESIGNS}1/nails/0"), 404, "unknown_nail")


async def test_a_removed_design_is_gone_but_not_from_results(shop: Lacquer) -> None:
    await added(shop, NIGHT)
    created = await shop.create(post_id=100000)
    form = aiohttp.FormData({"session_id": created["session_id"]}, default_to_multipart=True)
    form.add_field("processed_image", picture(), filename="snap.jpg")
    await shop.client.post("/api/try-on/results/", data=form)
    assert (await shop.client.delete(f"{DESIGNS}100000/", headers=ADMIN)).status == 204
    await refused(await shop.client.get(f"{DESIGNS}100000/"), 404, "unknown_design")
    (result,) = await shop.get("/api/try-on/results/")
    assert (result["design"]["id"], result["design"]["family"]) == (100000, "retired")
    assert (await shop.get(f"{SESSIONS}{created['session_id']}/"))["design"]["family"] == "retired"


# --- workers --------------------------------------------------------------------------------------------------------
async def test_every_live_worker_hears_of_a_change_at_once(start: Start) -> None:
    async with FakeWorker() as one, FakeWorker() as two:
        shop = await start(one, two, admin_token=TOKEN)
        await added(shop, NIGHT)
        assert [list(worker.designs) for worker in (one, two)] == [[100000], [100000]]
        await shop.client.delete(f"{DESIGNS}100000/", headers=ADMIN)
        assert (one.designs, two.designs) == ({}, {})


async def test_a_worker_that_starts_anew_is_told_before_it_is_used(shop: Lacquer, worker: FakeWorker) -> None:
    await added(shop, NIGHT)
    await added(shop, photo())
    worker.designs.clear()
    created = await shop.create(post_id=100001)
    socket = await shop.connect(created["session_id"])
    assert list(worker.designs) == [100000, 100001]
    expected = catalogue_version({it: own.version for it, own in worker.designs.items()})
    assert worker.sessions[created["session_id"]].spec.catalogue == expected
    await socket.close()
    worker.designs.clear()
    assert (await shop.client.get(f"{DESIGNS}100001/thumbnail")).status == 200
    assert list(worker.designs) == [100000, 100001]


async def test_the_sweeper_tells_workers_that_could_not_be_told(shop: Lacquer, worker: FakeWorker) -> None:
    worker.refusal = AtCapacity()
    await added(shop, NIGHT)
    assert worker.designs == {}
    worker.refusal = None
    await shop.sweep()
    assert list(worker.designs) == [100000]


async def test_another_processs_designs_are_found(start: Start, worker: FakeWorker) -> None:
    one, two = await start(worker, admin_token=TOKEN), await start(worker, admin_token=TOKEN)
    await added(one, NIGHT)
    await two.sweep()
    assert (await two.get(f"{DESIGNS}100000/"))["name"] == "Night sky"


async def test_a_lost_blob_stops_nothing_else(start: Start, worker: FakeWorker) -> None:
    """The design is worn in the colours that describe it."""
    shop = await start(worker, admin_token=TOKEN)
    design = await added(shop, photo())
    own = shop.context.collection.own(design["id"])
    assert own is not None and own.nail_set is not None
    await shop.context.nail_sets.delete(own.nail_set)
    worker.designs.clear()  # as one that has just started
    created = await shop.create(post_id=1)
    await (await shop.connect(created["session_id"])).close()
    assert worker.designs[design["id"]].nail_set is None
    assert (await shop.get(f"{DESIGNS}{design['id']}/"))["nail_set"] is None
    await refused(await shop.client.get(f"{DESIGNS}{design['id']}/nails/0"), 404, "unknown_nail")
    response = await shop.client.patch(f"{DESIGNS}{design['id']}/", headers=ADMIN, json={"nails": {"ring": 0}})
    await refused(response, 404, "unknown_nail")


async def test_thumbnails_are_drawn_anew_after_a_change_only(shop: Lacquer, worker: FakeWorker) -> None:
    await added(shop, NIGHT)
    for _ in range(2):
        response = await shop.client.get(f"{DESIGNS}100000/thumbnail")
        assert response.headers["Cache-Control"] == "private, no-cache"
    assert len(worker.previews) == 1
    await shop.client.patch(f"{DESIGNS}100000/", headers=ADMIN, json={"finish": "matte"})
    await shop.client.get(f"{DESIGNS}100000/thumbnail")
    assert len(worker.previews) == 2


async def test_a_finger_may_wear_a_nail_of_an_own_design(shop: Lacquer) -> None:
    await added(shop, photo())
    body = {"mode": "explore", "post_id": 1, "config": {"fingers": {"ring": {"design": 100000, "nail": 4}}}}
    assert (await shop.client.post(SESSIONS, json=body)).status == 201
    body["config"] = {"fingers": {"ring": {"design": 100000, "nail": 5}}}
    await refused(await shop.client.post(SESSIONS, json=body), 404, "unknown_nail")
