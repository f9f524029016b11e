/** Photos saved on the server: a list, one of them large, and deleting. Shown to whoever has saved something. */

import { asTryOnError, sentenceFor } from "./errors.js";
import { keep, recall } from "./keep.js";
import { say } from "./strings.js";
import { captureName, savedWords } from "./words.js";

/** @typedef {import("./api.js").SavedResult} SavedResult */

/** Whether there may be something: asking the server on every visit would tell it of people who only look. */
const KEY = "lacquer.saved";

export class SavedSheet {
  #dialog;
  #openers;
  #api;
  /** @type {SavedResult[]} */
  #results = [];
  /** The one that is shown large. @type {SavedResult | null} */
  #shown = null;

  /**
   * @param {HTMLDialogElement} dialog @param {HTMLButtonElement[]} openers hidden while nothing is saved
   * @param {Pick<import("./api.js").Api, "results" | "forget">} api
   */
  constructor(dialog, openers, api) {
    this.#dialog = dialog;
    this.#openers = openers;
    this.#api = api;
    for (const opener of openers) opener.onclick = () => void this.#open();
    this.#part("#saved-list").onclick = ({ target }) => {
      const button = target instanceof Element ? target.closest("button") : null;
      if (button) this.#show(this.#results[Number(button.dataset.place)]);
    };
    this.#part("#saved-back").onclick = () => this.#list();
    this.#part("#saved-delete").onclick = () => void this.#delete();
    this.#part("#saved-close").onclick = () => dialog.close();
    dialog.addEventListener("click", ({ target }) => {
      if (target === dialog) dialog.close(); // a touch beside the sheet
    });
    this.#offer(recall(KEY) === "true");
  }

  /** Something was saved just now. */
  remember() {
    this.#offer(true);
  }

  /** @param {boolean} any */
  #offer(any) {
    if (any !== (recall(KEY) === "true")) keep(KEY, String(any));
    for (const opener of this.#openers) opener.hidden = !any;
  }

  async #open() {
    this.#results = [];
    this.#list(say("saved.looking"));
    this.#dialog.showModal();
    try {
      this.#results = await this.#api.results();
      this.#list();
    } catch (error) {
      this.#say(error);
    }
  }

  /** @param {string} [words] instead of how many there are */
  #list(words) {
    const before = this.#shown;
    this.#shown = null;
    this.#dialog.dataset.view = "list";
    this.#part("#saved-list").replaceChildren(...this.#results.map(item));
    const usual = say(this.#results.length ? "saved.text" : "saved.nothing");
    this.#part("#saved-text").textContent = words ?? usual;
    const place = Math.max(
      0,
      this.#results.findIndex((result) => result === before),
    );
    this.#part(this.#results.length ? `[data-place="${place}"]` : "#saved-close").focus();
  }

  /** @param {SavedResult} result */
  #show(result) {
    this.#shown = result;
    this.#dialog.dataset.view = "one";
    const { title, name } = savedWords(result);
    this.#part("#saved-text").textContent = title;
    const image = /** @type {HTMLImageElement} */ (this.#part("#saved-image"));
    Object.assign(image, { src: result.image_url, alt: title, width: result.width, height: result.height });
    const download = /** @type {HTMLAnchorElement} */ (this.#part("#saved-download"));
    const ending = result.image_url.endsWith(".png") ? "png" : "jpg";
    Object.assign(download, {
      href: result.image_url,
      download: captureName(name, new Date(result.created_at), ending),
    });
    this.#ask(false);
    download.focus();
  }

  /** The first touch asks, the second deletes. */
  async #delete() {
    const result = this.#shown;
    if (!result) return;
    if (this.#part("#saved-delete").dataset.sure !== "true") return this.#ask(true);
    this.#ask(false);
    try {
      await this.#api.forget(result);
    } catch (error) {
      if (asTryOnError(error).code !== "not_found") return this.#say(error); // gone is gone
    }
    this.#results = this.#results.filter((other) => other !== result);
    this.#list();
    if (this.#results.length === 0) this.#offer(false);
  }

  /** @param {boolean} sure whether the next touch deletes */
  #ask(sure) {
    const button = this.#part("#saved-delete");
    button.dataset.sure = String(sure);
    button.textContent = say(sure ? "saved.delete_sure" : "saved.delete");
  }

  /** @param {unknown} error */
  #say(error) {
    console.warn("lacquer:", error);
    this.#part("#saved-text").textContent = sentenceFor(asTryOnError(error).code);
  }

  /** @param {string} selector */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.#dialog.querySelector(selector));
  }
}

/** @param {SavedResult} result @param {number} place */
function item(result, place) {
  const button = Object.assign(document.createElement("button"), { type: "button" });
  button.dataset.place = String(place);
  button.setAttribute("aria-label", savedWords(result).title);
  button.append(Object.assign(new Image(), { alt: "", loading: "lazy", decoding: "async", src: result.image_url }));
  const entry = document.createElement("li");
  entry.append(button);
  return entry;
}
