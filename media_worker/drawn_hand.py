"""A hand drawn from scratch, so that tests, demos and thumbnails need no photo of anybody.

It is plain, but MediaPipe takes it for a hand, and every nail's outline is known exactly. `drawn_skeleton` says where
the joints are, `drawn_skin` draws them, `frame_code` burns in frame numbers; this module is the camera.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from media_worker import frame_code
from media_worker.drawn_skeleton import PERIOD, DrawnNail, Points, Pose, pose
from media_worker.drawn_skin import Box, Colour, Floats, coverage, draw_hand
from media_worker.frame_code import read as read_code

__all__ = ["PERIOD", "SKIN_TONES", "Drawing", "DrawnNail", "Scene", "Sweep", "clip", "draw", "read_code", "write_mjpeg"]

SKIN_TONES: dict[str, Colour] = {"light": (236, 196, 172), "medium": (200, 146, 112), "dark": (122, 80, 58)}


@dataclass(frozen=True)
class Sweep:
    """Hands carried to and fro along a line, turned neither in themselves nor in the picture."""

    speed: float = 300.0
    """Pixels per second; for a sine the highest, in the middle."""
    reach: float = 120.0
    """Pixels from the middle to where it turns back."""
    degrees: float = 0.0
    """Direction of the line: 0 from left to right, 90 downwards."""
    sine: bool = False
    """Slows down towards the ends; else the speed never changes and the turns are sharp."""

    @property
    def period(self) -> float:
        """Seconds to come back."""
        return (2 * np.pi if self.sine else 4) * self.reach / self.speed

    def offset(self, seconds: float) -> Points:
        """(2,) pixels from where the hand would be; 0 at time 0."""
        turn = seconds / self.period
        share = np.sin(2 * np.pi * turn) if self.sine else 1 - abs((4 * turn + 1) % 4 - 2)
        return self.reach * float(share) * self._direction

    def velocity(self, seconds: float) -> Points:
        """(2,) pixels per second."""
        turn = seconds / self.period
        share = np.cos(2 * np.pi * turn) if self.sine else (1 if (4 * turn + 1) % 4 < 2 else -1)
        return self.speed * float(share) * self._direction

    @property
    def _direction(self) -> Points:
        return np.array([np.cos(np.radians(self.degrees)), np.sin(np.radians(self.degrees))])


@dataclass(frozen=True)
class Scene:
    """What the drawn camera sees."""

    width: int = 640
    height: int = 480
    hands: int = 1
    """0, 1 or 2. One is a right hand, the second a left one; the picture is not mirrored."""
    palm: bool = False
    """The palms face the camera: no nail shows."""
    skin: Colour = SKIN_TONES["light"]
    nail: Colour | None = None
    """Colour of the bare nails; by default the skin's, pinker and lighter."""
    worn: tuple[Colour, ...] = ()
    """Polish on the nails: one colour, or two for a French manicure, the tips' last. None: bare."""
    light: Colour = (255, 255, 255)
    """White under the lamp: darker for a dim room, warm or cold for a colour cast."""
    noise: float = 1.5
    """Standard deviation of the sensor's noise, in bytes."""
    clutter: bool = False
    """Coloured shapes behind the hand instead of a wall."""
    seed: int = 0
    """Of noise and clutter."""
    still: bool = False
    """No motion of its own, only noise."""
    sweep: Sweep | None = None
    """A motion of known speed, on top of the hand's own; with `still` it is the only one."""
    scale: float = 1.0
    """Size of the hands; at 1 a single hand takes about three quarters of the height."""
    tilt: float = 0.0
    """Degrees that the hands lean clockwise, turned round their wrists."""


@dataclass(frozen=True)
class Drawing:
    rgb: NDArray[np.uint8]
    """(H, W, 3), sRGB."""
    nails: list[DrawnNail]
    """Those in view: none of a palm."""
    joints: list[Points]
    """(21, 2) pixels for each hand, in MediaPipe's order."""

    def mask(self) -> NDArray[np.uint8]:
        """(H, W): 255 where nails cover more than half of a pixel, else 0."""
        height, width = self.rgb.shape[:2]
        everything = Box(0, 0, width, height)
        mask = np.zeros((height, width), np.uint8)
        for nail in self.nails:
            mask[coverage(nail.outline, everything) > 0.5] = 255
        return mask


