import assert from "node:assert/strict";
import { test } from "node:test";

import { encodingFor, orderCodecs, sdpFragment } from "../../web/transport-webrtc.js";

const h264 = (profile, mode = 1) => ({
  mimeType: "video/H264",
  sdpFmtpLine: `level-asymmetry-allowed=1;packetization-mode=${mode};profile-level-id=${profile}`,
});
const vp8 = { mimeType: "video/VP8" };
const rtx = { mimeType: "video/rtx" };
const vp9 = { mimeType: "video/VP9" };
const chromium = [vp8, rtx, vp9, h264("42001f"), h264("42001f", 0), h264("42e01f"), h264("64001f"), rtx];

test("H.264 baseline, then VP8, then the helpers; never High, VP9 or mode 0", () => {
  assert.deepEqual(orderCodecs(chromium), [h264("42001f"), h264("42e01f"), vp8, rtx, rtx]);
});

test("the address can force one codec", () => {
  assert.deepEqual(orderCodecs(chromium, "vp8"), [vp8, rtx, rtx]);
  assert.deepEqual(orderCodecs(chromium, "h264"), [h264("42001f"), h264("42e01f"), rtx, rtx]);
});

test("a browser without H.264 offers VP8; one with neither keeps its own order", () => {
  assert.deepEqual(orderCodecs([vp8, rtx]), [vp8, rtx]);
  assert.deepEqual(orderCodecs([{ mimeType: "video/AV1" }, rtx]), []);
});

test("late candidates travel under their media line (RFC 8840)", () => {
  const candidates = [
    { candidate: "candidate:1 1 udp 1 10.0.0.1 5000 typ host", sdpMid: "0", usernameFragment: "abcd" },
    { candidate: "candidate:2 1 udp 1 10.0.0.1 5001 typ host", sdpMid: "0", usernameFragment: "abcd" },
  ];
  assert.equal(sdpFragment(candidates), [
    "a=ice-ufrag:abcd", "m=video 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0",
    "a=candidate:1 1 udp 1 10.0.0.1 5000 typ host", "a=candidate:2 1 udp 1 10.0.0.1 5001 typ host", "",
  ].join("\r\n"));
});

test("saver sends less, and what it set is undone by another quality", () => {
  const saver = encodingFor({ active: true }, "saver", false);
  assert.ok(saver.maxBitrate < 500_000 && saver.maxFramerate < 30 && saver.scaleResolutionDownBy > 1);
  const high = encodingFor(saver, "high", false);
  assert.equal(high.maxFramerate, undefined);
  assert.equal(high.scaleResolutionDownBy, 1);
  assert.ok(high.maxBitrate > encodingFor(saver, "auto", false).maxBitrate);
});

test("nothing is sent while paused", () => {
  assert.equal(encodingFor({ active: true }, "auto", true).active, false);
  assert.equal(encodingFor({ active: false }, "auto", false).active, true);
});
