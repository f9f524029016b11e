"""Every design there is: the built-in catalogue, and after it the shop's own, kept in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import structlog
from pydantic import ValidationError

from protocol import designs
from protocol.designs import Catalogue, Design, Finger
from protocol.errors import InvalidFields, NotFound, UnknownDesign, UnknownNail
from protocol.internal import OwnDesign, catalogue_version
from protocol.messages import explain
from protocol.nail_sets import NailSet
from signaling.design_store import DesignStore
from signaling.nail_sets import NailSets
from signaling.own_designs import FIRST_GIVEN_ID, FIRST_ID, MAX_DESIGNS, Own

log = structlog.get_logger()


class Collection:
    """Read it as often as needed: all but the nails is in memory. Changes are written first, one after the other."""

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
        """A new design under a new id. Raises InvalidFields."""
        async with self._changing:
            design = _validated({**fields, "id": await self._store.next_id()})
            return await self._save(Own(design), nail_set)

    async def change(self, design_id: int, fields: Mapping[str, object], nails: Mapping[Finger, int]) -> Own:
        """The same design with other fields, and with others of its `nails` on some fingers.

        Raises UnknownDesign where it is gone by now, UnknownNail, InvalidFields.
        """
        async with self._changing:
            own = self._own.get(design_id)
            if own is None:
                raise UnknownDesign(f"there is no own design {design_id}")
            design = _validated(own.design.model_dump(mode="json") | dict(fields))
            return await self._save(replace(own, design=design), await self._reassigned(own, nails))

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
            design_id = await self._store.id_for(file) or await self._store.next_id()
            design = _validated({**fields, "id": design_id})
            await self._save(Own(design, file=file, content=content), nail_set)

    async def take_designs(self, file: str, content: str, found: Iterable[Design]) -> None:
        """All designs of a data file, which names their ids; those that it held before and does not any more go.

        Raises InvalidFields, and then nothing is changed.
        """
        async with self._changing:
            entries = _by_id(Own(design, file=file, content=content) for design in found)
            for own in entries.values():
                self._check_id(own)
            self._check_room(entries)
            await self._remove([known.design.id for known in self._of_file(file) if known.design.id not in entries])
            for own in entries.values():
                await self._write(own)
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
        if len({*self._own, *ids}) > MAX_DESIGNS:
            raise InvalidFields(f"{MAX_DESIGNS} own designs are kept at most; remove one first")

    async def _save(self, own: Own, nail_set: NailSet | None) -> Own:
        """Writes the design; a set that it does not wear any more is deleted."""
        self._check_room([own.design.id])
        before = self._own.get(own.design.id)
        if nail_set is not None:
            own = replace(own, nail_set=await self._nail_sets.put(nail_set), nail_count=len(nail_set.nails))
        await self._write(own)
        await self._reload()
        if before is not None and before.nail_set not in (None, own.nail_set):
            await self._nail_sets.delete(before.nail_set)
        return own

    async def _write(self, own: Own) -> None:
        await self._store.save(own)
        log.info("own design", id=own.design.id, name=own.design.name, file=own.file)

    async def _remove(self, ids: Iterable[int]) -> None:
        gone = [own for design_id in ids if (own := self._own.get(design_id))]
        for own in gone:
            await self._store.remove(own.design.id)
            log.info("own design removed", id=own.design.id, name=own.design.name, file=own.file)
        await self._reload()
        for own in gone:
            if own.nail_set is not None:
                await self._nail_sets.delete(own.nail_set)


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
