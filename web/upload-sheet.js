/** The sheet after a photo was chosen: what was found, which finger wears which nail, and on to the live picture. */

import { isServers, wordsFor } from "./errors.js";
import { FingerRow } from "./finger-row.js";
import { foundWords, previewUrl, worn } from "./nail-set.js";
import { NailTiles } from "./nail-tiles.js";
import { showImage } from "./nail-view.js";
import { say } from "./strings.js";
import { FINGERS } from "./wishes.js";
import { wornNails } from "./worn-nails.js";

/** @typedef {import("./api.js").Design} Design */
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
  #nails;
  /** @type {Finger} */
  #finger = "thumb";
  /** Whether the photo itself is fine, so that it may be tried again. */
  #again = false;
  /** @type {{ design: Design, set: NailSet, wishes: Wishes } | null} */
  #shown = null;

  /** @param {HTMLDialogElement} dialog @param {UploadEvents} events */
  constructor(dialog, events) {
    this.#dialog = dialog;
    this.#events = events;
    this.#fingers = new FingerRow(this.#part("#upload-fingers"), FINGERS, (finger) => {
      this.#finger = /** @type {Finger} */ (finger);
      this.#render();
    });
    this.#nails = new NailTiles(this.#part("#upload-nails"), (nail) => events.onAssign(this.#finger, nail));
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

  /** What was found; again after each assignment. @param {Design} design @param {NailSet} set its own @param {Wishes} wishes */
  show(design, set, wishes) {
    const first = this.#shown?.set !== set;
    this.#shown = { design, set, wishes };
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
    this.#part("#upload-live").focus();
  }

  #render() {
    if (!this.#shown) return;
    const { design, set, wishes } = this.#shown;
    showImage(/** @type {HTMLImageElement} */ (this.#part("#upload-preview")), previewUrl(set, wishes));
    this.#fingers.show(this.#finger, wornNails(design, wishes));
    this.#nails.show(set, worn(set, wishes)[this.#finger]);
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
