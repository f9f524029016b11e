"""Every size and time that both ends of a connection must agree on, each with its reason.

Sizes are bytes, times are seconds, unless the name says otherwise.
"""

# --- messages on the WebSocket and the data channel ---------------------------------------------------------------
HEADER_SIZE = 1024
"""A binary message starts with exactly this many bytes: one JSON object, padded with NUL."""

MAX_FRAME_SIZE = 4 * 1024 * 1024
"""Largest image payload of one message. A 1280x720 PNG of camera noise is about 2.5 MiB; nothing useful is larger."""

MAX_FRAME_PIXELS = 1920 * 1080
"""Largest picture a client may stream. 720p is the video ceiling (H.264 level 3.1); legacy clients may send 1080p."""

MAX_TEXT_SIZE = 16 * 1024
"""Largest text message. A `config` that sets every finger is under 2 KiB."""

CHUNK_MESSAGE_SIZE = 65_536
"""Largest data-channel message when the peer names none (RFC 8841 §6.1: 64K is the default)."""

MAX_CHUNKS = 128
"""Chunks of one message: enough for MAX_FRAME_SIZE in messages of CHUNK_MESSAGE_SIZE, with room to spare."""

MAX_PARTIAL_MESSAGES = 4
"""Chunked messages under assembly at once; the oldest is dropped. Bounds what a hostile peer can make us hold."""

TEXT_PACE = (200.0, 1200.0)
"""Text messages a second of one connection, and at once. A page says one or two a second; while a slider is drawn, as
many as the mouse reports."""

BINARY_PACE = (400.0, 1200.0)
"""Binary messages a second, and at once: 60 pictures a second in up to six chunks each."""

BYTE_PACE = (24.0 * 1024 * 1024, 64.0 * 1024 * 1024)
"""Bytes a second, and at once. 30 pictures of 50 KB are 1.5 MB; nine 720p PNGs of camera noise, 2.5 MiB each, pass."""

CAPTURE_PACE = (5.0, 20.0)
"""Captures a second, and at once: each is encoded at full resolution, 30 ms for a PNG."""

REFUSAL_PACE = (50.0, 1000.0)
"""Messages refused for their pace a second, and at once, before the connection is closed with 4429."""

MAX_NUMBER = 2**53 - 1
"""Largest frame number: JavaScript's largest whole number, and short enough for every header that repeats it."""

# --- heartbeat ----------------------------------------------------------------------------------------------------
PING_INTERVAL = 10.0
"""The server pings a connection this often."""

SILENCE_TIMEOUT = 30.0
"""A WebSocket on which nothing was said for this long is closed with 4408."""

PEER_SILENCE_TIMEOUT = 10.0
"""A WebRTC peer from which no packet (RTP, RTCP or data) came for this long is gone. Browsers send RTCP every
second, so ten are lost in a row; everything is freed within 15 s of the last one."""

PEER_CONNECT_TIMEOUT = 12.0
"""From the SDP answer to a working DTLS connection. `.local` candidates take 1 s to fail, a TURN relay 2–3 s."""

# --- sessions -----------------------------------------------------------------------------------------------------
SESSION_LIFETIME = 30 * 60.0
"""A session expires after this long unless it is extended."""

EXPIRY_WARNING = 60.0
"""`session` with event `expiring` is sent this long before the end."""

# --- REST ---------------------------------------------------------------------------------------------------------
MAX_JSON_SIZE = 64 * 1024
"""Largest JSON body, unless it carries an image."""

MAX_SDP_SIZE = 64 * 1024
"""Largest SDP. Chrome's offer for one video track and a data channel is about 6 KiB."""

MAX_UPLOAD_SIZE = 12 * 1024 * 1024
"""Largest uploaded image: a 12-megapixel phone photo is 3–8 MiB as JPEG."""

MAX_UPLOAD_PIXELS = 40_000_000
"""Largest uploaded picture. Decoded as RGB it takes 120 MB, so one at a time is decoded per process."""

MAX_VIEWERS = 8
"""Viewers of one session. Each costs its worker a stream of packets, about 0.3 ms of processor time a frame, so many a
tenth of a core; together they cost one encoder a codec (`tests/benchmarks/viewers.py`)."""

PUBLISHER_TIMEOUT = 15.0
"""A session's viewers are let go after so long without a publisher, so that they ask anew: it may be elsewhere now."""

PUBLISHER_RETRY_AFTER = 3
"""`Retry-After` of a 409 `no_publisher`: a page that reconnects is back within seconds."""

RETRY_AFTER = 10
"""`Retry-After` of a 503 at capacity: most visits to a try-on are short."""
