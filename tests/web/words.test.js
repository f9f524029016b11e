import assert from "node:assert/strict";
import { test } from "node:test";

import { captureName, hintWords, remedyWords, savedWords, stateWords } from "../../web/words.js";

test("the state in words, with the quality while live", () => {
  assert.equal(stateWords("live", "excellent"), "Live · excellent");
  assert.equal(stateWords("live"), "Live");
  assert.equal(stateWords("live", "good", "network"), "Live · good · network");
  assert.equal(stateWords("reconnecting", "poor"), "Reconnecting…");
});

test("what helps is said where the picture is poor", () => {
  assert.match(remedyWords("poor", "camera"), /light/);
  assert.equal(remedyWords("good", "camera"), "");
  assert.equal(remedyWords("poor", null), "");
});

test("a hint for a missing hand, and for one that shows its palm", () => {
  assert.match(hintWords(0), /Hold/);
  assert.match(hintWords(1), /Turn/);
});

test("a capture is named after design and day", () => {
  assert.equal(captureName("Classic Red", new Date(2026, 2, 7), "jpg"), "lacquer-classic-red-2026-03-07.jpg");
  assert.equal(captureName("Crème & Rosé", new Date(2026, 10, 22), "jpg"), "lacquer-creme-rose-2026-11-22.jpg");
  assert.equal(captureName("✨", new Date(2026, 2, 7), "mp4"), "lacquer-design-2026-03-07.mp4");
});

test("a saved photo is called by its design and its day", () => {
  const at = new Date(2026, 2, 7, 14, 5).toISOString();
  const plain = { design: { name: "Classic Red" }, created_at: at, metadata: {} };
  assert.match(savedWords(plain).title, /^Classic Red · .*March 7.*2:05/);
  assert.match(savedWords({ ...plain, metadata: { view: "both" } }).title, /^Classic Red, before and after · /);
  assert.equal(savedWords({ ...plain, design: null }).name, "Nails from a photo");
});
