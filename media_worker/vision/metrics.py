"""How good outlines are, against masks drawn by people. Masks are bool (H, W), True on nails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from media_worker.vision.arrays import Mask
from media_worker.vision.calibration import Calibration, calibrate

MATCH_IOU = 0.5
"""A predicted nail counts as found when its IoU with a true one is at least this."""

BOUNDARY_TOLERANCE = 2
"""Pixels that two edges may lie apart and still agree."""

BOUNDARY_HEIGHT = 640
"""Both masks are scaled to this height before their edges are compared, so that the tolerance is a share of the picture
(1/320 of its height) and photos of any size can be averaged."""

SPECK = 9
"""True components of fewer pixels are slips of an annotator's brush, no nails."""


@dataclass(frozen=True)
class ImageScore:
    """One picture. Sums, so that pictures can be pooled."""

    pixels: int
    """Of the whole picture."""
    intersection: int
    """Pixels in both masks."""
    union: int
    """Pixels in either mask."""
    right: tuple[bool, ...]
    """Of each predicted nail: whether it matches a true one. A second one on the same true nail does not."""
    found: tuple[bool, ...]
    """Of each true nail, in the order of `components`: whether it was matched."""
    confidences: tuple[float, ...]
    """Of each predicted nail."""
    boundary_f: float
    """`boundary_f` of the masks scaled to BOUNDARY_HEIGHT."""
    no_hand: bool = False

    @property
    def iou(self) -> float:
        """Of the nails: intersection over union; 1 where both masks are empty, as then nothing is wrong."""
        return self.intersection / self.union if self.union else 1.0

    @property
    def two_class_iou(self) -> float:
        """Mean of the IoU of the nails and that of all the rest."""
        outside = self.pixels - self.intersection
        return (self.iou + ((self.pixels - self.union) / outside if outside else 1.0)) / 2

    @property
    def true_nails(self) -> int:
        return len(self.found)

    @property
    def predicted_nails(self) -> int:
        return len(self.right)

    @property
    def matched_nails(self) -> int:
        return sum(self.right)


@dataclass(frozen=True)
class Report:
    """Many pictures. Every picture counts, those without a hand found too."""

    images: int
    no_hand: int
    """Pictures in which no hand was found."""
    mean_iou: float
    """Mean of the pictures' IoUs: every picture weighs the same."""
    pooled_iou: float
    """Sum of intersections over sum of unions: every pixel weighs the same."""
    two_class_miou: float
    """Mean of the pictures' two-class IoUs."""
    precision: float
    """Share of predicted nails that match a true one; 0 without any predicted."""
    recall: float
    """Share of true nails that were matched; 0 without any."""
    boundary_f: float
    """Mean of the pictures' boundary F."""
    calibration: Calibration

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def score(
    predicted: Sequence[Mask], truth: Mask, *, confidences: Sequence[float] | None = None, no_hand: bool = False
) -> ImageScore:
    """Scores one picture: a mask for each predicted nail, against the mask of all true ones. Shapes must agree.

    Without `confidences` every prediction counts as certain.
    """
    for mask in predicted:
        if mask.shape != truth.shape:
            raise ValueError(f"predicted mask is {mask.shape}, the truth {truth.shape}")
    given = tuple(confidences) if confidences is not None else (1.0,) * len(predicted)
    if len(given) != len(predicted):
        raise ValueError(f"{len(predicted)} predicted masks, but {len(given)} confidences")
    everything = np.logical_or.reduce([np.zeros_like(truth), *predicted])
    nails = components(truth)
    pairs = matches(predicted, nails)
    return ImageScore(
        pixels=truth.size,
        intersection=int(np.count_nonzero(everything & truth)),
        union=int(np.count_nonzero(everything | truth)),
        right=tuple(index in pairs for index in range(len(predicted))),
        found=tuple(index in pairs.values() for index in range(len(nails))),
        confidences=given,
        boundary_f=boundary_f(to_height(everything), to_height(truth)),
        no_hand=no_hand,
    )


def summarise(scores: Sequence[ImageScore]) -> Report:
    """Raises ValueError for no scores at all."""
    if not scores:
        raise ValueError("there are no pictures to score")
    matched = sum(each.matched_nails for each in scores)
    return Report(
        images=len(scores),
        no_hand=sum(each.no_hand for each in scores),
        mean_iou=float(np.mean([each.iou for each in scores])),
        pooled_iou=_share(sum(each.intersection for each in scores), sum(each.union for each in scores)),
        two_class_miou=float(np.mean([each.two_class_iou for each in scores])),
        precision=_share(matched, sum(each.predicted_nails for each in scores)),
        recall=_share(matched, sum(each.true_nails for each in scores)),
        boundary_f=float(np.mean([each.boundary_f for each in scores])),
        calibration=calibrate(
            [confidence for each in scores for confidence in each.confidences],
            [right for each in scores for right in each.right],
        ),
    )


def components(mask: Mask) -> list[Mask]:
    """The 8-connected parts of a mask, specks left out. Nails that touch in the mask count as one."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return [labels == part for part in range(1, count) if statistics[part, cv2.CC_STAT_AREA] >= SPECK]


def matches(predicted: Sequence[Mask], nails: Sequence[Mask]) -> dict[int, int]:
    """Which predicted nail matches which true one, by index: pairs of IoU ≥ MATCH_IOU, each nail used once.

    Best pairs first; above IoU 0.5 a nail cannot overlap two disjoint ones that much, so greedy is optimal there.
    """
    overlaps = ((iou(p, t), i, j) for i, p in enumerate(predicted) for j, t in enumerate(nails))
    pairs: dict[int, int] = {}
    for overlap, i, j in sorted(overlaps, reverse=True):
        if overlap >= MATCH_IOU and i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def boundary_f(predicted: Mask, truth: Mask, tolerance: int = BOUNDARY_TOLERANCE) -> float:
    """Harmonic mean of two shares: predicted edge pixels within `tolerance` pixels of a true edge, and true ones within
    it of a predicted edge (Csurka et al., BMVC 2013). An edge pixel is one of the mask with a 4-neighbour outside.

    1 where both masks are empty, 0 where one is.
    """
    edge_p, edge_t = _edge(predicted), _edge(truth)
    if not edge_p.any() or not edge_t.any():
        return float(edge_p.any() == edge_t.any())
    precision = _share_near(edge_p, edge_t, tolerance)
    recall = _share_near(edge_t, edge_p, tolerance)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def to_height(mask: Mask, height: int = BOUNDARY_HEIGHT) -> Mask:
    """The mask at another height, its proportions kept: pixels that it covers by half or more."""
    rows, columns = mask.shape
    if rows == height:
        return mask
    size = max(round(columns * height / rows), 1), height
    smaller = rows > height
    interpolation = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    scaled: Mask = cv2.resize(mask.astype(np.float32), size, interpolation=interpolation) >= 0.5
    return scaled


def iou(a: Mask, b: Mask) -> float:
    """Intersection over union; 0 where both are empty."""
    union = np.count_nonzero(a | b)
    return float(np.count_nonzero(a & b) / union) if union else 0.0


def _edge(mask: Mask) -> Mask:
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    # beyond the picture counts as outside, so a nail cut by the border has an edge there
    inner = cv2.erode(mask.astype(np.uint8), cross, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    edge: Mask = mask & (inner == 0)
    return edge


def _share_near(edge: Mask, other: Mask, tolerance: int) -> float:
    """Share of an edge's pixels whose Euclidean distance to the other edge is at most `tolerance`."""
    distance = cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float((distance[edge] <= tolerance).mean())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
