"""Every way in which Lacquer says no.

    LacquerError                     code                    HTTP  close  said when
    ├── BadHeader                    bad_header              400   1007   1024-byte header broken or lying about size
    ├── BadMessage                   bad_message             400   1007   text message that is no valid protocol message
    ├── UnknownType                  unknown_type            400   1003   message type nobody has heard of
    ├── BadImage                     bad_image               422   1007   image does not decode, or has too many pixels
    ├── TooLarge                     too_large               413   1009   body, message or upload over its limit
    ├── BadRequest                   bad_request             400   1007   request body is not what the operation takes
    ├── InvalidFields                invalid_fields          422   1007   fields of the right shape with wrong values
    ├── UnsupportedMediaType         unsupported_media_type  415   1003   Content-Type not taken here
    ├── BadSdp                       bad_sdp                 400   1007   offer that cannot be parsed or answered
    ├── Unauthorized                 unauthorized            401   4401   token is missing, wrong or expired
    ├── Forbidden                    forbidden               403   4403   not for this caller, or switched off here
    ├── NotFound                     not_found               404   4404   no such session, result, connection or page
    ├── MethodNotAllowed             method_not_allowed      405   1003   path exists, method does not
    ├── UnknownDesign                unknown_design          404   4404   no design has this id
    ├── UnknownNail                  unknown_nail            404   4404   a design has no nail of this number
    ├── CatalogueUnknown             catalogue_unknown       409   1013   a worker lacks designs that signaling has
    ├── Misdirected                  misdirected             421   4421   asked for under a name that is not ours
    ├── PreconditionFailed           precondition_failed     412   1008   If-Match names another connection
    ├── PreconditionRequired         precondition_required   428   1008   If-Match is missing where it must be
    ├── Unsupported                  unsupported             422   1003   understood, but nothing we do: an ICE restart
    ├── NoPublisher                  no_publisher            409   1013   watching a session that nobody sends video to
    ├── NoFrameYet                   no_frame_yet            409   1013   capture before the first processed frame
    ├── SilentPeer                   silent_peer             408   4408   nothing heard for 30 s
    ├── Replaced                     replaced                409   4409   a newer connection took over the session
    ├── SessionEnded                 session_ended           410   4410   session expired, deleted or finished
    ├── RateLimited                  rate_limited            429   4429   too much from one address, owner or session
    ├── AtCapacity                   at_capacity             503   4503   every slot is taken: try again later
    ├── WorkerUnavailable            worker_unavailable      503   4503   no media worker answers
    ├── RegistryUnavailable          registry_unavailable    503   4503   Redis, which knows who serves whom, is away
    ├── StoreUnavailable             store_unavailable       503   4503   the database or the picture store is away
    └── VisionFailed                 vision_failed           500   1011   the hand model failed on this frame
    LacquerError itself              internal_error          500   1011   a fault of ours; details are in the log

`code` is stable and machine-readable, on every transport: `error` messages, RFC 9457 problem documents and close
reasons all carry it. Close codes 4000–4999 are private use (RFC 6455 §7.4.2); ours are 4000 + the HTTP status.
"""

from __future__ import annotations

from typing import ClassVar

from protocol import limits


