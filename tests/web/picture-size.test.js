import assert from "node:assert/strict";
import { test } from "node:test";

import { LARGEST, PictureSize, SLOW_FPS } from "../../web/picture-size.js";

/** An encoder: bytes by quality and scale, `most` at quality 0.9 and full size. */
const bytesOf = (size, most) => most * size.scale ** 2 * (size.quality / 0.9) ** 1.5;

/** Seconds of pictures over a link of so many bytes a second, and what they were in the end. */
function sent(size, bytesPerSecond, { seconds = 40, most = 80_000 } = {}) {
  let [fps, bytes] = [0, 0];
  for (let second = 0; second < seconds; second++) {
    bytes = bytesOf(size, most);
    fps = Math.min(25, bytesPerSecond / bytes);
    for (let picture = 0; picture < fps; picture++) size.encoded((bytes = bytesOf(size, most)));
    size.came(fps, fps < 25);
  }
  return { fps, bytes };
}

test("on a good link pictures have 30 to 50 KB", () => {
  const { bytes } = sent(new PictureSize(), 5_000_000);
  assert.ok(bytes >= 30_000 && bytes <= LARGEST, `${bytes}`);
});

test("on a slow one they have less, so that about ten a second come through, and more again later", () => {
  const size = new PictureSize();
  const slow = sent(size, 200_000);
  assert.ok(slow.fps >= SLOW_FPS - 1.5, `${slow.fps}`);
  const poor = sent(size, 80_000);
  assert.ok(poor.fps >= SLOW_FPS - 2 && size.scale < 1, `${poor.fps}`);
  const good = sent(size, 5_000_000);
  assert.ok(good.bytes >= 30_000 && size.scale === 1, `${good.bytes}`);
});

test("a slow server is no reason for worse pictures", () => {
  const size = new PictureSize();
  for (let second = 0; second < 20; second++) size.came(5, false);
  assert.ok(size.budget >= 30_000);
});

test("saver sends small ones", () => {
  const size = new PictureSize();
  size.wish("saver");
  assert.ok(sent(size, 5_000_000).bytes <= 20_000);
});
