"""GStreamer's webrtcbin publishes (WHIP) and watches (WHEP): a page's camera is not needed, nor a browser."""

from __future__ import annotations

import functools
import subprocess

import pytest

from tests.interop.clients import HERE, Client
from tests.interop.conftest import Lacquer

PYTHON = "/usr/bin/python3"
NEEDED = ("webrtcbin", "nicesink", "vp8enc", "openh264enc", "rtph264pay", "h264parse")

pytestmark = [pytest.mark.media, pytest.mark.long]


@functools.cache
def missing() -> str:
    """What GStreamer lacks here; empty where all is there."""
    code = (
        "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstWebRTC', '1.0')\n"
        "from gi.repository import Gst, GstWebRTC; Gst.init(None)\n"
        f"print(*[name for name in {NEEDED} if not Gst.ElementFactory.find(name)])"
    )
    try:
        done = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"GStreamer for Python: {error}"
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def _gstreamer() -> None:
    if reason := missing():
        pytest.skip(f"`deploy/debian-packages.sh tests` installs what is missing: {reason}")


def gst(role: str, url: str, codec: str, token: str = "") -> Client:
    return Client([PYTHON, str(HERE / "gst_client.py")], role, url, codec, token)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_webrtcbin_publishes_and_watches(served: Lacquer, codec: str) -> None:
    created = served.create()
    with gst("publish", created["whip_url"], codec, created["token"]) as sender:
        sender.until_connected()
        assert sender.of("location")[0].startswith(created["whip_url"])
        with gst("watch", created["watch_url"], codec) as first:
            first.until_frames(10)
            assert first.of("frame")[-1] == [320, 240]
            with gst("watch", created["whep_url"], codec, created["token"]) as late:
                late.until_frames(5)
            served.end(created)
