"""The learned nail finder: a map of the whole picture proposes, crops at one scale outline.

Both networks want nails of about one size, whatever the picture's: small ones need a larger map, and every crop is
turned and scaled until the expected nail points up and fills a bit less than half of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import cv2
import numpy as np

from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.crops import crop_matrix
from media_worker.vision.finder import Guess, NailFinder
from media_worker.vision.masks import CALIBRATION, Calibration, CropMask, nail_of
from media_worker.vision.nails import Nail
from media_worker.vision.networks import MAP_STRIDE, MULTIPLE, UNIT_LENGTH, CropOutput, MapOutput, NailCrops, NailMap
from media_worker.vision.pictures import Picture

MapNetwork = Callable[[Pixels], MapOutput]
CropNetwork = Callable[[Sequence[Pixels]], CropOutput]

STREAM_MAP_SIZE = 320
"""Longer side of the map's input in a stream, pixels."""

THRIFTY_MAP_SIZE = 224
"""The same where cores are short: half the time. In 10 phone photos at 640 pixels it finds 42 nails instead of 44."""

STREAM_CROP_SIZE = 64
"""Not smaller where cores are short, either: at 48 pixels the IoU on those photos falls from 0.65 to 0.51."""

HEAT = 0.2
"""Least heat of a cell, 0–1, that makes a proposal."""


class NetworkFinder(NailFinder):
    """Finds nails in the frames of a stream, with one small map and one look at each nail."""

    LEAST: ClassVar[float] = 0.3
    """Low, as what shows and what hides is decided over time."""

    EXACT: ClassVar[bool] = False
    """Whether the networks compute in float32 at any rate. In bfloat16 they find 18 false nails in 38 photos of palms
    instead of 16; the mean IoU of `nails/val` is 0.834 instead of 0.836."""

    def __init__(
        self,
        map_network: MapNetwork | None = None,
        crop_network: CropNetwork | None = None,
        *,
        calibration: Calibration = CALIBRATION,
        least: float | None = None,
    ) -> None:
        """By default the networks that come with Lacquer. Nails of less than the `least` confidence, by default
        LEAST, are left out."""
        self._map = map_network or NailMap(exact=self.EXACT)
        self._crops = crop_network or NailCrops(exact=self.EXACT)
        self._calibration = calibration
        self._least = self.LEAST if least is None else least

    def propose(self, picture: Picture) -> list[Guess]:
        return [guess for _, guess in self.hints(picture, THRIFTY_MAP_SIZE if self.thrifty else STREAM_MAP_SIZE)]

    def hints(self, picture: Picture, longest: int, least: float = HEAT) -> list[tuple[float, Guess]]:
        """Proposals of at least some heat, with it, hottest first, from a map at one size."""
        return map_guesses(self._map, picture, longest, least=least)

    def refine(self, picture: Picture, guesses: Sequence[Guess]) -> list[Nail | None]:
        masks = look(self._crops, picture, guesses, STREAM_CROP_SIZE)
        return self._nails(guesses, masks, self._least)

    def _nails(self, guesses: Sequence[Guess], masks: Sequence[CropMask], least: float) -> list[Nail | None]:
        return [nail_of(guess, mask, self._calibration, least) for guess, mask in zip(guesses, masks, strict=True)]


def map_guesses(
    network: MapNetwork, picture: Picture, longest: int, *, least: float = HEAT
) -> list[tuple[float, Guess]]:
    """Proposals of at least some heat, with it, hottest first, from a map over the picture at `longest` pixels."""
    resized = picture.resized(longest)
    output = network(_padded(resized))
    to_frame = np.array(picture.size) / resized.shape[1::-1]
    heat = 1 / (1 + np.exp(-output.heat))
    peaks = np.argwhere((heat == cv2.dilate(heat, np.ones((3, 3), np.uint8))) & (heat >= least))
    found = []
    for y, x in sorted(peaks.tolist(), key=lambda cell: -float(heat[*cell])):
        centre = _between_cells(heat, y, x) * MAP_STRIDE * to_frame
        length = UNIT_LENGTH * float(np.exp(output.log_length[y, x])) * max(picture.size) / longest
        direction = output.along[:, y, x]
        along = direction / max(float(np.hypot(*direction)), 1e-6) * length
        if (centre < picture.size).all():  # else in the padding
            found.append((float(heat[y, x]), Guess(centre, along)))
    return found


def _padded(rgb: Pixels) -> Pixels:
    """With sides that a network takes."""
    height, width = rgb.shape[:2]
    padded = cv2.copyMakeBorder(rgb, 0, -height % MULTIPLE, 0, -width % MULTIPLE, cv2.BORDER_REPLICATE)
    return padded.astype(np.uint8, copy=False)


def _between_cells(heat: Floats, y: int, x: int) -> Floats:
    """(2,) x and y in cells: the centroid of a peak and its neighbours."""
    top, left = max(y - 1, 0), max(x - 1, 0)
    around = heat[top : y + 2, left : x + 2]
    rows, columns = np.mgrid[top : top + around.shape[0], left : left + around.shape[1]] + 0.5
    centre: Floats = np.array([(around * columns).sum(), (around * rows).sum()]) / around.sum()
    return centre


def look(
    network: CropNetwork, picture: Picture, guesses: Sequence[Guess], size: int, *, mirrored: bool = False
) -> list[CropMask]:
    """What the crop network sees at each guess, at `size` pixels a crop; `mirrored` shows it the mirror image."""
    if not guesses:
        return []
    crops = [picture.warp(crop_matrix(guess, size), size) for guess in guesses]
    output = network([crop[:, ::-1] for crop in crops] if mirrored else crops)
    masks = output.mask[:, :, ::-1] if mirrored else output.mask
    along = output.along * (-1, 1) if mirrored else output.along
    directions = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    return [CropMask.of(*each) for each in zip(masks, output.presence, directions, strict=True)]
