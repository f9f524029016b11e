import assert from "node:assert/strict";
import { test } from "node:test";

import { judge, next, overtaken, UNKNOWN } from "../../web/quality.js";

const fine = { rttMs: 40, fps: 30, loss: 0, cameraFps: 30, sentFps: 30, processingMs: 20 };
const slow = { ...fine, rttMs: 200 };
const awful = { ...fine, rttMs: 900, fps: 3, loss: 0.3 };
const after = (quality, ...samples) => samples.reduce(next, quality);
const said = (sample) => Object.values(judge({ ...fine, ...sample })).join(" · ");

test("the worst number decides, and whose it is limits", () => {
  assert.deepEqual(judge(fine), { level: "excellent", factor: null });
  assert.equal(said({ rttMs: 200 }), "good · network");
  assert.equal(said({ loss: 0.2 }), "poor · network");
  assert.equal(said({ jitterMs: 45 }), "good · network");
  assert.equal(said({ processingMs: 90 }), "good · server");
  assert.equal(said({ overtaken: 0.5 }), "poor · server");
  assert.equal(said({ retreat: 2 }), "good · server");
  assert.equal(said({ fps: 0, loss: 0.9 }), "lost · network");
});

test("few pictures are blamed on the first who has few", () => {
  assert.equal(said({ fps: 9, cameraFps: 9, sentFps: 9 }), "poor · camera");
  assert.equal(said({ fps: 0, cameraFps: 0, sentFps: 0 }), "lost · camera");
  assert.equal(said({ fps: 17, sentFps: 18, limit: "cpu" }), "good · device");
  assert.equal(said({ fps: 12, sentFps: 12, limit: "bandwidth" }), "poor · network");
  assert.equal(said({ fps: 12, overtaken: 0.6 }), "poor · server");
  assert.equal(said({ fps: 12, loss: 0.02 }), "poor · network");
});

test("numbers that are not known yet do not count", () => {
  assert.deepEqual(judge({}), { level: "excellent", factor: null });
  assert.equal(judge({ rttMs: null, fps: 16, loss: null }).level, "good");
});

test("the first sample sets the word at once", () => {
  assert.equal(next(UNKNOWN, slow).level, "good");
});

test("one bad second does not change the word, two do", () => {
  const good = next(UNKNOWN, fine);
  assert.equal(after(good, awful).level, "excellent");
  assert.equal(after(good, awful, fine, awful).level, "excellent");
  assert.equal(after(good, awful, awful).level, "poor");
});

test("getting better takes four good seconds, and then nothing limits", () => {
  const poor = next(UNKNOWN, awful);
  assert.equal(after(poor, fine, fine, fine).level, "poor");
  const better = after(poor, fine, fine, fine, fine);
  assert.deepEqual([better.level, better.factor], ["excellent", null]);
});

test("samples that disagree on how far move the word the shorter way", () => {
  const good = next(UNKNOWN, fine);
  assert.equal(after(good, slow, awful).level, "good");
  assert.equal(after(good, awful, slow).level, "good");
});

test("another reason for the same level is named after three seconds", () => {
  const dark = { ...fine, fps: 9, cameraFps: 9 };
  const poor = next(UNKNOWN, awful);
  assert.equal(after(poor, dark, dark).factor, "network");
  assert.equal(after(poor, dark, dark, dark).factor, "camera");
  assert.equal(after(poor, dark, dark, awful, dark).factor, "network");
});

test("what the server skipped is the growth between two reports", () => {
  const before = { type: "stats", frames_in: 100, frames_dropped: { superseded: 10 } };
  const later = { type: "stats", frames_in: 160, frames_dropped: { superseded: 30, backpressure: 10, paused: 99 } };
  assert.equal(overtaken(before, later), 0.5);
  assert.equal(overtaken(null, later), 0);
  assert.equal(overtaken(later, before), 0, "another worker counts anew");
});
