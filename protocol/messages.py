"""Every message on the WebSocket and the data channel, as pydantic models.

Text messages are one JSON object with a `type`. Binary messages (`frame`, `processed_frame`, `capture`) carry the
same kind of object in their 1024-byte header; see `framing`. Unknown fields are ignored, so either side may add some.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, TypeAdapter, ValidationError

from protocol import limits
from protocol.designs import Colours, Finger, Finish, Length, Pattern, Shape
from protocol.errors import BadHeader, BadMessage, LacquerError, UnknownType
from protocol.framing import parse_json

PROTOCOL_VERSION = 1

Number = (
    Annotated[float, Field(strict=True, allow_inf_nan=False)]
    | Annotated[int, Field(strict=True, ge=-limits.MAX_NUMBER, le=limits.MAX_NUMBER)]
)
Fraction = Annotated[float, Field(ge=0, le=1)]


class Quality(StrEnum):
    """How much picture the client wants for its link: `saver` less, `high` more; `auto` lets the server choose."""

    AUTO = "auto"
    SAVER = "saver"
    HIGH = "high"


class ImageFormat(StrEnum):
    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"


class Message(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


# --- client → server -----------------------------------------------------------------------------------------------
class FrameHeader(Message):
    """Header of a binary `frame`: one camera picture to process. Both numbers come back as they were sent."""

    type: Literal["frame"] = "frame"
    frame_number: Annotated[int, Field(ge=0, le=limits.MAX_NUMBER, strict=True)]
    timestamp: Number = 0
    """Client's clock; milliseconds of `Date.now()` by custom. Never interpreted."""
    image_size: Annotated[int, Field(ge=0, strict=True)]


class Ping(Message):
    """Either side; answered by `pong` with the same `t`."""

    type: Literal["ping"] = "ping"
    t: Number | None = None


DesignId = Annotated[int, Field(strict=True)]


class Wish(Message):
    """What to wear; `null` returns to what the design says."""

    design: DesignId | None = None
    """Catalogue id; `null` returns to the session's own design (the uploaded one in upload mode)."""
    pattern: Pattern | None = None
    finish: Finish | None = None
    colours: Colours | None = None
    """Base first, then the accents."""
    shape: Shape | None = None
    length: Length | None = None


class FingerConfig(Wish):
    """What one finger wears instead of the session's choice; it goes before that."""

    nail: Annotated[int, Field(ge=0, strict=True)] | None = None
    """Of a design taken from a picture: the nail to wear, by its place in the design's `nails`. Any finger may wear any
    of them."""


class Config(Wish):
    """Changes settings while streaming. Only the fields present are changed; the rest stays as it was."""

    type: Literal["config"] = "config"
    fingers: dict[Finger, FingerConfig] = {}
    """Replaced as a whole."""
    compare: Fraction | None = None
    """Share of the picture's width, from the left, that is left untouched; `null` ends the comparison."""
    paused: StrictBool = False
    quality: Quality = Quality.AUTO


class CaptureRequest(Message):
    """Asks for the newest processed frame at full resolution, as a binary `capture`."""

    type: Literal["capture"] = "capture"
    format: ImageFormat = ImageFormat.JPEG
    request_id: (
        Annotated[str, Field(max_length=64)]
        | Annotated[int, Field(strict=True, ge=-limits.MAX_NUMBER, le=limits.MAX_NUMBER)]
        | None
    ) = None
    """Comes back in the answer, so that a client can tell its captures apart."""


Milliseconds = Annotated[float, Field(ge=0, le=60_000, allow_inf_nan=False)]


class LinkReport(Message):
    """How the video from the server arrives, since the last such report: what only the client's `getStats` knows.

    About once a second while the picture runs; whatever is unknown is left out. A WebSocket has no use for it.
    """

    type: Literal["link"] = "link"
    loss: Fraction | None = None
    """Share of packets that did not come: of `inbound-rtp`, `packetsLost` beside `packetsReceived`."""
    delay_ms: Milliseconds | None = None
    """How long the jitter buffer held a frame back, on average: `jitterBufferDelay` over `jitterBufferEmittedCount`."""
    round_trip_ms: Milliseconds | None = None
    """The candidate pair's `currentRoundTripTime`, if it was measured anew."""
    fps: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] | None = None
    """Frames decoded a second."""


class Bye(Message):
    """The client leaves; the server closes with 1000 and frees everything at once."""

    type: Literal["bye"] = "bye"


# --- server → client -----------------------------------------------------------------------------------------------
class Ready(Message):
    """First message on every connection: frames and commands are welcome from here on."""

    type: Literal["ready"] = "ready"
    protocol: int = PROTOCOL_VERSION
    session_id: str
    settings: dict[str, Any] = {}
    """The session's settings in the fields of `config`, so that a client that reconnects shows what is worn."""
    heartbeat: float = limits.PING_INTERVAL
    """Seconds between pings; a silent socket is closed with 4408 after 30 s."""


class Pong(Message):
    """Either side; repeats the ping's `t`. The server adds its clock (Unix time, ms)."""

    type: Literal["pong"] = "pong"
    t: Number | None = None
    server_time: float | None = None


class NailMessage(Message):
    """One nail in a frame. Points are pixels of that frame, x right and y down, from the top left corner."""

    number: int
    """1, 2, 3… from left to right in this frame: not a nail's name over time."""
    finger: Finger | None
    """None where no hand is known, as in close-ups; such a nail wears the coats from thumb to pinky by its number."""
    hand: Literal["left", "right"] | None
    """The person's physical hand, given an unmirrored picture; None like `finger`."""
    polygon: list[tuple[float, float]]
    cuticle: tuple[float, float]
    """Middle of the cuticle; the nail's direction is from here to `free_edge`."""
    free_edge: tuple[float, float]
    """Middle of the free edge."""
    confidence: Fraction
    """Calibrated: of the nails given 0.8, about 80 % overlap the true nail by half."""
    visibility: Fraction


