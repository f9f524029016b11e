"""Pictures for an operator: none unless the operator's own setting says so, and then small and kept nowhere."""

from __future__ import annotations

import io

import aiohttp
import pytest
from PIL import Image

from tests.signaling.conftest import RESULTS as OWN_RESULTS
from tests.signaling.conftest import Lacquer, Start, refused
from tests.signaling.fake_worker import FakeWorker, picture
from tests.signaling.test_admin_api import ADMIN, TOKEN


@pytest.fixture
async def operated(start: Start, worker: FakeWorker) -> Lacquer:
    return await start(worker, admin_token=TOKEN, admin_thumbnails=True)


async def test_nobody_looks_at_people_unless_it_was_switched_on(start: Start, worker: FakeWorker) -> None:
    closed = await start(worker, admin_token=TOKEN)
    made = (await closed.create())["session_id"]
    for path in (f"/admin/sessions/{made}/thumbnail", "/admin/results/x/thumbnail"):
        problem = await refused(await closed.client.get(path, headers=ADMIN), 403, "forbidden")
        assert "LACQUER_ADMIN_THUMBNAILS" in problem.detail


async def test_a_live_picture_is_small_and_kept_nowhere(operated: Lacquer, worker: FakeWorker) -> None:
    made = (await operated.create())["session_id"]
    path = f"/admin/sessions/{made}/thumbnail"
    await refused(await operated.client.get(path, headers=ADMIN), 409, "no_frame_yet")
    socket = await operated.connect(made)
    worker.sessions[made].frame = picture(1280, 720)
    await is_small(await operated.client.get(path, headers=ADMIN))
    await socket.close()


async def test_a_kept_picture_is_small_too(operated: Lacquer) -> None:
    form = aiohttp.FormData({"session_id": (await operated.create())["session_id"]})
    form.add_field("processed_image", picture(1280, 720), filename="snap.jpg")
    kept = await (await operated.client.post(OWN_RESULTS, data=form)).json()
    await is_small(await operated.client.get(f"/admin/results/{kept['result_id']}/thumbnail", headers=ADMIN))
    await refused(await operated.client.get("/admin/results/none/thumbnail", headers=ADMIN), 404, "not_found")


async def is_small(response: aiohttp.ClientResponse) -> None:
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-store"
    with Image.open(io.BytesIO(await response.read())) as image:
        assert image.size == (240, 135)
