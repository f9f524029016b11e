import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { NailTryOn } from "../../web/nail-try-on-element.js";
import { TryOn } from "../../web/try-on.js";

/** Names of what a class of a .d.ts declares. @param {string} file @param {string} name */
function declared(file, name) {
  const text = readFileSync(new URL(`../../web/${file}`, import.meta.url), "utf8").replace(/\/\*[^]*?\*\//g, "");
  const body = text.split(new RegExp(`class ${name}\\b[^{]*{`))[1].split(/^}/m)[0];
  return new Set([...body.matchAll(/^ {2}(?:readonly |static |get |set )*(\w+)[(?:<]/gm)].map(([, member]) => member));
}

/** @param {any} constructor */
const members = (constructor) => new Set(Object.getOwnPropertyNames(constructor.prototype));

const OF_ELEMENTS = new Set(["connectedCallback", "disconnectedCallback", "attributeChangedCallback"]);
const INHERITED = new Set(["constructor", "observedAttributes", "addEventListener", "removeEventListener"]);

for (const [file, name, constructor] of /** @type {const} */ ([
  ["try-on.d.ts", "TryOn", TryOn],
  ["nail-try-on-element.d.ts", "NailTryOn", NailTryOn],
])) {
  test(`${file} declares what ${name} has, and nothing else`, () => {
    const [typed, real] = [declared(file, name), members(constructor)];
    assert.deepEqual([...typed].filter((member) => !real.has(member) && !INHERITED.has(member)), []);
    assert.deepEqual([...real].filter((member) => !typed.has(member) && !INHERITED.has(member) && !OF_ELEMENTS.has(member)), []);
  });
}
