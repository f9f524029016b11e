/** The nails of a photo, to be given to a finger. */

import { nailImage } from "./nail-view.js";
import { say } from "./strings.js";

/** @typedef {import("./nail-set.js").NailSet} NailSet */

export class NailTiles {
  #element;
  /** @type {NailSet | null} */
  #set = null;

  /** @param {HTMLElement} element @param {(place: number) => void} onChoose */
  constructor(element, onChoose) {
    this.#element = element;
    element.addEventListener("click", ({ target }) => {
      const tile = target instanceof Element ? target.closest("button") : null;
      if (tile) onChoose(Number(tile.dataset.nail));
    });
  }

  /** @param {NailSet | null} set @param {number | null} chosen its place, where there is one */
  show(set, chosen) {
    this.#element.hidden = set === null;
    if (this.#set !== set) this.#element.replaceChildren(...(set?.nails ?? []).map(tile));
    this.#set = set;
    for (const [place, button] of [...this.#element.children].entries()) {
      button.setAttribute("aria-pressed", String(place === chosen));
    }
  }
}

/** @param {import("./nail-set.js").NailView} nail @param {number} place */
function tile({ image_url: source }, place) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "tile" });
  button.dataset.nail = String(place);
  button.setAttribute("aria-label", say("upload.nail", { place: place + 1 }));
  button.append(Object.assign(nailImage(), { src: source }));
  return button;
}
