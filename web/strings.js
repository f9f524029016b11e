/** What the page says, from one table for each language. English is built in; another one is loaded when it is wanted. */

import { STRINGS as ENGLISH } from "./strings/en.js";

/** @typedef {import("./strings/en.js").Text} Text */

/** The languages there are, each in its own words. @type {Record<string, string>} */
export const LANGUAGES = { en: "English", de: "Deutsch", es: "Español", ar: "العربية" };

const RIGHT_TO_LEFT = ["ar"];

let language = "en";
let strings = ENGLISH;
let numbers = new Intl.NumberFormat(language);
let plurals = new Intl.PluralRules(language);

/**
 * The words for a key. Numbers are written as the language writes them; `count` also chooses the plural.
 * @param {string} key @param {Record<string, string | number>} [values] what stands for `{name}`
 */
export function say(key, values = {}) {
  const text = strings[key];
  if (text === undefined) throw new Error(`no words for ${key}`);
  return chosen(text, values.count).replace(/\{(\w+)\}/g, (_, name) => written(values[name]));
}

/** Whether there are words, for what a server may name and this page may not know. @param {string} key */
export function canSay(key) {
  return Object.hasOwn(strings, key);
}

/** The language spoken now. */
export function spoken() {
  return language;
}

/** “red and white”. @param {string[]} words */
export function sayAll(words) {
  return new Intl.ListFormat(language, { style: "long", type: "conjunction" }).format(words);
}

/** “40%”. @param {number} share 0–1 */
export function sayShare(share) {
  return new Intl.NumberFormat(language, { style: "percent" }).format(share);
}

/**
 * Speaks a language from now on; a table that does not load leaves the old one.
 * @param {string} wanted one of LANGUAGES @param {HTMLElement} [root] says so as well
 */
export async function useLanguage(wanted, root = globalThis.document?.documentElement) {
  try {
    strings = wanted === "en" ? ENGLISH : (await import(`./strings/${wanted}.js`)).STRINGS;
  } catch (error) {
    console.warn("lacquer:", error);
    return;
  }
  language = wanted;
  numbers = new Intl.NumberFormat(language);
  plurals = new Intl.PluralRules(language);
  if (!root) return;
  root.lang = language;
  root.dir = RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr";
}

/**
 * The first wish that there is a language for: `de-AT` is German.
 * @param {(string | null | undefined)[]} wishes tags (BCP 47), the strongest first
 */
export function languageFor(wishes) {
  const bases = wishes.map((tag) => tag?.toLowerCase().split("-")[0] ?? "");
  return bases.find((base) => Object.hasOwn(LANGUAGES, base)) ?? "en";
}

/** Attributes of the page that hold keys, and what each of them fills. */
const FILLED = {
  "data-say-label": "aria-label",
  "data-say-alt": "alt",
  "data-say-placeholder": "placeholder",
  "data-say-content": "content",
};

/** Puts the page's own words into the language. English is written in it. @param {ParentNode} page */
export function sayPage(page) {
  for (const element of page.querySelectorAll("[data-say]")) {
    element.textContent = say(/** @type {string} */ (element.getAttribute("data-say")));
  }
  for (const [source, target] of Object.entries(FILLED)) {
    for (const element of page.querySelectorAll(`[${source}]`)) {
      element.setAttribute(target, say(/** @type {string} */ (element.getAttribute(source))));
    }
  }
}

/** @param {Text} text @param {string | number | undefined} count */
function chosen(text, count) {
  if (typeof text === "string") return text;
  return text[plurals.select(Number(count))] ?? text.other ?? "";
}

/** @param {string | number | undefined} value */
function written(value) {
  return typeof value === "number" ? numbers.format(value) : String(value ?? "");
}
