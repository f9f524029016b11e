/** A sheet over the bottom of a phone: half of the screen, all of it, or closed. It is dragged by its head. */

import { say } from "./strings.js";

/** @typedef {"half" | "full"} Size */

/** Pixels; less is a touch. */
const TOUCH = 8;
/** Pixels a millisecond; faster is a flick, which counts whatever its way. */
const FLICK = 0.4;
/** Share of the screen's height that a slow drag has to cross. */
const FAR = 0.12;

/**
 * Where a sheet settles when it is let go.
 * @param {Size} size before @param {number} moved down, as share of the screen's height
 * @param {number} speed down, pixels a millisecond
 * @returns {Size | "closed"}
 */
export function settle(size, moved, speed) {
  if (moved < -FAR || speed < -FLICK) return "full";
  if (size === "full" && moved > 0.5) return "closed";
  if (moved > FAR || speed > FLICK) return size === "full" ? "half" : "closed";
  return size;
}

export class SheetSize {
  #sheet;
  #button;
  #onClose;

  /**
   * @param {HTMLElement} sheet @param {HTMLElement} head by which it is dragged
   * @param {HTMLButtonElement} button in the head; makes it larger or smaller by touch and keyboard
   * @param {() => void} onClose it was dragged away
   */
  constructor(sheet, head, button, onClose) {
    this.#sheet = sheet;
    this.#button = button;
    this.#onClose = onClose;
    button.onclick = () => this.set(this.#size === "full" ? "half" : "full");
    onDrag(head, {
      move: (y) => this.#pull(y),
      end: (y, speed) => {
        this.#pull(0);
        this.#settle(settle(this.#size, y / innerHeight, speed));
      },
    });
    this.set("half");
  }

  /** @param {Size} size */
  set(size) {
    this.#sheet.dataset.size = size;
    this.#button.setAttribute("aria-label", say(size === "full" ? "style.smaller" : "style.larger"));
  }

  /** @returns {Size} */
  get #size() {
    return this.#sheet.dataset.size === "full" ? "full" : "half";
  }

  /** @param {number} y pixels down */
  #pull(y) {
    this.#sheet.style.setProperty("--pull", `${-y}px`);
    this.#sheet.dataset.dragged = String(y !== 0);
  }

  /** @param {Size | "closed"} to */
  #settle(to) {
    if (to === "closed") this.#onClose();
    else this.set(to);
  }
}

/**
 * Follows a finger or a mouse up and down. The click at the end of a drag is none.
 * @param {HTMLElement} element
 * @param {{ move?: (y: number) => void, end: (y: number, speed: number) => void }} events pixels down; pixels a millisecond
 */
export function onDrag(element, { move = () => {}, end }) {
  /** @type {{ y: number, at: number, id: number, dragged: boolean } | null} */
  let began = null;
  let dragged = false;
  element.addEventListener("pointerdown", ({ clientY: y, timeStamp: at, pointerId: id }) => {
    began = { y, at, id, dragged: false };
    dragged = false;
  });
  element.addEventListener("pointermove", ({ clientY }) => {
    if (!began || (!began.dragged && Math.abs(clientY - began.y) < TOUCH)) return;
    if (!began.dragged) element.setPointerCapture(began.id);
    began.dragged = dragged = true;
    move(clientY - began.y);
  });
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) {
    element.addEventListener(name, ({ clientY, timeStamp, type }) => {
      if (began?.dragged) {
        const y = type === "pointerup" ? clientY - began.y : 0;
        end(y, y / Math.max(1, timeStamp - began.at));
      }
      began = null;
    });
  }
  element.addEventListener("click", (event) => dragged && event.stopImmediatePropagation(), { capture: true });
}
