import assert from "node:assert/strict";
import { test } from "node:test";

import { readIds, Recent, withWorn } from "../../web/recent.js";

test("newest first, each once, twelve at most", () => {
  assert.deepEqual(withWorn([3, 2, 1], 2), [2, 3, 1]);
  const many = Array.from({ length: 20 }, (_, i) => i).reduce(withWorn, []);
  assert.deepEqual(many, [19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8]);
});

test("what is not a list of ids is no list of ids", () => {
  assert.deepEqual(readIds(null), []);
  assert.deepEqual(readIds("{"), []);
  assert.deepEqual(readIds('{"a": 1}'), []);
  assert.deepEqual(readIds('[5, "6", null, 7.5, 8]'), [5, 8]);
});

test("another visit has them as well, but for the person's own", () => {
  const kept = new Map();
  const storage = () => ({ getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text) });
  const first = new Recent(storage);
  for (const id of [1, null, 6]) first.add(id);
  assert.deepEqual(new Recent(storage).ids, [6, 1]);
});

test("a browser that keeps nothing: this visit remembers all the same", () => {
  const recent = new Recent(() => {
    throw new DOMException("", "SecurityError");
  });
  recent.add(6);
  assert.deepEqual(recent.ids, [6]);
});
