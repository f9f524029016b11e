from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from media_worker import images
from media_worker.drawn_hand import SKIN_TONES, Drawing, Scene, draw
from media_worker.evaluation import stills
from media_worker.evaluation.stills import Case, NegativeReport, StillReport, name_nails
from media_worker.vision import metrics
from media_worker.vision.arrays import Mask
from media_worker.vision.hands import Hand
from media_worker.vision.nails import FINGERS
from protocol.designs import Finger
from protocol.errors import BadRequest
from protocol.messages import ImageFormat


def silent(done: int, total: int) -> None:
    pass


def scored(iou_tenths: int, tone: float | None = None, fingers: tuple[Finger | None, ...] = (None,)) -> Case:
    """A case whose nail of ten columns is found up to `iou_tenths` of them."""
    truth = np.zeros((20, 20), bool)
    truth[5:15, 5:15] = True
    found = truth.copy()
    found[:, 5 + iou_tenths :] = False
    return Case(Path("a.jpg"), Path("a.png"), [], metrics.score([found], truth), fingers, tone)


def masks_of(drawing: Drawing) -> list[Mask]:
    masks = []
    for nail in drawing.nails:
        mask = np.zeros(drawing.rgb.shape[:2], np.uint8)
        cv2.fillPoly(mask, [nail.outline.astype(np.int32)], 1)
        masks.append(mask > 0)
    return masks


def folders(tmp_path: Path, drawings: dict[str, Drawing]) -> tuple[Path, Path]:
    photos, truth = tmp_path / "photos", tmp_path / "truth"
    for folder in (photos, truth):
        folder.mkdir()
    for name, drawing in drawings.items():
        (photos / f"{name}.png").write_bytes(images.encode(drawing.rgb, ImageFormat.PNG))
        cv2.imwrite(str(truth / f"{name}.png"), drawing.mask())
    return photos, truth


def test_true_nails_are_named_by_the_landmarks() -> None:
    drawing = draw(Scene(hands=2), 0)
    hands = [Hand(joints.astype(np.float32), np.zeros(21, np.float32), "right", 1.0) for joints in drawing.joints]
    nails = masks_of(drawing)
    assert name_nails(nails, hands) == tuple(nail.finger for nail in drawing.nails)
    assert name_nails(nails[::-1], hands) == tuple(nail.finger for nail in drawing.nails[::-1])
    assert name_nails(nails[:5], hands[1:]) == (None,) * 5, "the other hand's landmarks are far away"
    assert name_nails(nails[:2], []) == (None, None)


def test_recall_is_per_named_finger() -> None:
    thumb, index = FINGERS[:2]
    cases = [scored(10, fingers=(thumb,)), scored(2, fingers=(thumb,)), scored(10, fingers=(index,)), scored(10)]
    recall = StillReport(cases, 0).finger_recall()
    assert {finger: each.recall for finger, each in recall.items()} == {thumb: 0.5, index: 1}
    assert recall[thumb].true_nails == 2


def test_the_gap_is_between_the_outer_thirds() -> None:
    tones = [(50.0, 9), (-30.0, 6), (10.0, 10), (60.0, 9), (-20.0, 6), (20.0, 10)]
    report = StillReport([scored(tenths, tone) for tone, tenths in tones] + [scored(1)], 0)
    thirds = report.tone_thirds()
    assert {name: third.mean_iou for name, third in thirds.items()} == pytest.approx(
        {"darkest": 0.6, "middle": 1.0, "lightest": 0.9}
    )
    assert (thirds["darkest"].lowest, thirds["darkest"].highest) == (-30, -20)
    assert report.as_dict()["skin_tone_gap"] == pytest.approx(0.3)
    gap = next(figure for figure in report.figures() if figure.name == "gap lightest to darkest")
    assert gap.met is False
    assert StillReport([scored(5)], 0).as_dict()["skin_tone_gap"] is None


def test_what_is_found_without_a_nail_is_false() -> None:
    empty, full = np.zeros((20, 20), bool), np.ones((20, 20), bool)
    cases = [Case(Path("a"), None, [], metrics.score(found, empty)) for found in ([], [full, full], [full], [])]
    report = NegativeReport(cases, skipped=1).as_dict()
    assert (report["images"], report["false_nails"], report["images_with_false_nails"]) == (4, 3, 2)
    assert report["false_nails_per_image"] == 0.75


@pytest.mark.media
def test_drawn_hands_end_to_end(tmp_path: Path, hand_model: Path) -> None:
    drawings = {name: draw(Scene(width=480, height=360, skin=skin), 0) for name, skin in SKIN_TONES.items()}
    photos, truth = folders(tmp_path, drawings)
    report = stills.evaluate(photos, truth, hand_model, silent, tones=True)
    assert isinstance(report, StillReport)
    by_tone = sorted(report.cases, key=lambda case: case.tone or 0)
    assert [case.photo.stem for case in by_tone] == ["dark", "medium", "light"]
    assert sum(each.true_nails for each in report.finger_recall().values()) == 15, "every drawn nail has its name"
    assert report.metrics.recall > 0.5


@pytest.mark.media
def test_skipped_photos_do_not_count(tmp_path: Path, hand_model: Path) -> None:
    drawings = {"hand": draw(Scene(width=480, height=360), 0), "wall": draw(Scene(width=320, height=240, hands=0), 0)}
    photos, _ = folders(tmp_path, drawings)
    every = stills.evaluate(photos, None, hand_model, silent).as_dict()
    assert (every["images"], every["false_nails"]) == (2, 5)
    skip = tmp_path / "skip.txt"
    skip.write_text("hand\nnot there\n", "utf-8")
    rest = stills.evaluate(photos, None, hand_model, silent, skip=skip).as_dict()
    assert (rest["images"], rest["skipped"], rest["false_nails"]) == (1, 1, 0)
    skip.write_text("hand\nwall\n", "utf-8")
    with pytest.raises(BadRequest, match=r"no photos in .* but those that"):
        stills.evaluate(photos, None, hand_model, silent, skip=skip)


@pytest.mark.media
def test_too_few_photos_for_thirds_are_refused(tmp_path: Path, hand_model: Path) -> None:
    photos, truth = folders(tmp_path, {"hand": draw(Scene(width=480, height=360), 0)})
    with pytest.raises(BadRequest, match="skin tone needs 3 photos"):
        stills.evaluate(photos, truth, hand_model, silent, tones=True)
