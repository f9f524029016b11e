"""libwebrtc outside a browser publishes (WHIP) and watches (WHEP)."""

from __future__ import annotations

import shutil

import pytest

from tests.interop.clients import HERE, Client
from tests.interop.conftest import Lacquer

NODE = shutil.which("node")

pytestmark = [
    pytest.mark.media,
    pytest.mark.long,
    pytest.mark.skipif(not NODE, reason="needs Node"),
    pytest.mark.skipif(
        not (HERE / "node_modules" / "@roamhq" / "wrtc").is_dir(),
        reason="`npm ci --prefix tests/interop`, which `make test` runs, could not install @roamhq/wrtc",
    ),
]


def wrtc(role: str, url: str, token: str = "") -> Client:
    return Client([str(NODE), str(HERE / "wrtc_client.mjs")], role, url, "VP8", token)


def test_libwebrtc_publishes_and_watches(served: Lacquer) -> None:
    created = served.create()
    with wrtc("watch", created["watch_url"]) as early:
        early.until(lambda: early.of("failed"))
        assert early.of("answer") == [409]
        assert "no_publisher" in early.of("failed")[0]
    with wrtc("publish", created["whip_url"], created["token"]) as sender:
        sender.until_connected()
        with wrtc("watch", created["watch_url"]) as viewer:
            viewer.until_frames(10)
            assert viewer.of("answer") == [201]
            assert viewer.of("frame")[-1] == [320, 240]
            served.end(created)
