import assert from "node:assert/strict";
import { test } from "node:test";

import { heldBackBy, rows } from "../../web/details.js";

const GOOD = { transport: "webrtc", rttMs: 21.4, fps: 29.6, loss: 0, server: {}, detail: { codec: "video/H264" } };
const SIZE = { width: 640, height: 480 };
const sending = (framesPerSecond, qualityLimitationReason = "none") => ({
  detail: { outbound: { framesPerSecond, qualityLimitationReason } },
});

test("numbers in words", () => {
  assert.deepEqual(rows(GOOD, 83.2, SIZE), [
    ["Camera to screen", "83 ms"],
    ["To the studio and back", "21 ms"],
    ["Pictures a second", "30"],
    ["Picture", "640 × 480"],
    ["Sent as", "H264 · WebRTC"],
    ["Held back by", "Nothing"],
  ]);
});

test("on the WebSocket a picture's round trip is its way from the camera to the screen", () => {
  const detail = { format: "image/webp", roundTripMs: 64 };
  const said = Object.fromEntries(rows({ ...GOOD, transport: "websocket", detail }, null, SIZE));
  assert.equal(said["Camera to screen"], "64 ms");
  assert.equal(said["Sent as"], "WEBP · WebSocket");
});

test("what is not known is not made up", () => {
  const nothing = { transport: null, rttMs: null, fps: null, loss: null, server: null, detail: {} };
  assert.ok(rows(nothing, null, null).every(([, value]) => value === "–"));
});

test("what holds the picture back", () => {
  assert.equal(heldBackBy({ ...GOOD, loss: 0.1 }), "network");
  assert.equal(heldBackBy({ ...GOOD, rttMs: 400 }), "network");
  assert.equal(heldBackBy({ ...GOOD, fps: 12, ...sending(12, "bandwidth") }), "network");
  assert.equal(heldBackBy({ ...GOOD, fps: 12, ...sending(14, "cpu") }), "device");
  assert.equal(heldBackBy({ ...GOOD, fps: 12, ...sending(12) }), "camera");
  assert.equal(heldBackBy({ ...GOOD, fps: 12, ...sending(30) }), "server");
});
