/** The designs worn last, newest first, remembered on this device alone. */

import { keep, recall } from "./keep.js";

const KEY = "lacquer.recent";
const MOST = 12;

/**
 * @param {number[]} ids newest first
 * @param {number} id worn now
 */
export function withWorn(ids, id) {
  return [id, ...ids.filter((other) => other !== id)].slice(0, MOST);
}

/** What was written, whoever wrote it. @param {string | null} text @returns {number[]} */
export function readIds(text) {
  try {
    const ids = JSON.parse(text ?? "[]");
    return Array.isArray(ids) ? ids.filter(Number.isInteger).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

export class Recent {
  /** @type {number[]} */
  ids;
  #storage;

  /** @param {import("./keep.js").Keeper} [storage] */
  constructor(storage) {
    this.#storage = storage;
    this.ids = readIds(recall(KEY, storage));
  }

  /** @param {number | null} id null for the person's own, which the next visit has not */
  add(id) {
    if (id === null) return;
    this.ids = withWorn(this.ids, id);
    keep(KEY, JSON.stringify(this.ids), this.#storage);
  }
}
