import assert from "node:assert/strict";
import { test } from "node:test";

import { changed, CLASSIC, settingsOf, withPhoto } from "../../web/outfit.js";

const worn = (...changes) => settingsOf(changes.reduce(changed, CLASSIC));

test("what is not named stays", () => {
  const { shape, length, design } = worn({ shape: "almond" }, { length: "long" }, {});
  assert.deepEqual({ shape, length, design }, { shape: "almond", length: "long", design: 1 });
});

test("another design brings its own finish and colours, and keeps the shape", () => {
  const { design, finish, colours, shape } = worn({ finish: "matte", colour: "#112233", shape: "almond" }, { design: 20 });
  assert.deepEqual({ design, finish, colours, shape }, { design: 20, finish: null, colours: null, shape: "almond" });
  assert.equal(worn({ design: 20, finish: "matte" }).finish, "matte", "but one named together with it counts");
});

test("one colour is short for a list of one", () => {
  assert.deepEqual(worn({ colour: "#112233" }).colours, ["#112233"]);
  assert.equal(worn({ colour: "#112233" }, { colour: null }).colours, null);
});

test("single fingers differ, until they are as the others again", () => {
  const { fingers } = worn({ fingers: { ring: { finish: "chrome" }, thumb: { colour: "#000000" } } }, { fingers: { thumb: null } });
  assert.deepEqual(Object.keys(fingers), ["ring"]);
  assert.equal(fingers.ring.finish, "chrome");
});

test("nails of the person's own photo go to fingers", () => {
  const { design, fingers } = settingsOf(changed(withPhoto(CLASSIC), { fingers: { ring: { nail: 2 } } }));
  assert.deepEqual([design, fingers.ring.nail], [null, 2]);
});

test("what does not exist is refused, and said", () => {
  assert.throws(() => changed(CLASSIC, /** @type {any} */ ({ color: "#000" })), /no field is called color; there are finish/);
  assert.throws(() => changed(CLASSIC, /** @type {any} */ ({ fingers: { toe: {} } })), /no finger is called toe/);
});
