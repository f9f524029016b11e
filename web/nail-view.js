/** Small pictures of single nails: drawn in a design's colours, or cut from the person's photo. */

/**
 * @typedef {object} Look
 * @property {string | null} pattern
 * @property {string | null} finish
 * @property {string[]} colours #RRGGBB
 */

const RED = "#b3001b";

/** Tells CSS what to draw on `.nail` inside. @param {HTMLElement} element @param {Look} look */
export function dress(element, { pattern, finish, colours }) {
  Object.assign(element.dataset, { pattern: pattern ?? "solid", finish: finish ?? "cream" });
  element.style.setProperty("--base", colours[0] ?? RED);
  element.style.setProperty("--accent", colours[1] ?? colours[0] ?? RED);
}

/** @returns {HTMLElement} drawn as the element around it is dressed */
export function drawnNail() {
  const nail = document.createElement("span");
  nail.className = "nail";
  return nail;
}

/** Pictures of nails have the cuticle at the top; CSS turns them over, as nails are held. */
export function nailImage() {
  return Object.assign(new Image(), { className: "nail-image", alt: "" });
}

/** The same address again would load again. @param {HTMLImageElement} image @param {string} source */
export function showImage(image, source) {
  if (image.getAttribute("src") !== source) image.src = source;
}
