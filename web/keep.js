/** A few words kept on this device from visit to visit, where the browser lets us. */

/** @typedef {() => Pick<Storage, "getItem" | "setItem">} Keeper  Throws where the browser keeps nothing for us. */

/** @type {Keeper} */
const HERE = () => localStorage;

/** @param {string} key @param {Keeper} [storage] @returns {string | null} null as on a first visit */
export function recall(key, storage = HERE) {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

/** Full, or forbidden: then it is forgotten. @param {string} key @param {string} text @param {Keeper} [storage] */
export function keep(key, text, storage = HERE) {
  try {
    storage().setItem(key, text);
  } catch {
    // this visit knows it all the same
  }
}
