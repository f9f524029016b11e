/** The style sheet: choices over the live picture, each worn at once. It shows wishes and reports them; see wishes.js. */

import { radio, RadioGroup } from "./radio-group.js";
import { FINISHES, LENGTHS, SCOPES, SHAPES } from "./style-options.js";
import { say } from "./strings.js";
import { coloursOf, isStyled, NO_WISHES, recoloured, reset, wish, wishOf } from "./wishes.js";

/** @typedef {import("./wishes.js").Wishes} Wishes */
/** @typedef {import("./wishes.js").Scope} Scope */
/** @typedef {"finish" | "shape" | "length"} Field */

const SVG = "http://www.w3.org/2000/svg";
/** A design of one colour has a second one all the same: glitter flakes and patterns wear it. */
const LEAST_COLOURS = 2;

export class StylePanel {
  #dialog;
  #opener;
  #onChange;
  /** @type {Wishes} */
  #wishes = NO_WISHES;
  /** @type {string[]} */
  #colours = [];
  /** @type {Scope} */
  #scope = "all";
  #scopes;
  /** @type {[Field, RadioGroup][]} */
  #groups;

  /**
   * @param {HTMLDialogElement} dialog @param {HTMLButtonElement} opener
   * @param {(wishes: Wishes) => void} onChange called for each choice of the person
   */
  constructor(dialog, opener, onChange) {
    this.#dialog = dialog;
    this.#opener = opener;
    this.#onChange = onChange;
    this.#scopes = this.#choices("#style-fingers", SCOPES, (scope) => this.#look(/** @type {Scope} */ (scope)));
    this.#groups = [
      ["finish", this.#choices("#style-finish", FINISHES, (finish) => this.#want({ finish }))],
      ["shape", this.#choices("#style-shape", SHAPES, (shape) => this.#want({ shape }))],
      ["length", this.#choices("#style-length", LENGTHS, (length) => this.#want({ length }))],
    ];
    this.#part("#style-colours").addEventListener("input", ({ target }) => this.#recolour(target));
    this.#part("#style-reset").onclick = () => this.#change(reset(this.#wishes));
    this.#part("#style-close").onclick = () => this.close();
    opener.onclick = () => (dialog.open ? this.close() : this.#open());
    dialog.addEventListener("keydown", ({ key }) => key === "Escape" && this.close());
  }

  /** @param {Wishes} wishes @param {string[]} colours the design's own */
  show(wishes, colours) {
    this.#wishes = wishes;
    this.#colours = colours;
    this.#render();
  }

  /** A nail was touched: choose for its finger. @param {import("./wishes.js").Finger} finger */
  openFor(finger) {
    this.#scope = finger;
    if (this.#dialog.open) this.#look(finger);
    else this.#open();
  }

  close() {
    if (!this.#dialog.open) return;
    const focused = this.#dialog.contains(document.activeElement);
    this.#dialog.close();
    this.#opener.setAttribute("aria-expanded", "false");
    if (focused) this.#opener.focus();
  }

  #open() {
    this.#dialog.show(); // not modal: the picture behind it is what this is about
    this.#opener.setAttribute("aria-expanded", "true");
    this.#look(this.#scope, "instant");
    this.#part("#style-finish [tabindex='0']").focus({ preventScroll: true });
  }

  /** @param {Scope} scope @param {ScrollBehavior} [behavior] */
  #look(scope, behavior = "smooth") {
    this.#scope = scope;
    this.#render();
    for (const group of [this.#scopes, ...this.#groups.map(([, group]) => group)]) group.reveal(behavior);
  }

  /** @param {Partial<import("./wishes.js").Wish>} change */
  #want(change) {
    this.#change(wish(this.#wishes, this.#scope, change));
  }

  /** @param {EventTarget | null} input */
  #recolour(input) {
    if (!(input instanceof HTMLInputElement)) return;
    const colours = coloursOf(this.#wishes, this.#scope, this.#colours);
    this.#want({ colours: recoloured(colours, Number(input.dataset.place), input.value) });
  }

  /** @param {Wishes} wishes */
  #change(wishes) {
    this.#wishes = wishes;
    this.#render();
    this.#onChange(wishes);
  }

  #render() {
    const wished = wishOf(this.#wishes, this.#scope);
    this.#scopes.mark(this.#scopes.button(this.#scope));
    for (const [field, group] of this.#groups) {
      group.mark(group.button(wished[field] ?? ""));
      const none = group.button("")?.querySelector("span");
      if (none) none.textContent = say(this.#scope === "all" ? "style.as_designed" : "style.like_the_others");
    }
    this.#renderColours();
    this.#part("#style-reset").setAttribute("aria-disabled", String(!isStyled(this.#wishes))); // keeps the focus
    this.#opener.dataset.styled = String(isStyled(this.#wishes));
  }

  /** Inputs that stay are kept: a colour dialog may hang on one of them. */
  #renderColours() {
    const box = this.#part("#style-colours");
    const colours = coloursOf(this.#wishes, this.#scope, this.#colours);
    const count = Math.max(LEAST_COLOURS, colours.length);
    while (box.children.length > count) box.lastElementChild?.remove();
    while (box.children.length < count) box.append(colourInput(box.children.length));
    for (const [place, input] of box.querySelectorAll("input").entries()) {
      input.value = (colours[place] ?? colours.at(-1) ?? "#b3001b").toLowerCase();
    }
  }

  /**
   * @param {string} selector @param {import("./style-options.js").Option[]} options
   * @param {(value: string | null) => void} onChoose
   */
  #choices(selector, options, onChoose) {
    const element = this.#part(selector);
    element.replaceChildren(...options.map(optionButton));
    return new RadioGroup(element, ({ dataset }) => onChoose(dataset.value || null));
  }

  /** @param {string} selector */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.#dialog.querySelector(selector));
  }
}

/** @param {import("./style-options.js").Option} option */
function optionButton({ value, label, outline }) {
  const button = radio(value ?? "", say(label), outline ? "option drawn" : "option");
  if (outline) button.prepend(drawing(outline));
  return button;
}

/** @param {string} outline */
function drawing(outline) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "2 0 20 27");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", outline);
  svg.append(path);
  return svg;
}

/** @param {number} place */
function colourInput(place) {
  const label = document.createElement("label");
  label.className = "colour";
  const input = Object.assign(document.createElement("input"), { type: "color" });
  input.dataset.place = String(place);
  label.append(input, colourLabel(place));
  return label;
}

/** @param {number} place */
function colourLabel(place) {
  if (place === 0) return say("style.colour_base");
  return place === 1 ? say("style.colour_accent") : say("style.colour_place", { place: place + 1 });
}
