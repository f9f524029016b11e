/** Keeps the screen on while wanted: a hand held before the camera touches nothing. */

/** @typedef {Pick<WakeLockSentinel, "release" | "addEventListener">} Lock */

export class WakeLock {
  #api;
  #wanted = false;
  #asking = false;
  /** @type {Lock | null} */
  #lock = null;

  /** @param {{ request: (type: "screen") => Promise<Lock> } | undefined} [api] without it, nothing is kept on */
  constructor(api = globalThis.navigator?.wakeLock) {
    this.#api = api;
  }

  /** @param {boolean} wanted */
  want(wanted) {
    this.#wanted = wanted;
    if (wanted) return void this.renew();
    const lock = this.#lock;
    this.#lock = null;
    lock?.release().catch(() => {});
  }

  /** The page is seen again: browsers let go of the lock when it is hidden. */
  async renew() {
    if (!this.#api || !this.#wanted || this.#lock || this.#asking) return;
    this.#asking = true;
    try {
      const lock = await this.#api.request("screen");
      lock.addEventListener("release", () => {
        if (this.#lock === lock) this.#lock = null;
      });
      this.#lock = lock;
    } catch {
      // hidden, or short of power: the screen goes off as it always does
    } finally {
      this.#asking = false;
    }
    if (!this.#wanted) this.want(false); // no longer, meanwhile
  }
}