class Metadata(Message):
    """Goes with every processed frame, after it."""

    type: Literal["metadata"] = "metadata"
    frame_number: int
    """Counts frames of this connection from 0; for a `frame` message, the number it came with."""
    rtp_timestamp: int | None = None
    """90 kHz timestamp of the camera frame as received on the video track, from 0 at its first frame."""
    width: int
    height: int
    hands: int
    """Hands found; nails may be found without one."""
    nails: list[NailMessage]
    """Those painted; without any, the frame went through untouched."""
    confidence: Fraction
    """Mean over the nails; 0 without any."""
    design: int | None
    stages: dict[str, float]
    """Milliseconds per stage: receive, decode, queue (all waiting), vision (of which hands, nails, flow), render,
    encode, send, total (where they apply)."""
    captured_at: float | None = None
    """When the camera took the frame, Unix ms by the sender's own clock, as its RTCP sender reports tell; None off the
    video track and before the first report."""
    sent_at: float | None = None
    """When the processed frame's last packet left, Unix ms by the worker's clock; `total` ms before, the camera frame's
    first packet came. None off the video track, and where a newer frame was sent instead."""


class StageStats(Message):
    """Milliseconds over the last few seconds."""

    p50: float
    p95: float


class Stats(Message):
    """Sent every 2 s while frames flow, and part of the session's REST view."""

    type: Literal["stats"] = "stats"
    frames_in: int = 0
    frames_out: int = 0
    frames_dropped: dict[str, int] = {}
    """By reason: `superseded` (a newer frame came), `backpressure` (a newer one was ready to be sent), `retreat` (cores
    are short), `paused`, `undecodable`, `vision_failed` (went through unpainted)."""
    frames_followed: dict[str, int] = {}
    """Frames whose nails were only followed, by reason: `late` (too old when their turn came), `overrun` (a model took
    too long), `vision_failed` (a model failed)."""
    retreat: int = 0
    """What is given up as cores are short, each step including the last: 0 nothing, 1 cadence of looking, 2 smaller
    inference, 3 every second frame."""
    fps: float = 0.0
    """Processed frames a second over the last 2 s."""
    latency_ms: dict[str, StageStats] = {}
    width: int | None = None
    height: int | None = None


class ErrorMessage(Message):
    """Something was refused. The stream goes on unless `fatal`; a fatal one is followed by a close."""

    type: Literal["error"] = "error"
    code: str
    message: str
    fatal: bool = False
    frame_number: int | None = None

    @classmethod
    def of(cls, error: LacquerError, *, fatal: bool = False) -> ErrorMessage:
        return cls(code=error.code, message=error.message, fatal=fatal, frame_number=error.frame_number)


class SessionEvent(Message):
    type: Literal["session"] = "session"
    event: Literal["expiring", "extended", "ended"]
    expires_at: float
    """Unix time in seconds."""
    reason: str | None = None


class Draining(Message):
    """This worker goes away: make a new connection to the same session now."""

    type: Literal["draining"] = "draining"
    reconnect_within: float
    """Seconds until the worker closes the connection itself."""


# --- headers of binary messages, server → client -------------------------------------------------------------------
class ProcessedFrameHeader(Message):
    type: Literal["processed_frame"] = "processed_frame"
    frame_number: int
    timestamp: Number
    image_size: int
    format: ImageFormat
    confidence: Fraction
    nails: int
    """How many nails were painted; their outlines are in `metadata`."""
    processing_ms: float


class CaptureHeader(Message):
    type: Literal["capture"] = "capture"
    request_id: str | int | None = None
    image_size: int
    format: ImageFormat
    width: int
    height: int
    confidence: Fraction
    nails: int


ClientText = Ping | Pong | Config | CaptureRequest | LinkReport | Bye
_CLIENT_TEXT: TypeAdapter[ClientText] = TypeAdapter(Annotated[ClientText, Field(discriminator="type")])
_CLIENT_TYPES = frozenset({"ping", "pong", "config", "capture", "link", "bye"})


def parse_text(text: str) -> ClientText:
    """A client's text message. Raises BadMessage or UnknownType."""
    if len(text) > limits.MAX_TEXT_SIZE:
        raise BadMessage(f"text message has {len(text)} characters; {limits.MAX_TEXT_SIZE} are taken")
    try:
        data = parse_json(text)
    except ValueError as error:
        raise BadMessage(f"text message is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise BadMessage(f"text message is a JSON {type(data).__name__}, not an object")
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in _CLIENT_TYPES:
        raise UnknownType(f"unknown message type {kind!r:.40}; known are {', '.join(sorted(_CLIENT_TYPES))}")
    try:
        return _CLIENT_TEXT.validate_python(data)
    except ValidationError as error:
        raise BadMessage(explain(error)) from error


def parse_frame_header(header: dict[str, Any]) -> FrameHeader:
    """The header of a client's binary message. Raises UnknownType or BadHeader."""
    if header["type"] != "frame":
        raise UnknownType(f"unknown binary message type {header['type']!r:.40}; clients send `frame`")
    try:
        return FrameHeader.model_validate(header)
    except ValidationError as error:
        raise BadHeader(explain(error)) from error


def explain(error: ValidationError) -> str:
    """A pydantic error as one sentence that names the first wrong field."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"] if part != "[key]")
    return f"{where}: {first['msg']}" if where else first["msg"]
