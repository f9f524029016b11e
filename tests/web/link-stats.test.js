import assert from "node:assert/strict";
import { test } from "node:test";

import { between, totals } from "../../web/link-stats.js";

const inbound = {
  framesDecoded: 300, packetsLost: 10, packetsReceived: 990, jitterBufferDelay: 9, jitterBufferEmittedCount: 300,
};
const pair = { currentRoundTripTime: 0.08, responsesReceived: 20 };
const before = totals({ inbound, pair }, 10_000);

const later = (changes = {}, way = { currentRoundTripTime: 0.12, responsesReceived: 21 }, at = 11_000) =>
  between(before, totals({ inbound: { ...inbound, ...changes }, pair: way }, at));

test("what happened between two looks, not since the start", () => {
  const link = later({
    framesDecoded: 327, packetsLost: 15, packetsReceived: 1085, jitterBufferDelay: 10.35, jitterBufferEmittedCount: 327,
  });
  assert.equal(link.loss, 0.05);
  assert.equal(Math.round(link.delay_ms), 50);
  assert.equal(link.round_trip_ms, 120);
  assert.equal(link.fps, 27);
});

test("a picture that stands still has no loss and no delay, but a frame rate of 0", () => {
  assert.deepEqual(later(), { round_trip_ms: 120, fps: 0 });
});

test("a round trip that was not measured anew is not told again", () => {
  assert.equal("round_trip_ms" in later({}, pair), false);
  assert.equal(later({}, { currentRoundTripTime: 0.2 }).round_trip_ms, 200, "a browser that does not count them");
});

test("browsers that tell less leave out more", () => {
  const few = { framesDecoded: 330, packetsLost: 10, packetsReceived: 1100 };
  const start = totals({ inbound: { ...few, framesDecoded: 300, packetsReceived: 1000 } }, 0);
  assert.deepEqual(between(start, totals({ inbound: few }, 1000)), { loss: 0, fps: 30 });
  assert.equal(totals({ pair }, 0), null);
});

test("late packets and new streams turn counters back; what is told stays within the protocol's bounds", () => {
  assert.equal(later({ packetsLost: 8, packetsReceived: 1090 }).loss, 0);
  const fresh = { framesDecoded: 3, packetsLost: 0, packetsReceived: 9, jitterBufferDelay: 0, jitterBufferEmittedCount: 3 };
  assert.deepEqual(later(fresh), { round_trip_ms: 120, fps: 0 });
  assert.equal(later({}, { currentRoundTripTime: 90, responsesReceived: 21 }).round_trip_ms, 60_000);
});
