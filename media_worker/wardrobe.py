"""From what a person chose to what the renderer paints."""

from __future__ import annotations

from pathlib import Path

from media_worker import images
from media_worker.polish.looks import Coat, Look
from protocol import designs, limits
from protocol.designs import Finger
from protocol.messages import Config


class Wardrobe:
    """What one session can wear: its own design, be it from the catalogue or from an uploaded picture, and changes."""

    def __init__(self, design_id: int | None, reference: bytes | None, model_path: Path) -> None:
        self._design_id = design_id
        self._reference = reference
        self._model_path = model_path
        self._uploaded: Look | None = None

    def look(self, settings: Config) -> Look:
        """The client's choice of design, finish and fingers over the session's own design.

        The first look at an uploaded picture searches it for nails (about 0.1 s), so call this off the event loop.
        Raises UnknownDesign, and BadImage where the upload does not decode.
        """
        base = self._worn(settings.design)
        return Look({finger: self._coat(finger, base, settings) for finger in Finger})

    def _coat(self, finger: Finger, base: Look, settings: Config) -> Coat:
        wish = settings.fingers.get(finger)
        own = self._worn(wish.design) if wish and wish.design is not None else base
        coat = own.coats[finger].wearing(settings)
        return coat.wearing(wish) if wish else coat

    def _worn(self, design_id: int | None) -> Look:
        chosen = design_id if design_id is not None else self._design_id
        return Look.of(designs.find(chosen)) if chosen is not None else self._from_upload()

    def _from_upload(self) -> Look:
        if self._reference is None:
            return Look.of(designs.find(1))
        if self._uploaded is None:
            rgb = images.decode(self._reference, max_pixels=limits.MAX_UPLOAD_PIXELS)
            self._uploaded = Look.from_image(rgb, self._model_path)
        return self._uploaded
