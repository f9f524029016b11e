"""Every design there is: the built-in catalogue, and after it the shop's own, kept in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import structlog
from pydantic import ValidationError

from protocol import designs
from protocol.designs import Catalogue, Design, Finger
from protocol.errors import InvalidFields, NotFound, StoreUnavailable, UnknownDesign, UnknownNail
from protocol.internal import OwnDesign, catalogue_version
from protocol.messages import explain
from protocol.nail_sets import NailSet
from signaling.design_store import TRIES, DesignStore
from signaling.nail_sets import NailSets
from signaling.own_designs import FIRST_GIVEN_ID, FIRST_ID, MAX_DESIGNS, Own

_NEW = -1
"""Stands for an id that is not given out yet, where places are counted."""

log = structlog.get_logger()


class Collection:
    """Read it as often as needed: all but the nails is in memory. Changes are written first, one after the other, and
    made to what the database holds by then: other processes change designs, too."""

    def __init__(self, store: DesignStore, nail_sets: NailSets) -> None:
        self._store, self._nail_sets = store, nail_sets
        self._changing = asyncio.Lock()
        self._own: Mapping[int, Own] = {}
        self._catalogue: Catalogue = designs.catalogue()
        self.version = catalogue_version({})
        """Of the own designs: what workers must hold to serve any of them."""

    async def refresh(self) -> None:
        """Reads what the database holds: another process may have changed it."""
        async with self._changing:
            await self._reload()

    async def _reload(self) -> None:
        self._own = {own.design.id: own for own in await self._store.all()}
        self._catalogue = designs.catalogue().plus(own.design for own in self._own.values())
        self.version = catalogue_version(self.versions())

    # --- reading ----------------------------------------------------------------------------------------------------
    def all(self) -> Iterator[Design]:
        """Family after family; own designs of a known family at its end."""
        return iter(self._catalogue.values())

    def find(self, design_id: int) -> Design:
        """Raises UnknownDesign."""
        return self._catalogue.find(design_id)

    def own(self, design_id: int) -> Own | None:
        return self._own.get(design_id)

    def versions(self) -> dict[int, str]:
        return {design_id: own.version for design_id, own in self._own.items()}

    def nail_count(self, design_id: int) -> int:
        """How many nails the design was taken from; 0 for most. Raises UnknownDesign."""
        own = self.own(self.find(design_id).id)
        return own.nail_count if own else 0

    async def for_worker(self, design_id: int) -> OwnDesign | None:
        """All that a worker must know of an own design; None where it is gone by now."""
        own = self.own(design_id)
        if own is None:
            return None
        return OwnDesign(version=own.version, design=own.design, nail_set=await self.nail_set(own))

    async def nail_set(self, own: Own) -> NailSet | None:
        """What the design's picture showed. None for designs in colours; and where the blob is lost, so that one lost
        file stops neither workers nor sessions: the design is worn in its colours then."""
        if own.nail_set is None:
            return None
        try:
            return await self._nail_sets.get(own.nail_set)
        except NotFound:
            log.warning("nails of an own design are lost; add its photo anew", id=own.design.id, name=own.design.name)
            return None

    # --- changing ---------------------------------------------------------------------------------------------------
    async def add(self, fields: Mapping[str, object], nail_set: NailSet | None = None) -> Own:
        """A new design under a new id. Raises InvalidFields, StoreUnavailable."""
        async with self._changing:
            await self._reload()
            self._check_room([_NEW])
            _validated({**fields, "id": FIRST_GIVEN_ID})  # before anything is written
            worn = await self._put_nails(nail_set)
            own = await self._store.add(lambda new: worn(_validated({**fields, "id": new})))
            return await self._written(own)

    async def change(self, design_id: int, fields: Mapping[str, object], nails: Mapping[Finger, int]) -> Own:
        """The same design with other fields, and with others of its `nails` on some fingers.

        Raises UnknownDesign where it is gone by now, UnknownNail, InvalidFields, StoreUnavailable.
        """
        async with self._changing:
            for _ in range(TRIES):
                await self._reload()
                own = self._own.get(design_id)
                if own is None:
                    raise UnknownDesign(f"there is no own design {design_id}")
                changed = await self._changed(own, fields, nails)
                if await self._store.change(changed):
                    return await self._written(changed, before=own)
        raise StoreUnavailable("others change this design at the same time; try again")

    async def _changed(self, own: Own, fields: Mapping[str, object], nails: Mapping[Finger, int]) -> Own:
        design = _validated(own.design.model_dump(mode="json") | dict(fields))
        nail_set = await self._reassigned(own, nails)
        if nail_set is None:
            return replace(own, design=design)
        return replace(own, design=design, nail_set=await self._nail_sets.put(nail_set))

    async def _reassigned(self, own: Own, nails: Mapping[Finger, int]) -> NailSet | None:
        """None where no finger wears another nail than before. Raises UnknownNail."""
        if not nails:
            return None
        nail_set = await self.nail_set(own)
        if nail_set is None or max(nails.values()) >= len(nail_set.nails):
            raise UnknownNail(f"nails: this design was taken from {own.nail_count}, counted from 0")
        return nail_set.model_copy(update={"fingers": {**nail_set.fingers, **nails}})

    async def remove(self, design_id: int) -> None:
        """Does nothing where it is gone already."""
        async with self._changing:
            await self._reload()
            await self._remove([design_id])

    # --- the designs folder -----------------------------------------------------------------------------------------
    def content_of(self, file: str) -> str | None:
        """SHA-256 of the file when it was last taken in; None for one that nothing is worn of."""
        return next((own.content for own in self._own.values() if own.file == file), None)

    def files(self) -> set[str]:
        return {own.file for own in self._own.values() if own.file is not None}

    async def take_photo(self, file: str, content: str, fields: Mapping[str, object], nail_set: NailSet) -> None:
        """The design of a photo, under the id that this file had before. Raises InvalidFields."""
        async with self._changing:
            await self._reload()
            before = next(iter(self._of_file(file)), None)
            self._check_room([before.design.id if before else _NEW])
            _validated({**fields, "id": FIRST_GIVEN_ID})  # before anything is written
            worn = await self._put_nails(nail_set)

            def make(design_id: int) -> Own:
                return replace(worn(_validated({**fields, "id": design_id})), file=file, content=content)

            await self._written(await self._store.put_photo(file, make), before=before)

    async def take_designs(self, file: str, content: str, found: Iterable[Design]) -> None:
        """All designs of a data file, which names their ids; those that it held before and does not any more go.

        Raises InvalidFields, and then nothing is changed.
        """
        async with self._changing:
            await self._reload()
            entries = _by_id(Own(design, file=file, content=content) for design in found)
            for own in entries.values():
                self._check_id(own)
            self._check_room(entries)
            await self._remove([known.design.id for known in self._of_file(file) if known.design.id not in entries])
            for own in entries.values():
                await self._store.put(own)
                _log_written(own)
            await self._reload()

    async def forget_file(self, file: str) -> None:
        """The file is gone from the folder."""
        async with self._changing:
            await self._remove([own.design.id for own in self._of_file(file)])

    def _of_file(self, file: str) -> list[Own]:
        return [own for own in self._own.values() if own.file == file]

    # --- writing ----------------------------------------------------------------------------------------------------
    def _check_id(self, own: Own) -> None:
        design, known = own.design, self._own.get(own.design.id)
        if not FIRST_ID <= design.id < FIRST_GIVEN_ID:
            raise InvalidFields(
                f"“{design.name}”: id {design.id} is not for data files; use {FIRST_ID} to {FIRST_GIVEN_ID - 1}"
            )
        if known is not None and known.file != own.file:
            raise InvalidFields(f"“{design.name}”: id {design.id} is taken by “{known.design.name}”; use another one")

    def _check_room(self, ids: Iterable[int]) -> None:
        """Processes that add the last one at the same moment may go over by one each. Raises InvalidFields."""
        if len({*self._own, *ids}) > MAX_DESIGNS:
            raise InvalidFields(f"{MAX_DESIGNS} own designs are kept at most; remove one first")

    async def _put_nails(self, nail_set: NailSet | None) -> Callable[[Design], Own]:
        """Keeps the set: what makes a design one that wears it."""
        if nail_set is None:
            return Own
        key, count = await self._nail_sets.put(nail_set), len(nail_set.nails)
        return lambda design: Own(design, nail_set=key, nail_count=count)

    async def _written(self, own: Own, before: Own | None = None) -> Own:
        """Reads back what was written; a set that the design does not wear any more is deleted."""
        _log_written(own)
        await self._reload()
        if before is not None and before.nail_set not in (None, own.nail_set):
            await self._nail_sets.delete(before.nail_set)
        return own

    async def _remove(self, ids: Iterable[int]) -> None:
        gone = [own for design_id in ids if (own := self._own.get(design_id))]
        if not gone:
            return
        loose: list[str] = []
        for own in gone:
            loose += await self._store.remove(own.design.id)
            log.info("own design removed", id=own.design.id, name=own.design.name, file=own.file)
        await self._reload()
        for key in loose:
            await self._nail_sets.delete(key)


def _log_written(own: Own) -> None:
    log.info("own design", id=own.design.id, name=own.design.name, file=own.file)


def _by_id(found: Iterable[Own]) -> dict[int, Own]:
    """Raises InvalidFields where two have the same id."""
    entries: dict[int, Own] = {}
    for own in found:
        other = entries.setdefault(own.design.id, own)
        if other is not own:
            raise InvalidFields(
                f"“{other.design.name}” and “{own.design.name}” have the same id, {own.design.id}: change one of them"
            )
    return entries


def _validated(fields: Mapping[str, object]) -> Design:
    """Raises InvalidFields, naming the first wrong field."""
    try:
        return Design.model_validate(fields)
    except ValidationError as error:
        raise InvalidFields(explain(error)) from error
