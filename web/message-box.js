/** The one place where the page says what is wrong, with a countdown and a button where they help. */

import { wordsFor } from "./errors.js";
import { say } from "./strings.js";

/** @typedef {{ title: HTMLElement, text: HTMLElement, countdown: HTMLElement, action: HTMLButtonElement }} Parts */

export class MessageBox {
  #element;
  /** @type {Parts} */
  #parts;
  #timer = 0;
  #action = () => {};

  /** @param {HTMLElement} element */
  constructor(element) {
    const part = (/** @type {string} */ id) => /** @type {any} */ (element.querySelector(id));
    this.#element = element;
    this.#parts = {
      title: part("#message-title"),
      text: part("#message-text"),
      countdown: part("#countdown"),
      action: part("#message-action"),
    };
    this.#parts.action.onclick = () => this.#action();
  }

  /** The code of what is said now. */
  get code() {
    return this.#element.hidden ? null : (this.#element.dataset.code ?? null);
  }

  /**
   * @param {string} code
   * @param {{ label?: string, act?: () => void, forMs?: number }} [options] a button; gone by itself after `forMs`
   */
  show(code, { label, act = () => {}, forMs } = {}) {
    clearInterval(this.#timer);
    const { title, text } = wordsFor(code);
    if (this.code !== code) {
      this.#element.dataset.code = code;
      this.#parts.title.textContent = title;
      this.#parts.text.textContent = text;
      this.#element.hidden = false;
    }
    this.#parts.countdown.hidden = true;
    this.#parts.action.hidden = !label;
    this.#parts.action.textContent = label ?? "";
    this.#action = act;
    if (forMs) this.#timer = setTimeout(() => this.hide(), forMs);
  }

  /**
   * Counts down under the text, then acts. Screen readers hear the text once, not every second.
   * @param {number} seconds @param {() => void} [done]
   */
  countDown(seconds, done = () => {}) {
    clearInterval(this.#timer);
    const end = performance.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((end - performance.now()) / 1000);
      this.#parts.countdown.textContent = say("message.countdown", { count: left });
      this.#parts.countdown.hidden = left <= 0;
      if (left > 0) return;
      clearInterval(this.#timer);
      done();
    };
    this.#timer = setInterval(tick, 250);
    tick();
  }

  hide() {
    clearInterval(this.#timer);
    this.#element.hidden = true;
    delete this.#element.dataset.code;
  }
}
