/** What a hand wears, as a shop's own page says it: `wear({ design: 20, shape: "almond" })`. Pure values. */

import { configOf, FINGERS, forAnotherDesign, forAnotherPhoto, NO_WISHES, wish } from "./wishes.js";

/** @typedef {import("./wishes.js").Finger} Finger */
/** @typedef {import("./wishes.js").Wishes} Wishes */
/** @typedef {{ finish?: string | null, shape?: string | null, length?: string | null, colours?: string[] | null,
 *              colour?: string | null }} Style  Null is as the design says; `colour` is short for one of `colours`. */
/** @typedef {Style & { nail?: number | null }} FingerStyle */
/** @typedef {Style & { design?: number | null, fingers?: Partial<Record<Finger, FingerStyle | null>> }} Change */
/** @typedef {{ design: number | null, wishes: Wishes }} Outfit  No design: the nails of the person's own photo. */

/** Post 1, the classic. @type {Outfit} */
export const CLASSIC = { design: 1, wishes: NO_WISHES };

const STYLES = ["finish", "shape", "length", "colours", "colour"];
const AS_DESIGNED = { finish: null, shape: null, length: null, colours: null, nail: null };

/**
 * The outfit after a change. What is not named stays, but another design brings its own finish and colours.
 * @param {Outfit} outfit @param {Change} change @returns {Outfit}
 * @throws {TypeError} for a field that does not exist: `color` would otherwise do nothing, silently
 */
export function changed({ design, wishes }, { design: wanted = design, fingers = {}, ...style }) {
  if (wanted !== design) wishes = forAnotherDesign(wishes);
  wishes = wish(wishes, "all", wishFrom(style, STYLES));
  for (const [finger, wanted] of Object.entries(fingers)) {
    known(finger, FINGERS, "finger");
    const change = wanted === null ? AS_DESIGNED : wishFrom(wanted, [...STYLES, "nail"]);
    wishes = wish(wishes, /** @type {Finger} */ (finger), change);
  }
  return { design: wanted, wishes };
}

/** With the nails of another photo. @param {Outfit} outfit @returns {Outfit} */
export function withPhoto({ wishes }) {
  return { design: null, wishes: forAnotherPhoto(wishes) };
}

/** As `config` takes it. @param {Outfit} outfit @returns {import("./messages.js").Settings} */
export function settingsOf({ design, wishes }) {
  return { design, ...configOf(wishes, { nails: design === null }) };
}

/** @param {FingerStyle} style @param {string[]} names @returns {Partial<import("./wishes.js").FingerWish>} */
function wishFrom({ colour, ...style }, names) {
  for (const name of Object.keys(style)) known(name, names, "field");
  if (colour !== undefined) style.colours = colour === null ? null : [colour];
  return Object.fromEntries(Object.entries(style).filter(([, value]) => value !== undefined));
}

/** @param {string} name @param {readonly string[]} names @param {string} what */
function known(name, names, what) {
  if (!names.includes(name)) throw new TypeError(`no ${what} is called ${name}; there are ${names.join(", ")}`);
}
