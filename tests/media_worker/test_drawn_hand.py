from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from media_worker import frame_code
from media_worker.drawn_hand import PERIOD, SKIN_TONES, Scene, Sweep, clip, draw, read_code, write_mjpeg
from media_worker.vision.hands import HandFinder
from media_worker.vision.pictures import RgbPicture

FINGER_TIPS = [4, 8, 12, 16, 20]


def test_the_same_arguments_draw_the_same_bytes() -> None:
    scene = Scene(width=320, height=240)
    assert np.array_equal(draw(scene, 1.5).rgb, draw(scene, 1.5).rgb)
    assert not np.array_equal(draw(scene, 1.5).rgb, draw(scene, 1.6).rgb)


def test_motion_is_gentle_and_repeats_after_its_period() -> None:
    scene = Scene(width=320, height=240, noise=0)
    assert np.allclose(draw(scene, 0).joints[0], draw(scene, PERIOD).joints[0])
    steps = [draw(scene, t / 30).joints[0] for t in range(30)]
    speeds = [np.hypot(*(b - a).T).max() for a, b in pairwise(steps)]
    assert 0.05 < max(speeds) < 5, "pixels from frame to frame"


def test_a_still_scene_changes_by_noise_alone() -> None:
    quiet = Scene(width=320, height=240, noise=0, still=True)
    assert np.array_equal(draw(quiet, 0).rgb, draw(quiet, 3).rgb)
    noisy = Scene(width=320, height=240, noise=4, still=True)
    difference = draw(noisy, 0).rgb.astype(int) - draw(noisy, 3).rgb
    assert difference.std() == pytest.approx(4 * 2**0.5, rel=0.15)


@pytest.mark.parametrize("sine", [False, True])
def test_a_sweep_carries_the_hand_at_a_known_speed(sine: bool) -> None:
    sweep = Sweep(speed=300, reach=90, degrees=30, sine=sine)
    scene = Scene(noise=0, still=True, sweep=sweep)
    rest = draw(Scene(noise=0, still=True), 0).nails
    for seconds in np.arange(20) / 30:
        for nail, at_rest in zip(draw(scene, seconds).nails, rest, strict=True):
            assert np.allclose(nail.outline - at_rest.outline, sweep.offset(seconds))
    times = np.linspace(0.01, 3 * sweep.period, 400)
    measured = [(sweep.offset(t + 1e-6) - sweep.offset(t - 1e-6)) / 2e-6 for t in times]
    assert np.allclose(measured, [sweep.velocity(t) for t in times], atol=0.1)
    assert max(np.hypot(*sweep.velocity(t)) for t in times) == pytest.approx(300, rel=0.001)
    assert max(np.hypot(*sweep.offset(t)) for t in times) == pytest.approx(90, rel=0.01)
    assert np.allclose(sweep.offset(0.3), sweep.offset(0.3 + sweep.period))


@pytest.mark.parametrize(
    ("scene", "nails"), [(Scene(), 5), (Scene(hands=2), 10), (Scene(palm=True), 0), (Scene(hands=0), 0)]
)
def test_nails_in_view(scene: Scene, nails: int) -> None:
    drawing = draw(scene, 0.7)
    assert len(drawing.nails) == nails
    assert len(drawing.joints) == scene.hands
    assert bool(drawing.mask().any()) == bool(nails)


def test_masks_are_exactly_where_the_nails_were_drawn() -> None:
    bare = draw(Scene(noise=0, nail=(0, 0, 255)), 2.0)
    other = draw(Scene(noise=0, nail=(0, 255, 0)), 2.0)
    changed = np.abs(bare.rgb.astype(int) - other.rgb).max(axis=2)
    mask = bare.mask() > 0
    assert (changed[mask] > 60).mean() > 0.99
    near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert changed[~near].max() == 0


def test_nails_wear_one_colour_or_a_french_manicure() -> None:
    """Polish hides the nail's own colours, moon and free edge; the finger tip's skin stays."""
    bare, red = (draw(Scene(noise=0, worn=worn), 2.0) for worn in ((), ((200, 0, 0),)))
    core = cv2.erode(red.mask(), np.ones((5, 5), np.uint8)) > 0
    assert np.ptp(red.rgb[core][:, 1].astype(int)) < np.ptp(red.rgb[core][:, 0]), "only the highlight is green"
    assert np.array_equal(
        red.rgb[red.mask() == 0].mean(axis=0).round(), bare.rgb[bare.mask() == 0].mean(axis=0).round()
    )
    french = draw(Scene(noise=0, worn=((200, 120, 120), (0, 0, 250))), 2.0)
    nail = french.nails[2]
    for share, channel in ((0.25, 0), (0.92, 2)):
        x, y = nail.axis[0] + share * (nail.axis[1] - nail.axis[0])
        assert french.rgb[int(y), int(x)].argmax() == channel


def test_light_dims_and_tints_everything() -> None:
    plain = draw(Scene(width=320, height=240, noise=0), 1.0).rgb.astype(float)
    warm = draw(Scene(width=320, height=240, noise=0, light=(255, 204, 102)), 1.0).rgb
    unclipped = plain.max(axis=2) < 250
    assert np.abs(warm - plain * (1, 0.8, 0.4))[unclipped].max() <= 1


