import assert from "node:assert/strict";
import { test } from "node:test";

import { colourWords, oklch } from "../../web/colour-words.js";
import { foundSentence, search, wordsOf } from "../../web/search.js";
import { useLanguage } from "../../web/strings.js";

const design = (id, name, family, finish, colours, more = {}) => ({ id, name, family, finish, colours, ...more });
const RED = design(1, "Classic Red", "Classics", "cream", ["#B3001B"], { pattern: "solid", shape: "natural" });
const NUDE = design(17, "Nude Veil", "Sheer & Jelly", "sheer", ["#D8A48F"]);
const CAT = design(80, "Emerald Cat", "Cat Eye", "cat_eye", ["#06301F", "#52D49C"]);
const FADE = design(92, "Crème Fade", "Ombré & Aura", "gloss", ["#B3001B", "#1C0609"], { shape: "almond" });
const ROSE = design(16, "Red Velvet", "Gel", "gloss", ["#E0788F"]);
const DESIGNS = [CAT, RED, NUDE, FADE, ROSE];
const found = (text) => search(DESIGNS, text).map(({ id }) => id);

test("a colour finds what wears it, and what is called so comes first", () => {
  assert.deepEqual(found("red"), [1, 16, 92]);
  assert.deepEqual(found("nude"), [17]);
  assert.deepEqual(found("green"), [80]);
});

test("finish as the server and as people call it, family, shape, and beginnings of words", () => {
  assert.deepEqual(found("cat eye"), [80]);
  assert.deepEqual(found("jelly"), [17]);
  assert.deepEqual(found("gel"), [92, 16]);
  assert.deepEqual(found("ombre"), [92]);
  assert.deepEqual(found("alm"), [92]);
});

test("every word has to match, whatever its accents and case", () => {
  assert.deepEqual(found("RED classic"), [1]);
  assert.deepEqual(found("creme fade"), [92]);
  assert.deepEqual(found("red jelly"), []);
  assert.deepEqual(wordsOf("Rosé  &-Aura"), ["rose", "aura"]);
});

test("what was found is said plainly, also when it is nothing", () => {
  assert.match(foundSentence(0, " plaid "), /No design matches “plaid”/);
  assert.equal(foundSentence(1, "x"), "1 design");
  assert.equal(foundSentence(12, "x"), "12 designs");
});

for (const [colour, word] of [
  ["#B3001B", "red"],
  ["#4A0714", "burgundy"],
  ["#F5B5C0", "pink"],
  ["#D6127C", "pink"],
  ["#D8A48F", "nude"],
  ["#6A4232", "brown"],
  ["#FF6F5B", "coral"],
  ["#FF8A1F", "orange"],
  ["#F5CF55", "yellow"],
  ["#C9A24B", "gold"],
  ["#1E4D38", "green"],
  ["#0F5B66", "teal"],
  ["#1F3FBF", "blue"],
  ["#1C2A4A", "navy"],
  ["#6A2FA0", "purple"],
  ["#0E0E12", "black"],
  ["#F7F3EA", "white"],
  ["#D6D9DE", "silver"],
]) {
  test(`${colour} is ${word}`, () => assert.ok(colourWords(colour).includes(word), colourWords(colour).join(" ")));
}

test("OKLCH of sRGB red, as its author publishes it", () => {
  const { light, chroma, hue } = oklch("#FF0000");
  assert.ok(Math.abs(light - 0.628) < 0.001 && Math.abs(chroma - 0.2577) < 0.001 && Math.abs(hue - 29.23) < 0.1);
});

test("in another language its own words find, and English ones still", async () => {
  await useLanguage("de");
  assert.deepEqual(found("rot"), [1, 92]);
  assert.deepEqual(found("dunkelgrün"), [80]);
  assert.deepEqual(found("red"), [1, 16, 92]);
  assert.deepEqual(found("glanz"), []);
  await useLanguage("en");
});
