"""From what a person chose to what the painter paints."""

from __future__ import annotations

from media_worker.polish.looks import Coat, Look
from media_worker.shelf import Piece, Shelf
from protocol import wishes
from protocol.designs import Finger
from protocol.internal import Worn
from protocol.messages import Config, FingerConfig


class Wardrobe:
    """What one session can wear: its own design or nails, everything on the shelf, and changes to all of it."""

    def __init__(self, worn: Worn, shelf: Shelf) -> None:
        """Raises CatalogueUnknown, UnknownDesign, BadRequest."""
        self._own = shelf.chosen(worn)
        self._shelf = shelf

    def check(self, change: Config, settings: Config) -> None:
        """Whether what `change` names exists; `settings` are those after it. Raises UnknownDesign, UnknownNail."""
        wishes.check(change, settings, self._nail_count)

    def look(self, settings: Config) -> Look:
        """The person's choices over the session's own design. A design that is gone by now is not worn.

        Decodes the pictures of nails (about 1 ms each), so call this off the event loop.
        """
        return Look({finger: self._coat(finger, settings) for finger in Finger})

    def _coat(self, finger: Finger, settings: Config) -> Coat:
        wish = settings.fingers.get(finger, FingerConfig())
        piece = self._shelf.get(wish.design) or self._shelf.get(settings.design) or self._own
        return piece.coat(finger, wish.nail).wearing(settings).wearing(wish)

    def _nail_count(self, design_id: int | None) -> int:
        piece: Piece = self._own if design_id is None else self._shelf.find(design_id)
        return piece.nail_count
