/** Which designs the strip shows: families in the server's order, everything first, the person's own and recent ones next. */

import { canSay, say } from "./strings.js";
import { slugOf } from "./words.js";

/** @typedef {import("./api.js").Design} Design */

export const ALL = "all";
export const YOURS = "yours";
export const RECENT = "recent";

/**
 * A design's family as the strip sorts it. What was taken from the person's own photo has no id.
 * @param {Design} design
 */
export function familyOf({ id, family }) {
  return id === null ? YOURS : family;
}

/**
 * The chips above the strip.
 * @param {Design[]} designs
 * @param {number[]} [recent] ids, newest first
 * @returns {string[]} families, each once
 */
export function familiesOf(designs, recent = []) {
  const families = new Set(designs.map(familyOf));
  const own = families.delete(YOURS) ? [YOURS] : [];
  const again = designs.some(({ id }) => id !== null && recent.includes(id)) ? [RECENT] : [];
  return [ALL, ...own, ...again, ...families];
}

/**
 * What a family shows. The design that is worn stays in view: it comes first where it is of another family.
 * @param {Design[]} designs
 * @param {string} family
 * @param {Design | null} worn
 * @param {number[]} [recent] ids, newest first
 * @returns {Design[]}
 */
export function shownIn(designs, family, worn, recent = []) {
  if (family === ALL) return designs;
  const members = family === RECENT ? inOrder(designs, recent) : designs.filter((it) => familyOf(it) === family);
  return worn && !members.includes(worn) ? [worn, ...members] : members;
}

/** @param {Design[]} designs @param {number[]} ids */
function inOrder(designs, ids) {
  return ids.flatMap((id) => designs.find((design) => design.id === id) ?? []);
}

/** A family's name for people. A shop's own, that no language knows, is called as the shop calls it. @param {string} family */
export function familyName(family) {
  const key = `family.${slugOf(family, "_")}`;
  if (canSay(key)) return say(key);
  const words = family.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
