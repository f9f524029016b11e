/** Finding designs by what people call them: name, family, finish, pattern, shape, and colours in words. Pure. */

import { colourWords } from "./colour-words.js";
import { familyName, familyOf } from "./families.js";
import { FINISHES } from "./style-options.js";

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
  if (count === 0) return `No design matches “${text.trim()}”. Try a colour, a finish or a family.`;
  return count === 1 ? "1 design" : `${count} designs`;
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

/** @param {Design} design */
function everyWord(design) {
  const { name, pattern, finish, shape, length, colours } = design;
  const finishLabel = FINISHES.find(({ value }) => value !== null && value === finish)?.label;
  const said = [name, familyName(familyOf(design)), pattern, finish, finishLabel, shape, length];
  return [...wordsOf(said.filter(Boolean).join(" ").replaceAll("_", " ")), ...colours.flatMap(colourWords)];
}