def draw(scene: Scene, seconds: float, frame_number: int | None = None) -> Drawing:
    """The scene at a time; the same arguments draw the same bytes. `frame_number` is burnt in along the top edge."""
    if scene.hands not in (0, 1, 2) or min(scene.width, scene.height) < 32:
        raise ValueError(f"cannot draw {scene.hands} hands on {scene.width}x{scene.height}")
    canvas = _background(scene.width, scene.height, scene.clutter, scene.seed).copy()
    joints: list[Points] = []
    nails: list[DrawnNail] = []
    for index in range(scene.hands):
        hand = _pose(scene, index, seconds)
        nails += draw_hand(canvas, hand, scene.skin, scene.nail, scene.worn)
        joints.append(hand.joints)
    if scene.light != (255, 255, 255):
        canvas *= np.array(scene.light, np.float32) / 255
    rgb = _develop(canvas, scene, seconds)
    if frame_number is not None:
        frame_code.write(rgb, frame_number)
    return Drawing(rgb, nails, joints)


def clip(scene: Scene, seconds: float, fps: float = 30, *, numbered: bool = False) -> Iterator[Drawing]:
    """The frames of a clip; `numbered` burns in each frame's number."""
    for index in range(round(seconds * fps)):
        yield draw(scene, index / fps, index if numbered else None)


def write_mjpeg(
    path: Path,
    seconds: float = PERIOD,
    fps: int = 30,
    width: int = 640,
    height: int = 480,
    *,
    scene: Scene | None = None,
    numbered: bool = False,
    quality: int = 92,
) -> None:
    """Writes a clip as JPEGs one after another, `.mjpeg`, as Chromium's --use-file-for-fake-video-capture takes it.

    Chromium plays it at 30 fps, over and over; after PERIOD seconds the motion repeats without a jump.
    """
    scene = replace(scene or Scene(), width=width, height=height)
    with path.open("wb") as file:
        for drawing in clip(scene, seconds, fps, numbered=numbered):
            bgr = cv2.cvtColor(drawing.rgb, cv2.COLOR_RGB2BGR)
            file.write(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())


def _pose(scene: Scene, index: int, seconds: float) -> Pose:
    pair = scene.hands == 2
    unit = min(scene.height, 0.8 * scene.width) * (0.27 if pair else 0.345) * scene.scale
    middle = scene.width * ((0.27, 0.73)[index] if pair else 0.5)
    carried = scene.sweep.offset(seconds) if scene.sweep else (0.0, 0.0)
    wrist = (middle + 0.05 * unit + carried[0], scene.height / 2 + 1.08 * unit + carried[1])
    lean = scene.tilt + ((-5.0, 5.0)[index] if pair else 0.0)
    own = 0.0 if scene.still else seconds
    return pose("right" if index == 0 else "left", wrist, unit, own, palm=scene.palm, lean=lean)


@lru_cache(maxsize=4)
def _background(width: int, height: int, clutter: bool, seed: int) -> Floats:
    """A softly lit wall, or many coloured shapes; float32 (H, W, 3). Shared: copy before drawing."""
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    wall = np.ascontiguousarray(np.array([150, 158, 164], np.float32) + 26 * (1 - x) - 30 * y)
    if not clutter:
        return wall
    random = np.random.default_rng(seed)
    for _ in range(40):
        corner = random.integers((-20, -20), (width, height))
        opposite = corner + random.integers(15, max(width // 4, 16), 2)
        colour = [float(channel) for channel in random.integers(25, 235, 3)]
        if random.uniform() < 0.6:
            cv2.rectangle(wall, corner.tolist(), opposite.tolist(), colour, -1)
        else:
            cv2.circle(wall, corner.tolist(), int(random.integers(6, max(width // 12, 7))), colour, -1)
    return cv2.GaussianBlur(wall, (0, 0), width / 320).astype(np.float32, copy=False)


_NOISE_SHIFT = 64


def _develop(canvas: Floats, scene: Scene, seconds: float) -> NDArray[np.uint8]:
    """Bytes with the sensor's noise: a window of a larger picture of noise, elsewhere each time, as drawing noise anew
    would take 15 ms a frame."""
    if scene.noise <= 0:
        return cv2.addWeighted(canvas, 1, canvas, 0, 0, dtype=cv2.CV_8U).astype(np.uint8, copy=False)
    random = np.random.default_rng((scene.seed, round(seconds * 1000)))
    left, top = (int(offset) for offset in random.integers(0, _NOISE_SHIFT, 2))
    grain = _grain(scene.width + _NOISE_SHIFT, scene.height + _NOISE_SHIFT, scene.seed)
    window = grain[top : top + scene.height, left : left + scene.width]
    return cv2.addWeighted(canvas, 1, window, scene.noise, 0, dtype=cv2.CV_8U).astype(np.uint8, copy=False)


@lru_cache(maxsize=2)
def _grain(width: int, height: int, seed: int) -> Floats:
    return np.random.default_rng(seed).standard_normal((height, width, 3), np.float32)
