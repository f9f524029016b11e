"""A WHIP publisher and a WHEP player made of GStreamer's webrtcbin, for the system's own Python, which has `gi`.

    /usr/bin/python3 gst_client.py publish URL CODEC [TOKEN]    until stdin ends
    /usr/bin/python3 gst_client.py watch URL CODEC [TOKEN]      the same

Says what happens as JSON, one object a line: `answer`, `state`, `frame`.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402  # only once the versions are chosen

RTP = {
    "VP8": "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload=96",
    "H264": "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=96",
}
ENCODE = {
    "VP8": "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=300 ! rtpvp8pay",
    "H264": "openh264enc complexity=low gop-size=300 ! video/x-h264,profile=constrained-baseline"
    " ! rtph264pay config-interval=-1 aggregate-mode=zero-latency",
}
DECODE = {
    "VP8": "rtpvp8depay ! vp8dec",
    "H264": "rtph264depay ! h264parse ! openh264dec",
}
FEEDBACK = "rtcp-fb-nack=(boolean)true,rtcp-fb-nack-pli=(boolean)true"
RECEIVED = {
    "VP8": f"{RTP['VP8']},{FEEDBACK}",
    "H264": f"{RTP['H264']},packetization-mode=(string)1,profile-level-id=(string)42e01f,{FEEDBACK}",
}


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


class Client:
    def __init__(self, url: str, codec: str, token: str) -> None:
        self.url, self.codec, self.token = url, codec, token
        self.pipeline = Gst.Pipeline.new()
        self.webrtc = Gst.ElementFactory.make("webrtcbin")
        self.webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.webrtc)
        self.webrtc.connect("on-negotiation-needed", self._offer)
        self.webrtc.connect("notify::ice-gathering-state", self._gathered)
        self.webrtc.connect("notify::connection-state", self._state)

    def publish(self) -> None:
        source = Gst.parse_bin_from_description(
            "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=20/1"
            f" ! {ENCODE[self.codec]} ! capsfilter caps={RTP[self.codec]}",
            True,
        )
        self.pipeline.add(source)
        source.link(self.webrtc)
        self.pipeline.set_state(Gst.State.PLAYING)

    def watch(self) -> None:
        caps = Gst.Caps.from_string(RECEIVED[self.codec])
        direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        transceiver = self.webrtc.emit("add-transceiver", direction, caps)
        transceiver.set_property("do-nack", True)
        self.webrtc.connect("pad-added", self._show)
        self.pipeline.set_state(Gst.State.PLAYING)

    def stop(self) -> None:
        self.pipeline.set_state(Gst.State.NULL)

    def _offer(self, _webrtc: Any) -> None:
        self.webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offered))

    def _offered(self, promise: Any) -> None:
        reply = promise.get_reply()  # which owns the offer
        offer = reply.get_value("offer")
        self.webrtc.emit("set-local-description", offer, Gst.Promise.new())

    def _gathered(self, _webrtc: Any, _property: Any) -> None:
        if self.webrtc.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self._exchange)

    def _exchange(self) -> bool:
        offer = self.webrtc.get_property("local-description").sdp.as_text()
        headers = {"Content-Type": "application/sdp"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.url, data=offer.encode(), headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                say(answer=response.status, location=response.headers["Location"])
                text = response.read().decode()
        except urllib.error.HTTPError as refusal:
            say(answer=refusal.code, problem=refusal.read().decode(), offer=offer)
            return False
        _, sdp = GstSdp.SDPMessage.new_from_text(text)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.webrtc.emit("set-remote-description", answer, Gst.Promise.new())
        return False

    def _state(self, _webrtc: Any, _property: Any) -> None:
        say(state=self.webrtc.get_property("connection-state").value_nick)

    def _show(self, _webrtc: Any, pad: Any) -> None:
        sink = Gst.parse_bin_from_description(
            f"{DECODE[self.codec]} ! fakesink name=sink sync=false signal-handoffs=true", True
        )
        sink.get_by_name("sink").connect("handoff", self._frame)
        self.pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def _frame(self, _sink: Any, _buffer: Any, pad: Any) -> None:
        structure = pad.get_current_caps().get_structure(0)
        say(frame=[structure.get_value("width"), structure.get_value("height")])


def main() -> None:
    role, url, codec, *token = sys.argv[1:]
    Gst.init(None)
    client = Client(url, codec, token[0] if token else "")
    loop = GLib.MainLoop()
    GLib.io_add_watch(sys.stdin.fileno(), GLib.IOCondition.HUP | GLib.IOCondition.IN, lambda *_: loop.quit())
    getattr(client, {"publish": "publish", "watch": "watch"}[role])()
    loop.run()
    client.stop()


if __name__ == "__main__":
    main()