class LacquerError(Exception):
    """Base of all errors that are told to a client. `message` is a sentence for people; it holds no secrets."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    close_code: ClassVar[int] = 1011
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(self, message: str = "", *, frame_number: int | None = None, retry_after: int | None = None) -> None:
        self.message = message or self.title
        self.frame_number = frame_number
        self.retry_after = retry_after
        super().__init__(self.message)


class BadHeader(LacquerError):
    code, status, close_code, title = "bad_header", 400, 1007, "The 1024-byte header is broken"


class BadMessage(LacquerError):
    code, status, close_code, title = "bad_message", 400, 1007, "The message is not a valid protocol message"


class UnknownType(LacquerError):
    code, status, close_code, title = "unknown_type", 400, 1003, "Unknown message type"


class BadImage(LacquerError):
    code, status, close_code, title = "bad_image", 422, 1007, "The image cannot be used"


class TooLarge(LacquerError):
    code, status, close_code, title = "too_large", 413, 1009, "Too large"


class BadRequest(LacquerError):
    code, status, close_code, title = "bad_request", 400, 1007, "The request body cannot be read"


class InvalidFields(LacquerError):
    code, status, close_code, title = "invalid_fields", 422, 1007, "Some fields have wrong values"


class UnsupportedMediaType(LacquerError):
    code, status, close_code, title = "unsupported_media_type", 415, 1003, "This Content-Type is not taken here"


class BadSdp(LacquerError):
    code, status, close_code, title = "bad_sdp", 400, 1007, "The SDP cannot be used"


class Unauthorized(LacquerError):
    code, status, close_code, title = "unauthorized", 401, 4401, "A valid token is needed"


class Forbidden(LacquerError):
    code, status, close_code, title = "forbidden", 403, 4403, "This is not allowed"


class NotFound(LacquerError):
    code, status, close_code, title = "not_found", 404, 4404, "Not found"


class MethodNotAllowed(LacquerError):
    code, status, close_code, title = "method_not_allowed", 405, 1003, "Method not allowed"


class UnknownDesign(LacquerError):
    code, status, close_code, title = "unknown_design", 404, 4404, "No design has this id"


class UnknownNail(LacquerError):
    code, status, close_code, title = "unknown_nail", 404, 4404, "The design has no such nail"


class CatalogueUnknown(LacquerError):
    code, status, close_code, title = "catalogue_unknown", 409, 1013, "The worker holds another catalogue"


class Misdirected(LacquerError):
    code, status, close_code, title = "misdirected", 421, 4421, "This server does not go by that name"


class PreconditionFailed(LacquerError):
    code, status, close_code, title = "precondition_failed", 412, 1008, "If-Match names another connection"


class PreconditionRequired(LacquerError):
    code, status, close_code, title = "precondition_required", 428, 1008, "If-Match must name the connection"


class Unsupported(LacquerError):
    code, status, close_code, title = "unsupported", 422, 1003, "This is not supported here"


class NoPublisher(LacquerError):
    code, status, close_code, title = "no_publisher", 409, 1013, "Nobody sends video to this session yet"

    def __init__(self, message: str = "", *, frame_number: int | None = None, retry_after: int | None = None) -> None:
        retry_after = retry_after or limits.PUBLISHER_RETRY_AFTER
        super().__init__(message, frame_number=frame_number, retry_after=retry_after)


class NoFrameYet(LacquerError):
    code, status, close_code, title = "no_frame_yet", 409, 1013, "No processed frame yet"


class SilentPeer(LacquerError):
    code, status, close_code, title = "silent_peer", 408, 4408, "Nothing was heard for too long"


class Replaced(LacquerError):
    code, status, close_code, title = "replaced", 409, 4409, "A newer connection took over this session"


class SessionEnded(LacquerError):
    code, status, close_code, title = "session_ended", 410, 4410, "The session has ended"


class RateLimited(LacquerError):
    code, status, close_code, title = "rate_limited", 429, 4429, "Too much at once; try again in a moment"

    def __init__(
        self,
        message: str = "",
        *,
        frame_number: int | None = None,
        retry_after: int | None = None,
        limit: str = "",
        quota: int = 0,
        window: int = 0,
    ) -> None:
        """`limit` is the name of what was exceeded: `quota` times in `window` seconds."""
        super().__init__(message, frame_number=frame_number, retry_after=retry_after)
        self.limit, self.quota, self.window = limit, quota, window


class AtCapacity(LacquerError):
    code, status, close_code, title = "at_capacity", 503, 4503, "Every place is taken; try again in a moment"


class WorkerUnavailable(LacquerError):
    code, status, close_code, title = "worker_unavailable", 503, 4503, "No media worker is available"


class RegistryUnavailable(LacquerError):
    code, status, close_code, title = "registry_unavailable", 503, 4503, "New sessions cannot be placed at the moment"


class StoreUnavailable(LacquerError):
    code, status, close_code, title = "store_unavailable", 503, 4503, "Nothing can be looked up or kept right now"


class VisionFailed(LacquerError):
    code, status, close_code, title = "vision_failed", 500, 1011, "The hand model failed on this frame"


_KINDS: list[type[LacquerError]] = [LacquerError, *LacquerError.__subclasses__()]
BY_CODE = {kind.code: kind for kind in _KINDS}


def from_code(code: str, message: str) -> LacquerError:
    """The error that another process reported as `code`; an unknown code becomes a plain LacquerError."""
    return BY_CODE.get(code, LacquerError)(message)
