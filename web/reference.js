/** The design that is worn, large: a drawn hand that wears it, and its name, family, finish and colours in words. */

import { colourName } from "./colour-words.js";
import { designName, finishWords } from "./design-words.js";
import { familyName, familyOf } from "./families.js";
import { previewUrl } from "./nail-set.js";
import { showImage } from "./nail-view.js";
import { say } from "./strings.js";
import { onlyNails } from "./wishes.js";

/** @typedef {import("./api.js").Design} Design */
/** @typedef {import("./wishes.js").Wishes} Wishes */

export class Reference {
  #image;
  #name;
  #kind;
  #colours;

  /** @param {HTMLElement} element */
  constructor(element) {
    const part = (/** @type {string} */ id) => /** @type {HTMLElement} */ (element.querySelector(id));
    this.#image = /** @type {HTMLImageElement} */ (part("#reference-image"));
    this.#name = part("#reference-name");
    this.#kind = part("#reference-kind");
    this.#colours = part("#reference-colours");
  }

  /** @param {Design} design @param {Wishes} wishes of which the picture shows the nails that fingers were given */
  show(design, wishes) {
    const name = designName(design);
    showImage(this.#image, pictureOf(design, wishes));
    this.#image.alt = say("style.preview", { name });
    this.#name.textContent = name;
    this.#kind.textContent = [familyName(familyOf(design)), finishWords(design.finish)].filter(Boolean).join(" · ");
    this.#colours.replaceChildren(...design.colours.map(colour));
  }
}

/**
 * Address of a hand that wears it.
 * @param {Design} design @param {Wishes} wishes
 */
export function pictureOf({ thumbnail_url: thumbnail, nail_set: set }, wishes) {
  return set ? previewUrl(set, onlyNails(wishes)) : thumbnail.replace(/thumbnail$/, "preview");
}

/** @param {string} hex */
function colour(hex) {
  const entry = document.createElement("li");
  const swatch = document.createElement("span");
  swatch.style.background = hex;
  entry.append(swatch, colourName(hex));
  return entry;
}
