import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { announcement, designLabel, designName } from "../../web/design-words.js";
import { useLanguage } from "../../web/strings.js";

const RED = { id: 1, name: "Classic Red", family: "Classics", finish: "cream", colours: ["#B3001B"] };
const TIPS = { id: 2, name: "Paris", family: "French & Moons", finish: "gloss", colours: ["#F2CFC4", "#FBF8F2", "#F3D0C5"] };
const OWN = { id: null, name: "upload", family: "upload", finish: null, colours: ["#1E4D38"] };

afterEach(() => useLanguage("en"));

test("what is put on is said with its finish and colours, each colour once", () => {
  assert.equal(announcement(RED), "Classic Red, cream finish, red");
  assert.equal(announcement(TIPS), "Paris, gel finish, nude and white");
  assert.equal(announcement(OWN), "Your manicure, dark green");
});

test("in the strip a design has a name, a family and colours", () => {
  assert.equal(designLabel(RED), "Classic Red, Classics, red");
  assert.equal(designLabel(OWN), "Your manicure, Yours, dark green");
});

test("names stay, all else is translated", async () => {
  await useLanguage("de");
  assert.equal(announcement(RED), "Classic Red, Creme-Finish, rot");
  assert.equal(announcement(OWN), "Deine Maniküre, dunkelgrün");
  assert.equal(designLabel(TIPS), "Paris, French & Monde, nude und weiß");
  assert.equal(designName(RED), "Classic Red");
});