def test_tilted_hands_turn_round_their_wrist() -> None:
    upright, tilted = (draw(Scene(noise=0, tilt=tilt), 1.0).joints[0] for tilt in (0.0, 25.0))
    assert np.allclose(upright[0], tilted[0])
    before, after = (np.degrees(np.arctan2(*(joints[9] - joints[0]))) for joints in (upright, tilted))
    assert before - after == pytest.approx(25)


def test_impossible_scenes_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot draw 3 hands"):
        draw(Scene(hands=3), 0)


@settings(deadline=None, max_examples=60)
@given(number=st.integers(0, 65535), width=st.integers(200, 1280), shrink=st.floats(0.5, 1.5))
def test_codes_survive_scaling(number: int, width: int, shrink: float) -> None:
    picture = np.full((width * 3 // 4, width, 3), 120, np.uint8)
    frame_code.write(picture, number)
    scaled = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_LINEAR)
    assert read_code(np.asarray(scaled, np.uint8)) == number


@pytest.mark.parametrize("codec", ["libx264", "libvpx"])
def test_codes_survive_video_at_a_megabit(codec: str) -> None:
    frames = [drawing.rgb for drawing in clip(Scene(noise=6, clutter=True), 0.5, numbered=True)]
    decoded = through_codec(frames, codec, 1_000_000)
    assert [read_code(frame) for frame in decoded] == list(range(len(frames)))


def test_no_code_is_read_where_none_is() -> None:
    random = np.random.default_rng(1)
    pictures = [draw(Scene(clutter=True, seed=seed), 0).rgb for seed in range(8)]
    pictures += [random.integers(0, 256, (240, 320, 3), dtype=np.uint8), np.zeros((64, 64, 3), np.uint8)]
    assert [read_code(picture) for picture in pictures] == [None] * len(pictures)


def test_a_flipped_block_spoils_the_code() -> None:
    for bit in range(frame_code.BITS):
        picture = np.full((480, 640, 3), 120, np.uint8)
        frame_code.write(picture, 0xBEEF)
        edges = np.round(np.linspace(0, 640, frame_code.BLOCKS + 1)).astype(int)
        block = picture[:30, edges[2 + bit] : edges[3 + bit]]
        block[...] = frame_code.WHITE + frame_code.BLACK - block
        assert read_code(picture) is None


def test_written_clips_are_numbered_jpegs(tmp_path: Path) -> None:
    path = tmp_path / "camera.mjpeg"
    write_mjpeg(path, 0.2, 30, 320, 240, numbered=True)
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24").astype(np.uint8) for frame in container.decode(video=0)]
    assert [read_code(frame) for frame in frames] == list(range(6))
    assert frames[0].shape == (240, 320, 3)


@pytest.mark.media
@pytest.mark.parametrize(
    "scene",
    [
        Scene(),
        Scene(skin=SKIN_TONES["dark"], clutter=True),
        Scene(palm=True, skin=SKIN_TONES["medium"]),
        Scene(hands=2),
        Scene(width=320, height=240, noise=6),
        Scene(worn=((240, 205, 200), (250, 250, 248)), light=(200, 160, 110), tilt=15),
    ],
)
def test_mediapipe_takes_it_for_a_hand(scene: Scene, hand_model: Path) -> None:
    finder = HandFinder(hand_model)
    frames = [draw(scene, step / 5) for step in range(20)]
    found = [finder.find(RgbPicture(frame.rgb), step * 200) for step, frame in enumerate(frames)]
    assert np.mean([len(hands) == scene.hands for hands in found]) >= 0.95
    for hands, frame in zip(found, frames, strict=True):
        for hand in hands:
            gaps = [np.hypot(*(hand.landmarks - joints)[FINGER_TIPS].T).mean() for joints in frame.joints]
            assert min(gaps) < 0.08 * hand.size
    sides = [hand.side for hands in found for hand in hands]
    assert sides.count("right") >= 0.9 * len(frames), "one right hand in every scene"


def through_codec(frames: list[NDArray[np.uint8]], codec: str, bit_rate: int) -> list[NDArray[np.uint8]]:
    encoder: Any = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
    encoder.bit_rate, encoder.time_base, encoder.framerate = bit_rate, Fraction(1, 30), Fraction(30)
    encoder.options = {"preset": "superfast", "tune": "zerolatency"} if codec == "libx264" else {"deadline": "realtime"}
    packets = [p for k, f in enumerate(frames) for p in encoder.encode(_timed(f, k))] + encoder.encode(None)
    decoder: Any = av.CodecContext.create("h264" if codec == "libx264" else "vp8", "r")
    decoded = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return [frame.to_ndarray(format="rgb24") for frame in decoded]


def _timed(rgb: NDArray[np.uint8], index: int) -> Any:
    frame = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format="yuv420p")
    frame.pts, frame.time_base = index, Fraction(1, 30)
    return frame
