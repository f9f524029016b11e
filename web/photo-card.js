/** The photo just taken, over the picture of `<nail-try-on>`: to look at, download or put away. */

import { captureName } from "./words.js";

/** @typedef {{ element: HTMLElement, canvas: HTMLCanvasElement, download: HTMLAnchorElement, close: HTMLElement }} Parts */

export class PhotoCard {
  #parts;
  #opener;
  #url = "";

  /** @param {Parts} parts @param {HTMLElement} opener has the focus again afterwards */
  constructor(parts, opener) {
    this.#parts = parts;
    this.#opener = opener;
    parts.close.onclick = () => this.#putAway();
    parts.element.onkeydown = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation(); // the page's own dialog around us stays open
      this.#putAway();
    };
  }

  /**
   * Drawn on a canvas: a page's policy may allow no pictures made on the spot.
   * @param {{ blob: Blob, width: number, height: number }} photo
   */
  async show({ blob, width, height }) {
    const { element, canvas, download, close } = this.#parts;
    Object.assign(canvas, { width, height });
    const picture = await createImageBitmap(blob);
    canvas.getContext("2d")?.drawImage(picture, 0, 0);
    picture.close();
    this.#forget();
    this.#url = URL.createObjectURL(blob);
    Object.assign(download, { href: this.#url, download: captureName("try-on", new Date(), "jpg") });
    element.hidden = false;
    close.focus();
  }

  hide() {
    this.#parts.element.hidden = true;
    this.#forget();
  }

  #putAway() {
    this.hide();
    this.#opener.focus();
  }

  #forget() {
    URL.revokeObjectURL(this.#url);
    this.#url = "";
  }
}
