import assert from "node:assert/strict";
import { test } from "node:test";

import { frameShare, splitWords } from "../../web/compare.js";

const LANDSCAPE = { width: 640, height: 480 };

/** @param {number} actual @param {number} expected */
function near(actual, expected) {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, not ${expected}`);
}

test("where the frame fits the stage, the handle is the share", () => {
  const view = { stage: { width: 320, height: 240 }, frame: LANDSCAPE, mirrored: false };
  for (const handle of [0, 0.25, 1]) near(frameShare(handle, view), handle);
});

test("a phone's stage shows only the middle of a wide frame", () => {
  // 480 high fills 800, so the frame is 1066.7 wide: 333.3 hang over on each side of the 400 shown
  const view = { stage: { width: 400, height: 800 }, frame: LANDSCAPE, mirrored: false };
  near(frameShare(0, view), 1 / 3.2);
  near(frameShare(0.5, view), 0.5);
  near(frameShare(1, view), 1 - 1 / 3.2);
});

test("a stage wider than the frame cuts off its top and bottom, not its sides", () => {
  const view = { stage: { width: 800, height: 300 }, frame: LANDSCAPE, mirrored: false };
  near(frameShare(0.3, view), 0.3);
});

test("a mirror shows the frame's left on the right: what lies right of the handle is bare", () => {
  const view = { stage: { width: 320, height: 240 }, frame: LANDSCAPE, mirrored: true };
  near(frameShare(0.25, view), 0.75);
  near(frameShare(0, view), 1);
});

test("the words say how much is bare, in a mirror too", () => {
  assert.equal(splitWords(0.25, false), "25% without polish");
  assert.equal(splitWords(0.25, true), "75% without polish");
});
