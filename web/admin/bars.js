/** Bars of places and small meters. */

import { make, mark, measure, say } from "./dom.js";
import { KINDS, segments } from "./load.js";
import { KINDS as NAMES, bar as barWords } from "./words.js";

/** @typedef {import("./load.js").Places} Places */

/** @param {HTMLElement} element @param {string} whose @param {Places} places */
export function showBar(element, whose, places) {
  const wanted = segments(places);
  mark(element, "aria-label", barWords(whose, places));
  mark(element, "data-boxes", String(wanted.every(({ size }) => size === 1)));
  while (element.children.length > wanted.length) element.lastElementChild?.remove();
  while (element.children.length < wanted.length) element.append(make("span"));
  wanted.forEach(({ kind, size }, place) => {
    const box = /** @type {HTMLElement} */ (element.children[place]);
    mark(box, "data-kind", kind);
    measure(box, "flex-grow", String(size));
  });
}

/** What the colours mean, with how many there are; kinds that there are none of are left out, but for the usual two.
 * @param {Element} list @param {Places} places */
export function showLegend(list, places) {
  for (const kind of KINDS) {
    let entry = list.querySelector(`[data-kind="${kind}"]`);
    if (!entry) {
      entry = make("li", { "data-kind": kind }, make("span", { class: "dot", "aria-hidden": "true" }), make("span"));
      list.append(entry);
    }
    /** @type {HTMLElement} */ (entry).hidden = !places[kind] && kind !== "taken" && kind !== "free";
    say(/** @type {Element} */ (entry.lastElementChild), `${places[kind]} ${NAMES[kind]}`);
  }
}

/** A figure with a line below it that is as long as the share. */
export function makeMeter() {
  return make("span", { class: "meter" }, make("span", { class: "figure" }), make("span", { class: "track", "aria-hidden": "true" }));
}

/** @param {Element} meter @param {string} figure @param {number | null} share 0–1 @param {string} level */
export function showMeter(meter, figure, share, level) {
  const [text, track] = /** @type {any} */ (meter.children);
  say(text, figure);
  mark(meter, "data-level", level);
  measure(track, "--share", `${Math.round(100 * Math.min(1, share ?? 0))}%`);
}
