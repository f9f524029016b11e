/** Which designs the strip shows: families in the server's order, everything first, the person's own next to it. */

/** @typedef {import("./api.js").Design} Design */

export const ALL = "all";
export const YOURS = "yours";

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
 * @returns {string[]} families, each once
 */
export function familiesOf(designs) {
  const families = new Set(designs.map(familyOf));
  const own = families.delete(YOURS) ? [YOURS] : [];
  return [ALL, ...own, ...families];
}

/**
 * What a family shows. The design that is worn stays in view: it comes first where it is of another family.
 * @param {Design[]} designs
 * @param {string} family
 * @param {Design | null} worn
 * @returns {Design[]}
 */
export function shownIn(designs, family, worn) {
  if (family === ALL) return designs;
  const members = designs.filter((design) => familyOf(design) === family);
  return worn && !members.includes(worn) ? [worn, ...members] : members;
}

/** A family's name for people: `cat_eye` is “Cat eye”. @param {string} family */
export function familyName(family) {
  const words = family.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
