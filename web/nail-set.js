/** What the server found in the person's photo, in words, and which of its nails each finger wears. Pure. */

import { say } from "./strings.js";
import { configOf, FINGERS } from "./wishes.js";

/** @typedef {import("./wishes.js").Finger} Finger */
/** @typedef {{ image_url: string, finger: Finger | null, confidence: number }} NailView */

/**
 * `NailSetView` of protocol/api.py.
 * @typedef {object} NailSet
 * @property {"hand" | "tips" | "swatch"} kind
 * @property {NailView[]} nails
 * @property {Record<Finger, number>} fingers place in `nails` that each finger wears at first
 * @property {Finger[]} filled fingers that were not seen and wear another one's nail
 * @property {number} confidence
 * @property {string} preview_url
 */

const UNSURE = 0.6;

/**
 * @param {NailSet} set
 * @returns {{ title: string, text: string }}
 */
export function foundWords({ kind, nails, filled, confidence }) {
  if (kind === "swatch") {
    return { title: say("upload.swatch"), text: say("upload.swatch_text") };
  }
  const text = [say("upload.assign")];
  if (filled.length > 0) text.push(say("upload.borrowed", { count: filled.length }));
  if (confidence < UNSURE) text.push(say("upload.unsure"));
  return { title: say("upload.found", { count: nails.length }), text: text.join(" ") };
}

/**
 * Address of the set's preview, worn as the wishes say.
 * @param {NailSet} set @param {import("./wishes.js").Wishes} wishes
 */
export function previewUrl({ preview_url: url }, wishes) {
  const { fingers } = configOf(wishes, { nails: true });
  if (!fingers || Object.keys(fingers).length === 0) return url;
  return `${url}?config=${encodeURIComponent(JSON.stringify({ fingers }))}`;
}

/**
 * Place in the set's nails that each finger wears: the person's choice, or else the server's.
 * @param {NailSet} set @param {import("./wishes.js").Wishes} wishes
 * @returns {Record<Finger, number>}
 */
export function worn(set, wishes) {
  const places = FINGERS.map((finger) => [finger, wishes.fingers[finger]?.nail ?? set.fingers[finger]]);
  return /** @type {Record<Finger, number>} */ (Object.fromEntries(places));
}
