"""The watched folder of own designs."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from protocol.errors import AtCapacity
from signaling import designs_folder
from signaling.designs_folder import DesignsFolder
from tests.signaling.conftest import Lacquer, Start, eventually, refused
from tests.signaling.fake_worker import FakeWorker, picture

DESIGNS = "/api/try-on/designs/"

ENTRY = '[[design]]\nid = {id}\nname = "{name}"\nfamily = "Autumn"\ncolours = ["#884400"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "designs").mkdir()
    return tmp_path / "designs"


def watch(lacquer: Lacquer, folder: Path) -> DesignsFolder:
    context = lacquer.context
    return DesignsFolder(folder, context.collection, context.workshop, context.uploads)


@pytest.fixture
def watched(lacquer: Lacquer, folder: Path) -> DesignsFolder:
    return watch(lacquer, folder)


def write(path: Path, content: str | bytes) -> None:
    """With a time of its own, however coarse the file system's clock is."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    write.turn += 1  # type: ignore[attr-defined]
    os.utime(path, ns=(time.time_ns(), write.turn * 10**9))  # type: ignore[attr-defined]


write.turn = 0  # type: ignore[attr-defined]


async def settle(watched: DesignsFolder) -> None:
    """A change is taken in at the second look, when the file has kept still."""
    await watched.look()
    await watched.look()


async def own(lacquer: Lacquer) -> dict[int, str]:
    return {entry["id"]: entry["name"] for entry in await lacquer.get(DESIGNS) if entry["own"]}


async def test_photos_become_designs_named_after_their_files(
    lacquer: Lacquer, worker: FakeWorker, folder: Path, watched: DesignsFolder
) -> None:
    write(folder / "rose_gold-2.JPG", picture())
    write(folder / "sky.webp", picture(image_format="WEBP"))
    await watched.look()
    assert await own(lacquer) == {100000: "Rose gold 2", 100001: "Sky"}
    design = await lacquer.get(f"{DESIGNS}100000/")
    assert (design["family"], design["nail_set"]["kind"], len(design["colours"])) == ("Own designs", "hand", 5)
    assert list(worker.designs) == [100000, 100001]
    await settle(watched)
    assert len(worker.pictures) == 2, "each is looked at once"


async def test_data_files_hold_designs_with_ids_of_their_own(
    lacquer: Lacquer, folder: Path, watched: DesignsFolder
) -> None:
    write(folder / "autumn.toml", ENTRY.format(id=1200, name="Chestnut") + ENTRY.format(id=1201, name="Fox"))
    entry = {"id": 1100, "name": "Ice", "family": "Winter", "colours": ["#DDEEFF"]}
    write(folder / "winter.json", json.dumps({"design": [entry]}))
    await watched.look()
    assert await own(lacquer) == {1100: "Ice", 1200: "Chestnut", 1201: "Fox"}
    write(folder / "autumn.toml", ENTRY.format(id=1201, name="Red fox") + ENTRY.format(id=1202, name="Moss"))
    await settle(watched)
    assert await own(lacquer) == {1100: "Ice", 1201: "Red fox", 1202: "Moss"}


async def test_data_files_written_on_windows_are_read(lacquer: Lacquer, folder: Path, watched: DesignsFolder) -> None:
    """Its editors put a byte order mark in front, and two characters at the end of a line."""
    entry = {"id": 1100, "name": "Ice", "family": "Winter", "colours": ["#DDEEFF"]}
    write(folder / "a.json", json.dumps({"design": [entry]}).encode("utf-8-sig"))
    write(folder / "b.toml", ENTRY.format(id=1200, name="Fox").replace("\n", "\r\n").encode("utf-8-sig"))
    await watched.look()
    assert await own(lacquer) == {1100: "Ice", 1200: "Fox"}


async def test_a_photo_never_takes_an_id_that_a_data_file_wants(
    lacquer: Lacquer, folder: Path, watched: DesignsFolder
) -> None:
    write(folder / "a.jpg", picture())
    write(folder / "b.toml", ENTRY.format(id=1000, name="First") + ENTRY.format(id=99_999, name="Last"))
    write(folder / "c.jpg", picture())
    await watched.look()
    assert await own(lacquer) == {1000: "First", 99_999: "Last", 100_000: "A", 100_001: "C"}


async def test_ids_and_nails_outlive_a_restart(start: Start, worker: FakeWorker, folder: Path) -> None:
    write(folder / "b.png", picture(image_format="PNG"))
    first = await start(worker)
    await watch(first, folder).look()
    write(folder / "a.png", picture(image_format="PNG"))
    again = await start(worker)
    await watch(again, folder).look()
    assert await own(again) == {100000: "B", 100001: "A"}
    assert len(worker.pictures) == 2, "b.png was known"


async def test_what_is_removed_goes_and_what_comes_back_has_its_id(
    lacquer: Lacquer, worker: FakeWorker, folder: Path, watched: DesignsFolder
) -> None:
    for name in ("a.jpg", "b.jpg"):
        write(folder / name, picture())
    await watched.look()
    (folder / "a.jpg").unlink()
    await watched.look()
    assert await own(lacquer) == {100001: "B"}
    assert list(worker.designs) == [100001]
    write(folder / "c.jpg", picture())
    write(folder / "a.jpg", picture())
    await settle(watched)
    assert await own(lacquer) == {100000: "A", 100001: "B", 100002: "C"}


