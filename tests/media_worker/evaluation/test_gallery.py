from __future__ import annotations

import re
from pathlib import Path

import pytest

from media_worker import images
from media_worker.drawn_hand import Scene, draw
from media_worker.evaluation import gallery, gallery_page, gallery_photos
from media_worker.evaluation.gallery import COLOURS, Section, Tile
from media_worker.evaluation.worn import plain
from media_worker.files import Progress
from protocol import designs
from protocol.designs import Finger, Finish, Length, Pattern, Shape
from protocol.messages import ImageFormat


def no_progress(part: str) -> Progress:
    return lambda done, total: None


def test_everything_is_shown() -> None:
    finishes, shapes, patterns, *families = gallery.sections()
    coats = [[tile.look.coats[Finger.INDEX] for tile in part.tiles] for part in (finishes, shapes, patterns)]
    assert {coat.finish for coat in coats[0]} == set(Finish) and len(coats[0]) == len(Finish) * len(COLOURS)
    assert {(coat.shape, coat.length) for coat in coats[1]} == {(shape, length) for shape in Shape for length in Length}
    assert [coat.pattern for coat in coats[2]] == list(Pattern)
    notes = [tile.note for family in families for tile in family.tiles]
    assert sorted(notes) == sorted(f"design {number}" for number in designs.catalogue())


def test_a_page_needs_nothing_but_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiles = [Tile("Cream", plain(("#B3001B",)), "red & <b>"), Tile("Cream", plain(("#1B2A5E",)), "blue")]
    monkeypatch.setattr(gallery_page, "sections", lambda: [Section("Finishes", "How.", tiles, 3)])
    monkeypatch.setattr(gallery_page, "WIDTH", 200)
    path = gallery_page.write(tmp_path / "new", [], "dark", None, no_progress)
    page = path.read_text("utf-8")
    linked = set(re.findall(r'(?:src|href)="([^"]+)"', page)) - {"#finishes"}
    assert linked == {file.name for file in path.parent.iterdir()} - {"index.html"}
    assert len(linked) == 2
    assert "red &amp; &lt;b&gt;" in page and "<b>" not in page
    assert "<script" not in page and "://" not in page
    assert 'id="finishes"' in page and 'class="sheet rows-3"' in page
    picture = images.decode((path.parent / min(linked)).read_bytes(), max_pixels=10**6)
    assert picture.shape == (180, 200, 3)
    assert f'width="{picture.shape[1]}" height="{picture.shape[0]}"' in page


def test_every_tile_has_a_file_of_its_own() -> None:
    names = [gallery_page.slug(f"{s.title} {tile.name} {tile.note}") for s in gallery.sections() for tile in s.tiles]
    assert len(set(names)) == len(names)


@pytest.mark.media
def test_a_photo_is_shown_before_after_and_close(tmp_path: Path, hand_model: Path) -> None:
    hand, wall = tmp_path / "hand.png", tmp_path / "wall.png"
    for path, hands in ((hand, 1), (wall, 0)):
        path.write_bytes(images.encode(draw(Scene(width=320, height=240, hands=hands), 0).rgb, ImageFormat.PNG))
    shown, empty = gallery_photos.strips([hand, wall], hand_model, lambda done, total: None)
    assert (shown.nails, empty.nails) == (5, 0)
    assert [each.name for each in shown.whole] == ["Before", "After, gloss"]
    before, after = (each.picture for each in shown.whole)
    assert before.shape == after.shape == (240, 320, 3), "no larger than it is"
    assert (before != after).any()
    assert len(shown.close) == 1 + len(Finish) + len(gallery_photos.PATTERNS) + 2 * len(Shape)
    assert [each.name for each in empty.whole] == ["Before"] and not empty.close


def test_photos_of_the_same_name_keep_their_own_pictures() -> None:
    photos = ["a/hand.jpg", "b/hand.jpg", "b/palm.jpg", "My hand.jpg", "my_hand.jpg", "手.jpg", "指.jpg"]
    names = gallery_page.names([Path(photo) for photo in photos])
    assert len({gallery_page.slug(name) for name in names}) == len(photos)
    assert names[2:4] == ["palm.jpg", "My hand.jpg"]
