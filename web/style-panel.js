/**
 * The panel over the live picture: the design that is worn, and choices beside it for all fingers or single ones, each
 * worn at once. It shows wishes and reports them; see wishes.js.
 */

import { FingerRow } from "./finger-row.js";
import { icon } from "./make.js";
import { NailTiles } from "./nail-tiles.js";
import { radio, RadioGroup } from "./radio-group.js";
import { Reference } from "./reference.js";
import { onDrag, SheetSize } from "./sheet-size.js";
import { say } from "./strings.js";
import { FINISHES, LENGTHS, SCOPES, SHAPES } from "./style-options.js";
import { coloursOf, isStyled, NO_WISHES, recoloured, reset, wish, wishNail, wishOf } from "./wishes.js";
import { commonNail, wornNails } from "./worn-nails.js";

/** @typedef {import("./wishes.js").Wishes} Wishes */
/** @typedef {import("./wishes.js").Scope} Scope */
/** @typedef {"finish" | "shape" | "length"} Field */

/** A design of one colour has a second one all the same: glitter flakes and patterns wear it. */
const LEAST_COLOURS = 2;

export class StylePanel {
  #dialog;
  #openers;
  /** By which it was opened. */
  #opener;
  #onChange;
  /** @type {Wishes} */
  #wishes = NO_WISHES;
  /** @type {import("./api.js").Design | null} */
  #design = null;
  /** @type {Scope} */
  #scope = "all";
  #reference;
  #fingers;
  #nails;
  #size;
  /** @type {[Field, RadioGroup][]} */
  #groups;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {{ style: HTMLButtonElement, wearing: HTMLButtonElement }} openers the second is pulled up as well
   * @param {(wishes: Wishes) => void} onChange called for each choice of the person
   */
  constructor(dialog, openers, onChange) {
    this.#dialog = dialog;
    this.#openers = openers;
    this.#onChange = onChange;
    this.#opener = openers.style;
    this.#reference = new Reference(this.#part("#style-reference"));
    this.#fingers = new FingerRow(this.#part("#style-fingers"), SCOPES, (scope) => this.#look(scope));
    this.#nails = new NailTiles(this.#part("#style-nails"), (nail) =>
      this.#change(wishNail(this.#wishes, this.#scope, nail)),
    );
    const grip = /** @type {HTMLButtonElement} */ (this.#part("#style-size"));
    this.#size = new SheetSize(dialog, this.#part("header"), grip, () => this.close());
    this.#groups = [
      ["finish", this.#choices("#style-finish", FINISHES, (finish) => this.#want({ finish }))],
      ["shape", this.#choices("#style-shape", SHAPES, (shape) => this.#want({ shape }))],
      ["length", this.#choices("#style-length", LENGTHS, (length) => this.#want({ length }))],
    ];
    this.#part("#style-colours").addEventListener("input", ({ target }) => this.#recolour(target));
    this.#part("#style-reset").onclick = () => this.#change(reset(this.#wishes));
    this.#part("#style-close").onclick = () => this.close();
    for (const opener of Object.values(openers)) opener.onclick = () => (dialog.open ? this.close() : this.#open(opener));
    onDrag(openers.wearing, { end: (y) => y < 0 && this.#open(openers.wearing) });
    dialog.addEventListener("keydown", ({ key }) => key === "Escape" && this.close());
  }

  /** @param {Wishes} wishes @param {import("./api.js").Design | null} design */
  show(wishes, design) {
    this.#wishes = wishes;
    this.#design = design;
    this.#render();
  }

  /** A nail was touched: choose for its finger. @param {import("./wishes.js").Finger} finger */
  openFor(finger) {
    this.#scope = finger;
    if (this.#dialog.open) this.#look(finger);
    else this.#open(this.#openers.style);
    const choices = this.#part(".choices");
    choices.scrollTo({ top: this.#part("#style-fingers").offsetTop - choices.offsetTop });
  }

  close() {
    if (!this.#dialog.open) return;
    const focused = this.#dialog.contains(document.activeElement);
    this.#dialog.close();
    for (const opener of Object.values(this.#openers)) opener.setAttribute("aria-expanded", "false");
    if (focused) this.#opener.focus();
  }

  /** @param {HTMLButtonElement} opener gets the focus back */
  #open(opener) {
    this.#opener = opener;
    this.#size.set("half");
    this.#dialog.show(); // not modal: the picture behind it is what this is about
    for (const each of Object.values(this.#openers)) each.setAttribute("aria-expanded", "true");
    this.#part(".choices").scrollTo({ top: 0 });
    this.#look(this.#scope, "instant");
    this.#fingers.focus();
  }

  /** @param {Scope} scope @param {ScrollBehavior} [behavior] */
  #look(scope, behavior = "smooth") {
    this.#scope = scope;
    this.#render();
    for (const [, group] of this.#groups) group.reveal(behavior);
  }

  /** @param {Partial<import("./wishes.js").Wish>} change */
  #want(change) {
    this.#change(wish(this.#wishes, this.#scope, change));
  }

  /** @param {EventTarget | null} input */
  #recolour(input) {
    if (!(input instanceof HTMLInputElement)) return;
    const colours = coloursOf(this.#wishes, this.#scope, this.#designs);
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
    this.#renderDesign();
    for (const [field, group] of this.#groups) {
      group.mark(group.button(wished[field] ?? ""));
      const none = group.button("")?.querySelector("span");
      if (none) none.textContent = say(this.#scope === "all" ? "style.as_designed" : "style.like_the_others");
    }
    this.#renderColours();
    this.#part("#style-reset").setAttribute("aria-disabled", String(!isStyled(this.#wishes))); // keeps the focus
    this.#openers.style.dataset.styled = String(isStyled(this.#wishes));
  }

  /** Its pictures are asked for when they are seen. */
  #renderDesign() {
    if (!this.#design || !this.#dialog.open) return;
    const set = this.#design.nail_set ?? null;
    this.#reference.show(this.#design, this.#wishes);
    this.#fingers.show(this.#scope, wornNails(this.#design, this.#wishes));
    this.#nails.show(set, set && commonNail(set, this.#wishes, this.#scope));
  }

  /** The design's own colours. */
  get #designs() {
    return this.#design?.colours ?? [];
  }

  /** Inputs that stay are kept: a colour dialog may hang on one of them. */
  #renderColours() {
    const box = this.#part("#style-colours");
    const colours = coloursOf(this.#wishes, this.#scope, this.#designs);
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
  if (outline) button.prepend(icon(outline, "2 0 20 27"));
  return button;
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
