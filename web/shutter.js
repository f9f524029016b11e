/** The shutter: a touch takes a photo, a hold films as long as it lasts; switched to clips, a touch starts and ends one. */

/** Held this long, a touch is a hold. */
const HOLD_MS = 450;

/**
 * @typedef {object} ShutterEvents
 * @property {() => void} onPhoto
 * @property {() => boolean} onFilm begin; false where that is not possible now
 * @property {() => void} onCut end
 */

export class Shutter {
  /** Whether it is switched to clips. */
  films = false;
  /** Whoever films says so. */
  filming = false;
  #events;
  #clock;
  #timer = /** @type {any} */ (undefined);
  #held = false;

  /**
   * @param {Pick<HTMLButtonElement, "addEventListener">} button @param {ShutterEvents} events
   * @param {{ setTimeout: (act: () => void, ms: number) => any, clearTimeout: (timer: any) => void }} [clock]
   */
  constructor(button, events, clock = globalThis) {
    this.#events = events;
    this.#clock = clock;
    button.addEventListener("pointerdown", () => this.#press());
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
      button.addEventListener(name, () => this.#release());
    }
    button.addEventListener("click", ({ detail }) => this.#click(detail === 0));
    button.addEventListener("contextmenu", (event) => event.preventDefault()); // what a hold means elsewhere
  }

  #press() {
    this.#held = false;
    if (this.films || this.filming) return;
    const hold = () => {
      this.#held = this.#events.onFilm();
    };
    this.#timer = this.#clock.setTimeout.call(globalThis, hold, HOLD_MS);
  }

  #release() {
    this.#clock.clearTimeout.call(globalThis, this.#timer);
    if (this.#held && this.filming) this.#events.onCut();
  }

  /** @param {boolean} byKeyboard */
  #click(byKeyboard) {
    const after = this.#held && !byKeyboard; // the click at the end of a hold
    this.#held = false;
    if (after) return;
    if (this.filming) this.#events.onCut();
    else if (this.films) this.#events.onFilm();
    else this.#events.onPhoto();
  }
}
