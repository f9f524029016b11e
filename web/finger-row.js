/** Fingers to choose among, each under the nail that it wears. The panel and the sheet of a photo's nails show one. */

import { icon } from "./make.js";
import { dress, drawnNail, nailImage, showImage } from "./nail-view.js";
import { radio, RadioGroup } from "./radio-group.js";
import { say } from "./strings.js";

/** @typedef {import("./wishes.js").Finger} Finger */
/** @typedef {import("./wishes.js").Scope} Scope */
/** @typedef {import("./nail-view.js").Look} Look */
/** @typedef {{ image?: string, look?: Look, words: string, place?: number }} WornNail  A nail of a photo, or a drawn one. */

const HAND =
  "M8 13V6.5a1.5 1.5 0 0 1 3 0V11m0-.5V4.6a1.5 1.5 0 0 1 3 0V11m0-.5V6a1.5 1.5 0 0 1 3 0v6m0-2.5a1.5 1.5 0 0 1 3 0V15" +
  "c0 4-2.6 6.5-6.2 6.5-3 0-4.7-1.3-6.1-3.7l-2.9-4.8c-1-1.9 1.3-3.2 2.5-1.7L8 13";

export class FingerRow {
  #group;

  /**
   * @param {HTMLElement} element a radiogroup @param {readonly Scope[]} scopes in the order shown
   * @param {(scope: Scope) => void} onChoose
   */
  constructor(element, scopes, onChoose) {
    element.replaceChildren(...scopes.map(slot));
    this.#group = new RadioGroup(element, ({ dataset }) => onChoose(/** @type {Scope} */ (dataset.value)));
  }

  /** @param {Scope} chosen @param {Record<Finger, WornNail>} worn */
  show(chosen, worn) {
    for (const button of this.#group.buttons) {
      const scope = /** @type {Scope} */ (button.dataset.value);
      if (scope !== "all") put(button, scope, worn[scope]);
    }
    this.#group.mark(this.#group.button(chosen));
  }

  /** For the keyboard. */
  focus() {
    this.#group.buttons.find(({ tabIndex }) => tabIndex === 0)?.focus({ preventScroll: true });
  }
}

/** @param {Scope} scope */
function slot(scope) {
  const button = radio(scope, say(`finger.${scope}`), "slot");
  const view = document.createElement("span");
  view.className = "worn-nail";
  if (scope === "all") {
    view.append(icon(HAND, "2 1 20 22"));
    button.setAttribute("aria-label", say("finger.all_long"));
  } else {
    view.append(drawnNail(), nailImage());
  }
  button.prepend(view);
  return button;
}

/** @param {HTMLElement} button @param {Finger} finger @param {WornNail} worn */
function put(button, finger, { image, look, words, place }) {
  const view = /** @type {HTMLElement} */ (button.querySelector(".worn-nail"));
  const [drawn, picture] = /** @type {[HTMLElement, HTMLImageElement]} */ ([...view.children]);
  drawn.hidden = image !== undefined;
  picture.hidden = image === undefined;
  if (image !== undefined) showImage(picture, image);
  else if (look) dress(view, look);
  button.setAttribute("aria-label", say("finger.wears", { finger: say(`finger.${finger}`).replaceAll("\u00ad", ""), worn: words }));
  button.dataset.nail = place === undefined ? "" : String(place);
}
