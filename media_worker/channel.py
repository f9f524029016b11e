"""The protocol's conversation on one connection: the same for a WebSocket and a data channel.

`receive` takes what came and never raises or blocks: whatever is wrong with it is answered with an `error` message.
Answers leave through a bounded outbox and one writer, so a peer that does not read costs a fixed amount of memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol

import structlog

from media_worker import images
from media_worker.flood import Pace
from media_worker.mailbox import Mailbox, MailboxClosed
from media_worker.pipeline import Pipeline, Processed
from media_worker.reply_size import ReplySize
from media_worker.session import Session
from media_worker.stats import MESSAGES_DROPPED
from media_worker.vision.arrays import Floats
from media_worker.vision.nails import Nail
from protocol import framing, limits, messages, tracing
from protocol.errors import BadImage, BadMessage, LacquerError, SilentPeer, TooLarge
from protocol.messages import Quality

log = structlog.get_logger(__name__)
Point = tuple[float, float]

OUTBOX_SIZE = 64
"""Messages waiting for a slow peer: two seconds of metadata. Further ones are dropped and counted."""

OUTBOX_BYTES = 4 * 1024 * 1024
"""Of pictures waiting for a slow peer; further ones are not made before these have left."""

MAX_WAITING_CAPTURES = 4
STATS_INTERVAL = 2.0
PICTURE_QUALITY = {Quality.SAVER: 60, Quality.AUTO: images.QUALITY, Quality.HIGH: 97}
"""Of processed pictures sent as JPEG or WebP. A drawn hand at 640x480 as JPEG: 11, 15.6 and 23 kB."""

FAREWELL_TIMEOUT = 1.0


class Transport(Protocol):
    """What carries messages: a WebSocket or a data channel."""

    max_message_size: int
    """Larger binary messages are sent in chunks."""

    async def send(self, data: str | bytes) -> None:
        """Returns when the transport can take more. Raises ConnectionError when it is gone."""
        ...


class Frame:
    """A client's picture on its way through."""

    __slots__ = ("arrived", "header", "payload")

    def __init__(self, header: messages.FrameHeader, payload: bytes) -> None:
        self.header, self.payload, self.arrived = header, payload, time.monotonic()


