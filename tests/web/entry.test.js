import assert from "node:assert/strict";
import { test } from "node:test";

import { entryOf, entryWords } from "../../web/entry.js";

const entry = (query) => entryOf(new URLSearchParams(query));

test("an address names a design, or none", () => {
  assert.deepEqual(entry("postId=20"), { upload: false, postId: 20 });
  assert.deepEqual(entry(""), { upload: false, postId: null });
});

test("what is no number is a design that does not exist", () => {
  assert.ok(Number.isNaN(entry("postId=red").postId));
});

test("who comes for a photo is told about photos", () => {
  assert.equal(entryWords(entry("mode=upload")).title, "start.title_upload");
  assert.equal(entryWords(entry("photo=1")).lead, "start.lead_upload");
  assert.equal(entryWords(entry("mode=explore")).title, "start.title");
});
