import assert from "node:assert/strict";
import { test } from "node:test";

import { covering, layout } from "../../web/before-after.js";

test("two pictures of the photo's size side by side, before on the left", () => {
  const { size, tiles } = layout({ width: 480, height: 640 });
  assert.deepEqual(size, { width: 964, height: 640 });
  assert.deepEqual(tiles, [
    { x: 0, label: "Before" },
    { x: 484, label: "After" },
  ]);
});

test("labels grow with the photo", () => {
  assert.equal(layout({ width: 640, height: 480 }).font, 27);
  assert.equal(layout({ width: 160, height: 120 }).font, 14);
  assert.equal(layout({ width: 1080, height: 1920 }).font, 60);
});

test("a camera's frame of the same shape is shown whole, another one to its middle", () => {
  assert.deepEqual(covering({ width: 1280, height: 960 }, { width: 640, height: 480 }), {
    x: 0,
    y: 0,
    width: 1280,
    height: 960,
  });
  assert.deepEqual(covering({ width: 1280, height: 720 }, { width: 640, height: 480 }), {
    x: 160,
    y: 0,
    width: 960,
    height: 720,
  });
});
