/**
 * Decides when the next single picture may leave. Pure: times in milliseconds come from the caller.
 *
 * One picture at a time is on its way; over a long way that would be too few a second, so there several are, evenly
 * spaced over the *shortest* round trip of late. A queue makes round trips longer, but never the shortest one, so more
 * pictures are not what it gets.
 */

const MAX_FPS = 30;
/** Pictures a second that a long way is filled for. */
const WANTED_FPS = 15;
const MOST_IN_FLIGHT = 4;
/** An answer that takes this long is not coming: the frame failed. */
const ANSWER_TIMEOUT_MS = 2000;
/** The shortest round trip is looked for in this time, and the one before: a phone may go from Wi-Fi to mobile. */
const REMEMBERED_MS = 5000;

export class Pacer {
  /** Pictures whose answer never came, as a newer one overtook them in the server, or by time. */
  lost = 0;
  /** Pictures answered. */
  answered = 0;
  /** Of the last answered picture. @type {number | null} */
  roundTripMs = null;

  #next = 1;
  /** Pictures on their way: when each left, by its number, oldest first. @type {Map<number, number>} */
  #inFlight = new Map();
  #lastSent = -Infinity;
  #shortest = { since: -Infinity, before: Infinity, now: Infinity };

  /** @param {{ maxFps?: number, timeoutMs?: number }} [options] */
  constructor({ maxFps = MAX_FPS, timeoutMs = ANSWER_TIMEOUT_MS } = {}) {
    this.intervalMs = 1000 / maxFps;
    this.timeoutMs = timeoutMs;
  }

  /** How many pictures may be on their way at once. */
  get window() {
    const shortest = this.#shortestMs;
    if (shortest === Infinity) return 1; // the first answer tells
    return Math.min(MOST_IN_FLIGHT, Math.max(1, Math.ceil((shortest * WANTED_FPS) / 1000)));
  }

  /** Milliseconds until a picture may leave; 0 is now. @param {number} now */
  waitMs(now) {
    const { window } = this;
    const spacing = window > 1 ? Math.max(this.intervalMs, this.#shortestMs / window) : this.intervalMs;
    const pace = Math.max(0, this.#lastSent + spacing - now);
    if (this.#inFlight.size < window) return pace;
    const [oldest] = this.#inFlight.values();
    return Math.max(pace, oldest + this.timeoutMs - now, 0);
  }

  /** A picture leaves: its frame number. @param {number} now */
  send(now) {
    for (const [number, at] of this.#inFlight) if (now - at >= this.timeoutMs) this.#forget(number);
    this.#inFlight.set(this.#next, now);
    this.#lastSent = now;
    return this.#next++;
  }

  /**
   * An answer came: whether it was waited for. Answers keep the order of their pictures, so older ones are lost.
   * @param {unknown} frameNumber @param {number} now
   */
  answer(frameNumber, now) {
    const sentAt = this.#inFlight.get(/** @type {number} */ (frameNumber));
    if (sentAt === undefined) return false;
    for (const number of this.#inFlight.keys()) if (number < Number(frameNumber)) this.#forget(number);
    this.#inFlight.delete(/** @type {number} */ (frameNumber));
    this.roundTripMs = now - sentAt;
    this.#remember(now, this.roundTripMs);
    this.answered += 1;
    return true;
  }

  get #shortestMs() {
    return Math.min(this.#shortest.before, this.#shortest.now);
  }

  /** @param {number} number */
  #forget(number) {
    this.#inFlight.delete(number);
    this.lost += 1;
  }

  /** @param {number} now @param {number} roundTripMs */
  #remember(now, roundTripMs) {
    if (now - this.#shortest.since > REMEMBERED_MS) {
      this.#shortest = { since: now, before: this.#shortest.now, now: roundTripMs };
    }
    this.#shortest.now = Math.min(this.#shortest.now, roundTripMs);
  }
}
