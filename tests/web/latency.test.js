import assert from "node:assert/strict";
import { test } from "node:test";

import { Latency } from "../../web/latency.js";

const OFFSET = 4_294_960_000; // the sum goes over 32 bits
const rtpOf = (frame) => frame * 3000;

/** Frames taken every 33 ms and shown `ms` later; metadata of every frame `early` before or after it is shown. */
function play(latency, { frames, ms, late = false, from = 0 }) {
  for (let frame = from; frame < from + frames; frame++) {
    const at = 1e12 + frame * 33.3;
    const tell = () => latency.told({ rtp_timestamp: rtpOf(frame), captured_at: at, sent_at: at + 40 });
    if (!late) tell();
    latency.shown((rtpOf(frame) + OFFSET) >>> 0, at + ms);
    if (late) tell();
  }
}

test("not known before the streams' offset is", () => {
  const latency = new Latency();
  play(latency, { frames: 10, ms: 80 });
  assert.equal(latency.ms, null);
});

for (const late of [false, true]) {
  test(`shown minus captured, with metadata ${late ? "after" : "before"} the frame`, () => {
    const latency = new Latency();
    play(latency, { frames: 60, ms: 80, late });
    assert.equal(Math.round(latency.ms), 80);
    play(latency, { frames: 40, ms: 120, late, from: 60 });
    assert.equal(Math.round(latency.ms), 120);
  });
}

test("frames that were dropped, and metadata without times, do not count", () => {
  const latency = new Latency();
  play(latency, { frames: 40, ms: 80 });
  latency.told({ rtp_timestamp: rtpOf(100), captured_at: null, sent_at: null });
  latency.shown(12_345, 2e12);
  assert.equal(Math.round(latency.ms), 80);
});
