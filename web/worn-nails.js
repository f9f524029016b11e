/** What each finger wears, as far as a small picture can show: a nail of the photo, or a drawn one. Pure. */

import { colourNames } from "./design-words.js";
import { worn } from "./nail-set.js";
import { say } from "./strings.js";
import { coloursOf, FINGERS, wishOf } from "./wishes.js";

/** @typedef {import("./api.js").Design} Design */
/** @typedef {import("./wishes.js").Finger} Finger */
/** @typedef {import("./wishes.js").Wishes} Wishes */
/** @typedef {import("./finger-row.js").WornNail} WornNail */

/**
 * @param {Design} design @param {Wishes} wishes
 * @returns {Record<Finger, WornNail>}
 */
export function wornNails(design, wishes) {
  const nails = FINGERS.map((finger) => [finger, photographed(design, wishes, finger) ?? drawn(design, wishes, finger)]);
  return /** @type {Record<Finger, WornNail>} */ (Object.fromEntries(nails));
}

/** Colours that somebody chose hide those of the photo. @param {Design} design @param {Wishes} wishes @param {Finger} finger */
function photographed({ nail_set: set }, wishes, finger) {
  if (!set || wishOf(wishes, finger).colours || wishes.all.colours) return null;
  const place = worn(set, wishes)[finger];
  return { image: set.nails[place]?.image_url ?? "", words: say("upload.nail", { place: place + 1 }), place };
}

/** @param {Design} design @param {Wishes} wishes @param {Finger} finger @returns {WornNail} */
function drawn(design, wishes, finger) {
  const accent = design.fingers?.[finger] ?? {};
  const colours = coloursOf(wishes, finger, accent.colours ?? design.colours);
  const finish = wishOf(wishes, finger).finish ?? wishes.all.finish ?? accent.finish ?? design.finish;
  return { look: { pattern: accent.pattern ?? design.pattern, finish, colours }, words: colourNames(colours) };
}

/**
 * The nail that all fingers of a scope wear, if they do.
 * @param {import("./nail-set.js").NailSet} set @param {Wishes} wishes @param {import("./wishes.js").Scope} scope
 */
export function commonNail(set, wishes, scope) {
  const places = worn(set, wishes);
  if (scope !== "all") return places[scope];
  return new Set(Object.values(places)).size === 1 ? places.thumb : null;
}
