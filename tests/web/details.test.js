import assert from "node:assert/strict";
import { test } from "node:test";

import { rows } from "../../web/details.js";

const GOOD = {
  ...{ transport: "webrtc", rttMs: 21.4, fps: 29.6, loss: 0, quality: "excellent", factor: null, server: {} },
  detail: { codec: "video/H264", relayed: false },
};
const SIZE = { width: 640, height: 480 };
const said = (changes) => Object.fromEntries(rows({ ...GOOD, ...changes }, null, SIZE));

test("numbers in words", () => {
  assert.deepEqual(rows(GOOD, 83.2, SIZE), [
    ["Camera to screen", "83 ms"],
    ["To the studio and back", "21 ms"],
    ["Pictures a second", "30"],
    ["Picture", "640 × 480"],
    ["Sent as", "H264"],
    ["Path", "WebRTC, direct"],
    ["Limited by", "Nothing"],
  ]);
});

test("on the WebSocket a picture's round trip is its way from the camera to the screen", () => {
  const pictures = said({ transport: "websocket", detail: { format: "image/webp", roundTripMs: 64 } });
  assert.equal(pictures["Camera to screen"], "64 ms");
  assert.equal(pictures["Sent as"], "WEBP");
  assert.equal(pictures.Path, "WebSocket, picture by picture");
});

test("a relay is told, and what limits", () => {
  assert.equal(said({ detail: { relayed: true } }).Path, "WebRTC, through a relay");
  assert.match(said({ quality: "poor", factor: "camera" })["Limited by"], /more light/);
});

test("what is not known is not made up", () => {
  const nothing = {
    ...{ transport: null, rttMs: null, fps: null, loss: null, quality: null, factor: null, server: null },
    detail: {},
  };
  assert.ok(rows(nothing, null, null).every(([, value]) => value === "–"));
});
