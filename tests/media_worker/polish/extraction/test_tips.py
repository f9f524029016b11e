from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_worker.drawn_hand import Scene, draw
from media_worker.polish.extraction.tips import find_tips
from media_worker.vision.arrays import Pixels

PAPER = (244, 243, 240)


def sheet(degrees: float = 0, background: tuple[int, int, int] = PAPER) -> Pixels:
    """Five almond tips on paper, the largest at the left, their points turned `degrees` from straight up."""
    rgb = np.full((400, 800, 3), background, np.uint8)
    turn = np.radians(degrees)
    for k, size in enumerate((1.2, 1.0, 1.05, 0.95, 0.8)):
        t = np.linspace(-1, 1, 60)
        half = 32 * size * np.sqrt(np.maximum(1 - t**4, 0)) * (1 - 0.28 * (t + 1))
        left, right = np.stack([-half, -50 * size * t], axis=1), np.stack([half, -50 * size * t], axis=1)[::-1]
        points = np.concatenate([left, right]) @ np.array(
            [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
        ) + (100 + 150 * k, 200)
        cv2.fillPoly(rgb, [points.round().astype(np.int32)], (180 - 20 * k, 20, 40 + 30 * k), cv2.LINE_AA)
    return rgb


@pytest.mark.parametrize("degrees", [0, 180, 20, -160])
def test_tips_on_paper_are_found_and_point_where_they_do(degrees: float) -> None:
    tips = find_tips(sheet(degrees))
    assert [tip.number for tip in sorted(tips, key=lambda tip: tip.outline[:, 0].mean())] == [1, 2, 3, 4, 5]
    for tip in tips:
        along = tip.axis[1] - tip.axis[0]
        turned = np.degrees(np.arctan2(along[0], -along[1]))
        assert abs((turned - degrees + 180) % 360 - 180) < 12
        assert np.hypot(*along) == pytest.approx(100 * tip.width / 64, rel=0.35)


def test_tips_are_found_in_large_photos() -> None:
    large = cv2.resize(sheet(), None, fx=3, fy=3).astype(np.uint8)
    tips = find_tips(large)
    assert len(tips) == 5
    first = next(tip for tip in tips if tip.number == 1)
    assert np.abs(first.axis.mean(axis=0) - (300, 600)).max() < 20


def test_patterns_colours_and_hands_are_no_tips() -> None:
    stripes = np.zeros((300, 300, 3), np.uint8)
    stripes[(np.arange(300) // 20) % 2 == 1] = 255
    for rgb in (np.full((200, 200, 3), 90, np.uint8), stripes, draw(Scene(), 0).rgb):
        assert find_tips(rgb) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**31))
def test_any_size_is_taken(width: int, height: int, seed: int) -> None:
    find_tips(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))
