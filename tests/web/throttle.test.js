import assert from "node:assert/strict";
import { test } from "node:test";

import { throttle } from "../../web/throttle.js";
import { FakeClock } from "./fakes.js";

test("the first call goes at once, the newest of those that came too soon when the time is up", async () => {
  const clock = new FakeClock();
  const calls = [];
  const slow = throttle((value) => calls.push([clock.now(), value]), 100, clock);
  slow("a");
  slow("b");
  slow("c");
  assert.deepEqual(calls, [[0, "a"]]);
  await clock.advance(100);
  assert.deepEqual(calls, [[0, "a"], [100, "c"]]);
});

test("a steady stream of calls passes at the throttle's pace, and the last one is never lost", async () => {
  const clock = new FakeClock();
  const calls = [];
  const slow = throttle((value) => calls.push(value), 66, clock);
  for (let i = 0; i < 100; i++) {
    slow(i);
    await clock.advance(10);
  }
  assert.ok(calls.length <= 17, `${calls.length} in a second`);
  await clock.advance(100);
  assert.equal(calls.at(-1), 99);
});

test("after a rest, a call goes at once again", async () => {
  const clock = new FakeClock();
  const calls = [];
  const slow = throttle((value) => calls.push(value), 66, clock);
  slow(1);
  await clock.advance(500);
  slow(2);
  assert.deepEqual(calls, [1, 2]);
});
