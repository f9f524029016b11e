import assert from "node:assert/strict";
import { test } from "node:test";

import { judge, next, UNKNOWN } from "../../web/quality.js";

const fine = { rttMs: 40, fps: 30, loss: 0 };
const slow = { rttMs: 300, fps: 30, loss: 0 };
const awful = { rttMs: 900, fps: 3, loss: 0.3 };
const after = (quality, ...samples) => samples.reduce(next, quality);

test("the worst of the three numbers decides", () => {
  assert.equal(judge(fine), "excellent");
  assert.equal(judge({ ...fine, rttMs: 200 }), "good");
  assert.equal(judge({ ...fine, fps: 10 }), "fair");
  assert.equal(judge({ ...fine, loss: 0.2 }), "poor");
});

test("numbers that are not known yet do not count", () => {
  assert.equal(judge({}), "excellent");
  assert.equal(judge({ rttMs: null, fps: 16, loss: null }), "good");
});

test("the first sample sets the word at once", () => {
  assert.equal(next(UNKNOWN, slow).level, "fair");
});

test("one bad second does not change the word, two do", () => {
  const good = next(UNKNOWN, fine);
  assert.equal(after(good, awful).level, "excellent");
  assert.equal(after(good, awful, fine, awful).level, "excellent");
  assert.equal(after(good, awful, awful).level, "poor");
});

test("getting better takes four good seconds", () => {
  const poor = next(UNKNOWN, awful);
  assert.equal(after(poor, fine, fine, fine).level, "poor");
  assert.equal(after(poor, fine, fine, fine, fine).level, "excellent");
});

test("samples that disagree on how far move the word the shorter way", () => {
  const good = next(UNKNOWN, fine);
  assert.equal(after(good, slow, awful).level, "fair");
  assert.equal(after(good, awful, slow).level, "fair");
});
