"""Sets of nails taken from pictures, for whoever has a hand model at hand."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from media_worker.pipeline import StillPipeline
from media_worker.polish.extraction import extract
from media_worker.vision.arrays import Pixels
from protocol.nail_sets import NailSet


def take(rgb: Pixels, model_path: Path) -> NailSet:
    """The set that a picture, uint8 (H, W, 3), shows. Takes a second or two.

    Raises ModelUnavailable, VisionFailed, BadImage.
    """
    with closing(StillPipeline(model_path)) as pipeline:
        return extract(rgb, pipeline.find)
