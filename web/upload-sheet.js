/** The sheet after a photo was chosen: what was found, which finger wears which nail, and on to the live picture. */

import { isServers, wordsFor } from "./errors.js";
import { foundWords, previewUrl, worn } from "./nail-set.js";
import { radio, RadioGroup } from "./radio-group.js";
import { say } from "./strings.js";
import { FINGERS } from "./wishes.js";

/** @typedef {import("./wishes.js").Finger} Finger */
/** @typedef {import("./wishes.js").Wishes} Wishes */
/** @typedef {import("./nail-set.js").NailSet} NailSet */

/**
 * @typedef {object} UploadEvents
 * @property {(finger: Finger, nail: number) => void} onAssign
 * @property {(kind: "camera" | "demo") => void} onGo
 * @property {() => void} onAnother another photo is wanted
 * @property {() => void} onRetry the same photo once more
 * @property {() => void} onClose
 */

export class UploadSheet {
  #dialog;
  #events;
  #fingers;
  /** @type {Finger} */
  #finger = "thumb";
  /** Whether the photo itself is fine, so that it may be tried again. */
  #again = false;
  /** @type {{ set: NailSet, wishes: Wishes } | null} */
  #shown = null;

  /** @param {HTMLDialogElement} dialog @param {UploadEvents} events */
  constructor(dialog, events) {
    this.#dialog = dialog;
    this.#events = events;
    this.#fingers = new RadioGroup(this.#part("#upload-fingers"), ({ dataset }) => {
      this.#finger = /** @type {Finger} */ (dataset.value);
      this.#render();
    });
    this.#part("#upload-nails").onclick = ({ target }) => {
      const tile = target instanceof Element ? target.closest("button") : null;
      if (tile) events.onAssign(this.#finger, Number(tile.dataset.nail));
    };
    this.#part("#upload-live").onclick = () => this.#go("camera");
    this.#part("#upload-demo").onclick = () => this.#go("demo");
    this.#part("#upload-another").onclick = () => (this.#again ? events.onRetry() : events.onAnother());
    this.#part("#upload-close").onclick = () => dialog.close();
    dialog.onclose = () => events.onClose();
  }

  /** The photo is on its way. */
  wait() {
    this.#step("waiting", say("upload.waiting"), say("upload.waiting_text"));
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** @param {string} code */
  fail(code) {
    const { title, text } = wordsFor(code);
    this.#step("failed", title, text);
    this.#dialog.dataset.code = code;
    this.#again = isServers(code);
    this.#part("#upload-another").textContent = say(this.#again ? "button.again" : "upload.another");
    this.#part("#upload-another").focus();
  }

  /** What was found; again after each assignment. @param {NailSet} set @param {Wishes} wishes */
  show(set, wishes) {
    const first = this.#shown?.set !== set;
    this.#shown = { set, wishes };
    if (first) this.#open(set);
    this.#render();
  }

  close() {
    this.#dialog.close();
  }

  /** @param {NailSet} set */
  #open(set) {
    const { title, text } = foundWords(set);
    this.#step("found", title, text);
    this.#finger = "thumb";
    this.#part("#upload-fingers").replaceChildren(...FINGERS.map(slot));
    this.#part("#upload-nails").replaceChildren(...set.nails.map(tile));
    this.#part("#upload-live").focus();
  }

  #render() {
    if (!this.#shown) return;
    const { set, wishes } = this.#shown;
    const places = worn(set, wishes);
    showImage(/** @type {HTMLImageElement} */ (this.#part("#upload-preview")), previewUrl(set, wishes));
    for (const button of this.#fingers.buttons) {
      const place = places[/** @type {Finger} */ (button.dataset.value)];
      showImage(/** @type {HTMLImageElement} */ (button.querySelector("img")), set.nails[place]?.image_url ?? "");
      button.dataset.nail = String(place);
    }
    this.#fingers.mark(this.#fingers.button(this.#finger));
    for (const [place, button] of [...this.#part("#upload-nails").children].entries()) {
      button.setAttribute("aria-pressed", String(place === places[this.#finger]));
    }
  }

  /** @param {"waiting" | "failed" | "found"} step @param {string} title @param {string} text */
  #step(step, title, text) {
    this.#dialog.dataset.step = step;
    delete this.#dialog.dataset.code;
    this.#part("#upload-title").textContent = title;
    this.#part("#upload-text").textContent = text;
    if (step !== "found") this.#shown = null;
  }

  /** @param {"camera" | "demo"} kind */
  #go(kind) {
    this.#dialog.close();
    this.#events.onGo(kind);
  }

  /** @param {string} selector */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.#dialog.querySelector(selector));
  }
}

/** @param {Finger} finger */
function slot(finger) {
  const button = radio(finger, say(`finger.${finger}`), "slot");
  button.prepend(nailImage());
  return button;
}

/** @param {import("./nail-set.js").NailView} nail @param {number} place */
function tile({ image_url: source }, place) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "tile" });
  button.dataset.nail = String(place);
  button.setAttribute("aria-label", say("upload.nail", { place: place + 1 }));
  button.append(Object.assign(nailImage(), { src: source }));
  return button;
}

/** Pictures of nails have the cuticle at the top; CSS turns them over, as nails are held. */
function nailImage() {
  return Object.assign(new Image(), { className: "nail-image", alt: "" });
}

/** The same address again would load again. @param {HTMLImageElement} image @param {string} source */
function showImage(image, source) {
  if (image.src !== source) image.src = source;
}
