import assert from "node:assert/strict";
import { test } from "node:test";

import { ALL, familiesOf, familyName, RECENT, shownIn, YOURS } from "../../web/families.js";

const RED = { id: 1, family: "cream" };
const TIPS = { id: 2, family: "french" };
const PINK = { id: 3, family: "cream" };
const OWN = { id: null, family: "upload" };
const DESIGNS = [RED, TIPS, PINK];

test("families come in the server's order, each once, everything first", () => {
  assert.deepEqual(familiesOf(DESIGNS), [ALL, "cream", "french"]);
});

test("the person's own stand next to everything, whatever family the server gave them", () => {
  assert.deepEqual(familiesOf([...DESIGNS, OWN]), [ALL, YOURS, "cream", "french"]);
});

test("a family shows its designs, everything shows all", () => {
  assert.deepEqual(shownIn(DESIGNS, "cream", RED), [RED, PINK]);
  assert.deepEqual(shownIn(DESIGNS, ALL, TIPS), DESIGNS);
  assert.deepEqual(shownIn([...DESIGNS, OWN], YOURS, OWN), [OWN]);
});

test("the design that is worn stays in view in another family", () => {
  assert.deepEqual(shownIn(DESIGNS, "french", PINK), [PINK, TIPS]);
  assert.deepEqual(shownIn(DESIGNS, "french", null), [TIPS]);
});

test("names for people", () => {
  assert.equal(familyName("Ombré & Aura"), "Ombré & Aura");
  assert.equal(familyName("shop_special"), "Shop special");
  assert.equal(familyName("My shop"), "My shop");
});

test("recent ones, newest first, where there are any that the catalogue still has", () => {
  assert.deepEqual(familiesOf([...DESIGNS, OWN], [3]), [ALL, YOURS, RECENT, "cream", "french"]);
  assert.deepEqual(familiesOf(DESIGNS, [99]), [ALL, "cream", "french"]);
  assert.deepEqual(shownIn(DESIGNS, RECENT, PINK, [3, 99, 1]), [PINK, RED]);
});
