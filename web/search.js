/** Finding designs by what people call them: name, family, finish, pattern, shape, and colours in words. Pure. */

import { colourName, colourWords } from "./colour-words.js";
import { familyName, familyOf } from "./families.js";
import { canSay, say } from "./strings.js";

/** @typedef {import("./api.js").Design} Design */

/**
 * Designs in which every word of the text begins a word; those whose names do come first.
 * @param {Design[]} designs
 * @param {string} text
 * @returns {Design[]}
 */
export function search(designs, text) {
  const wanted = wordsOf(text);
  const found = designs.filter((design) => matches(wanted, everyWord(design)));
  const named = new Set(found.filter(({ name }) => matches(wanted, wordsOf(name))));
  return [...named, ...found.filter((design) => !named.has(design))];
}

/** What the search says when the strip shows what it found. @param {number} count @param {string} text */
export function foundSentence(count, text) {
  return count === 0 ? say("search.nothing", { text: text.trim() }) : say("search.found", { count });
}

/** Lower case, without accents. @param {string} text @returns {string[]} */
export function wordsOf(text) {
  return (
    text
      .normalize("NFKD")
      .replace(/\p{M}/gu, "")
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}

/** @param {string[]} wanted @param {string[]} words */
function matches(wanted, words) {
  return wanted.every((start) => words.some((word) => word.startsWith(start)));
}

/** In the server's words, which are English, and in those of the language spoken. @param {Design} design */
function everyWord(design) {
  const { name, family, pattern, finish, shape, length, colours } = design;
  const keys = [`finish.${finish}`, `shape.${shape}`, `length.${length}`].filter(canSay);
  const said = [name, family, familyName(familyOf(design)), pattern, finish, shape, length, ...keys.map((key) => say(key))];
  const words = colours.flatMap((colour) => [colourName(colour), ...colourWords(colour).flatMap(bothWords)]);
  return wordsOf([...said, ...words].filter(Boolean).join(" ").replaceAll("_", " "));
}

/** @param {string} colour */
function bothWords(colour) {
  return [colour, say(`colour.${colour}`)];
}
