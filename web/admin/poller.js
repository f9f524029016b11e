/** Looks again every two seconds, one look at a time, and not while nobody sees the page. */

export const INTERVAL_MS = 2000;

const CLOCK = {
  setTimeout: (/** @type {() => void} */ callback, /** @type {number} */ ms) => setTimeout(callback, ms),
  clearTimeout: (/** @type {any} */ timer) => clearTimeout(timer),
};

export class Poller {
  #look;
  #interval;
  #isHidden;
  #clock;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #running = false;
  #looking = false;
  #wanted = false;

  /**
   * @param {() => Promise<void>} look must not throw
   * @param {{ interval?: number, isHidden?: () => boolean, clock?: typeof CLOCK }} [options]
   */
  constructor(look, { interval = INTERVAL_MS, isHidden = () => document.hidden, clock = CLOCK } = {}) {
    this.#look = look;
    this.#interval = interval;
    this.#isHidden = isHidden;
    this.#clock = clock;
  }

  start() {
    this.#running = true;
    return this.now();
  }

  stop() {
    this.#running = false;
    this.#clock.clearTimeout(this.#timer);
  }

  /** Looks at once; where a look is under way, once more after it. To be called when the page is seen again, too. */
  async now() {
    this.#clock.clearTimeout(this.#timer);
    this.#wanted = true;
    if (this.#looking) return;
    this.#looking = true;
    try {
      while (this.#wanted && this.#running && !this.#isHidden()) {
        this.#wanted = false;
        await this.#look();
      }
    } finally {
      this.#looking = false;
    }
    if (this.#running && !this.#isHidden()) this.#timer = this.#clock.setTimeout(() => this.now(), this.#interval);
  }
}
