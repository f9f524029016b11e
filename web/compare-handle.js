/** The handle over the picture between bare and painted nails: a range input, drawn as a line that follows it. */

import { frameShare, splitWords } from "./compare.js";
import { throttle } from "./throttle.js";

export class CompareHandle {
  #element;
  #range;
  #button;
  #view;
  #tell;

  /**
   * @param {HTMLElement} element holds the range input @param {HTMLButtonElement} button turns it on and off
   * @param {() => import("./compare.js").View | null} view what is seen now; null before the first picture
   * @param {(compare: number | null) => void} onChange `config.compare`
   */
  constructor(element, button, view, onChange) {
    this.#element = element;
    this.#button = button;
    this.#view = view;
    this.#range = /** @type {HTMLInputElement} */ (element.querySelector("input"));
    this.#tell = throttle(() => onChange(this.#share()));
    button.onclick = () => this.#toggle();
    this.#range.oninput = () => this.update();
    new ResizeObserver(() => this.update()).observe(element);
  }

  /** Another picture, another size, or mirrored now: the handle stays, the share of the frame is another. */
  update() {
    if (this.#element.hidden) return;
    const mirrored = this.#view()?.mirrored ?? false;
    this.#element.dataset.mirrored = String(mirrored);
    this.#element.style.setProperty("--at", `${100 * this.#handle}%`);
    this.#range.setAttribute("aria-valuetext", splitWords(this.#handle, mirrored));
    this.#tell();
  }

  #toggle() {
    this.#element.hidden = !this.#element.hidden;
    this.#button.setAttribute("aria-pressed", String(!this.#element.hidden));
    if (this.#element.hidden) this.#tell();
    else this.update();
  }

  /** 0–1 of the stage's width. */
  get #handle() {
    return Number(this.#range.value) / 100;
  }

  #share() {
    const view = this.#view();
    return this.#element.hidden || !view ? null : frameShare(this.#handle, view);
  }
}
