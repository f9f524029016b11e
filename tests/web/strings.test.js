import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { afterEach, test } from "node:test";

import { canSay, languageFor, LANGUAGES, say, sayAll, sayShare, useLanguage } from "../../web/strings.js";
import { STRINGS as ENGLISH } from "../../web/strings/en.js";

const WEB = new URL("../../web/", import.meta.url);
const HTML = readFileSync(new URL("index.html", WEB), "utf8");
const SCRIPTS = readdirSync(WEB)
  .filter((name) => name.endsWith(".js"))
  .map((name) => readFileSync(new URL(name, WEB), "utf8"));
const OTHERS = Object.keys(LANGUAGES).filter((language) => language !== "en");

const forms = (text) => (typeof text === "string" ? { other: text } : text);
const placeholders = (text) => [...new Set(text.match(/\{\w+\}/g))].sort();

afterEach(() => useLanguage("en"));

for (const language of OTHERS) {
  test(`${language} says all that English says, of the same things`, async () => {
    const { STRINGS } = await import(`../../web/strings/${language}.js`);
    assert.deepEqual(Object.keys(STRINGS), Object.keys(ENGLISH), "the same keys in the same order");
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const [key, text] of Object.entries(ENGLISH)) {
      const translated = forms(STRINGS[key]);
      assert.equal(typeof STRINGS[key], typeof text, key);
      if (typeof text !== "string") assert.deepEqual(Object.keys(translated).sort(), [...categories].sort(), key);
      assert.deepEqual(placeholders(translated.other), placeholders(forms(text).other), key);
      for (const form of Object.values(translated)) assert.ok(form.trim(), key);
    }
  });
}

/** Keys written out, and beginnings of keys that are put together. */
function keysInUse() {
  const inPage = [...HTML.matchAll(/data-say(?:-\w+)?="([^"]+)"/g)].map(([, key]) => key);
  const inScripts = SCRIPTS.flatMap((script) => [...script.matchAll(/"([a-z_]+\.[a-z_.]+)"/g)].map(([, key]) => key));
  const begun = SCRIPTS.flatMap((script) => [...script.matchAll(/`([a-z_]+\.)\$\{/g)].map(([, start]) => start));
  return { whole: new Set([...inPage, ...inScripts]), begun: [...new Set(begun)] };
}

test("every key is used", () => {
  const { whole, begun } = keysInUse();
  const unused = Object.keys(ENGLISH).filter(
    (key) => !whole.has(key) && !begun.some((start) => key.startsWith(start)),
  );
  assert.deepEqual(unused, []);
});

test("nothing is said that has no words", () => {
  const said = SCRIPTS.flatMap((script) => [...script.matchAll(/\bsay\(\s*"([^"]+)"/g)].map(([, key]) => key));
  const chosen = SCRIPTS.flatMap((script) => [...script.matchAll(/\? "([a-z_]+\.[a-z_.]+)" : "([a-z_]+\.[a-z_.]+)"/g)]);
  const inPage = [...HTML.matchAll(/data-say(?:-\w+)?="([^"]+)"/g)].map(([, key]) => key);
  const all = [...said, ...chosen.flatMap(([, one, other]) => [one, other]), ...inPage];
  assert.deepEqual(
    all.filter((key) => !canSay(key)),
    [],
  );
  assert.throws(() => say("no.such.key"), /no words for no\.such\.key/);
});

test("what the page is written with is the English of the table", () => {
  for (const [, key, text] of HTML.matchAll(/data-say="([^"]+)"[^>]*>([^<]*)</g)) assert.equal(text, ENGLISH[key]);
  for (const [, attribute, text, key] of HTML.matchAll(/([\w-]+)="([^"]*)" data-say-(?:\w+)="([^"]+)"/g)) {
    assert.equal(text, ENGLISH[key], attribute);
  }
});

/** “Lacquer” is a name. Who has no JavaScript has no other language either. */
const NO_WORDS = ["Lacquer", "Lacquer needs JavaScript to reach your camera."];

test("no words stand in the page without a key", () => {
  const plain = HTML.replace(/<[^>]*data-say="[^>]*>[^<]*</g, "<").replace(/<!--.*?-->/gs, "");
  const texts = [...plain.replaceAll("&nbsp;", "").matchAll(/>([^<]*\p{L}[^<]*)</gu)].map(([, text]) => text.trim());
  assert.deepEqual(
    texts.filter((text) => !NO_WORDS.includes(text)),
    [],
  );
  const attributes = [...HTML.matchAll(/<[^>]* (aria-label|placeholder|title|alt)="([^"]+)"[^>]*>/g)];
  for (const [tag] of attributes) assert.match(tag, /data-say-(label|placeholder|alt)=/);
});

test("plurals and figures are those of the language", async () => {
  assert.equal(say("search.found", { count: 1 }), "1 design");
  assert.equal(say("search.found", { count: 1200 }), "1,200 designs");
  await useLanguage("de");
  assert.equal(say("search.found", { count: 1200 }), "1.200 Designs");
  assert.equal(sayAll(["rot", "weiß"]), "rot und weiß");
  assert.match(sayShare(0.25), /^25\s%$/);
  await useLanguage("ar");
  assert.equal(say("search.found", { count: 2 }), "تصميمان");
  assert.match(say("search.found", { count: 5 }), /تصاميم/);
});

test("values are put in as they are, whatever they hold", () => {
  assert.match(say("search.nothing", { text: "{count} $& “x”" }), /“\{count\} \$& “x””/);
});

test("a language's page is written in its direction, and a table that is missing changes nothing", async () => {
  const root = { lang: "en", dir: "ltr" };
  await useLanguage("ar", root);
  assert.deepEqual(root, { lang: "ar", dir: "rtl" });
  const warn = console.warn;
  console.warn = () => {};
  await useLanguage("xx", root);
  console.warn = warn;
  assert.deepEqual(root, { lang: "ar", dir: "rtl" });
  assert.equal(say("button.done"), "تم");
});

test("the first wish that there is a language for", () => {
  assert.equal(languageFor([null, "de-AT", "en"]), "de");
  assert.equal(languageFor(["fr", "pt-BR", "AR-eg"]), "ar");
  assert.equal(languageFor(["fr", "constructor"]), "en");
  assert.equal(languageFor([]), "en");
});
