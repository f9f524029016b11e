import assert from "node:assert/strict";
import { test } from "node:test";

import { hintWords, photoName, stateWords } from "../../web/words.js";

test("the state in words, with the quality while live", () => {
  assert.equal(stateWords("live", "excellent"), "Live · excellent");
  assert.equal(stateWords("live"), "Live");
  assert.equal(stateWords("reconnecting", "poor"), "Reconnecting…");
});

test("a hint for a missing hand, and for one that shows its palm", () => {
  assert.match(hintWords(0), /Hold/);
  assert.match(hintWords(1), /Turn/);
});

test("a photo is named after design and day", () => {
  assert.equal(photoName("Classic Red", new Date(2026, 2, 7)), "lacquer-classic-red-2026-03-07.jpg");
  assert.equal(photoName("Crème & Rosé", new Date(2026, 10, 22)), "lacquer-creme-rose-2026-11-22.jpg");
  assert.equal(photoName("✨", new Date(2026, 2, 7)), "lacquer-design-2026-03-07.jpg");
});
