/** Workers as places: taken, free, or neither. Pure. */

/** @typedef {import("./client.js").Worker} Worker */
/**
 * @typedef {object} Places
 * @property {number} taken by somebody
 * @property {number} leaving taken on a worker that is being drained
 * @property {number} free
 * @property {number} closed on a worker that takes nobody in, or does not answer
 */

/** Up to so many, each place is a box of its own. */
export const MAX_BOXES = 32;

/** @param {Worker} worker @returns {Places} */
export function places({ live, draining, capacity, load }) {
  const held = live ? Math.min(load, capacity) : 0;
  const rest = capacity - held;
  const open = live && !draining;
  return { taken: open ? held : 0, leaving: open ? 0 : held, free: open ? rest : 0, closed: open ? 0 : rest };
}

/** @param {Worker[]} workers @returns {Places} */
export function allPlaces(workers) {
  const sum = { taken: 0, leaving: 0, free: 0, closed: 0 };
  for (const worker of workers) {
    const each = places(worker);
    for (const kind of KINDS) sum[kind] += each[kind];
  }
  return sum;
}

/** From left to right. @type {(keyof Places)[]} */
export const KINDS = ["taken", "leaving", "free", "closed"];

/** What a bar consists of: one box a place where there are few, else one for each kind. @param {Places} all */
export function segments(all) {
  const total = KINDS.reduce((sum, kind) => sum + all[kind], 0);
  if (total > MAX_BOXES) return KINDS.filter((kind) => all[kind]).map((kind) => ({ kind, size: all[kind] }));
  return KINDS.flatMap((kind) => Array.from({ length: all[kind] }, () => ({ kind, size: 1 })));
}

/** In one order, whichever signaling process answers: rows that change places cannot be read, or hit. @param {Worker[]} workers */
export function inOrder(workers) {
  const name = (/** @type {Worker} */ { id, url }) => id || url;
  return [...workers].sort((one, other) => (name(one) < name(other) ? -1 : 1));
}

/** Places where people of one worker could go. @param {Worker[]} workers @param {string} besides its id */
export function freeElsewhere(workers, besides) {
  return allPlaces(workers.filter(({ id }) => id !== besides)).free;
}
