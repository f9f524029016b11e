/** A group of buttons of which one is chosen, as the ARIA pattern wants it: one stop for Tab, arrows inside, wrapping. */

/** Pixels kept free above or below the chosen button: the edges fade. */
const MARGIN = 40;

export class RadioGroup {
  #element;
  #scroller;
  #onChoose;

  /**
   * Every `[role=radio]` inside belongs to the group, also those that come later.
   * @param {HTMLElement} element
   * @param {(button: HTMLElement) => void} onChoose the person's choice; whoever listens marks it
   * @param {HTMLElement} [scroller] what scrolls, where it is not the group itself
   */
  constructor(element, onChoose, scroller = element) {
    this.#element = element;
    this.#scroller = scroller;
    this.#onChoose = onChoose;
    element.addEventListener("click", ({ target }) => {
      const button = target instanceof Element ? target.closest("[role=radio]") : null;
      if (button) onChoose(/** @type {HTMLElement} */ (button));
    });
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  /** The buttons in the order shown. */
  get buttons() {
    return [.../** @type {NodeListOf<HTMLElement>} */ (this.#element.querySelectorAll("[role=radio]"))];
  }

  /**
   * Shows one button as chosen; without one, none is.
   * @param {HTMLElement | null} chosen @param {ScrollBehavior} [behavior] how to bring it into view; by default not
   */
  mark(chosen, behavior) {
    const { buttons } = this;
    for (const button of buttons) button.setAttribute("aria-checked", String(button === chosen));
    // The chosen one need not be here: a search hides it, and Tab must still come in.
    const stop = buttons.find((button) => button === chosen) ?? buttons[0];
    for (const button of buttons) button.tabIndex = button === stop ? 0 : -1;
    if (behavior) this.reveal(behavior);
  }

  /** Brings the chosen button into view, and moves nothing but the group. @param {ScrollBehavior} behavior */
  reveal(behavior) {
    const chosen = this.#element.querySelector("[aria-checked=true]");
    if (!chosen) return;
    const [button, box] = [chosen.getBoundingClientRect(), this.#scroller.getBoundingClientRect()];
    const left = button.left + button.width / 2 - (box.left + box.width / 2);
    const above = Math.min(0, button.top - box.top - MARGIN);
    const below = Math.max(0, button.bottom - box.bottom + MARGIN);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#scroller.scrollBy({ left, top: above || below, behavior: still ? "instant" : behavior });
  }

  /** The button with this `data-value`. @param {string} value */
  button(value) {
    return this.buttons.find((button) => button.dataset.value === value) ?? null;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const onward = getComputedStyle(this.#element).direction === "rtl" ? -1 : 1;
    const steps = { ArrowRight: onward, ArrowDown: 1, ArrowLeft: -onward, ArrowUp: -1 };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    const { buttons } = this;
    if (!step || buttons.length === 0) return;
    event.preventDefault();
    const at = buttons.findIndex((button) => button.tabIndex === 0);
    const next = buttons[(at + step + buttons.length) % buttons.length];
    this.#onChoose(next);
    next.focus({ preventScroll: true }); // its jump would stop a smooth one
  }
}

/**
 * @param {string} value @param {string} label @param {string} className
 * @returns {HTMLButtonElement} a button of a group, with `data-value`
 */
export function radio(value, label, className) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = className;
  button.dataset.value = value;
  button.setAttribute("role", "radio");
  button.append(Object.assign(document.createElement("span"), { textContent: label }));
  return button;
}
