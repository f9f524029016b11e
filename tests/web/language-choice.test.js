import assert from "node:assert/strict";
import { test } from "node:test";

import { addressWith, rememberLanguage, wantedLanguage } from "../../web/language-choice.js";

function storage() {
  const kept = new Map();
  return () => ({ getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text) });
}

test("the address goes before what was chosen, and that before the browser", () => {
  const kept = storage();
  assert.equal(wantedLanguage(null, ["es-MX", "en"], kept), "es");
  rememberLanguage("de", kept);
  assert.equal(wantedLanguage(null, ["es-MX", "en"], kept), "de");
  assert.equal(wantedLanguage("ar", ["es-MX", "en"], kept), "ar");
  assert.equal(wantedLanguage("xx", ["es-MX", "en"], kept), "de");
});

test("another language is the same page with the same design", () => {
  const address = "https://shop.example/try-on/live?lang=de&mode=upload";
  assert.equal(addressWith(address, 20), "https://shop.example/try-on/live?mode=upload&postId=20");
  assert.equal(addressWith(address, null), "https://shop.example/try-on/live?mode=upload");
});
