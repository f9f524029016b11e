"""How real and how steady polish is, against its targets: colour, hiding, sticking, flicker, cost, the way of photos.

All of it on the drawn hand with its true nails, so that figures speak of the renderer alone; flicker and sticking also
through the pipeline of a live session.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_worker.evaluation.figures import Figure
from media_worker.evaluation.polish_colour import Fidelity, Hiding, fidelity, hiding
from media_worker.evaluation.polish_cost import CostReport, cost
from media_worker.evaluation.polish_steadiness import FlickerReport, StickingReport, flicker, sticking
from media_worker.evaluation.round_trip import RoundTripReport, round_trips
from media_worker.files import Progress


@dataclass(frozen=True)
class PolishReport:
    fidelity: Fidelity
    hiding: Hiding
    sticking: StickingReport
    flicker: FlickerReport
    cost: CostReport
    round_trip: RoundTripReport

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: part.as_dict() for name, part in vars(self).items()}

    def figures(self) -> list[Figure]:
        return [figure for part in vars(self).values() for figure in part.figures()]


def evaluate(model: Path | None, bar: Callable[[str], Progress]) -> PolishReport:
    """`bar` gives the progress of each part by its name. Without a hand model, no live session or photo is measured.

    Raises VisionFailed.
    """
    return PolishReport(
        fidelity(bar("colours")),
        hiding(bar("hiding")),
        sticking(model, bar("sticking")),
        flicker(model, bar("flicker")),
        cost(bar("cost")),
        round_trips(model, bar("round trip")),
    )
