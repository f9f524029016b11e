/** What the server found in the person's photo, in words, and which of its nails each finger wears. Pure. */

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
const COUNTS = ["No", "One", "Two", "Three", "Four", "Five"];

/**
 * @param {NailSet} set
 * @returns {{ title: string, text: string }}
 */
export function foundWords({ kind, nails, filled, confidence }) {
  if (kind === "swatch") {
    return { title: "No nails in this photo", text: "Its middle is worn as a swatch. For a manicure, show the nails larger." };
  }
  const doubt = confidence < UNSURE ? " We are not quite sure: look closely." : "";
  const neighbours = filled.length > 0 ? ` ${borrowed(filled.length)}` : "";
  return {
    title: `We found ${nails.length} ${nails.length === 1 ? "nail" : "nails"}`,
    text: `Tap a finger, then the nail it should wear.${neighbours}${doubt}`,
  };
}

/** @param {number} count */
function borrowed(count) {
  return count === 1 ? "One finger wears a neighbour’s." : `${COUNTS[count]} fingers wear a neighbour’s.`;
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
