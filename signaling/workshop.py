"""What workers do with single pictures: take sets of nails from them, paint them, draw previews.

Own designs reach the workers here. A worker that lacks some says so (`catalogue_unknown`) and is told before the call
is made again, so that one which has just started needs no ceremony.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from protocol.errors import CatalogueUnknown, LacquerError, WorkerUnavailable
from protocol.internal import StillAnswer, View, Worn
from protocol.nail_sets import NailSet
from signaling.collection import Collection
from signaling.routing import Router
from signaling.worker_client import Rendered, WorkerClient, WorkerSilent

PREVIEWS_KEPT = 1024
"""In memory: every thumbnail of the largest collection (1–3 kB each), and some hands (10–20 kB)."""

TRIED_KEPT = 128
"""Of what sessions wear and try on: apart, or who tries on a thousand things would push the catalogue out."""

TRIES = 3
"""The designs may change again while a worker is told of them."""

Answer = TypeVar("Answer")

log = structlog.get_logger()


class Workshop:
    def __init__(self, router: Router, workers: WorkerClient, collection: Collection) -> None:
        self._router, self._workers, self._collection = router, workers, collection
        self._previews, self._tried = _Kept(PREVIEWS_KEPT), _Kept(TRIED_KEPT)
        self._told: dict[str, str] = {}
        """By worker, the version of the own designs that it was told last."""
        self._telling: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    # --- pictures ---------------------------------------------------------------------------------------------------
    async def take(self, picture: bytes) -> NailSet:
        """The set of nails that a picture shows. Raises BadImage, VisionFailed, AtCapacity, WorkerUnavailable."""
        return await self._anywhere(lambda url: self._workers.nail_set(url, picture))

    async def wear(self, picture: bytes, worn: Worn) -> StillAnswer:
        """The picture, wearing that. Raises as `take`, and UnknownDesign."""
        return await self._anywhere(
            lambda url: self.informed(url, lambda: self._workers.still(url, picture, self.today(worn)))
        )

    def has_preview(self, worn: Worn, view: View) -> bool:
        """Whether `preview` costs no worker anything."""
        return self._kept(worn).get(self._key(worn, view)) is not None

    async def preview(self, worn: Worn, view: View) -> Rendered:
        """That, drawn on a hand; the last ones are kept. Raises UnknownDesign, AtCapacity, WorkerUnavailable."""
        key, kept = self._key(worn, view), self._kept(worn)
        drawn = kept.get(key)
        if drawn is None:
            drawn = await self._anywhere(
                lambda url: self.informed(url, lambda: self._workers.preview(url, self.today(worn), view))
            )
            kept.put(key, drawn)
        return drawn

    def _kept(self, worn: Worn) -> _Kept:
        return self._previews if worn.nail_set is None else self._tried

    async def _anywhere(self, call: Callable[[str], Awaitable[Answer]]) -> Answer:
        """The call's answer, from some worker; from another one where nobody listens at the first."""
        url = await self._router.any_worker()
        try:
            return await call(url)
        except WorkerSilent:
            await self._router.silent(url)
            return await call(await self._router.any_worker())

    def _key(self, worn: Worn, view: View) -> str:
        """Names what is seen: the same ids look different once a shop has changed its designs."""
        settings = worn.settings
        named = [worn.design_id, settings.design, *(wish.design for wish in settings.fingers.values())]
        owns = [own.version for design_id in named if design_id and (own := self._collection.own(design_id))]
        return hashlib.sha256(f"{view} {owns} {worn.model_dump_json(exclude_unset=True)}".encode()).hexdigest()

    # --- own designs ------------------------------------------------------------------------------------------------
    def today(self, worn: Worn) -> Worn:
        """What is worn, of the collection as it is now."""
        return worn.model_copy(update={"catalogue": self._collection.version})

    async def informed(self, url: str, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """The call's answer, from a worker that knows today's own designs. The call names them by `today`."""
        for _ in range(TRIES):
            try:
                return await call()
            except CatalogueUnknown:
                await self._collection.refresh()  # another process may have changed the designs, and told the worker
                await self.inform(url)
        raise WorkerUnavailable

    async def inform_all(self) -> None:
        """Tells every live worker what it may lack, so that people who stream there can choose it."""
        live = {worker.url for worker in await self._router.workers() if worker.live}
        for url in set(self._told) - live:
            del self._told[url]
            self._telling.pop(url, None)
        lacking = [url for url in live if self._told.get(url) != self._collection.version]
        await asyncio.gather(*(self._try_to_inform(url) for url in lacking))

    async def inform(self, url: str) -> None:
        """Sends the worker what it lacks of the own designs. Raises WorkerUnavailable."""
        async with self._telling[url]:
            version, wanted = self._collection.version, self._collection.versions()
            known = await self._workers.designs(url)
            for design_id in known.keys() - wanted.keys():
                await self._workers.remove_design(url, design_id)
            for design_id in (it for it, version in wanted.items() if known.get(it) != version):
                if own := await self._collection.for_worker(design_id):
                    await self._workers.put_design(url, own)
            self._told[url] = version
        log.info("worker told of own designs", worker=url, designs=len(wanted))

    async def _try_to_inform(self, url: str) -> None:
        try:
            await self.inform(url)
        except LacquerError as error:
            log.warning("own designs not told", worker=url, error=error.code)


class _Kept:
    """The last pictures that were asked for."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pictures: OrderedDict[str, Rendered] = OrderedDict()

    def get(self, key: str) -> Rendered | None:
        if key not in self._pictures:
            return None
        self._pictures.move_to_end(key)
        return self._pictures[key]

    def put(self, key: str, picture: Rendered) -> None:
        self._pictures[key] = picture
        if len(self._pictures) > self._most:
            self._pictures.popitem(last=False)
