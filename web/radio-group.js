/** A group of buttons of which one is chosen, as the ARIA pattern wants it: one stop for Tab, arrows inside, wrapping. */

export class RadioGroup {
  #element;
  #onChoose;

  /**
   * Every `[role=radio]` inside belongs to the group, also those that come later.
   * @param {HTMLElement} element
   * @param {(button: HTMLElement) => void} onChoose the person's choice; whoever listens marks it
   */
  constructor(element, onChoose) {
    this.#element = element;
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
    const stop = chosen ?? buttons[0];
    for (const button of buttons) button.tabIndex = button === stop ? 0 : -1;
    if (behavior) this.reveal(behavior);
  }

  /** Brings the chosen button into view. @param {ScrollBehavior} behavior */
  reveal(behavior) {
    const chosen = this.#element.querySelector("[aria-checked=true]");
    chosen?.scrollIntoView({ behavior, inline: "center", block: "nearest" });
  }

  /** The button with this `data-value`. @param {string} value */
  button(value) {
    return this.buttons.find((button) => button.dataset.value === value) ?? null;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
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
  button.textContent = label;
  return button;
}
