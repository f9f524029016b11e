/** The search over the strip: on a phone it takes the families' place while it is used, with room it is always there. */

import { foundSentence } from "./search.js";

/** Pixels; less is a bar of the browser's. */
const LEAST_KEYBOARD = 120;

export class SearchField {
  #row;
  #input;
  #opener;
  #sentence;
  #onSearch;

  /**
   * @param {{ row: HTMLElement, opener: HTMLButtonElement, sentence: HTMLElement }} elements
   * @param {(text: string) => number} onSearch shows what matches, and says how many do; empty text ends the search
   */
  constructor({ row, opener, sentence }, onSearch) {
    this.#row = row;
    this.#opener = opener;
    this.#sentence = sentence;
    this.#onSearch = onSearch;
    this.#input = /** @type {HTMLInputElement} */ (row.querySelector("input"));
    opener.onclick = () => this.#open();
    /** @type {HTMLButtonElement} */ (row.querySelector("button")).onclick = () => this.#leave();
    this.#input.oninput = () => this.#search();
    this.#input.onkeydown = ({ key }) => {
      if (key === "Escape") this.#leave();
      if (key === "Enter") this.#input.blur(); // a phone's keyboard covers what was found
    };
  }

  /** A family was chosen instead. */
  clear() {
    if (this.#input.value) this.#end();
  }

  #open() {
    this.#row.dataset.open = "true";
    this.#input.focus();
  }

  #search() {
    const text = this.#input.value;
    const count = this.#onSearch(text);
    this.#row.dataset.text = String(text !== "");
    this.#sentence.textContent = text.trim() ? foundSentence(count, text) : "";
    this.#sentence.dataset.empty = String(count === 0);
  }

  #end() {
    this.#input.value = "";
    this.#search();
    this.#row.dataset.open = "false";
  }

  #leave() {
    this.#end();
    if (this.#opener.checkVisibility?.() ?? true) this.#opener.focus();
    else this.#input.focus();
  }
}

/**
 * Phones lay their keyboard over the page; `--keyboard` is how much of it, for what stands at the bottom. What the field's
 * focus decides instead would move under the finger that touches a design: that touch ends the focus.
 * @param {VisualViewport | null} viewport
 */
export function followKeyboard(viewport) {
  const follow = () => {
    if (!viewport || viewport.scale !== 1) return; // zoomed in: less is seen, but nothing is covered
    const covered = Math.max(0, Math.round(innerHeight - viewport.height - viewport.offsetTop));
    document.documentElement.style.setProperty("--keyboard", `${covered}px`);
    document.documentElement.dataset.keyboard = String(covered > LEAST_KEYBOARD);
  };
  viewport?.addEventListener("resize", follow);
  viewport?.addEventListener("scroll", follow);
}
