"""Sessions made real: the rules of `sessions`, applied to the database, the blobs and the workers.

Everything that happens to a session happens here, whoever asked for it: a REST handler, a WebSocket or the sweeper.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeVar

import structlog

from protocol.api import Mode, SessionStatus
from protocol.errors import AtCapacity, LacquerError, NotFound, RegistryUnavailable, SessionEnded, WorkerUnavailable
from protocol.internal import SessionReport, SessionSpec, Worn
from protocol.messages import Config, Stats
from protocol.nail_sets import NailSet
from signaling.nail_sets import NailSets
from signaling.routing import Router
from signaling.sessions import LIVE, Clock, Session, is_id
from signaling.store import Store
from signaling.unbroken import Unbroken
from signaling.worker_client import WorkerClient, WorkerSilent
from signaling.workshop import Workshop

CONNECT_TIMEOUT = 5.0
"""Seconds to find a worker that serves a session, a second one after the first failed included."""

TRIES = 2

HAND_OVER_TIMEOUT = 1.0
"""Seconds that a worker has to say what it knows of a session that leaves it."""

Answer = TypeVar("Answer")

log = structlog.get_logger()


class SessionService:
    """The one place where a session's state changes."""

    def __init__(
        self,
        *,
        store: Store,
        nail_sets: NailSets,
        router: Router,
        workers: WorkerClient,
        workshop: Workshop,
        unbroken: Unbroken,
        clock: Clock,
        lifetime: float,
    ) -> None:
        self._store = store
        self._nail_sets = nail_sets
        self._router = router
        self._workers = workers
        self._workshop = workshop
        self._unbroken = unbroken
        self._clock = clock
        self._lifetime = lifetime

    # --- finding ----------------------------------------------------------------------------------------------------
    async def find(self, session_id: str) -> Session:
        """Raises NotFound."""
        session = await self._store.session(session_id.lower()) if is_id(session_id) else None
        if session is None:
            raise NotFound(f"there is no session {session_id:.40}")
        return session

    async def find_live(self, session_id: str) -> Session:
        """Raises NotFound, SessionEnded."""
        session = await self.find(session_id)
        session.check_live(self._clock())
        return session

    # --- lifecycle --------------------------------------------------------------------------------------------------
    async def check_capacity(self) -> None:
        """Whether a session made now could be served. Raises AtCapacity, WorkerUnavailable."""
        if not await self._router.free_slots():
            await self._router.any_worker()
            raise AtCapacity

    async def create(
        self,
        owner: str,
        *,
        post_id: int | None = None,
        nail_set: NailSet | None = None,
        settings: Config | None = None,
    ) -> Session:
        """A new session: explore mode by design, upload mode by the nails that a picture showed."""
        now = self._clock()
        session = Session(
            session_id=str(uuid.uuid4()),
            owner=owner,
            mode=Mode.EXPLORE if nail_set is None else Mode.UPLOAD,
            post_id=post_id,
            created_at=now,
            expires_at=now + self._lifetime,
            settings=settings or Config(),
        )
        return await self._unbroken.run(self._add(session, nail_set))

    async def _add(self, session: Session, nail_set: NailSet | None) -> Session:
        if nail_set is not None:
            session = replace(session, nail_set=await self._nail_sets.put(nail_set))
        await self._store.add_session(session)
        log.info("session created", session=session.session_id, mode=session.mode, post=session.post_id)
        return session

    async def extend(self, session_id: str) -> Session:
        """Full time from now on. The worker is told where it holds the session; where it cannot be, it learns of it at
        the next connection. Raises NotFound, SessionEnded."""
        session = (await self.find_live(session_id)).extended(self._clock(), self._lifetime)
        if not await self._store.set_expiry(session.session_id, session.expires_at):
            raise SessionEnded
        try:
            if url := await self._router.owner(session.session_id):
                await self._open_at(url, session)
        except LacquerError as error:
            log.warning("extension not told", session=session.session_id, error=error.code)
        return session

    async def end(self, session_id: str) -> None:
        """The person is done. Raises NotFound, SessionEnded."""
        while not await self._step(await self.find_live(session_id), SessionStatus.ENDED):
            pass  # it became active meanwhile: look again; a status only moves forward, so this ends

    async def expire(self, session: Session) -> None:
        """Does nothing where it was extended meanwhile."""
        await self._step(session, SessionStatus.EXPIRED, due=self._clock())

    async def absorb(self, url: str, report: SessionReport, known: Mapping[str, int]) -> bool:
        """Takes in what a worker says of a session that it holds. `known` is `Store.report_counts` from before it was
        asked. False where another process has taken in a report since, which may be newer."""
        session = await self._store.session(report.session_id)
        if session is None or session.status not in LIVE:
            # Ended while this worker could not be told, or while a connection was being made.
            await self._tell_ended(url, report.session_id, session.status if session else "unknown")
            return True
        if report.connections == 0 and await self._known_owner(session.session_id) != url:
            return True  # moved away from there
        if not await self._router.claim(session.session_id, url):
            return True
        fresh = session.reports == known.get(session.session_id) and await self._store_report(session, report)
        if report.connections and session.status is SessionStatus.CREATED:
            await self._step(session, SessionStatus.ACTIVE)
        return bool(fresh)

    async def refresh(self, session: Session) -> Session:
        """The session with what its worker knows by now; as it was where the worker does not say."""
        for _ in range(TRIES):
            url = await self._known_owner(session.session_id)
            if url is None or await self._ask(url, session):
                break
            session = await self.find(session.session_id)
        return await self.find(session.session_id) if url else session

    async def _ask(self, url: str, session: Session) -> bool:
        """Takes in what the worker says of this session. False where another process did at the same moment."""
        try:
            reports = await self._workers.reports(url)
        except LacquerError as error:
            log.warning("report missing", session=session.session_id, worker=url, error=error.code)
            return True
        known = {session.session_id: session.reports}
        mine = [report for report in reports if report.session_id == session.session_id]
        return all([await self.absorb(url, report, known) for report in mine])

    async def _step(self, session: Session, to: SessionStatus, *, due: float | None = None) -> bool:
        """The one place that changes a status. False where someone else changed it first, or its expiry."""
        session.moved_to(to)
        return await self._unbroken.run(self._take_step(session, to, due))

    async def _take_step(self, session: Session, to: SessionStatus, due: float | None) -> bool:
        if not await self._store.move(session, to, due=due):
            return False
        log.info("session status", session=session.session_id, was=session.status, now=to)
        if to not in LIVE:
            await self._leave(session, to)
        return True

    async def _leave(self, session: Session, status: SessionStatus) -> None:
        """What entering `expired` or `ended` needs: the worker lets go, the person's nails go."""
        if url := await self._known_owner(session.session_id):
            report = await self._tell_ended(url, session.session_id, status)
            if report is not None:
                await self._store_last_report(session, report)
        await self._router.release(session.session_id)
        if session.nail_set is not None:
            await self._nail_sets.delete(session.nail_set)

    async def _tell_ended(self, url: str, session_id: str, reason: str) -> SessionReport | None:
        """None where the worker does not answer, or does not know the session. The sweeper comes back to it."""
        try:
            return await self._workers.end_session(url, session_id, reason)
        except NotFound:
            return None  # it had forgotten the session already
        except LacquerError as error:
            log.warning("end not told", session=session_id, worker=url, error=error.code)
            return None

    async def _store_report(self, session: Session, report: SessionReport) -> Session | None:
        """The session as it is kept now; None where it was not, as another report was taken in meanwhile."""
        reported = session.reported(report.settings, report.statistics)
        if reported == session:
            return session
        return replace(reported, reports=session.reports + 1) if await self._store.save_report(reported) else None

    async def _store_last_report(self, session: Session, report: SessionReport) -> None:
        """The worker says no more of it, so this report is newer than any that others took in meanwhile."""
        for _ in range(TRIES):
            now = await self._store.session(session.session_id)
            if now is None or await self._store_report(now, report):
                return

    async def _count_anew(self, session: Session) -> None:
        """A worker meets the session for the first time. Nothing is to be done where its first report was faster."""
        for _ in range(TRIES):
            if session.statistics == Stats() or await self._store.save_report(session.counted_anew()):
                return
            now = await self._store.session(session.session_id)
            if now is None or now.earlier != session.earlier:
                return
            session = now

    # --- on a worker ------------------------------------------------------------------------------------------------
    async def connect(self, session: Session, call: Callable[[str], Awaitable[Answer]]) -> Answer:
        """Opens the session on its worker, placing it first, and makes the call there with the worker's URL.

        Where the worker is full or does not answer, another one is tried: a session is small, so moving it is cheap.
        Raises AtCapacity, WorkerUnavailable, and whatever the worker refuses the call with.
        """
        tried: list[str] = []
        before = await self._known_owner(session.session_id)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                answer = await self._try_workers(session, call, before, tried)
        except TimeoutError:
            for url in tried[-1:]:
                await self._router.release(session.session_id, held_by=url)
            raise WorkerUnavailable from None
        if before is not None and before not in tried:
            self._unbroken.start(self._leave_behind(before, session.session_id))
        return answer

    async def _try_workers(
        self, session: Session, call: Callable[[str], Awaitable[Answer]], before: str | None, tried: list[str]
    ) -> Answer:
        """Puts each worker that it tries in `tried`; `before` is where the session was."""
        refusal: LacquerError = WorkerUnavailable()
        while len(tried) < TRIES:
            try:
                url = await self._router.place(session.session_id, avoid=tried)
            except (AtCapacity, WorkerUnavailable) as error:
                raise (refusal if tried else error) from None
            tried.append(url)
            if before is not None and before not in tried:
                session = await self._brought_along(before, session)
            try:
                return await self._connect_to(url, session, call)
            except (AtCapacity, WorkerUnavailable) as error:
                refusal = error
        raise refusal

    async def _connect_to(self, url: str, session: Session, call: Callable[[str], Awaitable[Answer]]) -> Answer:
        try:
            await self._open_at(url, session)
            return await call(url)
        except (AtCapacity, WorkerUnavailable) as error:
            await self._router.release(session.session_id, held_by=url)
            if isinstance(error, WorkerSilent):
                await self._router.silent(url)
            raise
        finally:
            # Also after a refused offer, or a client that went away: the worker knows whether it counts the session.
            await self._router.accepted(session.session_id)

    async def _brought_along(self, before: str, session: Session) -> Session:
        """The session as the worker that it leaves knows it by now: the last choices and counts move with it."""
        try:
            async with asyncio.timeout(HAND_OVER_TIMEOUT):
                reports = await self._workers.reports(before)
        except (LacquerError, TimeoutError) as error:
            log.warning("left without a last report", session=session.session_id, worker=before, error=str(error))
            return session
        for report in reports:
            if report.session_id == session.session_id:
                kept = await self._store_report(session, report)
                return kept or session.reported(report.settings, report.statistics)
        return session

    async def _leave_behind(self, before: str, session_id: str) -> None:
        """The worker that the session left forgets it: what it remembers would be old if the session came back."""
        try:
            await self._workers.leave_session(before, session_id)
        except LacquerError as error:
            log.info("not told to forget", session=session_id, worker=before, error=error.code)

    async def _known_owner(self, session_id: str) -> str | None:
        """The worker that holds the session; None also where that cannot be known now."""
        try:
            return await self._router.owner(session_id)
        except RegistryUnavailable:
            return None

    async def owner(self, session: Session) -> str:
        """The worker that holds the session now. Raises NotFound where none does, RegistryUnavailable."""
        url = await self._router.owner(session.session_id)
        if url is None:
            raise NotFound(f"session {session.session_id} has no connection")
        return url

    async def nail_set(self, session: Session) -> NailSet:
        """Upload mode: what the person's picture showed. Raises NotFound, or SessionEnded where it is gone."""
        if session.mode is not Mode.UPLOAD:
            raise NotFound("this session shows a design of the catalogue")
        if session.nail_set is None:
            raise SessionEnded(f"session {session.session_id} keeps no nails")
        return await self._nail_sets.get(session.nail_set)

    async def worn(self, session: Session) -> Worn:
        """What the session wears by now. Raises SessionEnded where an upload is gone."""
        upload = session.mode is Mode.UPLOAD
        nail_set = await self.nail_set(session) if upload else None
        return Worn(design_id=session.post_id, nail_set=nail_set, settings=session.settings)

    async def _open_at(self, url: str, session: Session) -> None:
        """Opens or refreshes the session on a worker, which learns what it lacks of the shop's own designs."""
        worn = await self.worn(session)

        async def put() -> bool:
            told = dict(self._workshop.today(worn))
            spec = SessionSpec(**told, session_id=session.session_id, expires_at=session.expires_at)
            return await self._workers.put_session(url, spec)

        if await self._workshop.informed(url, put):
            await self._count_anew(session)
