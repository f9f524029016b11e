"""Which finger wears which nail of a picture: by name where a hand was recognised, else by where the nails lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np

from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.nails import FINGERS, Nail
from protocol.designs import Finger

TURNED = 0.5
"""Radians: a thumb points at least so far away from where the other nails point."""

ALIKE = 14.0
"""Mean difference of two nails' pictures, grey levels, below which they wear the same."""


@dataclass(frozen=True)
class Assignment:
    worn: dict[Finger, int]
    """Which nail each of the five fingers wears."""
    filled: list[Finger]
    """Fingers that were not seen and wear another one's nail."""
    certainty: float
    """0–1: how sure it is which finger wears what."""


def assign(nails: Sequence[Nail], pictures: Sequence[Pixels], sureness: Sequence[float]) -> Assignment:
    """`pictures` of what the nails wear, and how sure each is. At least one nail.

    Of two hands with the same finger the surer nail counts.
    """
    order = sorted(range(len(nails)), key=lambda k: sureness[k])
    seen = {finger: k for k in order if (finger := nails[k].finger) is not None}
    certainty = 1.0
    if not seen:
        seen, certainty = _by_place(nails, sureness)
    filled = [finger for finger in FINGERS if finger not in seen]
    worn = {finger: seen[finger] if finger in seen else _usual(finger, seen, pictures) for finger in FINGERS}
    return Assignment(worn, filled, certainty)


def _usual(finger: Finger, seen: Mapping[Finger, int], pictures: Sequence[Pixels]) -> int:
    """What the nearest finger wears that is no accent: where most of those seen are alike, one of them."""
    small = {
        name: cv2.resize(pictures[k], (8, 8), interpolation=cv2.INTER_AREA).astype(int) for name, k in seen.items()
    }
    alike = {name: [other for other in small if np.abs(small[name] - small[other]).mean() < ALIKE] for name in small}
    most = max(alike.values(), key=len)
    choice = most if 2 * len(most) > len(seen) else list(seen)
    return seen[min(choice, key=lambda name: abs(FINGERS.index(name) - FINGERS.index(finger)))]


def _by_place(nails: Sequence[Nail], sureness: Sequence[float]) -> tuple[dict[Finger, int], float]:
    """Names along the row of a hand, or of a sheet of tips, and how certain they are."""
    row = max(_rows(nails), key=lambda row: (len(row), sum(sureness[k] for k in row)))
    row = _in_order(nails, row)
    first = 0 if len(row) == len(FINGERS) or _thumbs(nails, row) == row[:1] else 1
    return {FINGERS[first + place]: k for place, k in enumerate(row)}, 0.4 + 0.1 * (len(row) - 1)


def _rows(nails: Sequence[Nail]) -> list[list[int]]:
    """Groups of up to five nails that lie near and point alike: nearest first (single linkage)."""
    groups = [[k] for k in range(len(nails))]
    pairs = combinations(range(len(nails)), 2)
    for a, b in sorted(pairs, key=lambda pair: _apart(nails[pair[0]], nails[pair[1]])):
        first, second = (next(group for group in groups if k in group) for k in (a, b))
        if first is not second and len(first) + len(second) <= len(FINGERS):
            first += second
            groups.remove(second)
    return groups


def _apart(a: Nail, b: Nail) -> float:
    """Distance in lengths, more where they point differently."""
    lengths = np.hypot(*_along(a)) + np.hypot(*_along(b))
    distance = np.hypot(*(_centre(a) - _centre(b))) / max(float(lengths) / 2, 1e-6)
    return float(distance) * (1 + _turn(a, b))


def _in_order(nails: Sequence[Nail], row: Sequence[int]) -> list[int]:
    """From the thumb to the pinky. A thumb turns away from the others; without one, the smaller end is the pinky."""
    thumbs = _thumbs(nails, row)
    row = _sorted_across(nails, [k for k in row if k not in thumbs])
    if not thumbs:
        return row[::-1] if nails[row[0]].width < 0.93 * nails[row[-1]].width else row
    first, last = (_apart(nails[thumbs[0]], nails[end]) for end in (row[0], row[-1]))
    return thumbs + (row if first <= last else row[::-1])


def _thumbs(nails: Sequence[Nail], row: Sequence[int]) -> list[int]:
    """The one nail that turns away from all others of its row, if there is one."""
    turned = [k for k in row if min((_turn(nails[k], nails[other]) for other in row if other != k), default=0) > TURNED]
    return turned if len(turned) == 1 and len(row) > 2 else []


def _sorted_across(nails: Sequence[Nail], row: Sequence[int]) -> list[int]:
    """By place at right angles to where they point; as one reads, where they point anywhere."""
    lengths = [max(float(np.hypot(*_along(nails[k]))), 1e-6) for k in row]
    direction = np.sum([_along(nails[k]) / length for k, length in zip(row, lengths, strict=True)], axis=0)
    across = np.array([-direction[1], direction[0]])
    if np.hypot(*direction) < 0.3 * len(row):
        across = np.array([1.0, 0.05])
    return sorted(row, key=lambda k: float(_centre(nails[k]) @ across))


def _turn(a: Nail, b: Nail) -> float:
    """Radians between two nails, 0 to π."""
    one, other = complex(*_along(a)), complex(*_along(b))
    return float(abs(np.angle(one * other.conjugate())))


def _along(nail: Nail) -> Floats:
    along: Floats = nail.axis[1] - nail.axis[0]
    return along


def _centre(nail: Nail) -> Floats:
    centre: Floats = nail.outline.mean(axis=0)
    return centre
