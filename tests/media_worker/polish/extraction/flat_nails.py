"""Flat nails with known paint and known light, for what takes light away."""

from __future__ import annotations

import numpy as np

from media_worker.vision.arrays import Floats, Mask
from media_worker.vision.nails import Nail
from protocol.designs import Finger
from protocol.nail_sets import NAIL_SIZE

_CENTRES = (np.arange(NAIL_SIZE, dtype=np.float32) + 0.5) / NAIL_SIZE
V, U = np.meshgrid(_CENTRES, 2 * _CENTRES - 1, indexing="ij")
INSIDE: Mask = (np.abs(U) ** 3 + np.abs(2 * V - 1) ** 3) < 0.85

ROUND: Floats = 1 - 0.35 * U**2
"""Shading of a cylinder."""
BAND: Floats = 0.22 * np.exp(-(((U + 0.25) / 0.16) ** 2)) * 4 * V * (1 - V)
"""Sheen."""

RED, WHITE = np.array([0.45, 0.03, 0.05], np.float32), np.array([0.88, 0.86, 0.84], np.float32)


def plain(colour: Floats = RED) -> Floats:
    """(NAIL_SIZE, NAIL_SIZE, 3) linear light."""
    return np.broadcast_to(colour, (NAIL_SIZE, NAIL_SIZE, 3)).astype(np.float32)


def two(where: Mask, base: Floats = RED, accent: Floats = WHITE) -> Floats:
    return np.where(where[..., None], accent, base).astype(np.float32)


STRIPES = two((V * 4.5) % 1 > 0.6)
DOTS = two(np.hypot(((U + 1) * 2.2) % 1 - 0.5, (V * 4) % 1 - 0.5) < 0.28)
FRENCH = two(V - 0.76 + 0.1 * U**2 > 0)
GRADIENT = (RED + (WHITE - RED) * V[..., None]).astype(np.float32)


def lit(paint: Floats) -> Floats:
    """Under a lamp from the upper left, with the noise of a camera."""
    noise = np.random.default_rng(3).normal(0, 0.004, paint.shape)
    return np.clip(paint * ROUND[..., None] + BAND[..., None] + noise, 0, 1).astype(np.float32)


def nail(
    x: float, y: float, *, degrees: float = 0, width: float = 40, length: float = 56, finger: Finger | None = None
) -> Nail:
    """An oval nail whose middle is at (x, y), pointing up, turned clockwise by `degrees`."""
    turn = np.radians(degrees)
    along = np.array([np.sin(turn), -np.cos(turn)])
    across = np.array([-along[1], along[0]])
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    outline = (
        np.array([x, y]) + np.outer(np.cos(angle) * width / 2, across) + np.outer(np.sin(angle) * length / 2, along)
    )
    axis = np.array([x, y]) + np.outer([-length / 2, length / 2], along)
    return Nail(finger, None, outline.astype(np.float32), axis.astype(np.float32), 0.9, 1.0)
