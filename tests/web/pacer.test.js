import assert from "node:assert/strict";
import { test } from "node:test";

import { Pacer } from "../../web/pacer.js";

const paced = () => new Pacer({ maxFps: 25, timeoutMs: 2000 });

test("where answers are quick, one picture is on its way at a time", () => {
  const pacer = paced();
  assert.equal(pacer.waitMs(0), 0);
  assert.equal(pacer.send(0), 1);
  assert.equal(pacer.waitMs(100), 1900); // nothing leaves before the answer, or its timeout
  assert.equal(pacer.answer(1, 50), true);
  assert.equal(pacer.waitMs(50), 0);
  assert.equal(pacer.roundTripMs, 50);
  assert.equal(pacer.send(50), 2);
});

test("a fast server gets no more than the camera's rate", () => {
  const pacer = paced();
  pacer.send(0);
  pacer.answer(1, 5);
  assert.equal(pacer.waitMs(5), 35);
  assert.equal(pacer.waitMs(40), 0);
});

test("a lost answer costs its timeout, and is counted", () => {
  const pacer = paced();
  pacer.send(0);
  assert.equal(pacer.waitMs(1999), 1);
  assert.equal(pacer.waitMs(2000), 0);
  assert.equal(pacer.send(2000), 2);
  assert.equal(pacer.lost, 1);
});

test("an answer that comes too late does not count for the next picture", () => {
  const pacer = paced();
  pacer.send(0);
  pacer.send(2000);
  assert.equal(pacer.answer(1, 2010), false);
  assert.equal(pacer.answer(undefined, 2010), false);
  assert.equal(pacer.answer(2, 2020), true);
  assert.equal(pacer.answered, 1);
});

/** What comes back over a way of so many ms, on a server that takes `workMs` for each picture: pictures and most delay. */
function travelled(wayMs, { seconds = 10, workMs = 20 } = {}) {
  const pacer = new Pacer();
  const waiting = [];
  let [free, back, longest] = [0, 0, 0];
  for (let now = 0; now < seconds * 1000; now++) {
    while (waiting[0]?.at <= now) {
      const { number, at, left } = waiting.shift();
      pacer.answer(number, at);
      back += now > 2000 ? 1 : 0;
      longest = Math.max(longest, at - left);
    }
    if (pacer.waitMs(now) > 0) continue;
    const number = pacer.send(now);
    free = Math.max(free, now + wayMs / 2) + workMs;
    waiting.push({ number, at: free + wayMs / 2, left: now });
  }
  return { fps: back / (seconds - 2), longest };
}

test("a long way is filled with several, up to fifteen a second, without a queue", () => {
  for (const way of [100, 150, 200]) {
    const { fps, longest } = travelled(way);
    assert.ok(fps >= 14.5, `${way} ms: ${fps}`);
    assert.ok(longest <= way + 45, `${way} ms: ${longest}`);
  }
});

test("a slow server does not get more than it can do", () => {
  const { longest } = travelled(10, { workMs: 150 });
  assert.ok(longest < 4 * 170, `${longest}`);
});

test("an answer takes the older ones with it: the server skipped them", () => {
  const pacer = new Pacer();
  pacer.send(0);
  pacer.answer(1, 200);
  const [second, third] = [pacer.send(200), pacer.send(270)];
  assert.equal(pacer.answer(third, 470), true);
  assert.equal(pacer.lost, 1);
  assert.equal(pacer.answer(second, 480), false);
});
