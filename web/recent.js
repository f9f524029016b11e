/** The designs worn last, newest first, remembered on this device alone. */

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
  ids = [];
  #storage;

  /** @param {() => Pick<Storage, "getItem" | "setItem">} [storage] throws where the browser keeps nothing for us */
  constructor(storage = () => localStorage) {
    this.#storage = storage;
    try {
      this.ids = readIds(storage().getItem(KEY));
    } catch {
      // as on a first visit
    }
  }

  /** @param {number | null} id null for the person's own, which the next visit has not */
  add(id) {
    if (id === null) return;
    this.ids = withWorn(this.ids, id);
    try {
      this.#storage().setItem(KEY, JSON.stringify(this.ids));
    } catch {
      // full, or forbidden: then for this visit only
    }
  }
}
