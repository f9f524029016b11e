/** Small pictures, where the operator switched them on: of the first sessions every few seconds, of results once. */

import { make } from "./dom.js";

/** @typedef {import("./client.js").AdminClient} AdminClient */

const SESSIONS_SHOWN = 8;
const EVERY_MS = 6000;

/** @param {Element} rows @param {AdminClient} client @param {number} now ms */
export function refreshSessions(rows, client, now) {
  for (const row of [...rows.children].slice(0, SESSIONS_SHOWN)) {
    const { session } = /** @type {any} */ (row);
    if (session.connections) refresh(row.querySelector(".look"), () => client.picture("sessions", session.session_id), now, EVERY_MS);
  }
}

/** @param {Element} list @param {AdminClient} client @param {number} now ms */
export function refreshResults(list, client, now) {
  for (const tile of list.children) {
    const { key = "" } = /** @type {HTMLElement} */ (tile).dataset;
    refresh(tile.querySelector(".look"), () => client.picture("results", key), now, Infinity);
  }
}

/** @param {any} place @param {() => Promise<Blob>} fetchPicture @param {number} now @param {number} every ms */
async function refresh(place, fetchPicture, now, every) {
  if (now - (place.lookedAt ?? -Infinity) < every) return;
  place.lookedAt = now;
  let blob;
  try {
    blob = await fetchPicture();
  } catch {
    return; // nothing streams yet, or not any more: what was seen stays
  }
  const picture = place.querySelector("img") ?? make("img", { alt: "" });
  const address = URL.createObjectURL(blob);
  picture.onload = picture.onerror = () => URL.revokeObjectURL(address); // the decoded picture stays
  picture.src = address;
  if (!picture.isConnected) place.append(picture);
}
