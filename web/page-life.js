/** What happens to the page that a session should know of: hidden, seen again, online again, gone. */

import { WakeLock } from "./wake-lock.js";

/** @typedef {Pick<import("./session.js").TryOnSession, "state" | "pause" | "resume" | "stop" | "retryNow">} Session */

export class PageLife {
  #session;
  #wakeLock = new WakeLock();
  #pausedByHiding = false;
  /** @type {AbortController | null} */
  #listening = null;

  /** @param {Session} session */
  constructor(session) {
    this.#session = session;
  }

  /** Listens to the page only while something runs. @param {import("./session.js").State} state */
  follow(state) {
    const running = !["idle", "ended", "failed"].includes(state);
    this.#wakeLock.want(["connecting", "live", "reconnecting"].includes(state));
    if (running && !this.#listening) this.#listen();
    if (running) return;
    this.#listening?.abort();
    this.#listening = null;
    this.#pausedByHiding = false;
  }

  #listen() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    document.addEventListener("visibilitychange", () => this.#seen(!document.hidden), { signal });
    window.addEventListener("online", () => this.#session.retryNow(), { signal });
    window.addEventListener("pagehide", () => this.#session.stop(), { signal });
  }

  /** Nobody looks at a hidden page: its camera is not sent. @param {boolean} seen */
  #seen(seen) {
    if (seen) void this.#wakeLock.renew();
    if (!seen && this.#session.state === "live") {
      this.#pausedByHiding = true;
      this.#session.pause();
    } else if (seen && this.#pausedByHiding) {
      this.#pausedByHiding = false;
      this.#session.resume();
    }
  }
}
