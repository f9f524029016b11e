import assert from "node:assert/strict";
import { test } from "node:test";

import { nailAt } from "../../web/tap.js";

const square = (finger, x, y, size = 20) => ({
  finger,
  polygon: [
    [x, y],
    [x + size, y],
    [x + size, y + size],
    [x, y + size],
  ],
});
const RING = square("ring", 100, 100);
const PINKY = square("pinky", 140, 100);
const NAILS = [RING, PINKY];
/** Shown one to one. */
const PLAIN = { stage: { width: 640, height: 480 }, frame: { width: 640, height: 480 }, mirrored: false };

test("a touch on a nail means it", () => {
  assert.equal(nailAt([110, 110], NAILS, PLAIN), RING);
  assert.equal(nailAt([141, 119], NAILS, PLAIN), PINKY);
});

test("beside nails the nearest within half a thumb, else none", () => {
  assert.equal(nailAt([129, 110], NAILS, PLAIN), RING);
  assert.equal(nailAt([132, 110], NAILS, PLAIN), PINKY);
  assert.equal(nailAt([110, 141], NAILS, PLAIN), RING);
  assert.equal(nailAt([110, 143], NAILS, PLAIN), null);
  assert.equal(nailAt([110, 110], [], PLAIN), null);
});

test("in a mirror, the frame's left is on the right", () => {
  assert.equal(nailAt([640 - 110, 110], NAILS, { ...PLAIN, mirrored: true }), RING);
});

test("a phone shows the middle of a wide frame, larger", () => {
  const view = { ...PLAIN, stage: { width: 360, height: 960 } }; // twice as large: 460 of 1280 are cut on each side
  assert.equal(nailAt([2 * 310 - 460, 220], [square("index", 300, 100)], view).finger, "index");
  assert.equal(nailAt([2 * 310 - 460, 2 * 120 + 23], [square("index", 300, 100)], view), null, "reach is the thumb's");
});

test("a nail that is concave, or no more than a line", () => {
  const hook = { finger: "thumb", polygon: [[0, 0], [90, 0], [90, 90], [80, 90], [80, 10], [0, 10]] };
  assert.equal(nailAt([20, 60], [hook], PLAIN), null);
  assert.equal(nailAt([85, 60], [hook], PLAIN), hook);
  assert.equal(nailAt([5, 5], [{ finger: "thumb", polygon: [[0, 0], [0, 0]] }], PLAIN).finger, "thumb");
});
