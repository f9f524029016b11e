/** The strip of designs: families above, thumbnails below; each has a drawn nail under it in case the image is missing. */

import { designLabel, designName } from "./design-words.js";
import { ALL, familiesOf, familyName, shownIn } from "./families.js";
import { dress, drawnNail } from "./nail-view.js";
import { radio, RadioGroup } from "./radio-group.js";
import { search } from "./search.js";

/** @typedef {import("./api.js").Design} Design */

/** `data-design` of what was taken from the person's own photo. */
const OWN = "own";

export class Strip {
  /** @type {Design | null} */
  selected = null;

  #element;
  #families;
  #row;
  #designGroup;
  #familyGroup;
  #events;
  #family = ALL;
  #searching = false;
  /** Ids of what was worn last, newest first. @type {number[]} */
  #recent = [];
  /** @type {Map<string, { design: Design, button: HTMLElement }>} */
  #entries = new Map();

  /**
   * @param {{ designs: HTMLElement, families: HTMLElement }} elements
   * @param {{ onSelect: (design: Design) => void, onFamily: () => void }} events each choice of the person
   */
  constructor({ designs, families }, events) {
    this.#element = designs;
    this.#families = families;
    this.#events = events;
    this.#designGroup = new RadioGroup(designs, (button) => this.#choose(String(button.dataset.design)));
    this.#row = families.parentElement ?? families;
    this.#familyGroup = new RadioGroup(families, ({ dataset }) => this.#openFamily(String(dataset.value)), this.#row);
  }

  get #designs() {
    return [...this.#entries.values()].map(({ design }) => design);
  }

  /** @param {Design[]} designs @param {number | null} preselected */
  show(designs, preselected) {
    this.#entries = new Map(designs.map((design) => [keyOf(design), { design, button: createButton(design) }]));
    this.selected = designs.find(({ id }) => id === preselected) ?? designs[0] ?? null;
    this.#rebuild();
  }

  /** Puts the design of the person's own photo in front, instead of an earlier one, and on. @param {Design} design */
  wearOwn(design) {
    this.#entries.delete(OWN);
    this.#entries = new Map([[OWN, { design, button: createButton(design) }], ...this.#entries]);
    this.selected = design;
    this.#rebuild();
  }

  /** What the family “Recent” holds when it is opened next. @param {number[]} ids newest first */
  showRecent(ids) {
    const first = this.#recent.length === 0;
    this.#recent = ids;
    if (first) this.#listFamilies();
  }

  /**
   * Shows what matches instead of a family.
   * @param {string} text without words, the family again
   * @returns {number} how many match
   */
  search(text) {
    this.#searching = text.trim() !== "";
    if (!this.#searching) {
      this.#open(this.#family, "instant");
      return this.#designs.length;
    }
    const found = search(this.#designs, text);
    this.#familyGroup.mark(null);
    this.#fill(found);
    return found.length;
  }

  #rebuild() {
    this.#listFamilies();
    this.#openFamily(ALL, "instant");
  }

  #listFamilies() {
    const families = familiesOf(this.#designs, this.#recent);
    this.#families.replaceChildren(...families.map((name) => radio(name, familyName(name), "chip")));
    this.#familyGroup.mark(this.#searching ? null : this.#familyGroup.button(this.#family));
  }

  /** @param {string} family @param {ScrollBehavior} [behavior] */
  #openFamily(family, behavior = "smooth") {
    this.#searching = false;
    this.#open(family, behavior);
    this.#events.onFamily();
  }

  /** @param {string} family @param {ScrollBehavior} behavior */
  #open(family, behavior) {
    this.#family = family;
    this.#fill(shownIn(this.#designs, family, this.selected, this.#recent));
    this.#familyGroup.mark(this.#familyGroup.button(family), family === ALL ? undefined : behavior);
    if (family === ALL) this.#row.scrollTo({ left: 0 }); // search and photo stand in front of it
  }

  /** @param {Design[]} designs */
  #fill(designs) {
    const entries = designs.map((design) => this.#entries.get(keyOf(design)));
    this.#element.replaceChildren(...entries.flatMap((entry) => (entry ? [entry.button] : [])));
    this.#element.scrollTo({ left: 0, top: 0, behavior: "instant" });
    this.#mark("instant");
  }

  /** @param {string} key */
  #choose(key) {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.selected = entry.design;
    this.#mark("smooth");
    this.#events.onSelect(entry.design);
  }

  /** @param {ScrollBehavior} behavior */
  #mark(behavior) {
    const entry = this.selected && this.#entries.get(keyOf(this.selected));
    this.#designGroup.mark(entry?.button ?? null, behavior);
  }
}

/** @param {Design} design */
function keyOf({ id }) {
  return id === null ? OWN : String(id);
}

/** @param {Design} design */
function createButton(design) {
  const button = document.createElement("button");
  button.className = "design";
  button.type = "button";
  button.setAttribute("role", "radio");
  button.setAttribute("aria-label", designLabel(design));
  button.title = designName(design);
  button.dataset.design = keyOf(design);
  dress(button, design);
  const swatch = document.createElement("span");
  swatch.className = "swatch";
  const caption = document.createElement("span");
  caption.className = "design-name";
  caption.textContent = button.title;
  swatch.append(drawnNail(), createThumbnail(design.thumbnail_url));
  button.append(swatch, caption);
  return button;
}

/** @param {string} source */
function createThumbnail(source) {
  const image = new Image();
  image.alt = "";
  image.decoding = "async";
  image.loading = "lazy";
  image.onload = () => image.classList.add("loaded");
  image.onerror = () => image.remove();
  image.src = source;
  return image;
}
