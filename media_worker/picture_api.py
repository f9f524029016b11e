"""The worker's operations on single pictures, outside any stream: stills, previews, and sets of nails."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog
from aiohttp import web

from media_worker import images, memory, nail_sets
from media_worker.bodies import json_response, read_model
from media_worker.pipeline import try_on_still
from media_worker.polish.looks import Look
from media_worker.polish.thumbnail import hand_picture, thumbnail
from media_worker.shelf import Shelf
from media_worker.slot import Slot
from media_worker.vision.arrays import Pixels
from media_worker.wardrobe import Wardrobe
from protocol import limits
from protocol.errors import LacquerError, VisionFailed
from protocol.internal import FrameInfo, NailSetRequest, PreviewRequest, StillAnswer, StillRequest, View
from protocol.messages import ImageFormat
from protocol.nail_sets import NailSet

log = structlog.get_logger(__name__)
T = TypeVar("T")

PREVIEW_QUALITY = 85
"""Of WebP; a hand at 640 pixels takes 10–20 kB."""

HEAVY_PLACES = 6
"""Jobs of one to two seconds: the last one is done before its caller gives up."""

PREVIEW_PLACES = 256
"""A page asks for the thumbnails of a whole catalogue at once; each takes 10–20 ms."""


class PictureApi:
    """Handlers. Of each kind, one job at a time is at work; no kind waits for another."""

    def __init__(self, shelf: Shelf, model_path: Path) -> None:
        self._shelf, self._model_path = shelf, model_path
        self._stills, self._sets = Slot("still", HEAVY_PLACES), Slot("nail-set", HEAVY_PLACES)
        self._previews = Slot("preview", PREVIEW_PLACES)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/internal/stills", self.still),
            web.post("/internal/previews", self.preview),
            web.post("/internal/nail-sets", self.nail_set),
        ]

    async def close(self) -> None:
        """Waits for what is at work."""
        await self._stills.close()
        await self._sets.close()
        await self._previews.close()

    async def still(self, request: web.Request) -> web.Response:
        asked = await read_model(request, StillRequest)
        wardrobe = Wardrobe(asked, self._shelf)
        return json_response(await self._stills.run(partial(self._try_on, asked, wardrobe)))

    def _try_on(self, asked: StillRequest, wardrobe: Wardrobe) -> StillAnswer:
        rgb = _decoded(asked.image)
        done = _seeing(lambda: try_on_still(self._model_path, rgb, wardrobe.look(asked.settings)))
        height, width = done.image.shape[:2]
        info = FrameInfo(width=width, height=height, nails=len(done.nails), confidence=round(done.confidence, 3))
        return StillAnswer(image=b64encode(images.encode(done.image, asked.format)), info=info)

    async def preview(self, request: web.Request) -> web.Response:
        asked = await read_model(request, PreviewRequest)
        wardrobe = Wardrobe(asked, self._shelf)
        picture = await self._previews.run(lambda: _preview(wardrobe.look(asked.settings), asked.view))
        return web.Response(body=picture, content_type="image/webp")

    async def nail_set(self, request: web.Request) -> web.Response:
        asked = await read_model(request, NailSetRequest)
        return json_response(await self._sets.run(partial(self._take, asked.image)))

    def _take(self, image: bytes) -> NailSet:
        rgb = _decoded(image)
        return _seeing(lambda: nail_sets.take(rgb, self._model_path))


def _preview(look: Look, view: View) -> bytes:
    picture = hand_picture(look) if view is View.HAND else thumbnail(look)
    return images.encode(picture, ImageFormat.WEBP, quality=PREVIEW_QUALITY)


def _decoded(image: bytes) -> Pixels:
    """Raises BadImage, TooLarge."""
    return images.decode(image, max_pixels=limits.MAX_UPLOAD_PIXELS)


def _seeing(job: Callable[[], T]) -> T:
    """As in `Engine.run`: vision may stumble over anything in a picture, and leaves memory behind. Raises
    VisionFailed."""
    try:
        return job()
    except LacquerError:
        raise
    except Exception as error:
        log.error("vision failed on a picture", exc_info=error)
        raise VisionFailed("no nails can be found on this picture") from error
    finally:
        memory.give_back()
