"""Sets of nails taken from pictures: kept as blobs, the last few in memory."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from pydantic import ValidationError

from protocol.errors import NotFound, UnknownNail
from protocol.nail_sets import NailSet
from signaling.kept_blobs import KeptBlobs

KEPT = 64
"""Sets in memory: up to half a megabyte each."""


class NailSets:
    def __init__(self, blobs: KeptBlobs) -> None:
        self._blobs = blobs
        self._kept: OrderedDict[str, NailSet] = OrderedDict()

    async def put(self, nail_set: NailSet) -> str:
        """Keeps the set and returns its key."""
        key = await self._blobs.put(nail_set.model_dump_json().encode())
        self._remember(key, nail_set)
        return key

    async def get(self, key: str) -> NailSet:
        """Raises NotFound."""
        nail_set = self._kept.get(key)
        if nail_set is None:
            data = await self._blobs.get(key)
            try:
                nail_set = await asyncio.to_thread(NailSet.model_validate_json, data)
            except ValidationError:
                raise NotFound("this set of nails cannot be read any more") from None
        self._remember(key, nail_set)
        return nail_set

    async def delete(self, key: str) -> None:
        """After no row points to the set any more. Does nothing where it is gone already."""
        self._kept.pop(key, None)
        await self._blobs.delete(key)

    def _remember(self, key: str, nail_set: NailSet) -> None:
        self._kept[key] = nail_set
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def nail_picture(nail_set: NailSet, text: str) -> bytes:
    """The PNG of the nail at the place that a path names. Raises UnknownNail."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) < len(nail_set.nails)):
        raise UnknownNail(f"there is no nail {text:.10}; this set has {len(nail_set.nails)}, counted from 0")
    return nail_set.nails[int(text)].image