class Channel:
    """Speaks the protocol for one session over one transport."""

    def __init__(
        self, session: Session, transport: Transport, on_link: Callable[[messages.LinkReport], None] | None = None
    ) -> None:
        """`on_link` hears how the client receives its video, where video goes beside this channel."""
        self.session = session
        self._on_link = on_link
        self.last_heard = time.monotonic()
        """Monotonic time of the last message from the other side."""
        self.left = asyncio.Event()
        """Set when the client said `bye`, fell silent or stopped reading; `reason` tells which."""
        self.reason: LacquerError | None = None
        self._transport = transport
        self._outbox: asyncio.Queue[str | bytes] = asyncio.Queue(OUTBOX_SIZE)
        self._frames: Mailbox[Frame] = Mailbox(lambda frame: session.statistics.dropped("superseded"))
        self._replies = ReplySize()
        self._pace = Pace()
        self._captures: asyncio.Queue[messages.CaptureRequest] = asyncio.Queue(MAX_WAITING_CAPTURES)
        self._chosen = asyncio.Event()
        """Set when something was chosen that no frame wears yet."""
        self._reassembler = framing.Reassembler()
        self._message_ids = itertools.count(1)
        self._room = asyncio.Event()
        self._room.set()
        self._outbox_bytes = 0
        self._light = asyncio.Event()
        """Set while less than OUTBOX_BYTES wait."""
        self._light.set()
        self._writer: asyncio.Task[None] | None = None
        self._workers: list[asyncio.Task[None]] = []
        self._closed = False

    # --- life ------------------------------------------------------------------------------------------------------
    def start(self, *, closes_when_silent: bool) -> None:
        """Says `ready` and begins to work, unless it was closed before that.

        `closes_when_silent`: whether 30 s without a word end the connection.
        """
        if self._closed:
            return
        settings = self.session.settings.model_dump(mode="json", exclude={"type"})
        self._writer = self._begin(self._write())
        self.tell(messages.Ready(session_id=self.session.id, settings=settings))
        jobs = (self._process_frames(), self._dress(), self._take_captures(), self._beat(closes_when_silent))
        self._workers = [self._begin(job) for job in jobs]

    async def close(self, farewell: LacquerError | None = None) -> None:
        """Stops all work; what waits in the outbox, and the farewell, gets FAREWELL_TIMEOUT to leave. Idempotent."""
        self._closed = True
        self._frames.close()
        await _cancel(self._workers)
        if farewell:
            self.tell(messages.ErrorMessage.of(farewell, fatal=True))
        if self._writer:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_TIMEOUT):
                    await self._outbox.join()
            await _cancel([self._writer])

    def _begin(self, job: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(job)
        task.add_done_callback(self._check)
        return task

    def _check(self, task: asyncio.Task[None]) -> None:
        """A fault of ours must not leave a connection that looks alive and answers nothing."""
        if not task.cancelled() and (error := task.exception()):
            log.error("conversation failed", session=self.session.id, exc_info=error)
            self._leave(LacquerError())

    def _leave(self, reason: LacquerError | None) -> None:
        if not self.left.is_set():
            self.reason = reason
            self.left.set()
            self._room.set()

    # --- out -------------------------------------------------------------------------------------------------------
    def tell(self, message: messages.Message) -> None:
        """Queues a text message; dropped and counted when the peer does not keep up. Nothing goes before `ready`."""
        if self._writer:
            self._queue(message.model_dump_json())

    def _queue(self, data: str | bytes) -> None:
        try:
            self._outbox.put_nowait(data)
        except asyncio.QueueFull:
            MESSAGES_DROPPED.inc()
        if self._outbox.qsize() > OUTBOX_SIZE // 2 and not self.left.is_set():
            self._room.clear()

    async def drained(self) -> None:
        """Waits until the outbox is at most half full: back-pressure for a transport that can stop reading."""
        await self._room.wait()

    async def _write(self) -> None:
        while True:
            data = await self._outbox.get()
            if isinstance(data, bytes):
                self._weigh(-len(data))
            if self._outbox.qsize() <= OUTBOX_SIZE // 2:
                self._room.set()
            try:
                await self._transport.send(data)
            except ConnectionError:
                self._leave(None)
            finally:
                self._outbox.task_done()

    async def _send_binary(self, header: messages.Message, payload: bytes) -> None:
        parts = framing.split(
            header.model_dump(mode="json"),
            payload,
            message_id=next(self._message_ids),
            max_message_size=self._transport.max_message_size,
        )
        for part in parts:
            await self._light.wait()
            self._weigh(len(part))
            await self._outbox.put(part)

    def _weigh(self, change: int) -> None:
        self._outbox_bytes += change
        if self._outbox_bytes < OUTBOX_BYTES:
            self._light.set()
        else:
            self._light.clear()

    # --- in --------------------------------------------------------------------------------------------------------
    def receive(self, data: str | bytes) -> None:
        """Takes one message as it came."""
        self.last_heard = time.monotonic()
        if not self._pace.admits(data):
            return self._refuse()
        try:
            if isinstance(data, str):
                self._receive_text(data)
            else:
                self._receive_binary(data)
        except LacquerError as error:
            self.tell(messages.ErrorMessage.of(error))

    def admits_ping(self) -> bool:
        """Whether a ping of the WebSocket itself may be answered now. It is no word: silence goes on."""
        admitted = self._pace.admits_control()
        if not admitted:
            self._refuse()
        return admitted

    def _refuse(self) -> None:
        error = self._pace.complaint()
        if self._pace.over:
            self._leave(error)
        elif error:
            self.tell(messages.ErrorMessage.of(error))

    def _receive_text(self, text: str) -> None:
        message = messages.parse_text(text)
        match message:
            case messages.Ping():
                self.tell(messages.Pong(t=message.t, server_time=time.time() * 1000))
            case messages.Bye():
                self._leave(None)
            case messages.Config():
                self.session.choose(message)
                self._chosen.set()
            case messages.CaptureRequest():
                self._pace.check_capture()
                try:
                    self._captures.put_nowait(message)
                except asyncio.QueueFull:
                    raise BadMessage(f"{MAX_WAITING_CAPTURES} captures wait already; send fewer at once") from None
            case messages.LinkReport():
                if self._on_link:
                    self._on_link(message)
            case messages.Pong():
                pass

    def _receive_binary(self, data: bytes) -> None:
        header, payload = framing.unpack(data)
        if framing.is_chunk(header):
            whole = self._reassembler.add(header, payload)
            if whole is None:
                return
            header, payload = whole
        frame = Frame(messages.parse_frame_header(header), payload)
        self.session.statistics.received()
        if self.session.settings.paused:
            self.session.statistics.dropped("paused")
        else:
            self._frames.put(frame)

    # --- work ------------------------------------------------------------------------------------------------------
    async def _process_frames(self) -> None:
        while True:
            try:
                frame = await self._frames.take()
            except MailboxClosed:
                return
            try:
                await self._process_frame(frame)
            except LacquerError as error:
                error.frame_number = frame.header.frame_number
                self.session.statistics.dropped(
                    "undecodable" if isinstance(error, (BadImage, TooLarge)) else "vision_failed"
                )
                self.tell(messages.ErrorMessage.of(error))

    async def _process_frame(self, frame: Frame) -> None:
        queued_ms = (time.monotonic() - frame.arrived) * 1000
        image_format, decode_ms, processed = await self.session.run(
            partial(_decode_and_process, frame.payload, int(frame.arrived * 1000))
        )
        if processed.trouble:
            self.session.notice(processed.trouble)
        started = time.monotonic()
        quality = self._replies.quality(PICTURE_QUALITY[self.session.settings.quality])
        payload = await asyncio.to_thread(images.encode_live, processed.image, image_format, quality=quality)
        self._replies.sent(len(payload), asked_with=len(frame.payload))
        now = time.monotonic()
        stages = {
            "queue": queued_ms,
            "decode": decode_ms,
            **processed.stages,
            "encode": (now - started) * 1000,
            "total": (now - frame.arrived) * 1000,
        }
        height, width = processed.image.shape[:2]
        header = messages.ProcessedFrameHeader(
            frame_number=frame.header.frame_number,
            timestamp=frame.header.timestamp,
            image_size=len(payload),
            format=image_format,
            confidence=round(processed.confidence, 3),
            nails=len(processed.nails),
            processing_ms=round(stages["total"], 2),
        )
        await self._send_binary(header, payload)
        self.session.statistics.finished(stages, width, height)
        self.session.keep(processed, width, height, lambda: processed.image)
        self.session.tell(metadata_of(self.session, processed, frame.header.frame_number, (width, height), stages))

    async def _dress(self) -> None:
        """Of choices that come faster than frames, only where they end is worn."""
        while True:
            await self._chosen.wait()
            self._chosen.clear()
            try:
                await self.session.dress()
            except LacquerError as error:
                self.tell(messages.ErrorMessage.of(error))

    async def _take_captures(self) -> None:
        while True:
            request = await self._captures.get()
            try:
                await self._capture(request)
            except LacquerError as error:
                self.tell(messages.ErrorMessage.of(error))

    async def _capture(self, request: messages.CaptureRequest) -> None:
        with tracing.served("capture", {}, self.session.id):
            payload, info = await self.session.capture(request.format)
        header = messages.CaptureHeader(
            request_id=request.request_id,
            image_size=len(payload),
            format=request.format,
            **info.model_dump(),
        )
        await self._send_binary(header, payload)

    async def _beat(self, closes_when_silent: bool) -> None:
        next_ping = time.monotonic() + limits.PING_INTERVAL
        frames_out = self.session.statistics.snapshot().frames_out
        while True:
            await asyncio.sleep(STATS_INTERVAL)
            now = time.monotonic()
            if closes_when_silent and now - self.last_heard > limits.SILENCE_TIMEOUT:
                self._leave(SilentPeer(f"nothing was heard for {limits.SILENCE_TIMEOUT:.0f} s"))
            if now >= next_ping:
                next_ping = now + limits.PING_INTERVAL
                self.tell(messages.Ping(t=time.time() * 1000))
            stats = self.session.statistics.snapshot()
            if stats.frames_out != frames_out:
                frames_out = stats.frames_out
                self.tell(stats)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _decode_and_process(
    payload: bytes, timestamp_ms: int, pipeline: Pipeline
) -> tuple[messages.ImageFormat, float, Processed]:
    started = time.perf_counter()
    rgb = images.decode(payload, max_pixels=limits.MAX_FRAME_PIXELS)
    image_format = images.sniff_format(payload)
    assert image_format is not None, "or decode had refused it"
    decode_ms = (time.perf_counter() - started) * 1000
    return image_format, decode_ms, pipeline.process_rgb(rgb, timestamp_ms)


def metadata_of(
    session: Session,
    processed: Processed,
    frame_number: int,
    size: tuple[int, int],
    stages: dict[str, float],
    *,
    rtp_timestamp: int | None = None,
    captured_at: float | None = None,
    sent_at: float | None = None,
) -> messages.Metadata:
    """The `metadata` message of one processed frame; `size` is (width, height) in pixels.

    Nothing is validated here: it is all our own, and validating takes longer than all else about it.
    """
    design = session.settings.design
    return messages.Metadata.model_construct(
        frame_number=frame_number,
        rtp_timestamp=rtp_timestamp,
        width=size[0],
        height=size[1],
        hands=processed.hands,
        nails=[_nail_message(nail) for nail in processed.nails],
        confidence=round(processed.confidence, 3),
        design=design if design is not None else session.spec.design_id,
        stages={name: round(value, 2) for name, value in stages.items()},
        captured_at=captured_at,
        sent_at=sent_at,
    )


def _nail_message(nail: Nail) -> messages.NailMessage:
    cuticle, free_edge = _points(nail.axis)
    return messages.NailMessage.model_construct(
        number=nail.number,
        finger=nail.finger,
        hand=nail.hand,
        polygon=_points(nail.outline),
        cuticle=cuticle,
        free_edge=free_edge,
        confidence=round(nail.confidence, 3),
        visibility=round(nail.visibility, 3),
    )


def _points(points: Floats) -> list[Point]:
    """As they are sent."""
    return [(round(x * 10) / 10, round(y * 10) / 10) for x, y in points.tolist()]
