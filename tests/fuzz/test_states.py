"""State machines under whatever order of events: chunks, sessions, and whole conversations."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from media_worker.channel import Channel
from protocol import limits, messages
from protocol.api import Mode, SessionStatus
from protocol.errors import BadHeader, RateLimited, SessionEnded
from protocol.framing import Reassembler
from signaling.sessions import LIVE, NEXT, Session
from tests.media_worker.fakes import FakeConnection, FakePipeline, FakeTransport, session

SHORT = settings(
    max_examples=40, stateful_step_count=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


class Chunks(RuleBasedStateMachine):
    """Several messages in pieces, in any order, again, or contradicting themselves."""

    messages_: Bundle[int] = Bundle("messages_")

    def __init__(self) -> None:
        super().__init__()
        self.reassembler, self.whole = Reassembler(), dict[int, bytes]()

    @rule(target=messages_, number=st.integers(0, 9), payload=st.binary(max_size=200))
    def begin(self, number: int, payload: bytes) -> int:
        self.whole.setdefault(number, payload)
        return number

    @rule(number=messages_, index=st.integers(0, 5), size=st.integers(1, 60))
    def part(self, number: int, index: int, size: int) -> None:
        payload = self.whole[number]
        parts = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
        index %= len(parts)
        self._add(number, index, len(parts), len(payload), parts[index])

    @rule(number=messages_, index=st.integers(-2, 200), count=st.integers(-2, 300), size=st.integers(0, 500))
    def lie(self, number: int, index: int, count: int, size: int) -> None:
        self._add(number, index, count, size, b"lie")

    def _add(self, number: int, index: int, count: int, size: int, payload: bytes) -> None:
        header = {"type": "frame", "image_size": size}
        chunk = {**header, "message_id": number, "chunk_index": index, "chunk_count": count}
        try:
            whole = self.reassembler.add(chunk, payload)
        except BadHeader:
            return
        if whole is not None:
            assert whole[0] == header and len(whole[1]) == size

    @invariant()
    def holds_little(self) -> None:
        assert len(self.reassembler._partials) <= limits.MAX_PARTIAL_MESSAGES
        for partial in self.reassembler._partials.values():
            assert sum(map(len, partial.parts.values())) <= partial.header["image_size"] <= limits.MAX_FRAME_SIZE


class Sessions(RuleBasedStateMachine):
    """Only ever forward, whatever is asked for and when."""

    @initialize()
    def create(self) -> None:
        self.now = 100.0
        self.session = Session("id", "owner", Mode.EXPLORE, created_at=self.now, expires_at=self.now + 60)
        self.ever_over = False

    @rule(seconds=st.floats(0, 90))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(to=st.sampled_from(SessionStatus))
    def move(self, to: SessionStatus) -> None:
        before = self.session.status
        try:
            self.session = self.session.moved_to(to)
        except ValueError:
            assert to not in NEXT[before]
        else:
            assert before in LIVE and to is not SessionStatus.CREATED

    @rule(lifetime=st.floats(1, 200))
    def extend(self, lifetime: float) -> None:
        before = self.session
        try:
            self.session = before.extended(self.now, lifetime)
        except SessionEnded:
            assert before.status_at(self.now) not in LIVE
        else:
            assert self.session.expires_at >= before.expires_at

    @rule(frames=st.integers(0, 1000))
    def report(self, frames: int) -> None:
        before = self.session.total_statistics.frames_in
        self.session = self.session.reported(messages.Config(), messages.Stats(frames_in=frames))
        assert self.session.total_statistics.frames_in >= min(before, frames)

    @invariant()
    def is_over_for_good(self) -> None:
        over = self.session.status not in LIVE
        assert over or not self.ever_over
        self.ever_over = over


@pytest.mark.parametrize("machine", [Chunks, Sessions])
def test_machines(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(machine, settings=SHORT)


# --- conversations --------------------------------------------------------------------------------------------------
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
WISHED = ("design", "pattern", "finish", "colours", "shape", "length", "fingers", "compare", "paused", "quality")
COUNTED = ("frame_number", "timestamp", "image_size", "message_id", "chunk_index", "chunk_count")
FIELDS = st.sampled_from((*WISHED, *COUNTED, "type", "t", "format", "request_id", "loss", "fps"))
LIKELY = st.sampled_from(
    ["solid", "french", "gloss", "almond", "auto", "jpeg", 0, 1, 0.5, -1, 10**400, ["#B3001B"], {"ring": {"design": 1}}]
)
TYPES = st.sampled_from(["ping", "pong", "config", "capture", "link", "bye", "frame", "ready", "\ud800"])
FIELDED = st.dictionaries(FIELDS, LIKELY | ANY, max_size=6)
SPOKEN = st.builds(lambda kind, rest: {**rest, "type": kind}, TYPES, FIELDED)


def as_text(said: Mapping[str, Any]) -> str:
    return json.dumps(said)


def as_binary(said: Mapping[str, Any], payload: bytes) -> bytes:
    raw = json.dumps(said).encode()[: limits.HEADER_SIZE]
    return raw.ljust(limits.HEADER_SIZE, b"\0") + payload


HEARD = (
    st.builds(as_text, SPOKEN)
    | st.builds(as_binary, SPOKEN, st.binary(max_size=50))
    | st.text(max_size=60)
    | st.binary(max_size=60)
)


def test_no_conversation_breaks_the_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was said, the channel still answers a ping, unless somebody said goodbye."""
    monkeypatch.setattr("media_worker.session.Pipeline", FakePipeline)

    async def talk(said: list[str | bytes]) -> None:
        one, transport, listener = session(), FakeTransport(), FakeConnection()
        await one.attach(listener)
        channel = Channel(one, transport)
        channel.start(closes_when_silent=True)
        try:
            for each in said:
                channel.receive(each)
                await asyncio.sleep(0)
            assert not isinstance(channel.reason, RateLimited)
            if not channel.left.is_set():
                channel.receive('{"type":"ping","t":424242}')
                await transport.until(1, "pong")
                async with asyncio.timeout(5):
                    while not any(pong["t"] == 424242 for pong in transport.texts("pong")):
                        await asyncio.sleep(0.001)
            assert channel.reason is None
            for text in transport.sent:
                assert isinstance(text, bytes) or json.loads(text).get("code") != "internal_error"
        finally:
            await channel.close()
            await one.detach(listener)

    @settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(HEARD, max_size=12))
    def converse(said: list[str | bytes]) -> None:
        asyncio.run(talk(said))

    converse()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(SPOKEN)
def test_a_config_is_taken_whole_or_refused(said: dict[str, Any]) -> None:
    try:
        parsed = messages.parse_text(json.dumps({**said, "type": "config"}))
    except Exception as error:
        assert type(error).__module__ == "protocol.errors", error
    else:
        assert isinstance(parsed, messages.Config)
        kept = parsed.model_dump(mode="json", exclude_unset=True)
        assert messages.parse_text(json.dumps({**kept, "type": "config"})) == parsed
