import assert from "node:assert/strict";
import { test } from "node:test";

import { foundWords, previewUrl, worn } from "../../web/nail-set.js";
import { NO_WISHES, wish } from "../../web/wishes.js";

const FINGERS = { thumb: 0, index: 1, middle: 2, ring: 2, pinky: 1 };

function nailSet({ kind = "hand", count = 3, filled = [], confidence = 0.9 } = {}) {
  const nails = Array.from({ length: count }, (_, i) => ({ image_url: `${i}.png`, finger: null, confidence: 0.9 }));
  return { kind, nails, fingers: FINGERS, filled, confidence, preview_url: "preview.webp" };
}

test("what was found is said in numbers", () => {
  assert.equal(foundWords(nailSet({ count: 5 })).title, "We found 5 nails");
  assert.equal(foundWords(nailSet({ count: 1 })).title, "We found 1 nail");
});

test("fingers that were not seen are told of", () => {
  assert.match(foundWords(nailSet({ filled: ["ring", "pinky"] })).text, /2 fingers wear a neighbour’s\./);
  assert.match(foundWords(nailSet({ filled: ["pinky"] })).text, /One finger wears a neighbour’s\./);
  assert.doesNotMatch(foundWords(nailSet({ filled: [] })).text, /neighbour/);
});

test("doubt is said, certainty is not", () => {
  assert.match(foundWords(nailSet({ confidence: 0.3 })).text, /not quite sure/);
  assert.doesNotMatch(foundWords(nailSet({ confidence: 0.9 })).text, /sure/);
});

test("a picture without nails is worn as a swatch", () => {
  const { title, text } = foundWords(nailSet({ kind: "swatch", count: 1, filled: ["ring"], confidence: 0.2 }));
  assert.match(title, /No nails/);
  assert.match(text, /swatch/);
});

test("each finger wears the server's nail until the person says otherwise, the first nail included", () => {
  assert.deepEqual(worn(nailSet(), NO_WISHES), FINGERS);
  assert.deepEqual(worn(nailSet(), wish(NO_WISHES, "ring", { nail: 0 })), { ...FINGERS, ring: 0 });
});

test("the preview follows the person's choice, and is the server's own without one", () => {
  assert.equal(previewUrl(nailSet(), NO_WISHES), "preview.webp");
  const url = new URL(previewUrl(nailSet(), wish(NO_WISHES, "ring", { nail: 0 })), "https://shop.example");
  assert.equal(JSON.parse(url.searchParams.get("config")).fingers.ring.nail, 0);
});
