import assert from "node:assert/strict";
import { test } from "node:test";

import { backoffDelay, JITTER } from "../../web/backoff.js";

test("0, 0.3, 1.2, 2.7, 4.8 seconds, then 7", () => {
  const delays = Array.from({ length: 8 }, (_, attempt) => backoffDelay(attempt, () => 0));
  assert.deepEqual(delays, [0, 300, 1200, 2700, 4800, 7000, 7000, 7000]);
});

test("jitter only makes a wait longer, by a quarter at most", () => {
  assert.equal(backoffDelay(5, () => 1), 7000 * (1 + JITTER));
  for (let i = 0; i < 100; i++) assert.ok(backoffDelay(3) >= 2700 && backoffDelay(3) <= 3375);
});

test("the first attempt is at once, whatever the jitter", () => {
  assert.equal(backoffDelay(0, () => 1), 0);
});
