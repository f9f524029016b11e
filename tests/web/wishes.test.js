import assert from "node:assert/strict";
import { test } from "node:test";

import {
  coloursOf,
  configOf,
  forAnotherDesign,
  forAnotherPhoto,
  isStyled,
  NO_WISHES,
  recoloured,
  reset,
  wish,
  wishOf,
} from "../../web/wishes.js";

const NAILS = { nails: true };
const NO_NAILS = { nails: false };

test("without wishes, config takes back whatever was wished before", () => {
  const config = { finish: null, shape: null, length: null, colours: null, fingers: {} };
  assert.deepEqual(configOf(NO_WISHES, NO_NAILS), config);
});

test("wishes for all fingers and for one of them", () => {
  const wishes = wish(wish(NO_WISHES, "all", { finish: "matte" }), "ring", { finish: "glitter", colours: ["#123456"] });
  const config = configOf(wishes, NO_NAILS);
  assert.equal(config.finish, "matte");
  assert.deepEqual(config.fingers, {
    ring: { finish: "glitter", shape: null, length: null, colours: ["#123456"], nail: null },
  });
  assert.equal(wishOf(wishes, "thumb").finish, null, "the others say nothing of their own");
});

test("a wish changes neither earlier wishes nor what nobody wished", () => {
  const before = wish(NO_WISHES, "ring", { shape: "almond" });
  wish(before, "ring", { shape: "coffin" });
  assert.equal(wishOf(before, "ring").shape, "almond");
  assert.deepEqual(NO_WISHES.fingers, {});
});

test("a finger that wishes nothing any more is not named", () => {
  const wishes = wish(wish(NO_WISHES, "ring", { shape: "almond" }), "ring", { shape: null });
  assert.deepEqual(configOf(wishes, NO_NAILS).fingers, {});
});

test("nails are named only while the design worn has some: the server refuses the whole config otherwise", () => {
  const wishes = wish(NO_WISHES, "ring", { nail: 0 });
  assert.equal(configOf(wishes, NAILS).fingers.ring.nail, 0);
  assert.deepEqual(configOf(wishes, NO_NAILS).fingers, {});
});

test("another design keeps shape, length and the photo's nails, and brings its own finish and colours", () => {
  const styled = wish(NO_WISHES, "all", { finish: "chrome", shape: "almond", length: "long", colours: ["#000000"] });
  const next = forAnotherDesign(wish(styled, "thumb", { finish: "matte", length: "short", nail: 3 }));
  assert.deepEqual(next.all, { finish: null, shape: "almond", length: "long", colours: null });
  assert.deepEqual(next.fingers.thumb, { finish: null, shape: null, length: "short", colours: null, nail: 3 });
});

test("another photo has other nails", () => {
  const next = forAnotherPhoto(wish(NO_WISHES, "thumb", { length: "short", nail: 3 }));
  assert.equal(next.fingers.thumb.nail, null);
  assert.equal(next.fingers.thumb.length, "short");
});

test("reset returns to the design, on every finger, and keeps who wears which nail of a photo", () => {
  const styled = wish(wish(NO_WISHES, "all", { shape: "almond" }), "ring", { finish: "matte", nail: 2 });
  assert.ok(isStyled(styled));
  const plain = reset(styled);
  assert.ok(!isStyled(plain));
  assert.equal(plain.fingers.ring.nail, 2);
});

test("colours are the finger's, else everybody's, else the design's", () => {
  const design = ["#b3001b"];
  assert.deepEqual(coloursOf(NO_WISHES, "ring", design), design);
  const all = wish(NO_WISHES, "all", { colours: ["#111111"] });
  assert.deepEqual(coloursOf(all, "ring", design), ["#111111"]);
  assert.deepEqual(coloursOf(wish(all, "ring", { colours: ["#222222"] }), "ring", design), ["#222222"]);
});

test("one colour changes; the design's others stay", () => {
  assert.deepEqual(recoloured(["#111111", "#222222"], 0, "#ffffff"), ["#ffffff", "#222222"]);
  assert.deepEqual(recoloured(["#111111"], 0, "#ffffff"), ["#ffffff"]);
  assert.deepEqual(recoloured(["#111111"], 1, "#ffffff"), ["#111111", "#ffffff"]);
  assert.deepEqual(recoloured([], 1, "#ffffff"), ["#ffffff", "#ffffff"]);
});
