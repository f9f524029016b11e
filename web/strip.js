/** The strip of designs: a radio group of thumbnails, each with a drawn nail under it in case the image is missing. */

/** @typedef {import("./api.js").Design} Design */

export class Strip {
  /** @type {Design | null} */
  selected = null;

  #element;
  #onSelect;
  /** @type {Design[]} */
  #designs = [];

  /** @param {HTMLElement} element @param {(design: Design) => void} onSelect called for each choice of the person */
  constructor(element, onSelect) {
    this.#element = element;
    this.#onSelect = onSelect;
    element.addEventListener("click", ({ target }) => {
      const button = target instanceof Element ? target.closest("[data-design]") : null;
      if (button) this.#choose(Number(/** @type {HTMLElement} */ (button).dataset.design));
    });
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {Design[]} designs @param {number | null} preselected */
  show(designs, preselected) {
    this.#designs = designs;
    this.#element.replaceChildren(...designs.map(createButton));
    const first = designs.find(({ id }) => id === preselected) ?? designs[0];
    if (first) this.#mark(first, "instant");
  }

  /** @param {number} id */
  #choose(id) {
    const design = this.#designs.find((candidate) => candidate.id === id);
    if (!design) return;
    this.#mark(design, "smooth");
    this.#onSelect(design);
  }

  /** @param {Design} design @param {ScrollBehavior} behavior */
  #mark(design, behavior) {
    this.selected = design;
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (this.#element.querySelectorAll("[data-design]"))) {
      const checked = Number(button.dataset.design) === design.id;
      button.setAttribute("aria-checked", String(checked));
      button.tabIndex = checked ? 0 : -1; // one stop for Tab; arrows move inside, as in every radio group
      if (checked) button.scrollIntoView({ behavior, inline: "center", block: "nearest" });
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (!step || !this.selected) return;
    event.preventDefault();
    const count = this.#designs.length;
    const next = this.#designs[(this.#designs.indexOf(this.selected) + step + count) % count];
    this.#choose(/** @type {number} */ (next.id));
    /** @type {HTMLElement | null} */ (this.#element.querySelector("[aria-checked=true]"))?.focus({
      preventScroll: true, // its jump would stop the smooth one
    });
  }
}

/** @param {Design} design */
function createButton({ id, name, pattern, finish, colours, thumbnail_url: thumbnail }) {
  const button = document.createElement("button");
  button.className = "design";
  button.type = "button";
  button.setAttribute("role", "radio");
  button.setAttribute("aria-label", name);
  button.title = name;
  Object.assign(button.dataset, { design: String(id), pattern: pattern ?? "solid", finish: finish ?? "cream" });
  const swatch = document.createElement("span");
  swatch.className = "swatch";
  const nail = document.createElement("span");
  nail.className = "nail";
  nail.style.setProperty("--base", colours[0] ?? "#b3001b");
  nail.style.setProperty("--accent", colours[1] ?? colours[0] ?? "#b3001b");
  const caption = document.createElement("span");
  caption.className = "design-name";
  caption.textContent = name;
  swatch.append(nail, createThumbnail(thumbnail));
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