async def test_a_changed_photo_is_taken_anew_under_its_id(
    lacquer: Lacquer, worker: FakeWorker, folder: Path, watched: DesignsFolder
) -> None:
    write(folder / "a.jpg", picture())
    await watched.look()
    before = lacquer.context.collection.versions()
    write(folder / "a.jpg", picture(80, 60))
    await settle(watched)
    assert before.keys() == lacquer.context.collection.versions().keys() == {100000}
    assert before != lacquer.context.collection.versions()
    assert len(worker.pictures) == 2


async def test_a_file_that_is_still_being_copied_is_left_alone(
    lacquer: Lacquer, worker: FakeWorker, folder: Path, watched: DesignsFolder
) -> None:
    await watched.look()
    whole = picture(300, 300)
    for share in (0.3, 0.6, 1):
        write(folder / "a.jpg", whole[: int(len(whole) * share)])
        await watched.look()
        assert await own(lacquer) == {}
    await watched.look()
    assert await own(lacquer) == {100000: "A"}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("bad.jpg", b"no picture", "this is no JPEG, PNG or WebP"),
        ("bad.heic", b"a phone's picture", "save it as JPEG, PNG or WebP"),
        ("bad.toml", ENTRY.format(id=7, name="Low"), "id 7 is not for data files; use 1000 to 99999"),
        ("bad.toml", ENTRY.format(id=2**63, name="High"), "use 1000 to 99999"),
        ("bad.toml", ENTRY.format(id=1300, name="A") + ENTRY.format(id=1300, name="B"), "have the same id, 1300"),
        ("bad.toml", ENTRY.format(id=1300, name=r"two\nlines"), "name: should be one line of text"),
        (os.fsdecode(b"bad\xff.jpg"), picture(), "its name is not UTF-8"),
        ("bad.toml", ENTRY.format(id=1000, name="Taken"), "id 1000 is taken by “Good”; use another one"),
        ("bad.toml", ENTRY.format(id=1300, name="Odd").replace("#884400", "brown"), "colours"),
        ("bad.toml", "[[design", "TOML"),
        ("bad.json", "[]", "holds no designs"),
        ("bad.json", r'{"design": [{"id": 1300, "name": "half \ud800"}]}', "design 1 (“half ?”), name"),
    ],
)
async def test_a_bad_file_costs_one_line_and_stops_nothing(  # noqa: PLR0917
    lacquer: Lacquer, folder: Path, caplog: pytest.LogCaptureFixture, name: str, content: str | bytes, told: str
) -> None:
    watched = watch(lacquer, folder)
    write(folder / "a.toml", ENTRY.format(id=1000, name="Good"))
    write(folder / name, content)
    write(folder / "z.toml", ENTRY.format(id=1001, name="Also good"))
    for _ in range(3):
        await watched.look()
    assert await own(lacquer) == {1000: "Good", 1001: "Also good"}
    (line,) = [message for message in caplog.messages if "design file not taken" in message]
    assert name.encode(errors="replace").decode() in line
    assert told in line


async def test_other_files_are_nobodys_business(
    lacquer: Lacquer, folder: Path, watched: DesignsFolder, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "notes.txt").write_text("to do")
    (folder / ".hidden.jpg").write_bytes(b"x")
    (folder / "folder.jpg").mkdir()
    (folder / "loop.jpg").symlink_to("loop.jpg")
    await settle(watched)
    assert await own(lacquer) == {}
    assert not [message for message in caplog.messages if "not taken" in message]


async def test_a_busy_worker_is_asked_again(
    lacquer: Lacquer, worker: FakeWorker, folder: Path, watched: DesignsFolder
) -> None:
    write(folder / "a.jpg", picture())
    worker.refusal = AtCapacity()
    await watched.look()
    assert await own(lacquer) == {}
    worker.refusal = None
    await watched.look()
    assert await own(lacquer) == {100000: "A"}


async def test_a_disk_that_is_away_takes_no_design_with_it(
    lacquer: Lacquer, folder: Path, watched: DesignsFolder, caplog: pytest.LogCaptureFixture
) -> None:
    write(folder / "a.jpg", picture())
    await watched.look()
    shutil.rmtree(folder)
    await settle(watched)
    assert await own(lacquer) == {100000: "A"}
    assert len([message for message in caplog.messages if "designs folder cannot be read" in message]) == 1


async def test_the_running_service_watches_its_folder(
    start: Start, worker: FakeWorker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(designs_folder, "INTERVAL", 0.05)
    token = "only the shop knows this"
    lacquer = await start(worker, designs_dir=folder, admin_token=token)
    write(folder / "a.jpg", picture())
    await eventually(lambda: list(worker.designs) == [100000])
    response = await lacquer.client.delete(f"{DESIGNS}100000/", headers={"Authorization": f"Bearer {token}"})
    assert (await refused(response, 403, "forbidden")).detail.endswith("remove a.jpg there")
    (folder / "a.jpg").unlink()
    await eventually(lambda: not worker.designs)
