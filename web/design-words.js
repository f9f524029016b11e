/** A design in words: what a screen reader hears of it. Pure. */

import { colourName } from "./colour-words.js";
import { familyName, familyOf } from "./families.js";
import { canSay, say, sayAll } from "./strings.js";

/** @typedef {import("./api.js").Design} Design */

/** Names are proper names, but that of the person's own photo. @param {Design} design */
export function designName({ id, name }) {
  return id === null ? say("designs.own") : name;
}

/** “red and white”, each colour once. @param {string[]} colours #RRGGBB */
export function colourNames(colours) {
  return sayAll([...new Set(colours.map(colourName))]);
}

/** Where it is known. @param {string | null} finish */
export function finishWords(finish) {
  const key = `finish_long.${finish}`;
  return canSay(key) ? say(key) : null;
}

/** Said when it is put on: “Classic Red, cream finish, red”. @param {Design} design */
export function announcement(design) {
  const [name, finish, colours] = [designName(design), finishWords(design.finish), colourNames(design.colours)];
  return finish ? say("designs.said", { name, finish, colours }) : say("designs.said_plain", { name, colours });
}

/** What it is called in the strip: “Classic Red, Classics, red”. @param {Design} design */
export function designLabel(design) {
  const family = familyName(familyOf(design));
  return say("designs.label", { name: designName(design), family, colours: colourNames(design.colours) });
}
